"""No minute has more characters than it may, and whoever comes back when told to is served."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mira.errors import InvalidRequest, Overloaded
from mira.server.allowance import LONGEST_RETRY_S, Allowance


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.25

    def __call__(self) -> float:
        return self.now


steps = st.lists(st.tuples(st.floats(0, 40), st.integers(0, 12)), max_size=60)


@example([(0.65, 1), (59.6, 1)], 1)
@given(steps, st.integers(1, 20))
def test_no_minute_has_more_than_it_may(steps: list[tuple[float, int]], most: int) -> None:
    clock = Clock()
    allowance = Allowance(clock)
    said: list[tuple[float, int]] = []
    for pause_s, characters in steps:
        clock.now += pause_s
        try:
            allowance.say(characters, most)
        except Overloaded as refused:
            assert 1 <= refused.retry_after_s <= LONGEST_RETRY_S
        except InvalidRequest:
            assert characters > most
        else:
            said.append((clock.now, characters))
    for end, _ in said:
        window = sum(count for when, count in said if end - 60 < when <= end)
        assert window <= most


@given(steps, st.integers(1, 20))
def test_who_comes_back_when_told_to_is_served(steps: list[tuple[float, int]], most: int) -> None:
    clock = Clock()
    allowance = Allowance(clock)
    for pause_s, characters in steps:
        clock.now += pause_s
        characters = min(characters, most)
        for _ in range(2):  # a minute's last second may take one more
            try:
                allowance.say(characters, most)
                break
            except Overloaded as refused:
                clock.now += refused.retry_after_s
        else:
            allowance.say(characters, most)


def test_little_is_kept_of_a_minute() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    for _ in range(5000):
        clock.now += 0.05
        allowance.say(1, 10_000)
    assert len(allowance._seconds) <= 61


def test_what_is_left_comes_back_after_a_minute() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    allowance.say(7, 10)
    assert allowance.left(10) == 3
    clock.now += 62
    assert allowance.left(10) == 10


def test_without_a_limit_nothing_is_counted() -> None:
    allowance = Allowance()
    allowance.say(10**9, None)
    allowance.say(10, 10)
    with pytest.raises(
        Overloaded, match=r"10 characters .* and 10 were\. Try again in \d+ s"
    ) as no:
        allowance.say(1, 10)
    assert no.value.retry_after_s in (59, 60)


def test_more_than_a_minute_has_is_no_use_to_try_again() -> None:
    with pytest.raises(InvalidRequest, match="11 characters are more than") as refused:
        Allowance().say(11, 10)
    assert (refused.value.param, refused.value.code) == ("input", "string_above_max_length")


def test_what_is_held_is_given_back() -> None:
    allowance = Allowance()
    with allowance.holding("socket", 2), allowance.holding("context", 1):
        with allowance.holding("socket", 2):
            for most in (0, 1, 2):
                with pytest.raises(Overloaded, match="sockets are all in use"):
                    allowance.holding("socket", most).__enter__()
        with allowance.holding("socket", 2), pytest.raises(Overloaded, match="contexts are all"):
            allowance.holding("context", 1).__enter__()
    with pytest.raises(ZeroDivisionError), allowance.holding("socket", 1):
        math.fmod(1, 1) / 0
    with allowance.holding("socket", 1), allowance.holding("context", None):
        pass
