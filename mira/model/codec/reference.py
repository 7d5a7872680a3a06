"""A reference recording in, the mel spectrogram that the speaker encoder hears out.

NumPy alone, so that every implementation of the codec can share it.

Knows nothing about files, tokens or networks. Source: BiCodec, Spark-TTS, arXiv:2503.01710.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from mira.errors import InvalidRequest
from mira.types import Samples

SAMPLE_RATE = 16_000  # Hz, of everything below
REFERENCE_S = 6  # seconds that the speaker encoder was trained on
_FFT = 1024
_WINDOW = 640
_HOP = 320
MELS = 128
_LOWEST_HZ = 10.0

Floats = npt.NDArray[np.float64]


def mel_of(samples: Samples, sample_rate: int) -> npt.NDArray[np.float32]:
    """Compute the mel spectrogram of a recording's first six seconds, made equally loud.

    Args:
        samples: [num_samples] mono, in [-1, 1].
        sample_rate: Of `samples`, in Hz.

    Returns:
        [301, 128] magnitudes, linear.

    Raises:
        InvalidRequest: The recording is empty, or not made of finite numbers.
    """
    clip = reference_clip(prepare(samples, sample_rate))
    return mel_spectrogram(clip).astype(np.float32)


def prepare(samples: Samples, sample_rate: int) -> Floats:
    """Bring a whole recording to SAMPLE_RATE and to the loudness that the encoders expect.

    Raises:
        InvalidRequest: As `mel_of`.
    """
    if samples.size == 0:
        raise InvalidRequest("The reference recording is empty.", "samples")
    if not np.isfinite(samples).all():
        raise InvalidRequest("The reference recording holds values that aren't numbers.", "samples")
    return normalize_volume(resample(samples.astype(np.float64), sample_rate))


def resample(samples: Floats, sample_rate: int) -> Floats:
    """Bring a whole recording to SAMPLE_RATE by cutting or extending its spectrum.

    Exact below the lower of both Nyquist frequencies. The ends wrap around into one another,
    which a recording of a voice, being quiet there, doesn't show.
    """
    if sample_rate == SAMPLE_RATE:
        return samples
    wanted = max(1, round(len(samples) * SAMPLE_RATE / sample_rate))
    spectrum = np.fft.rfft(samples)[: wanted // 2 + 1]
    return np.fft.irfft(spectrum, wanted) * (wanted / len(samples))


def normalize_volume(samples: Floats, target: float = 0.2) -> Floats:
    """Scale so that the mean of the loud samples, without the very loudest, is `target`.

    The published rule to the letter: what counts as loud is decided before a quiet recording
    is raised, so a recording below 0.01 is raised to 0.1 and left there.
    """
    loud = np.sort(np.abs(samples))
    if loud[-1] < 0.1:
        samples = samples * (0.1 / max(loud[-1], 1e-3))
    loud = loud[loud > 0.01]
    if len(loud) <= 10:
        return samples
    volume = loud[int(0.9 * len(loud)) : int(0.99 * len(loud))].mean()
    samples = samples * np.clip(target / volume, 0.1, 10)
    peak = float(np.abs(samples).max())
    return samples / max(1.0, peak)


def reference_clip(samples: Floats) -> Floats:
    """Take the first REFERENCE_S seconds; a shorter recording repeats itself to fill them."""
    return np.resize(samples, SAMPLE_RATE * REFERENCE_S)


def mel_spectrogram(samples: Floats) -> Floats:
    """[num_samples] -> [1 + num_samples // 320, 128] magnitudes, linear, centred frames."""
    padded = np.pad(samples, _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    magnitudes: Floats = np.abs(np.fft.rfft(frames * _window())) @ _mel_filters()
    return magnitudes


@cache
def _window() -> Floats:
    """Make a periodic Hann window of 640 samples in the middle of 1024."""
    hann = np.hanning(_WINDOW + 1)[:-1]
    return np.pad(hann, (_FFT - _WINDOW) // 2)


@cache
def _mel_filters() -> Floats:
    """[513, 128] triangles of equal area, equally wide on Slaney's mel scale (Auditory Toolbox)."""
    frequencies = np.linspace(0, SAMPLE_RATE / 2, _FFT // 2 + 1)[:, None]
    lowest, highest = _mel_from_hz(_LOWEST_HZ), _mel_from_hz(SAMPLE_RATE / 2)
    corners = _hz_from_mel(np.linspace(lowest, highest, MELS + 2))
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    rising = (frequencies - left) / (centre - left)
    falling = (right - frequencies) / (right - centre)
    triangles: Floats = np.maximum(0, np.minimum(rising, falling)) * 2 / (right - left)
    return triangles


# Slaney's mel scale: linear up to 1 kHz, which is 15 mel, then 27 mel for each factor of 6.4.
def _mel_from_hz(hz: float) -> float:
    return hz * 15 / 1000 if hz < 1000 else 15 + 27 * float(np.log(hz / 1000) / np.log(6.4))


def _hz_from_mel(mel: Floats) -> Floats:
    return np.where(mel < 15, mel * 1000 / 15, 1000 * 6.4 ** ((mel - 15) / 27))
