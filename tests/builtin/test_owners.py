"""Which word each token is of: whatever the front end makes of it."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.builtin.owners import MAX_CELLS, owners

TEXTS = st.lists(st.text("aAbß1-.'’é日 ", max_size=6), max_size=8)


@given(words=TEXTS, tokens=TEXTS)
def test_every_character_is_of_one_word_and_these_are_in_order(
    words: list[str], tokens: list[str]
) -> None:
    shares, guessed = owners(words, tokens)
    assert len(shares) == len(tokens)
    flat = [word for share in shares for word in share]
    assert flat == sorted(flat)
    written = {number for number, word in enumerate(words) if word.strip()}
    assert {*flat} <= written and guessed <= written
    for token, share in zip(tokens, shares, strict=True):
        assert bool(share) == bool(token.strip() and written)


@given(words=TEXTS, cuts=st.sets(st.integers(0, 48)))
def test_what_is_only_cut_in_another_way_is_found_whole(words: list[str], cuts: set[int]) -> None:
    text = "".join("".join(word.split()) for word in words)
    tokens = [text[start:end] for start, end in pairwise([0, *sorted(cuts), len(text)])]
    shares, _ = owners(words, tokens)
    flat = [word for share in shares for word in share]
    expected = [n for n, word in enumerate(words) for _ in "".join(word.split()).casefold()]
    assert flat == expected


@pytest.mark.parametrize(
    ("words", "tokens", "expected"),
    [
        ("Hello there", "hello there", "01"),
        ("“Hello,” there’s", "“ hello , ” there 's", "000011"),
        ("Dr. Oz met Mr. Od", "Doctor Oz met Mr Od", "01234"),
        ("it is 5° now", "it is 5 degrees now", "01223"),
        ("3:45 p.m. on 12 March", "three forty five PM on the twelfth of March", "000123334"),
        ("a Henry VIII b", "a Henry the eighth b", "01223"),
        ("gone Привет here", "gone here", "02"),
        ("Donaudampfschifffahrtsgesellschaft is", "Donaudampfschifff ahrtsgesellschaft is", "001"),
        ("mother-in-law’s dog", "mother - in-law 's dog", "00001"),
        ("et al. or est. at", "et al or established at", "01234"),
        ("5 & 6", "5 and 6", "012"),
        ("Pope Leo the last", "Pope the zerothLeo the last", "00123"),
        ("Reminder — trash", "Reminder — trash", "012"),
        ("", "Hello", ""),
    ],
)  # fmt: skip
def test_whose_they_are(words: str, tokens: str, expected: str) -> None:
    shares, guessed = owners(words.split(), tokens.split())
    assert "".join(str(share[0]) for share in shares if share) == expected
    assert not guessed
    assert all(len({*share}) == 1 for share in shares if share)


def test_a_token_of_several_words_is_divided() -> None:
    assert owners(["up", "10", ".5", "now"], ["up", "10.5", "now"]) == (
        [[0, 0], [1, 1, 2, 2], [3, 3, 3]],
        {1, 2},
    )


def test_words_that_were_made_another_one_together_are_divided() -> None:
    shares, guessed = owners(["so", "qq", "zz", "so"], ["so", "XY", "KV", "so"])
    assert (shares, guessed) == ([[0, 0], [1, 1], [2, 2], [3, 3]], {1, 2})


def test_no_text_takes_long() -> None:
    """A second, where it would be minutes."""
    words, tokens = ["ab" * 5] * 1000, ["ba" * 5] * 1000
    assert MAX_CELLS < 10_000**2
    began = time.process_time()
    shares, guessed = owners(words, tokens)
    assert time.process_time() - began < 1
    assert len(guessed) > 900
    assert [share[0] for share in shares] == pytest.approx(range(1000), abs=2)
