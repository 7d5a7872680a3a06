"""Whoever spoke last stays."""

from mira.voices.cache import Tokens
from mira.voices.recent import Recent


def tokens(number: int) -> Tokens:
    return Tokens(global_tokens=(number,))


def test_who_spoke_longest_ago_goes_first() -> None:
    recent = Recent(most=3)
    for number in range(3):
        recent.put(str(number), tokens(number))
    assert recent.get("0") == tokens(0)  # the oldest, but it has just spoken
    recent.put("3", tokens(3))
    assert recent.get("1") is None
    assert [number for number in "0123" if number in recent] == ["0", "2", "3"]
    recent.put("2", tokens(2))  # again
    recent.put("4", tokens(4))
    assert [number for number in "01234" if number in recent] == ["2", "3", "4"]


def test_what_is_forgotten_is_gone() -> None:
    recent = Recent()
    for number in range(3):
        recent.put(str(number), tokens(number))
    recent.drop("1")
    recent.drop("1")
    assert [number for number in "012" if number in recent] == ["0", "2"]
    recent.clear()
    assert recent.get("0") is None
