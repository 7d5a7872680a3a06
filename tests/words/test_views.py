"""Words as other programs have them."""

import json
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.types import Span
from mira.words.said import SaidWord
from mira.words.views import (
    Characters,
    TimedCharacters,
    characters,
    document,
    word_lists,
    word_object,
)
from tests.words.saying import evenly, said

Said = tuple[str, list[SaidWord], float]


def test_a_word_object_says_what_when_and_where() -> None:
    word = SaidWord(Span(6, 11), 0.40049, 0.9, estimated=True)
    assert word_object("Hello there.", word) == {
        "word": "there",
        "start": 0.4,
        "end": 0.9,
        "char_start": 6,
        "char_end": 11,
        "estimated": True,
    }


@given(said())
def test_a_document_holds_all_and_reads_back(spoken: Said) -> None:
    text, words, duration_s = spoken
    read = json.loads(json.dumps(document(text, words, duration_s)))
    assert (read["text"], read["duration"]) == (text, round(duration_s, 3))
    for word, known in zip(read["words"], words, strict=True):
        assert read["text"][word["char_start"] : word["char_end"]] == word["word"]
        assert (word["start"], word["end"]) == (round(known.start_s, 3), round(known.stop_s, 3))
        assert word["estimated"] is known.estimated


def test_words_come_as_they_stand_in_the_text() -> None:
    text = "It's $100,  isn't it?"
    assert word_lists(text, evenly(text)) == {
        "words": ["It's", "$100,", "isn't", "it?"],
        "start": [0.0, 0.3, 0.6, 0.9],
        "end": [0.3, 0.6, 0.9, 1.2],
    }


def test_letters_share_their_word_and_spaces_lie_between() -> None:
    words = [SaidWord(Span(1, 3), 1.0, 2.0, False), SaidWord(Span(5, 6), 3.0, 3.5, False)]
    timed = characters("(Hi, I.", words, 4.5)
    assert timed.characters == ["(", "H", "i", ",", " ", "I", "."]
    assert timed.starts_s == [0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert timed.stops_s == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.5]


def _check_law(text: str, words: list[SaidWord], timed: TimedCharacters) -> None:
    """Each character once, and a clock that never goes back."""
    assert "".join(timed.characters) == text
    edges_s = [0.0]
    for start_s, stop_s in zip(timed.starts_s, timed.stops_s, strict=True):
        edges_s += [start_s, stop_s]
    assert len(edges_s) == 2 * len(text) + 1
    assert edges_s == sorted(edges_s)
    for word, after in pairwise(words):
        assert timed.starts_s[after.source.start] == after.start_s
        if timed.starts_s[word.source.start] <= word.stop_s <= after.start_s:
            assert timed.stops_s[word.source.stop - 1] == word.stop_s


def _check_starts(words: list[SaidWord], timed: TimedCharacters) -> None:
    """Each word has its own, where those before leave it that."""
    before_s = 0.0
    for word in words:
        if before_s <= word.start_s:
            assert timed.starts_s[word.source.start] == word.start_s
        before_s = max(before_s, word.stop_s)


@given(said())
def test_every_character_is_timed(spoken: Said) -> None:
    text, words, duration_s = spoken
    _check_law(text, words, characters(text, words, duration_s))


@given(said(), st.data())
def test_however_the_words_come_each_character_comes_once(
    spoken: Said, data: st.DataObject
) -> None:
    text, words, duration_s = spoken
    piecewise, pieces, left = Characters(), [], words
    while left:
        count = data.draw(st.integers(1, len(left)))
        new, left = left[:count], left[count:]
        upto = data.draw(st.integers(new[-1].source.stop, len(text)))
        again = [replace(words[0], start_s=duration_s)]  # a correction that comes too late
        again = data.draw(st.sampled_from([[], again])) if pieces else []
        pieces.append(piecewise.push(text[:upto], data.draw(st.permutations(new + again))))
    pieces.append(piecewise.flush(text, duration_s))
    joined = TimedCharacters([], [], [])
    for piece in pieces:
        joined.extend(piece)
    assert "".join(joined.characters) == text
    edges_s = [edge for edges in zip(joined.starts_s, joined.stops_s) for edge in edges]
    assert edges_s == sorted(edges_s)
    _check_starts(words, joined)


def test_a_word_comes_with_the_space_behind_it() -> None:
    """Pipecat takes a word for complete when a space follows, and adds up what messages last;
    LiveKit takes the times as they come."""
    text = "One two. Three."
    words = evenly(text, pause_s=0.5)
    piecewise = Characters()
    pieces = [piecewise.push(text, [word]) for word in words]
    assert ["".join(piece.characters) for piece in pieces] == ["One ", "two. ", "Three."]
    clock_s, heard = 0.0, []
    for piece in pieces:
        restarted = [start_s - clock_s for start_s in piece.starts_s]
        heard.append(clock_s + restarted[0])
        clock_s += piece.stops_s[-1] - clock_s  # last start + last duration
    assert heard == [word.start_s for word in words]
    assert piecewise.flush(text, 3.0).characters == []


def test_of_a_word_that_grows_the_rest_is_given() -> None:
    """Spoken in two parts, it may be told after the first."""
    text, piecewise = "At 7:30 pm. Yes.", Characters()
    assert piecewise.push(text[:7], [SaidWord(Span(3, 7), 0.2, 0.6, False)]).stops_s[-1] == 0.6
    more = [SaidWord(Span(3, 11), 0.2, 1.0, False), SaidWord(Span(12, 16), 1.5, 2.0, False)]
    timed = piecewise.push(text, more)
    assert "".join(timed.characters) == " pm. Yes."
    assert timed.stops_s == pytest.approx([0.7, 0.8, 0.9, 1.0, 1.5, 1.625, 1.75, 1.875, 2.0])
    assert piecewise.push(text, more) == TimedCharacters([], [], [])


def test_the_characters_of_a_long_text_take_a_moment() -> None:
    text = "a " * 20_000
    words = evenly(text)
    began = time.process_time()
    assert len(characters(text, words, 6_000.0).characters) == len(text)
    assert time.process_time() - began < 5  # 0.2 s; were all copied for each word, 20
