"""The corpus: what agents write, and the words that a person would say."""

import random
from itertools import pairwise

import pytest

from mira.text import split_sentences
from tools.corpus import Pair, categories, letters, read

AT_LEAST = 600

CORPUS = categories()
each_category = pytest.mark.parametrize("pairs", CORPUS.values(), ids=CORPUS)


def wrong(pairs: list[Pair]) -> list[str]:
    return [
        f"{pair.written}\n    is {read(pair.written)}\n    not {pair.spoken[0]}"
        for pair in pairs
        if not pair.agrees(read(pair.written))
    ]


@each_category
def test_is_read_as_a_person_would(pairs: list[Pair]) -> None:
    found = wrong(pairs)
    assert not found, "\n".join(found)


def test_it_has_many_lines() -> None:
    assert sum(map(len, CORPUS.values())) >= AT_LEAST


def test_nothing_is_written_twice() -> None:
    written = [pair.written for category in CORPUS.values() for pair in category]
    assert sorted(written) == sorted({*written})


@each_category
def test_saying_what_was_said_changes_nothing(pairs: list[Pair]) -> None:
    """The rules don't rewrite what rules wrote."""
    for pair in pairs:
        said = read(pair.written)
        assert letters(read(said)) == letters(said), pair.written


@each_category
def test_is_the_same_however_it_is_divided(pairs: list[Pair]) -> None:
    draw = random.Random(7)
    for pair in pairs:
        text = pair.written
        whole = list(split_sentences(text))
        assert list(split_sentences(iter(text))) == whole, text
        cuts = sorted(draw.choices(range(len(text) + 1), k=draw.randint(1, 6)))
        parts = [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]
        assert list(split_sentences(iter(parts))) == whole, parts


@each_category
def test_every_word_stands_for_characters_in_order(pairs: list[Pair]) -> None:
    for pair in pairs:
        pieces = list(split_sentences(pair.written))
        spans = [word.source for piece in pieces for word in piece.sentence.words]
        for one, other in pairwise(spans):
            assert one == other or one.stop <= other.start, (pair.written, one, other)
        for piece in pieces:
            words = piece.sentence.words
            assert letters("".join(word.text for word in words)) == letters(piece.sentence.text)
            for word in words:
                source = word.source
                assert piece.source.start <= source.start < source.stop <= piece.source.stop, word
                assert not pair.written[source.start : source.stop].isspace(), word
