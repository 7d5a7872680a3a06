"""Samples in, the stretches in which somebody speaks out.

Knows nothing about words. Keeps no samples: a sentence is a few dozen numbers.
"""

from bisect import bisect_right

import numpy as np

from mira.types import Samples

FLOOR = 0.004  # -48 dB of full scale: softer than this is not heard
_BELOW_LOUDEST = 0.05  # -26 dB: a room, a breath
_FRAME_S = 0.01
_PAUSE_S = 0.12  # less may be a consonant: nothing is heard while lips are closed
_MOST = 200  # stretches; further ones count as a part of the last
_NOTHING: Samples = np.zeros(0, np.float32)


class Voiced:
    """Where there is voice in what was heard so far.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.stretches: list[tuple[float, float]] = []
        """Begin and end of each, in seconds; at least _PAUSE_S apart."""
        self._sample_rate = sample_rate
        self._num_samples = 0
        self._rest = _NOTHING  # less than a frame
        self._frames = 0
        self._loudest = 0.0

    @property
    def heard_s(self) -> float:
        """Duration of what was heard so far, in seconds."""
        return self._num_samples / self._sample_rate

    @property
    def stop_s(self) -> float:
        """When the last voice so far ends, in seconds; 0 before any."""
        return self.stretches[-1][1] if self.stretches else 0.0

    @property
    def voice_s(self) -> float:
        """Duration of all stretches, in seconds."""
        return sum(stop_s - start_s for start_s, stop_s in self.stretches)

    def push(self, samples: Samples) -> None:
        """Listen to [num_samples] more."""
        self._num_samples += len(samples)
        samples = np.concatenate([self._rest, samples])
        length = round(_FRAME_S * self._sample_rate)
        whole = len(samples) // length
        self._rest = samples[whole * length :].copy()  # a view would keep all of the block
        loudness = np.sqrt(np.mean(samples[: whole * length].reshape(whole, length) ** 2, axis=1))
        self._loudest = max([self._loudest, *loudness])
        loud = loudness > max(FLOOR, _BELOW_LOUDEST * self._loudest)
        # Where it begins to be loud, and where it ends.
        changes = np.flatnonzero(np.diff(loud, prepend=False, append=False)).tolist()
        for first, stop in zip(changes[::2], changes[1::2], strict=True):
            self._add((self._frames + first) * _FRAME_S, (self._frames + stop) * _FRAME_S)
        self._frames += whole

    def between(self, start_s: float, stop_s: float) -> list[tuple[float, float]]:
        """List the stretches, and the parts of some, between two times in seconds."""
        first = max(0, bisect_right(self.stretches, (start_s, start_s)) - 1)
        cut = ((max(start_s, a), min(stop_s, b)) for a, b in self.stretches[first:])
        return [(a, b) for a, b in cut if a < b]

    def _add(self, start_s: float, stop_s: float) -> None:
        if self.stretches:
            begun_s, ended_s = self.stretches[-1]
            if start_s - ended_s < _PAUSE_S or len(self.stretches) == _MOST:
                self.stretches[-1] = begun_s, stop_s
                return
        self.stretches.append((start_s, stop_s))
