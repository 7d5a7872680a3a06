"""Pieces are the chunks' own bytes, in time: none much sooner than it is played."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidRequest
from mira.server.pacing import LONGEST_S, Pacing, Piece
from mira.server.utterance import FRAMES_MS, Chunk, Delivery
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


@given(
    form=st.sampled_from([("pcm", 2), ("alaw", 1)]),
    sizes=sizes,
    frame_ms=st.sampled_from(FRAMES_MS),
)
def test_every_frame_is_whole(form: tuple[str, int], sizes: list[int], frame_ms: int) -> None:
    name, sample_bytes = form
    chunks = chunks_of(sizes, sample_bytes)
    delivery = Delivery(name, RATE, frame_ms=frame_ms)
    pieces = parted(Pacing(delivery, now=count().__next__), chunks)  # the time passes quickly
    said, sent = (b"".join(part.data for part in parts) for parts in (chunks, pieces))
    silence = {"pcm": b"\0\0", "alaw": b"\xd5"}[name]
    frame_bytes = frame_ms * 8 * sample_bytes
    assert {len(piece.data) for piece in pieces} <= {0, frame_bytes}
    assert sent.startswith(said) and len(sent) - len(said) < frame_bytes
    assert sent[len(said) :] == silence * ((len(sent) - len(said)) // sample_bytes)
    assert sum(piece.flushes for piece in pieces) == sum(chunk.flushes for chunk in chunks)
    assert [word for p in pieces for word in p.words] == [w for c in chunks for w in c.words]
    for one, other in pairwise(pieces):
        assert other.start_s == pytest.approx(one.stop_s)
    if pieces:
        assert pieces[-1].stop_s == pytest.approx(len(sent) / sample_bytes / RATE)


def test_frames_leave_when_they_are_played() -> None:
    """A listener who interrupts has 50 ms in hand at most, and one who plays never waits."""
    pacing = Pacing(Delivery("ulaw", RATE, frame_ms=20), lead_s=600)
    left: list[float] = []

    async def coming() -> AsyncIterator[Chunk]:
        for chunk in chunks_of([4000, 1200, 30], 1):
            yield chunk

    async def main() -> None:
        nonlocal left
        async for piece in pacing.pieces(coming()):
            left += [time.perf_counter()] if piece.data else []
            assert piece.stop_s - pacing.heard_s <= 0.041

    asyncio.run(main())
    assert len(left) == 33
    for number, at in enumerate(left):
        assert number * 0.02 - (at - left[0]) <= 0.021
    assert left[-1] - left[0] == pytest.approx(31 * 0.02, abs=0.1)


@pytest.mark.parametrize(
    ("format", "sample_rate", "frame_ms", "why"),
    [
        ("mp3", 8000, 20, "mp3 is more than samples.*pcm, ulaw, alaw, f32"),
        ("wav_ulaw", 8000, 20, "wav_ulaw is more"),
        ("pcm", 8000, 25, "25 is not one of 10, 20, 30"),
        ("pcm", 8000, 0, "0 is not one of"),
        ("pcm", 22050, 10, "10 ms are no whole number of samples at 22050 Hz"),
    ],
)
def test_other_frames_are_refused(format: str, sample_rate: int, frame_ms: int, why: str) -> None:
    with pytest.raises(InvalidRequest, match=f"frame_ms: {why}") as refused:
        Delivery(format, sample_rate, frame_ms=frame_ms)
    assert refused.value.param == "frame_ms"


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
    pacing = Pacing(Delivery("pcm", RATE, frame_ms=20), now=lambda: now)
    pieces = parted(pacing, chunks_of([200], 2))  # a frame and a quarter
    now += 1.0
    assert pacing.heard_s == pieces[-1].stop_s == pytest.approx(0.04)


def test_what_was_sent_before_is_played_first() -> None:
    """A second stream to the same player leaves no sooner than one long one would."""
    player, delivery = Player(), Delivery("pcm", RATE)
    assert len(parted(Pacing(delivery, lead_s=0.3, player=player), chunks_of([4000], 2))) > 1
    second = Pacing(delivery, lead_s=0.3, player=player)
    began = time.perf_counter()
    parted(second, chunks_of([4000], 2))
    assert time.perf_counter() - began == pytest.approx(0.5, abs=0.1)
    assert second.heard_s < 0.3
