"""A few symbols, over and over: how long may it take to read them?"""

import pytest

from tools.bad_input import UNITS, ms_per_hundred

MS_PER_HUNDRED = 1.0
BUSY = 6  # the machines that test are: processors share their caches, and change their speed


@pytest.mark.parametrize("unit", UNITS)
def test_takes_a_millisecond_for_each_hundred_characters(unit: str) -> None:
    assert ms_per_hundred(unit) < MS_PER_HUNDRED * BUSY


@pytest.mark.parametrize("unit", ["<", "<a ", "[pause:", "[a](", "&#", "1,"])
def test_takes_no_longer_for_each_when_there_are_more(unit: str) -> None:
    assert ms_per_hundred(unit, 40_000) < MS_PER_HUNDRED * BUSY
