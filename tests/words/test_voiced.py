"""Stretches of voice are where somebody speaks, however the samples were cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from mira.types import Samples
from mira.words.voiced import Voiced
from tests.recorded import RATE, recording


def tones(*durations_s: float, level: float = 0.3) -> Samples:
    """Silence, a tone, silence, a tone …"""
    parts = [
        (level if number % 2 else 0.0) * np.sin(np.arange(round(duration_s * RATE)) * 0.2)
        for number, duration_s in enumerate(durations_s)
    ]
    return np.concatenate(parts).astype(np.float32)


def voiced(samples: Samples, cuts: list[int] | None = None) -> Voiced:
    made = Voiced(RATE)
    for part in np.split(samples, sorted(cut % len(samples) for cut in cuts or [])):
        made.push(part)
    return made


def test_it_finds_where_somebody_speaks() -> None:
    found = voiced(tones(0.3, 0.5, 0.4, 0.2, 0.1))
    assert np.allclose(found.stretches, [(0.3, 0.8), (1.2, 1.4)], atol=0.011)
    assert found.stop_s == pytest.approx(1.4, abs=0.011)
    assert found.heard_s == pytest.approx(1.5)
    assert found.voice_s == pytest.approx(0.7, abs=0.03)


def test_closed_lips_are_no_pause() -> None:
    assert len(voiced(tones(0.0, 0.5, 0.08, 0.5)).stretches) == 1


def test_a_room_is_not_a_voice() -> None:
    noise = 0.006 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    noise[RATE : 2 * RATE] += tones(0.0, 1.0)
    (first, *others) = [s for s in voiced(noise).stretches if s[1] > 1.05]
    assert np.allclose(first[1], 2.0, atol=0.02)
    assert not others


@given(cuts=lists(integers(0, 10**6), max_size=20))
def test_a_recording_may_come_in_any_parts(cuts: list[int]) -> None:
    samples = recording("allison_other")
    found = voiced(samples, cuts)
    assert found.heard_s == len(samples) / RATE
    assert 0.0 <= found.stretches[0][0] < 0.4
    assert 6.9 < found.stop_s <= 7.0
    for (_, stop_s), (start_s, _) in zip(found.stretches, found.stretches[1:]):
        assert start_s - stop_s >= 0.12 - 1e-9


def test_parts_of_it_can_be_asked_for() -> None:
    found = voiced(tones(0.0, 1.0, 1.0, 1.0))
    assert np.allclose(found.between(0.5, 2.5), [(0.5, 1.0), (2.0, 2.5)], atol=0.011)
    assert found.between(1.2, 1.8) == []
    assert found.between(3.5, 4.0) == []


def test_it_stays_small_however_long_it_lasts() -> None:
    found = voiced(tones(*(0.2 for _ in range(1000))))
    assert len(found.stretches) == 200
    assert found.stop_s == pytest.approx(200.0, abs=0.02)
    assert voiced(tones(1.0)).stop_s == 0.0
