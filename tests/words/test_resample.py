"""Samples of 16 kHz, whatever came and however it was cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from mira.types import Samples
from mira.words.resample import RATE, Resampler


def resampled(samples: Samples, sample_rate: int, *cuts: int) -> Samples:
    resampler = Resampler(sample_rate)
    made = [resampler.push(part) for part in np.split(samples, sorted(cuts))]
    return np.concatenate([*made, resampler.flush()])


@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000])
def test_a_tone_is_the_same_tone_and_begins_at_the_same_time(sample_rate: int) -> None:
    times = np.arange(sample_rate, dtype=np.float32) / sample_rate
    made = resampled(np.sin(2 * np.pi * 1000 * times), sample_rate)
    assert len(made) == RATE
    wanted = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert np.abs(made - wanted)[100:-100].max() < 1e-3


@pytest.mark.parametrize("sample_rate", [24000, 48000])
def test_what_16_khz_can_not_carry_is_left_out(sample_rate: int) -> None:
    times = np.arange(sample_rate, dtype=np.float32) / sample_rate
    made = resampled(np.sin(2 * np.pi * 10_000 * times), sample_rate)
    assert np.abs(made[100:-100]).max() < 0.005


@given(cuts=lists(integers(0, 3000), max_size=8), sample_rate=integers(8000, 48000))
def test_it_does_not_matter_how_samples_are_cut(cuts: list[int], sample_rate: int) -> None:
    samples = np.random.default_rng(0).standard_normal(3000).astype(np.float32)
    whole = resampled(samples, sample_rate)
    assert np.allclose(resampled(samples, sample_rate, *cuts), whole, atol=1e-5)


def test_nothing_makes_nothing() -> None:
    assert len(resampled(np.zeros(0, np.float32), 24000)) == 0
