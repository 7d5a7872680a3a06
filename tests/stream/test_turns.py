"""Who computes next: whoever's listener runs dry first, and never more than may."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import URGENT_S, Playback
from mira.stream.turns import Turns


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def order(turns: Turns, waiting: dict[str, Playback]) -> list[str]:
    """Who computes, one after another, when all wait for the one turn that somebody has."""
    called: list[str] = []

    def run(name: str, playback: Playback) -> None:
        with turns.turn(playback, Cancel()):
            called.append(name)

    threads = [threading.Thread(target=run, args=item) for item in waiting.items()]
    with turns.turn(Playback(), Cancel()):
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(turns._waiting) < number:
                time.sleep(0.001)
    for thread in threads:
        thread.join(5)
    return called


def made(clock: Clock, began_at: float, plays_s: float | None) -> Playback:
    playback = Playback(now=clock)
    playback.began_at = began_at
    if plays_s is not None:
        playback.begins = False
        playback.player.runs_dry_at = clock.time + plays_s
    return playback


def test_those_about_to_run_dry_go_first_then_new_ones_then_the_others() -> None:
    clock = Clock()
    waiting = {
        "relaxed": made(clock, 1, 5.0),
        "less relaxed": made(clock, 2, URGENT_S + 0.1),
        "newer": made(clock, 4, None),
        "new": made(clock, 3, None),
        "urgent": made(clock, 5, URGENT_S / 2),
        "dry": made(clock, 6, -0.1),
    }
    expected = ["dry", "urgent", "new", "newer", "less relaxed", "relaxed"]
    assert order(Turns(1), waiting) == expected


@given(st.lists(st.one_of(st.none(), st.floats(-1, 10)), min_size=1, max_size=6))
def test_everybody_gets_a_turn(plays_s: list[float | None]) -> None:
    clock = Clock()
    waiting = {str(i): made(clock, float(i), s) for i, s in enumerate(plays_s)}
    assert sorted(order(Turns(1), waiting)) == sorted(waiting)


def test_no_more_than_allowed_compute_at_once() -> None:
    turns = Turns(2)
    computing, most = 0, 0
    lock = threading.Lock()

    def stream() -> None:
        nonlocal computing, most
        for _ in range(20):
            with turns.turn(Playback(), Cancel()):
                with lock:
                    computing += 1
                    most = max(most, computing)
                time.sleep(0.001)
                with lock:
                    computing -= 1

    threads = [threading.Thread(target=stream) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 2
    assert turns._free == 2


def test_a_cancelled_stream_stops_waiting_and_takes_no_turn() -> None:
    turns, cancel, ended = Turns(1), Cancel(), threading.Event()

    def wait() -> None:
        with pytest.raises(Cancelled), turns.turn(Playback(), cancel):
            raise AssertionError("it has a turn")
        ended.set()

    thread = threading.Thread(target=wait)
    with turns.turn(Playback(), Cancel()):
        thread.start()
        while not turns._waiting:
            time.sleep(0.001)
        cancel()
        assert ended.wait(5)
    with pytest.raises(Cancelled), turns.turn(Playback(), cancel):  # now and ever
        raise AssertionError("it has a turn")
    assert (turns._free, turns._waiting) == (1, [])


def test_who_breaks_in_a_turn_gives_it_back() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="broken"), turns.turn(Playback(), Cancel()):
        raise ValueError("broken")
    with turns.turn(Playback(), Cancel()):
        assert turns._free == 0
