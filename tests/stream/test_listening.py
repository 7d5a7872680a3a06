"""Whose audio runs out first is computed first; a file has all the time in the world."""

from mira.stream.listening import URGENT_S, Listener, rank


class Clock:
    time = 100.0

    def __call__(self) -> float:
        return self.time


def test_what_is_left_runs_out_with_time() -> None:
    clock = Clock()
    listener = Listener(now=clock)
    assert listener.left_s() is None
    listener.takes(2.0)
    clock.time += 0.5
    assert listener.left_s() == 1.5
    listener.takes(1.0)
    assert listener.left_s() == 2.5
    clock.time += 10
    assert listener.left_s() == -7.5
    listener.takes(1.0)  # it waited, and goes on from here
    assert listener.left_s() == 1.0


def test_the_order() -> None:
    clock = Clock()

    def hears(left_s: float | None, live: bool = True) -> Listener:
        listener = Listener(live, clock)
        if left_s is not None:
            listener.takes(left_s)
        clock.time += 0.001
        return listener

    file, relaxed, less = hears(None, live=False), hears(5.0), hears(URGENT_S + 0.1)
    older, newer, urgent = hears(None), hears(None), hears(URGENT_S / 2)
    everybody = [file, relaxed, less, older, newer, urgent]
    assert sorted(everybody, key=rank) == [urgent, older, newer, less, relaxed, file]


def test_who_waits_for_text_waits_for_no_audio() -> None:
    clock = Clock()
    listener = Listener(now=clock)
    assert listener.silent
    listener.takes(1.0)
    assert not listener.silent
    clock.time += 2
    assert listener.silent
    listener.waits_for_text = True
    assert not listener.silent
