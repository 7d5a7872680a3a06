"""Items come through whole and in order, never too early, and leaving leaves nothing behind."""

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.stream import ahead as module
from mira.stream.ahead import Ahead
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback
from tests.server.serving import wait_until

Item = tuple[int, float]


class Source:
    """Items of given lengths in seconds, each with its own number."""

    def __init__(self, lengths: list[float], error: BaseException | None = None) -> None:
        self.lengths = lengths
        self.error = error
        self.made = 0
        self.closed_by: str | None = None  # name of a thread
        self.may_make = threading.Semaphore(10**9)

    def items(self) -> Generator[Item, None, None]:
        try:
            for number, length in enumerate(self.lengths):
                self.may_make.acquire()
                self.made += 1
                yield number, length
            if self.error is not None:
                raise self.error
        finally:
            self.closed_by = threading.current_thread().name


def start(
    items: Generator[Item, None, None],
    lead_s: float = 10.0,
    playback: Playback | None = None,
    cancel: Cancel | None = None,
    ready: Callable[[], object] = lambda: None,
) -> Ahead[Item]:
    def audio_s(item: Item) -> float:
        return item[1]

    return Ahead(items, audio_s, lead_s, playback or Playback(), cancel or Cancel(), ready)


def threads_alive() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("mira-ahead")]


@given(
    lengths=st.lists(st.floats(0, 3), max_size=40),
    lead_s=st.sampled_from([1e-9, 0.001, 0.05, 1.0, 600.0]),
)
def test_items_come_through_whole_and_in_order(lengths: list[float], lead_s: float) -> None:
    source = Source(lengths)
    ahead = start(source.items(), lead_s)
    assert list(ahead) == list(enumerate(lengths))
    ahead.close()
    assert source.closed_by == "mira-ahead"
    assert threads_alive() == []


@settings(max_examples=12, deadline=None)
@given(
    length=st.sampled_from([0.125, 0.25, 0.5, 1.0]),
    lead_s=st.sampled_from([0.1, 0.5, 1.6, 3.0]),
    takes=st.lists(st.integers(1, 8), max_size=3),
)
def test_a_slow_taker_finds_exactly_the_lead(
    length: float, lead_s: float, takes: list[int]
) -> None:
    source, taken = Source([length] * 10_000), 0
    ahead = start(source.items(), lead_s)
    items = iter(ahead)
    for count in [1, *takes]:
        for _ in range(count):
            next(items)
        taken += count
        wait_until(lambda: (source.made - taken) * length >= lead_s)  # noqa: B023
        time.sleep(0.01)  # it would go on now if it ever did
        assert (source.made - taken) * length < lead_s + length
    ahead.close()


def test_a_fast_taker_is_never_held_back() -> None:
    source = Source([1.0] * 2000)  # half an hour, with a lead of 10 ms
    assert len(list(start(source.items(), 0.01))) == 2000


def test_a_later_item_is_made_while_an_earlier_one_is_used() -> None:
    source = Source([0.1] * 3)
    ahead = start(source.items())
    next(iter(ahead))
    wait_until(lambda: source.made == 3)
    ahead.close()


def test_whoever_polls_is_told_when_it_is_worth_it() -> None:
    """As the event loop does, which may never wait for a thread."""
    source, told = Source([0.1] * 3, ValueError("broken")), threading.Semaphore(0)
    source.may_make = threading.Semaphore(0)
    ahead = start(source.items(), ready=told.release)
    for number in range(3):
        assert (ahead.poll(), ahead.ended) == (None, False)
        source.may_make.release()
        assert told.acquire(timeout=10)
        assert ahead.poll() == (number, 0.1)
    assert told.acquire(timeout=10)
    assert not ahead.ended
    with pytest.raises(ValueError, match="broken"):
        ahead.poll()
    assert (ahead.poll(), ahead.ended, ahead.busy) == (None, True, False)


@pytest.mark.parametrize("way", ["close", "cancel"])
def test_leaving_stops_the_source_at_its_next_item(way: str) -> None:
    source, cancel = Source([0.1] * 1000), Cancel()
    source.may_make = threading.Semaphore(1)
    ahead = start(source.items(), cancel=cancel)
    assert next(iter(ahead)) == (0, 0.1)  # the second takes as long as we like
    wait_until(lambda: source.may_make._value == 0)
    if way == "cancel":
        cancel()
        assert (ahead.poll(), ahead.ended, ahead.busy) == (None, True, True)
    leave = threading.Thread(target=ahead.close)
    leave.start()
    leave.join(0.05)
    assert leave.is_alive(), "close() returned while the source was still computing"
    assert source.closed_by is None
    source.may_make.release(1000)
    leave.join(20)
    assert not leave.is_alive()
    assert source.made == 2
    assert (source.closed_by, ahead.busy) == ("mira-ahead", False)
    assert threads_alive() == []


def test_cancelling_wakes_whoever_waits_for_an_item() -> None:
    source, cancel, ended = Source([0.1]), Cancel(), threading.Event()
    source.may_make = threading.Semaphore(0)
    ahead = start(source.items(), cancel=cancel)

    def take() -> None:
        assert list(ahead) == []
        ended.set()

    threading.Thread(target=take).start()
    assert not ended.wait(0.05)
    cancel()
    assert ended.wait(10)
    source.may_make.release()
    ahead.close()


def test_closing_wakes_a_source_that_is_far_enough_ahead() -> None:
    source = Source([0.1] * 1000)
    ahead = start(source.items(), 0.5)
    next(iter(ahead))
    wait_until(lambda: source.made == 6)
    ahead.close()
    assert (source.made, source.closed_by) == (6, "mira-ahead")
    assert threads_alive() == []


def test_closing_waits_for_no_text_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LONGEST_ITEM_S", 0.1)
    for waits_for_text in (True, False):
        source, playback = Source([0.1]), Playback()
        source.may_make = threading.Semaphore(0)
        with playback.waiting_for_text() if waits_for_text else nullcontext():
            ahead = start(source.items(), playback=playback)
            ahead.close()
            assert ahead.busy == (not waits_for_text)
        assert len(caplog.records) == (not waits_for_text)
        source.may_make.release()
    assert caplog.records[0].levelno == logging.ERROR


def test_one_that_was_cancelled_before_makes_nothing() -> None:
    source, cancel = Source([0.1]), Cancel()
    cancel()
    ahead = start(source.items(), cancel=cancel)
    ahead.close()
    assert (source.made, list(ahead), threads_alive()) == (0, [], [])


@given(before=st.integers(0, 20), lead_s=st.sampled_from([0.001, 1.0]))
def test_an_error_arrives_after_exactly_the_items_before_it(before: int, lead_s: float) -> None:
    error = RuntimeError("broken")
    ahead = start(Source([0.1] * before, error).items(), lead_s)
    items = iter(ahead)
    for number in range(before):
        assert next(items) == (number, 0.1)
    with pytest.raises(RuntimeError) as caught:
        next(items)
    assert caught.value is error
    assert list(ahead) == []
    ahead.close()
    assert threads_alive() == []


def test_a_generator_that_notices_first_ends_it_without_an_error() -> None:
    cancel = Cancel()
    source = Source([0.1], Cancelled())
    source.may_make = threading.Semaphore(0)
    ahead = start(source.items(), cancel=cancel)
    cancel()
    source.may_make.release()
    ahead.close()
    assert list(ahead) == []


def test_an_end_that_nobody_asked_for_is_an_error() -> None:
    """It would pass for that of the text."""
    items = iter(start(Source([0.1], Cancelled()).items()))
    assert next(items) == (0, 0.1)
    with pytest.raises(Cancelled):
        next(items)
