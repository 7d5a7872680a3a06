"""Pieces of speech in, one stream out: a pause after each, and none after the last.

The pause is made of the silence that the piece itself ends with, since that of a voice in a room
is not the silence of no signal: cut to length, or followed by zeros. Knows nothing about text.
"""

import numpy as np

from mira.types import Samples

SILENCE = 0.004  # -48 dB of full scale: softer than this is not heard
TAIL_S = 0.04  # kept after the last sound of all, so that no soft consonant is clipped
FADE_S = 0.01  # of a silence that ends before its own end
LONGEST_S = 1.0  # held back: a longer silence was meant

_NOTHING: Samples = np.zeros(0, np.float32)


class Joiner:
    """Holds back the silence at the end, until it is known what follows.

    `push` a piece's blocks, `pause`, push the next one's; at the end `flush`. The joined output
    depends on the joined blocks of each piece, not on how they were cut; sound never waits. If
    what follows a piece is late, `settle`: the output is the same, but for pauses shorter than
    `TAIL_S`, which become as long.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._held = _NOTHING
        self._joined = 0  # samples returned so far
        self._settled = 0  # of them, the last, which are held all the same

    @property
    def joined_s(self) -> float:
        """Duration of what was returned so far, in seconds: where a piece begins."""
        return self._joined / self._sample_rate

    def push(self, block: Samples) -> Samples:
        """Take a block of any size; return all up to its last sound."""
        held = np.concatenate([self._held, block])
        loud = np.flatnonzero(np.abs(held) > SILENCE)
        stop = int(loud[-1]) + 1 if len(loud) else 0
        stop = max(stop, len(held) - self._samples(LONGEST_S))
        self._held = held[stop:].copy()  # a view would keep all of the block
        self._joined += stop
        return held[:stop]

    def settle(self) -> Samples:
        """Return of the silence after a piece what will be heard whatever follows: a client should
        not wait for its last sound, which may still be in a filter or an encoder."""
        sure = min(len(self._held), self._samples(TAIL_S)) - self._samples(FADE_S)
        silence = self._held[self._settled : max(0, sure)].copy()
        self._settled += len(silence)
        self._joined += len(silence)
        return silence

    def pause(self, pause_s: float) -> Samples:
        """End a piece: return silence of this length, counted from its last sound."""
        num_samples = self._samples(pause_s)
        if self._settled:
            num_samples = max(num_samples, self._samples(TAIL_S))
        pause = np.zeros(num_samples, np.float32)
        silence = self._end(num_samples)
        pause[: len(silence)] = silence
        return self._unsettled(pause)

    def flush(self) -> Samples:
        """End the last piece; return what is kept of the silence after it."""
        return self._unsettled(self._end(self._samples(TAIL_S)))

    def _unsettled(self, silence: Samples) -> Samples:
        unsettled, self._settled = silence[self._settled :], 0
        self._joined += len(unsettled)
        return unsettled

    def _end(self, num_samples: int) -> Samples:
        silence, self._held = self._held[:num_samples].copy(), _NOTHING
        fade = min(self._samples(FADE_S), len(silence))
        silence[len(silence) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        return silence

    def _samples(self, duration_s: float) -> int:
        return round(duration_s * self._sample_rate)
