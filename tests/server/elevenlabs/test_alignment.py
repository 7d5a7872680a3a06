"""Characters go out with their audio; what may still be corrected waits for it."""

from hypothesis import given
from hypothesis import strategies as st

from mira.server.elevenlabs.alignment import Alignment
from mira.types import Span
from mira.words import SaidWord

TEXT = "One two three."


def word(start: int, stop: int, start_s: float, *, estimated: bool = False) -> SaidWord:
    return SaidWord(Span(start, stop), start_s, start_s + 0.2, estimated)


def test_measured_words_are_told_at_once_with_the_space_after_them() -> None:
    alignment = Alignment()
    found = alignment.takes(TEXT, [word(0, 3, 0.0), word(4, 7, 0.3)], until_s=0.1)
    assert "".join(found.characters) == "One two "
    assert alignment.takes(TEXT, [], 0.4).characters == []
    assert "".join(alignment.rest(TEXT, 1.0).characters) == "three."


def test_a_guess_waits_for_its_audio_and_what_follows_for_it() -> None:
    alignment = Alignment()
    words = [word(0, 3, 0.5, estimated=True), word(4, 7, 0.8)]
    assert alignment.takes(TEXT, words, until_s=0.4).characters == []
    corrected = alignment.takes(TEXT, [word(0, 3, 0.1)], until_s=0.4)
    assert "".join(corrected.characters) == "One two "
    assert corrected.starts_s[0] == 0.1
    late = alignment.takes(TEXT, [word(8, 14, 0.9, estimated=True)], until_s=1.0)
    assert "".join(late.characters) == "three."


def test_a_word_that_grew_replaces_its_parts() -> None:
    alignment = Alignment()
    parts = [word(0, 1, 0.1, estimated=True), word(1, 3, 0.2, estimated=True)]
    assert alignment.takes(TEXT, parts, 0.0).characters == []
    found = alignment.takes(TEXT, [word(0, 3, 0.1)], 0.0)
    assert "".join(found.characters) == "One "


@given(
    spans=st.lists(st.tuples(st.integers(0, 13), st.integers(1, 14)), max_size=8),
    untils=st.lists(st.floats(0, 2), min_size=8, max_size=8),
    estimated=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_each_character_comes_once_in_order(
    spans: list[tuple[int, int]], untils: list[float], estimated: list[bool]
) -> None:
    alignment, told, times = Alignment(), "", list[float]()
    for (start, stop), until_s, guess in zip(spans, untils, estimated, strict=False):
        said = word(start, max(start + 1, stop), start / 10, estimated=guess)
        found = alignment.takes(TEXT, [said], until_s)
        told, times = told + "".join(found.characters), times + found.starts_s
    found = alignment.rest(TEXT, 3.0)
    assert told + "".join(found.characters) == TEXT
    assert (times + found.starts_s) == sorted(times + found.starts_s)
