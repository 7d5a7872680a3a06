"""What the acoustic model hears."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from mira.types import Samples
from mira.words.features import CEPSTRA, HOP, STREAMS, Features, Floats
from mira.words.resample import RATE


def heard(samples: Samples, *cuts: int) -> Floats:
    features = Features()
    parts = [features.push(part) for part in np.split(samples, sorted(cuts))]
    return np.concatenate([*parts, features.flush()])


def noise(seconds: float = 0.5, loudness: float = 0.1) -> Samples:
    drawn = np.random.default_rng(0).standard_normal(int(RATE * seconds))
    return (loudness * drawn).astype(np.float32)


@given(cuts=lists(integers(0, 8000), max_size=8))
def test_it_does_not_matter_how_samples_are_cut(cuts: list[int]) -> None:
    assert np.allclose(heard(noise(), *cuts), heard(noise()), atol=1e-3)


def test_there_is_a_frame_for_each_hundredth_of_a_second() -> None:
    frames = heard(noise(1.0))
    assert frames.shape[1:] == (STREAMS, CEPSTRA)
    assert RATE // HOP - 3 <= len(frames) <= RATE // HOP


def test_loudness_does_not_matter_once_it_is_known() -> None:
    loud, soft = heard(noise(4.0, 0.1))[-50:], heard(noise(4.0, 0.01))[-50:]
    assert np.abs(loud - soft).max() < 3


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e30])
def test_odd_samples_spoil_nothing(odd: float) -> None:
    samples = noise(1.0)
    samples[100:200] = odd
    assert np.isfinite(heard(samples)).all()


def test_silence_is_no_quieter_than_a_recording_of_it() -> None:
    assert np.isfinite(heard(np.zeros(RATE, np.float32))).all()


@pytest.mark.parametrize("num_samples", [0, 1, 100, 410, 411, 1000])
def test_little_makes_little(num_samples: int) -> None:
    assert len(heard(noise()[:num_samples])) <= num_samples // HOP
