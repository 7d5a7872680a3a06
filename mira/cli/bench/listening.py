"""An answer's pieces and when they came in, what its listener went through out.

The listener begins to play at the first byte, in real time. What is played before the first
sample that can be heard is waiting, not listening.

Knows nothing about how the answer came in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mira.audio.decode import decode
from mira.audio.pcm import from_s16le
from mira.stream.clock import Player
from mira.types import Samples

AUDIBLE = 10 ** (-50 / 20)  # of full scale; softer than this is silence to a listener
TOGETHER_S = 0.005  # what arrives so soon after a chunk began belongs to it: networks cut chunks up
MAX_ANSWER_S = 600.0


@dataclass(frozen=True, slots=True)
class Played:
    """What the listener of one answer went through.

    Attributes:
        audible_ms: From asking to the first sample that can be heard: until the first byte, then
            the silence that the answer begins with, and any waiting within it.
        answer_s: From asking to the last byte.
        audio_s: How long the answer plays.
        late_ms: How long each underrun lasted, of those after the first audible sample.
        head_room_ms: How long before the end of the first chunk's audio the second one came;
            negative if the listener had to wait, None if there was no second chunk.
    """

    audible_ms: float
    answer_s: float
    audio_s: float
    late_ms: tuple[float, ...]
    head_room_ms: float | None


def play(
    asked_at: float, arrivals: Sequence[tuple[float, float]], silence_s: float = 0.0
) -> Played:
    """Listen to an answer in real time.

    Args:
        asked_at: On the clock of `arrivals`.
        arrivals: When each piece came in, and how long it plays; longer than `silence_s` in all.
        silence_s: What the answer begins with; see `leading_silence`.
    """
    chunks: list[tuple[float, float]] = []
    for at, audio_s in arrivals:
        if chunks and at <= chunks[-1][0] + TOGETHER_S:
            at, audio_s = chunks[-1][0], chunks.pop()[1] + audio_s
        chunks.append((at, audio_s))
    player, heard_s, audible_ms = Player(), 0.0, 0.0
    rooms_ms, late_ms = [], []
    for at, audio_s in chunks:
        room_s = player.takes(audio_s, at)
        if room_s is not None:
            rooms_ms.append(room_s * 1000)
            if room_s < 0 and heard_s > silence_s:
                late_ms.append(-room_s * 1000)
        if heard_s <= silence_s < heard_s + audio_s:
            starts_at = at + (player.left_s(at) or 0.0) - audio_s
            audible_ms = (starts_at + silence_s - heard_s - asked_at) * 1000
        heard_s += audio_s
    head_room_ms = rooms_ms[0] if rooms_ms else None
    return Played(audible_ms, arrivals[-1][0] - asked_at, heard_s, tuple(late_ms), head_room_ms)


def hear(
    asked_at: float, pieces: Sequence[tuple[float, bytes]], response_format: str, sample_rate: int
) -> Played | None:
    """Play a whole answer; None if nothing in it can be heard.

    A second of a format other than `pcm` has as many bytes as any other second of the answer:
    near enough for those of constant rate.

    Args:
        asked_at: On the clock of `pieces`.
        pieces: When each came in, and what it holds.
        response_format: As it was asked for.
        sample_rate: Hz, of `pcm`, which does not say it itself.

    Raises:
        InvalidRequest: It is no audio.
    """
    data = b"".join(piece for _, piece in pieces)
    if response_format == "pcm":
        samples, rate = from_s16le(data), sample_rate
    else:
        samples, rate = decode(data, MAX_ANSWER_S)
    silence = leading_silence(samples)
    if silence is None:
        return None
    s_per_byte = len(samples) / rate / len(data)
    return play(asked_at, [(at, len(piece) * s_per_byte) for at, piece in pieces], silence / rate)


def leading_silence(samples: Samples) -> int | None:
    """Count the samples before the first that can be heard; None if none can."""
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
    return int(loud[0]) if len(loud) else None
