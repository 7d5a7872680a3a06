"""Pieces are the chunks' own bytes, in time: none much sooner than it is played."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidRequest
from mira.server.pacing import LONGEST_S, Pacing, Piece
from mira.server.utterance import Chunk, Delivery
from mira.stream.clock import Player
from mira.types import Span
from mira.words.said import SaidWord

RATE = 8000
WORD = SaidWord(Span(0, 3), 0.1, 0.2, False)


def chunks_of(sizes: list[int], sample_bytes: int) -> list[Chunk]:
    """Bytes that differ, so many samples of them in each chunk."""
    made, until = [], 0
    for number, size in enumerate(sizes):
        data = bytes((number + at) % 251 for at in range(size * sample_bytes))
        until += size
        made.append(Chunk(data, until / RATE, words=(WORD,) * (number % 2), flushes=number % 3))
    return made


def parted(pacing: Pacing, chunks: list[Chunk]) -> list[Piece]:
    async def coming() -> AsyncIterator[Chunk]:
        for chunk in chunks:
            yield chunk

    async def main() -> list[Piece]:
        return [piece async for piece in pacing.pieces(coming())]

    return asyncio.run(main())


formats = st.sampled_from([("pcm", 2), ("ulaw", 1), ("mp3", 1)])
sizes = st.lists(st.integers(0, 4000), max_size=8)


@given(form=formats, sizes=sizes)
def test_nothing_is_lost_or_torn(form: tuple[str, int], sizes: list[int]) -> None:
    name, sample_bytes = form
    chunks = chunks_of(sizes, sample_bytes)
    pieces = parted(Pacing(Delivery(name, RATE), lead_s=600), chunks)
    assert b"".join(p.data for p in pieces) == b"".join(chunk.data for chunk in chunks)
    assert sum(piece.flushes for piece in pieces) == sum(chunk.flushes for chunk in chunks)
    assert [word for p in pieces for word in p.words] == [w for c in chunks for w in c.words]
    for piece in pieces:
        assert len(piece.data) % sample_bytes == 0
        assert piece.stop_s - piece.start_s <= LONGEST_S + 1e-9
        expected = len(piece.data) / sample_bytes / RATE
        assert piece.stop_s - piece.start_s == pytest.approx(expected, abs=1 / RATE)
    for one, other in pairwise(pieces):
        assert other.start_s == pytest.approx(one.stop_s)


@given(form=st.sampled_from([("pcm", 2), ("alaw", 1)]), sizes=sizes)
def test_frames_are_as_long_as_asked_but_for_the_last(
    form: tuple[str, int], sizes: list[int]
) -> None:
    name, sample_bytes = form
    chunks = chunks_of(sizes, sample_bytes)
    pieces = parted(Pacing(Delivery(name, RATE), lead_s=600, frame_s=0.02), chunks)
    assert b"".join(p.data for p in pieces) == b"".join(chunk.data for chunk in chunks)
    *whole, last = [piece for piece in pieces if piece.data] or [Piece(b"", 0, 0)]
    assert {len(piece.data) for piece in whole} <= {160 * sample_bytes}
    assert len(last.data) <= 160 * sample_bytes
    assert last.stop_s == pytest.approx(sum(sizes) / RATE)
    assert sum(piece.flushes for piece in pieces) == sum(chunk.flushes for chunk in chunks)


def test_packets_are_no_frames() -> None:
    with pytest.raises(InvalidRequest, match=r"20 ms.*mp3"):
        Pacing(Delivery("mp3", RATE), frame_s=0.02)


def test_pieces_leave_as_they_are_played() -> None:
    """The first ones at once, as far as the lead goes; then in real time."""
    pacing = Pacing(Delivery("pcm", RATE), lead_s=0.3)
    left: list[tuple[float, Piece]] = []

    async def coming() -> AsyncIterator[Chunk]:
        for chunk in chunks_of([8000, 800], 2):
            yield chunk

    async def main() -> None:
        async for piece in pacing.pieces(coming()):
            left.append((time.perf_counter(), piece))
            assert piece.stop_s - pacing.heard_s <= 0.3 + LONGEST_S + 0.01

    asyncio.run(main())
    began = left[0][0]
    for at, piece in left:
        early_s = piece.start_s - (at - began)
        assert early_s <= 0.3 + 0.01
    assert left[-1][0] - began == pytest.approx(1.0 - 0.3, abs=0.1)
    assert pacing.heard_s < 1.1


def test_what_waits_to_be_sent_is_not_heard_meanwhile() -> None:
    now = 0.0
    pacing = Pacing(Delivery("pcm", RATE), lead_s=600, now=lambda: now)

    async def coming() -> AsyncIterator[Chunk]:
        for chunk in chunks_of([1600, 1600], 2):
            yield chunk

    async def main() -> None:
        nonlocal now
        sent_s = 0.0
        async for piece in pacing.pieces(coming()):
            now += 5.0  # for which the listener takes nothing
            assert pacing.heard_s <= sent_s
            sent_s = piece.stop_s

    asyncio.run(main())
    now += 5.0
    assert pacing.heard_s == pytest.approx(0.4)


def test_the_last_frame_counts_as_the_others_do() -> None:
    now = 0.0
    pacing = Pacing(Delivery("pcm", RATE), lead_s=600, frame_s=0.02, now=lambda: now)
    pieces = parted(pacing, chunks_of([200], 2))  # a frame and a quarter
    now += 1.0
    assert pacing.heard_s == pieces[-1].stop_s == pytest.approx(0.025)


def test_what_was_sent_before_is_played_first() -> None:
    """A second stream to the same player leaves no sooner than one long one would."""
    player, delivery = Player(), Delivery("pcm", RATE)
    assert len(parted(Pacing(delivery, lead_s=0.3, player=player), chunks_of([4000], 2))) > 1
    second = Pacing(delivery, lead_s=0.3, player=player)
    began = time.perf_counter()
    parted(second, chunks_of([4000], 2))
    assert time.perf_counter() - began == pytest.approx(0.5, abs=0.1)
    assert second.heard_s < 0.3
