"""Samples of any rate in, samples of 16 kHz out, a block at a time.

Sample n of the output is heard at n / 16000 s of the input, and doesn't depend on how the input was
cut. Knows nothing about speech.

Source: polyphase windowed-sinc interpolation, the usual one.
"""

from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt

from mira.types import Samples

RATE = 16_000
_ZEROS = 12
"""Zero crossings of the filter on either side: 60 dB from 0.9 of the lower rate's band on."""
_BETA = 6.0  # of Kaiser's window


class Resampler:
    """Makes 16 kHz of one stream.

    Args:
        sample_rate: Of what is pushed, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._same = sample_rate == RATE
        self._filters, self._step = _design(sample_rate)
        self._reach = self._filters.shape[1] // 2
        self._held = np.zeros(self._reach - 1, np.float32)
        self._at = 0  # of the next output, in steps of 1 / len(filters) samples after `held`

    def push(self, samples: Samples) -> Samples:
        """Return what [num_samples] make certain: all but the last milliseconds."""
        if self._same:
            return samples
        phases, taps = self._filters.shape
        held = np.concatenate([self._held, samples])
        count = max(0, -(-((len(held) - taps + 1) * phases - self._at) // self._step))
        steps = self._at + self._step * np.arange(count)
        starts, phase = np.divmod(steps, phases)
        windows = np.lib.stride_tricks.sliding_window_view(held, taps) if count else held[:0, None]
        made: Samples = np.einsum(
            "nt,nt->n", windows[starts], self._filters[phase], dtype=np.float32
        )
        self._at += self._step * count
        done = min(self._at // phases, len(held))
        self._at -= done * phases
        self._held = held[done:].copy()
        return made

    def flush(self) -> Samples:
        """Return the rest."""
        return self.push(np.zeros(0 if self._same else self._reach, np.float32))


@lru_cache(16)
def _design(sample_rate: int) -> tuple[npt.NDArray[np.float32], int]:
    """Return the filters [phases, taps], and the step between outputs, in phases."""
    shared = gcd(sample_rate, RATE)
    phases, step = RATE // shared, sample_rate // shared
    band = min(1.0, RATE / sample_rate) * 0.95
    reach = int(np.ceil(_ZEROS / band))
    offsets = np.arange(2 * reach) - (reach - 1) - np.arange(phases)[:, None] / phases
    window = np.i0(_BETA * np.sqrt(np.maximum(0, 1 - (offsets / reach) ** 2))) / np.i0(_BETA)
    filters = band * np.sinc(band * offsets) * window
    return (filters / filters.sum(1, keepdims=True)).astype(np.float32), step
