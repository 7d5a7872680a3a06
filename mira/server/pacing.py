"""Chunks of a stream in, pieces that leave as they are played out: none much sooner.

What was sent can't be taken back. A listener who interrupts, or leaves without a word, has cost
little more than what they heard.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise

from mira.audio.formats import find_format
from mira.server.utterance import Chunk, Delivery
from mira.stream.clock import Player
from mira.words.said import SaidWord

LONGEST_S = 0.2  # of a piece: a player's lead is kept to within as much
# Of frames: with the one that leaves, at most 50 ms are in the hands of a client that passes them
# on to a line, and so gone when it interrupts.
FRAMES_LEAD_S = 0.02


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that leave together."""

    data: bytes
    start_s: float  # when a player gets to them, in seconds from the stream's beginning
    stop_s: float
    words: tuple[SaidWord, ...] = ()
    """New or corrected: all that begin in it, and maybe more."""
    flushes: int = 0  # of the text that have been spoken with it


class Pacing:
    """Parts one stream into pieces, and lets each go in time.

    Args:
        delivery: Of the stream. Each piece of one in frames is a frame, the last filled up with
            silence; what is less waits for more.
        lead_s: How much sooner than a player gets to it a piece may leave, in seconds; for a
            stream in frames it is `FRAMES_LEAD_S` at most.
        now: The clock, in seconds.
        player: Whoever hears it, where something else may have been sent before and not be played
            yet.
    """

    def __init__(
        self,
        delivery: Delivery,
        lead_s: float = 1.0,
        now: Callable[[], float] = time.perf_counter,
        player: Player | None = None,
    ) -> None:
        format, frame_ms = find_format(delivery.format), delivery.frame_ms or 0
        self._lead_s = min(lead_s, FRAMES_LEAD_S) if frame_ms else lead_s
        self._now = now
        self._player = player or Player()
        self._silence = format.silence
        self._grain = format.sample_bytes or 1  # bytes that stay together
        self._frame_bytes = frame_ms * delivery.sample_rate // 1000 * self._grain
        self._frame_s = frame_ms / 1000
        self._held = b""  # less than a frame
        self._until_s = 0.0  # the end of what was parted
        self._sent_s = 0.0  # and of what was sent

    @property
    def heard_s(self) -> float:
        """What a player has played that began with the first piece, in seconds."""
        return max(0.0, self._sent_s - max(0.0, self._player.left_s(self._now()) or 0.0))

    async def pieces(
        self,
        chunks: AsyncIterator[Chunk],
        keep_back: Callable[[float], object] = lambda for_s: None,
    ) -> AsyncGenerator[Piece, None]:
        """Yield what chunks are parted into, each once it may leave.

        Whoever asks for the next one has sent it: one that waits to be sent is not heard meanwhile.

        Args:
            keep_back: Told for how long the next piece is kept back; see `Utterance`.
        """
        async with aclosing(self._parted(chunks)) as pieces:
            async for piece in pieces:
                early_s = (self._player.left_s(self._now()) or 0.0) - self._lead_s
                if early_s > 0:
                    keep_back(early_s)
                    await asyncio.sleep(early_s)
                yield piece
                if piece.data:
                    self._player.takes(piece.stop_s - piece.start_s, self._now())
                self._sent_s = piece.stop_s

    async def _parted(self, chunks: AsyncIterator[Chunk]) -> AsyncGenerator[Piece, None]:
        async for chunk in chunks:
            for piece in self._part(chunk):
                yield piece
        if self._held:
            missing = (self._frame_bytes - len(self._held)) // self._grain
            yield self._piece(self._held + missing * self._silence, self._frame_s)

    def _part(self, chunk: Chunk) -> Iterator[Piece]:
        """Part a chunk. Its words go with its first piece, and its flushes with the last."""
        if self._frame_bytes:
            pieces = [*self._frames(chunk.data)]
        else:
            pieces = [*self._shares(chunk.data, max(0.0, chunk.until_s - self._until_s))]
        if not pieces:
            pieces = [Piece(b"", self._until_s, self._until_s)]
        pieces[0] = replace(pieces[0], words=chunk.words)
        pieces[-1] = replace(pieces[-1], flushes=chunk.flushes)
        yield from pieces

    def _frames(self, data: bytes) -> Iterator[Piece]:
        data = self._held + data
        whole = len(data) - len(data) % self._frame_bytes
        self._held = data[whole:]
        for start in range(0, whole, self._frame_bytes):
            yield self._piece(data[start : start + self._frame_bytes], self._frame_s)

    def _shares(self, data: bytes, audio_s: float) -> Iterator[Piece]:
        """Yield parts of equal length; a codec's packets are in several, which no player minds."""
        grains = len(data) // self._grain
        number = min(max(1, math.ceil(audio_s / LONGEST_S)), max(1, grains))
        edges = [grains * at // number * self._grain for at in range(number)]
        for start, stop in pairwise([*edges, len(data)]):
            yield self._piece(data[start:stop], audio_s / number)

    def _piece(self, data: bytes, audio_s: float) -> Piece:
        start_s, self._until_s = self._until_s, self._until_s + audio_s
        return Piece(data, start_s, self._until_s)
