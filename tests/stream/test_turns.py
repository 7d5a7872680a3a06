"""Who computes next: whoever's listener runs dry first, and never more than may."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from mira.stream.listening import URGENT_S, Listener
from mira.stream.turns import Ticket, Turns


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def order(turns: Turns, waiting: dict[str, Ticket]) -> list[str]:
    """Who is called, one after another, when all wait for the one turn that somebody has."""
    holder = Ticket(turns)
    assert holder.wait()
    called: list[str] = []

    def run(name: str, ticket: Ticket) -> None:
        if ticket.wait():
            called.append(name)
            ticket.done()

    threads = [threading.Thread(target=run, args=item) for item in waiting.items()]
    for number, thread in enumerate(threads, 1):
        thread.start()
        while len(turns._waiting) < number:
            time.sleep(0.001)
    holder.done()
    for thread in threads:
        thread.join(5)
    return called


def made(turns: Turns, clock: Clock, began_at: float, plays_s: float | None) -> Ticket:
    listener = Listener(now=clock)
    listener.began_at = began_at
    listener.runs_dry_at = None if plays_s is None else clock.time + plays_s
    return Ticket(turns, listener)


def test_those_about_to_run_dry_go_first_then_new_ones_then_the_others() -> None:
    clock = Clock()
    turns = Turns(1)
    waiting = {
        "relaxed": made(turns, clock, 1, 5.0),
        "less relaxed": made(turns, clock, 2, URGENT_S + 0.1),
        "newer": made(turns, clock, 4, None),
        "new": made(turns, clock, 3, None),
        "urgent": made(turns, clock, 5, URGENT_S / 2),
        "dry": made(turns, clock, 6, -0.1),
    }
    assert order(turns, waiting) == ["dry", "urgent", "new", "newer", "less relaxed", "relaxed"]


@given(st.lists(st.one_of(st.none(), st.floats(-1, 10)), min_size=1, max_size=6))
def test_everybody_gets_a_turn(plays_s: list[float | None]) -> None:
    clock = Clock()
    turns = Turns(1)
    waiting = {str(i): made(turns, clock, float(i), s) for i, s in enumerate(plays_s)}
    assert sorted(order(turns, waiting)) == sorted(waiting)


def test_no_more_than_allowed_compute_at_once() -> None:
    turns = Turns(2)
    computing, most = 0, 0
    lock = threading.Lock()

    def stream() -> None:
        nonlocal computing, most
        ticket = Ticket(turns)
        for _ in range(20):
            assert ticket.wait()
            with lock:
                computing += 1
                most = max(most, computing)
            time.sleep(0.001)
            with lock:
                computing -= 1
            ticket.done()

    threads = [threading.Thread(target=stream) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 2
    assert turns._free == 2


def test_a_cancelled_stream_stops_waiting_and_takes_no_turn() -> None:
    turns = Turns(1)
    holder, left = Ticket(turns), Ticket(turns)
    assert holder.wait()
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(left.wait()))
    thread.start()
    while not turns._waiting:
        time.sleep(0.001)
    left.cancel()
    thread.join(5)
    assert answers == [False]
    assert left.wait() is False  # now and ever
    holder.done()
    assert Ticket(turns).wait()
