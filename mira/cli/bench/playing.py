"""The arrivals of one answer in, what its listener went through out.

The listener begins to play at the first byte, in real time. What is played before the first
sample that can be heard is waiting, not listening.

Knows nothing about how the answer came in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mira.types import Samples

AUDIBLE = 10 ** (-50 / 20)  # of full scale; softer than this is silence to a listener
TOGETHER_S = 0.005
"""What arrives so soon after the first byte of a chunk belongs to it: networks cut chunks up."""

Arrival = tuple[float, float]
"""When a piece of the answer came in, s on any clock; and how long it plays, s."""


@dataclass(frozen=True, slots=True)
class Played:
    """What the listener of one answer went through.

    Attributes:
        audible_ms: From asking to the first sample that can be heard: until the first byte, then
            the silence that the answer begins with, and any waiting within it.
        rtf: From asking to the last byte, over the audio's duration.
        underruns: Moments, after the first audible sample, with nothing left to play.
        head_room_ms: From the arrival of the second chunk to the moment at which the audio of the
            first ends; negative if the listener had to wait. None if there was no second chunk. A
            chunk is all that arrives within TOGETHER_S of its first byte.
        audio_s: How long the answer plays.
    """

    audible_ms: float
    rtf: float
    underruns: int
    head_room_ms: float | None
    audio_s: float


def play(asked_at: float, arrivals: Sequence[Arrival], silence_s: float) -> Played:
    """Listen to an answer in real time.

    Args:
        asked_at: On the clock of `arrivals`.
        arrivals: In order; at least one, and longer than `silence_s` in all.
        silence_s: What the answer begins with; see `leading_silence`.
    """
    plays_until = arrivals[0][0]
    received_s, audible_at, underruns = 0.0, 0.0, 0
    for at, audio_s in arrivals:
        if at > plays_until:
            underruns += received_s > silence_s
            plays_until = at
        if received_s <= silence_s < received_s + audio_s:
            audible_at = plays_until + silence_s - received_s
        received_s += audio_s
        plays_until += audio_s
    return Played(
        audible_ms=(audible_at - asked_at) * 1000,
        rtf=(arrivals[-1][0] - asked_at) / received_s,
        underruns=underruns,
        head_room_ms=_head_room_ms(arrivals),
        audio_s=received_s,
    )


def _head_room_ms(arrivals: Sequence[Arrival]) -> float | None:
    began = arrivals[0][0]
    first = [audio_s for at, audio_s in arrivals if at <= began + TOGETHER_S]
    if len(first) == len(arrivals):
        return None
    return (began + sum(first) - arrivals[len(first)][0]) * 1000


def leading_silence(samples: Samples) -> int | None:
    """Samples before the first that can be heard; None if none can."""
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
    return int(loud[0]) if len(loud) else None
