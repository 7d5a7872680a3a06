"""Settings lead to an engine that has already spoken."""

import numpy as np

from mira.load import load_engine
from mira.settings import Settings


def test_the_engine_speaks_at_once() -> None:
    engine = load_engine(Settings())
    samples = np.concatenate(list(engine.speak("Hello there.", engine.voices[0])))
    assert 0.8 < len(samples) / engine.sample_rate < 2.0
    assert np.abs(samples).max() > 0.1
