"""Samples of 16 kHz in, what the acoustic model hears of each hundredth second out.

Mel cepstra without their mean, which is the microphone's or the line's, and how they change. They
don't depend on how the samples were cut. Knows nothing about words.

Source: the front end of Sphinx, with the parameters in the model's own feat.params.
"""

import numpy as np
import numpy.typing as npt

from mira.types import Samples
from mira.words.resample import RATE

Floats = npt.NDArray[np.float32]

HOP = RATE // 100
FRAME_S = HOP / RATE
CEPSTRA = 13
STREAMS = 3
"""Cepstra, how they change, and how that changes."""

_WIDTH = 410  # samples of a frame: 25.6 ms
_BINS = 512
_BANDS = 25
_LOWEST_HZ, _HIGHEST_HZ = 130.0, 6800.0
_LIFTER = 22
_EMPHASIS = np.float32(0.97)
_SCALE = np.float32(32768)  # the model has learned from whole numbers
_LOUDEST = 4.0  # what is louder is broken
# What a recording's last bit makes: silence of zeros is no quieter than silence that was recorded.
_FLOOR = np.float32(5)
_REACH = 3  # frames on either side that one is compared with
# What is known of the mean before anything is heard, and how many frames that counts for.
_MEAN = np.array([50, 3, -1] + [0] * (CEPSTRA - 3), np.float32)
_MEAN_FRAMES = 20


class Features:
    """Listens to one stream."""

    def __init__(self) -> None:
        self._samples = np.zeros(1, np.float32)  # from the one before the next frame on
        self._cepstra = np.zeros((0, CEPSTRA), np.float32)
        self._sum = _MEAN.astype(np.float64) * _MEAN_FRAMES
        self._frames = _MEAN_FRAMES

    def push(self, samples: Samples) -> Floats:
        """Return [frames, STREAMS, CEPSTRA], those that [num_samples] make certain."""
        # Clipped, and NaN as silence: one bad sample would spoil all means after it.
        samples = np.clip(np.nan_to_num(samples), -_LOUDEST, _LOUDEST) * _SCALE
        held = np.concatenate([self._samples, samples])
        count = max(0, (len(held) - 1 - _WIDTH) // HOP + 1)
        self._samples = held[count * HOP :].copy()
        if not count:
            return _NOTHING
        heard = held[1:] - _EMPHASIS * held[:-1]
        frames = np.lib.stride_tricks.sliding_window_view(heard, _WIDTH)[::HOP][:count]
        return self._compare(_cepstra(frames))

    def flush(self) -> Floats:
        """Return the rest."""
        last = self._cepstra[-1:]
        return self._compare(np.repeat(last, _REACH, axis=0)) if len(last) else _NOTHING

    def _compare(self, new: Floats) -> Floats:
        before = self._cepstra if len(self._cepstra) else np.repeat(new[:1], _REACH, axis=0)
        all_ = np.concatenate([before, new])
        self._cepstra = all_[-2 * _REACH :]
        count = len(all_) - 2 * _REACH
        if count <= 0:
            return _NOTHING
        at = [all_[shift : shift + count] for shift in range(2 * _REACH + 1)]
        change = at[5] - at[1]
        change_of_change = (at[6] - at[2]) - (at[4] - at[0])
        return np.stack([at[3] - self._means(at[3]), change, change_of_change], axis=1)

    def _means(self, cepstra: Floats) -> Floats:
        """Return for each frame the mean of all up to it."""
        sums = self._sum + np.cumsum(cepstra, axis=0, dtype=np.float64)
        counts = self._frames + 1 + np.arange(len(cepstra))
        self._sum, self._frames = sums[-1], int(counts[-1])
        return (sums / counts[:, None]).astype(np.float32)


def _cepstra(frames: Floats) -> Floats:
    """Return [frames, CEPSTRA] of [frames, 410] samples."""
    spectrum = np.fft.rfft(frames * _WINDOW, _BINS)
    power = spectrum.real**2 + spectrum.imag**2
    heard: Floats = np.log(power.astype(np.float32) @ _MEL + _FLOOR) @ _COSINES
    return heard


def _mel_bands() -> Floats:
    """Return [bins, bands]: triangles of the same area, equally far apart on the mel scale."""
    lowest, highest = 2595 * np.log10(1 + np.array([_LOWEST_HZ, _HIGHEST_HZ]) / 700)
    edges = 700 * (10 ** (np.linspace(lowest, highest, _BANDS + 2) / 2595) - 1)
    bin_hz = RATE / _BINS
    edges = np.floor(edges / bin_hz + 0.5) * bin_hz
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    hz = np.arange(_BINS // 2 + 1)[:, None] * bin_hz
    sides = np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle))
    return (np.maximum(0, sides) * 2 / (high - low)).astype(np.float32)


def _cosines() -> Floats:
    """Return [bands, CEPSTRA]: the transform, and what the lifter makes of it."""
    orders = np.arange(CEPSTRA)
    cosines = np.cos(np.pi * orders / _BANDS * (np.arange(_BANDS)[:, None] + 0.5))
    cosines *= np.sqrt(np.where(orders, 2, 1) / _BANDS)
    return (cosines * (1 + _LIFTER / 2 * np.sin(np.pi * orders / _LIFTER))).astype(np.float32)


_NOTHING = np.zeros((0, STREAMS, CEPSTRA), np.float32)
_WINDOW = np.hamming(_WIDTH).astype(np.float32)
_MEL = _mel_bands()
_COSINES = _cosines()
