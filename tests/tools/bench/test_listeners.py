"""Two listeners of a toy, in real time."""

import time

import pytest

from mira.cli.bench.service import Service
from tests.toys import ToySynthesizer
from tools.bench.listeners import crowd


def test_they_listen_in_real_time(toy_service: Service) -> None:
    began = time.perf_counter()
    first, second = crowd(toy_service, ["Hello. " * 8] * 2)
    took_s = time.perf_counter() - began
    toy = ToySynthesizer()
    spoken_s = len(toy.whole("Hello. " * 8)) / toy.sample_rate
    assert first.audio_s == second.audio_s == pytest.approx(spoken_s, abs=0.5)
    assert 0 < first.ttfa_ms < 2000
    assert took_s > first.audio_s - 1.3  # about a second is ahead
