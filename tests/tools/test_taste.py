"""Where people differ, both are right; where the meaning differs, nobody is."""

import pytest

from tools.taste import plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("one hundred and five", "one hundred five"),
        ("One thousand five hundred people", "fifteen hundred people"),
        ("two thousand and twenty-four", "twenty twenty-four"),
        ("on the twenty-first of March", "on March twenty first"),
        ("five five five, oh one", "five five five zero one"),
        ("three dollars and fifty cents", "three dollars fifty cents"),
        ("Mister Lee, for example", "Mr. Lee, e.g."),
        ("zero point five", "point five"),
    ],
)
def test_the_same_said_differently(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("one hundred five", "one zero five"),
        ("March fifth", "May third"),
        ("two thousand five", "twenty five"),
        ("salt and pepper", "salt pepper"),
        ("Saint James", "Street James"),
    ],
)
def test_what_is_not_the_same(one: str, other: str) -> None:
    assert plain(one) != plain(other)
