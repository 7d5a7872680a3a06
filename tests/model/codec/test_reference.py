"""The front end: loudness, clip and mel spectrogram, each by what it must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, integers, sampled_from

from mira.errors import InvalidRequest
from mira.model.codec import reference
from mira.model.codec.reference import (
    mel_of,
    mel_spectrogram,
    normalize_volume,
    reference_clip,
    resample,
)

NOISE = np.random.default_rng(0).standard_normal(16000)


def sine(hz: float, sample_rate: int, seconds: float = 1.0, level: float = 1.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(sample_rate * seconds)) / sample_rate)


def test_loud_samples_average_a_fifth() -> None:
    loud = np.sort(np.abs(normalize_volume(0.02 * NOISE)))
    loud = loud[len(loud) - (NOISE.size * 9 // 10) :]  # what was above 0.01, roughly
    assert 0.15 < loud[int(0.9 * len(loud)) : int(0.99 * len(loud))].mean() < 0.25


@given(gain=floats(1e-4, 100))
@settings(max_examples=30)
def test_never_beyond_full_scale_nor_more_than_tenfold(gain: float) -> None:
    recording = gain * NOISE
    found = normalize_volume(recording)
    assert np.abs(found).max() <= 1
    ratio = found[recording != 0] / recording[recording != 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)  # one gain for all


def test_quiet_recording_is_raised_to_a_tenth_and_silence_stays() -> None:
    quiet = sine(100, 16000, level=0.005)
    assert np.abs(normalize_volume(quiet)).max() == pytest.approx(0.1)
    assert not normalize_volume(np.zeros(1000)).any()


def test_quietness_is_judged_before_it_is_mended() -> None:
    """The published order: the levels are those of the recording, the gain comes on top."""
    recording = sine(100, 16000, level=0.05)
    loud = np.sort(np.abs(recording))
    loud = loud[loud > 0.01]
    volume = loud[int(0.9 * loud.size) : int(0.99 * loud.size)].mean()
    expected = recording * 0.1 / np.abs(recording).max() * (0.2 / volume)
    np.testing.assert_allclose(normalize_volume(recording), expected)


def test_reference_is_six_seconds_of_the_beginning() -> None:
    long = np.arange(100_000.0)
    np.testing.assert_array_equal(reference_clip(long), long[:96_000])
    short = np.arange(40_000.0)
    expected = np.concatenate([short, short, short[:16_000]])
    np.testing.assert_array_equal(reference_clip(short), expected)


@given(sample_rate=sampled_from([8000, 11025, 22050, 24000, 44100, 48000]), hz=integers(50, 3500))
@settings(max_examples=20)
def test_resampling_keeps_a_tone(sample_rate: int, hz: int) -> None:
    found = resample(sine(hz, sample_rate), sample_rate)
    np.testing.assert_allclose(found, sine(hz, 16000), atol=1e-9)


def test_resampling_drops_what_can_not_be_kept() -> None:
    assert np.abs(resample(sine(9000, 48000), 48000)).max() < 1e-9


def test_mel_of_a_frame_by_the_definition() -> None:
    """One frame by a plain Fourier sum, one filter by its three corners."""
    found = mel_spectrogram(NOISE)
    assert found.shape == (51, 128)
    frame, band = 20, 40
    n = np.arange(640)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / 640)  # periodic: 640 divides, not 639
    samples = NOISE[frame * 320 - 320 : frame * 320 + 320] * window
    corners = reference._hz_from_mel(
        np.linspace(reference._mel_from_hz(10), reference._mel_from_hz(8000), 130)
    )[band : band + 3]
    total = 0.0
    for k in range(513):
        hz = k * 16000 / 1024
        height = np.interp(hz, corners, [0, 2 / (corners[2] - corners[0]), 0])
        total += height * abs(np.sum(samples * np.exp(-2j * np.pi * k * n / 1024)))
    assert found[frame, band] == pytest.approx(total, rel=1e-9)


def test_mel_scale_is_slaneys() -> None:
    """The Auditory Toolbox's: 66.7 Hz a mel up to 1 kHz, then 27 steps to 6.4 kHz."""
    assert reference._mel_from_hz(500) == pytest.approx(7.5)
    assert reference._mel_from_hz(6400) == pytest.approx(42)
    mels = np.array([3.0, 15.0, 42.0])
    np.testing.assert_allclose(reference._hz_from_mel(mels), [200, 1000, 6400])


@pytest.mark.parametrize("seconds", [0.01, 0.5, 6, 9])
def test_shape_does_not_depend_on_the_recording(seconds: float) -> None:
    mel = mel_of(sine(200, 24000, seconds).astype(np.float32), 24000)
    assert mel.shape == (301, 128)
    assert mel.dtype == np.float32


@pytest.mark.parametrize("wrong", [[], [0.1, np.nan], [np.inf]])
def test_recording_without_sound_is_refused(wrong: list[float]) -> None:
    with pytest.raises(InvalidRequest, match="reference recording"):
        mel_of(np.array(wrong, np.float32), 16000)
