"""Law: a page is lent to one at a time, and all come back."""

from hypothesis import given
from hypothesis import strategies as st

from mira.model.lm.pages import Pages


@given(
    st.integers(1, 20), st.integers(1, 8), st.lists(st.tuples(st.booleans(), st.integers(1, 40)))
)
def test_loans_never_overlap(count: int, page_tokens: int, wishes: list[tuple[bool, int]]) -> None:
    pages = Pages(count, page_tokens)
    lent: list[list[int]] = []
    for take, tokens in wishes:
        if not take and lent:
            pages.give_back(lent.pop(tokens % len(lent)))
        elif (loan := pages.take(tokens)) is not None:
            assert len(loan) * page_tokens >= tokens > (len(loan) - 1) * page_tokens
            lent.append(loan)
        else:
            assert -(-tokens // page_tokens) > count - pages.used
        held = [page for loan in lent for page in loan]
        assert len(set(held)) == len(held) == pages.used
        assert all(0 <= page < count for page in held)


def test_the_lowest_pages_go_first() -> None:
    pages = Pages(8, 4)
    first, second = pages.take(8), pages.take(4)
    assert (first, second) == ([0, 1], [2])
    pages.give_back(first)
    assert pages.take(4) == [0]
