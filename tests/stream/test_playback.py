"""Whose audio runs out first is computed first; a file has all the time in the world."""

import pytest

from mira.stream.playback import URGENT_S, Playback, rank


class Clock:
    time = 100.0

    def __call__(self) -> float:
        return self.time


def test_what_is_left_runs_out_with_time() -> None:
    clock = Clock()
    playback = Playback(now=clock)
    assert playback.left_s() is None
    playback.takes(2.0)
    clock.time += 0.5
    assert playback.left_s() == 1.5
    playback.takes(1.0)
    assert playback.left_s() == 2.5
    clock.time += 10
    assert playback.left_s() == -7.5
    playback.takes(1.0)  # it waited, and goes on from here
    assert playback.left_s() == 1.0


def test_the_order() -> None:
    clock = Clock()

    def hears(left_s: float | None, live: bool = True) -> Playback:
        playback = Playback(live, now=clock)
        if left_s is not None:
            playback.takes(left_s)
        clock.time += 0.001
        return playback

    file, relaxed, less = hears(None, live=False), hears(5.0), hears(URGENT_S + 0.1)
    older, newer, urgent = hears(None), hears(None), hears(URGENT_S / 2)
    everybody = [file, relaxed, less, older, newer, urgent]
    assert sorted(everybody, key=rank) == [urgent, older, newer, less, relaxed, file]


def test_who_ran_dry_for_want_of_text_begins_anew() -> None:
    """However long the silence was: it takes no turn from who is about to run dry."""
    clock = Clock()
    talks, hears = Playback(now=clock), Playback(now=clock)
    talks.takes(1.0)
    with talks.waiting_for_text():
        clock.time += 60
    hears.takes(URGENT_S / 2)
    assert sorted([talks, Playback(now=clock), hears], key=rank)[:2] == [hears, talks]
    talks.takes(1.0)
    clock.time += 2  # with text that there was
    hears.takes(URGENT_S / 2)
    with talks.waiting_for_text():
        clock.time += 0.01
    assert sorted([hears, talks], key=rank) == [talks, hears]


def test_who_waits_for_text_waits_for_no_audio() -> None:
    clock = Clock()
    playback = Playback(now=clock)
    assert playback.silent
    playback.takes(1.0)
    assert not playback.silent
    clock.time += 2
    assert playback.silent
    with playback.waiting_for_text():
        assert playback.waits_for_text and not playback.silent
        clock.time += 3
    assert playback.silent
    with pytest.raises(OSError), playback.waiting_for_text():
        clock.time += 0.5
        raise OSError
    assert (playback.waits_for_text, playback.waited_for_text_s) == (False, 3.5)


def test_at_four_times_the_pace_audio_lasts_a_quarter() -> None:
    """In the books of whoever chooses between streams: half a second of speech is urgent then."""
    clock = Clock()
    fast, slow = Playback(pace=4, now=clock), Playback(pace=0.25, now=clock)
    for playback in (fast, slow):
        playback.takes(1.0)
    assert (fast.left_s(), slow.left_s()) == (0.25, 4.0)
    assert (rank(fast)[0], rank(slow)[0]) == (0, 2)
    clock.time += 0.5
    assert fast.silent and not slow.silent
