"""Blocks come through whole and in order, never too early, and leaving leaves nothing behind."""

import threading
from collections.abc import Generator, Iterator
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.stream.ahead import Interrupt, _Buffer, ahead
from mira.stream.listening import Listener
from mira.stream.turns import Ticket, Turns
from mira.types import Samples
from tests.server.serving import wait_until

RATE = 1000


class Source:
    """Blocks of given lengths, each with its own number as samples."""

    def __init__(self, lengths: list[int], error: Exception | None = None) -> None:
        self.lengths = lengths
        self.error = error
        self.made = 0  # blocks
        self.closed_by: str | None = None  # name of a thread
        self.may_make = threading.Semaphore(10**9)

    def parts(self) -> Iterator[Generator[Samples, None, None]]:
        return iter([self.blocks()])

    def blocks(self) -> Generator[Samples, None, None]:
        try:
            for number, length in enumerate(self.lengths):
                self.may_make.acquire()
                self.made += 1
                yield np.full(length, number, np.float32)
            if self.error is not None:
                raise self.error
        finally:
            self.closed_by = threading.current_thread().name


def helpers_alive() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("mira-ahead")]


@given(
    lengths=st.lists(st.integers(1, 3000), max_size=40),
    lead_s=st.sampled_from([1e-9, 0.001, 0.05, 1.0, 600.0]),
)
def test_blocks_come_through_whole_and_in_order(lengths: list[int], lead_s: float) -> None:
    source = Source(lengths)
    found = list(ahead(source.parts(), RATE, lead_s, Turns(4), Interrupt()))
    assert [len(block) for block in found] == lengths
    assert all((block == number).all() for number, block in enumerate(found))
    assert source.closed_by == "mira-ahead"
    assert helpers_alive() == []


@settings(max_examples=12, deadline=None)
@given(
    length=st.integers(1, 400),
    lead=st.integers(1, 1500),
    takes=st.lists(st.integers(1, 8), max_size=3),
)
def test_a_slow_consumer_finds_exactly_the_lead(length: int, lead: int, takes: list[int]) -> None:
    source = Source([length] * 10_000)
    taken = 0
    with closing(ahead(source.parts(), RATE, lead / RATE, Turns(4), Interrupt())) as blocks:
        for count in [1, *takes]:
            for _ in range(count):
                next(blocks)
            taken += count
            wait_until(lambda: (source.made - taken) * length >= lead)  # noqa: B023
            threading.Event().wait(0.01)  # it would go on now if it ever did
            assert (source.made - taken) * length < lead + length


def test_a_fast_consumer_is_never_held_back() -> None:
    source = Source([RATE] * 2000)  # half an hour, with a lead of 10 ms
    assert sum(map(len, ahead(source.parts(), RATE, 0.01, Turns(4), Interrupt()))) == 2000 * RATE


def test_a_later_block_is_computed_while_an_earlier_one_is_used() -> None:
    source = Source([100] * 3)
    with closing(ahead(source.parts(), RATE, 10, Turns(4), Interrupt())) as blocks:
        next(blocks)
        wait_until(lambda: source.made == 3)


def test_closing_stops_the_source_at_its_next_block() -> None:
    source = Source([100] * 1000)
    source.may_make = threading.Semaphore(1)
    blocks = ahead(source.parts(), RATE, 10, Turns(4), Interrupt())
    next(blocks)  # the source now computes its second block, which takes as long as we like
    leave = threading.Thread(target=blocks.close)
    leave.start()
    leave.join(0.05)
    assert leave.is_alive(), "close() returned while the source was still computing"
    assert source.closed_by is None
    source.may_make.release(1000)
    leave.join(20)
    assert not leave.is_alive()
    assert source.made == 2
    assert source.closed_by == "mira-ahead"
    assert helpers_alive() == []


def test_closing_wakes_a_source_that_is_far_enough_ahead() -> None:
    source = Source([100] * 1000)
    blocks = ahead(source.parts(), RATE, 0.5, Turns(4), Interrupt())
    next(blocks)
    wait_until(lambda: source.made == 6)
    blocks.close()
    assert (source.made, source.closed_by) == (6, "mira-ahead")
    assert helpers_alive() == []


def test_dropping_it_is_as_good_as_closing_it() -> None:
    source = Source([100] * 1000)
    blocks = ahead(source.parts(), RATE, 0.5, Turns(4), Interrupt())
    next(blocks)
    del blocks
    assert source.closed_by == "mira-ahead"
    assert helpers_alive() == []


def test_one_that_is_never_asked_starts_nothing() -> None:
    source = Source([100])
    ahead(source.parts(), RATE, 1, Turns(4), Interrupt()).close()
    assert source.made == 0
    assert helpers_alive() == []


@given(before=st.integers(0, 20), lead_s=st.sampled_from([0.001, 1.0]))
def test_an_error_arrives_after_exactly_the_blocks_before_it(before: int, lead_s: float) -> None:
    error = RuntimeError("broken")
    blocks = ahead(Source([100] * before, error).parts(), RATE, lead_s, Turns(4), Interrupt())
    for _ in range(before):
        assert len(next(blocks)) == 100
    with pytest.raises(RuntimeError) as caught:
        next(blocks)
    assert caught.value is error
    assert next(blocks, None) is None
    assert helpers_alive() == []


def test_a_listener_that_waited_is_no_more_urgent_for_it() -> None:
    """A stall of a minute must not put its stream before all others for a minute of audio."""
    clock = [100.0]
    listener = Listener(now=lambda: clock[0])
    buffer = _Buffer(RATE, 10.0, Ticket(Turns(1), listener))
    buffer._put(np.zeros(RATE, np.float32))
    assert listener.runs_dry_at == 101.0
    clock[0] = 160.0
    assert listener.left_s() == -59.0
    buffer._put(np.zeros(RATE, np.float32))
    assert listener.runs_dry_at == 161.0


def test_a_listener_is_told_when_it_is_text_that_is_missing() -> None:
    listener, more = Listener(), threading.Event()
    told: list[bool] = []

    def parts() -> Iterator[Generator[Samples, None, None]]:
        yield Source([100]).blocks()
        more.wait(20)
        yield part()

    def part() -> Generator[Samples, None, None]:
        told.append(listener.waits_for_text)
        yield np.zeros(5, np.float32)

    blocks = ahead(parts(), RATE, 10, Turns(1), Interrupt(), listener)
    next(blocks)
    wait_until(lambda: listener.waits_for_text)
    more.set()
    assert sum(map(len, blocks)) == 5
    assert told == [False]
