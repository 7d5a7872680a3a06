"""The words of a sentence leave before their audio or with it, guessed first and measured later."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists, tuples

from mira.types import Sentence, Span, TimedWord, Word
from mira.words.align import Aligner, Findings
from mira.words.follow import Follower, Following
from tests.recorded import RATE, clips
from tests.words.test_voiced import tones

SENTENCE = Sentence.of("one two three four five six")
FOUND, STRANGE = Findings(missed=(3,)), Findings(noise_s=1.0)


class ScriptedAligner:
    """Finds each word half a second long and half a second after it is over; obeys `Aligner`.

    Args:
        misses: Words that it never finds.
        findings: Of one sentence after another, and of the last again and again.
    """

    def __init__(self, *misses: int, findings: Sequence[Findings] = (FOUND,)) -> None:
        self.misses = misses
        self.findings = findings
        self.begun = 0
        self.listened: list[int] = []  # samples, each time
        self.closed = 0

    def knows(self, word: Word) -> bool:
        return word.text in ("one", "two", "three", "four", "five")

    def begin(self, sentence: Sentence, sample_rate: int) -> Any:
        heard, found = [0.0], set[int]()
        findings = self.findings[min(self.begun, len(self.findings) - 1)]
        self.begun += 1

        def until(certain_s: float) -> list[TimedWord]:
            news = [
                TimedWord(word, index / 2, index / 2 + 0.5, index)
                for index, word in enumerate(sentence.words)
                if index not in (*self.misses, *found) and index / 2 + 0.499 <= certain_s
            ]
            found.update(word.index for word in news)
            return news

        def push(samples: np.ndarray) -> list[TimedWord]:
            self.listened.append(len(samples))
            heard[0] += len(samples) / sample_rate
            return until(heard[0] - 0.5)

        def close() -> None:
            self.closed += 1

        return SimpleNamespace(
            push=push, finish=lambda: until(heard[0]), close=close, findings=findings
        )


def follow(aligner: Any, sentence: Sentence = SENTENCE) -> Following:
    return Follower(aligner).begin(sentence, RATE)


def spoken(
    following: Following, *lengths_s: float
) -> Iterator[tuple[float, tuple[TimedWord, ...]]]:
    """Speak three seconds in blocks: where each begins, and its words."""
    samples, begun = tones(0.0, 3.0), 0
    for length_s in lengths_s:
        stop = begun + round(length_s * RATE)
        following.push(samples[begun:stop])
        yield begun / RATE, following.news()
        following.listen()
        begun = stop
    yield begun / RATE, following.finish()


def test_the_first_block_leaves_before_anybody_has_listened() -> None:
    aligner = ScriptedAligner()
    following = follow(aligner)
    following.push(tones(0.0, 0.2))
    first = following.news()
    assert first
    assert all(word.estimated for word in first)
    assert aligner.listened == []
    following.listen()
    assert aligner.listened == [round(0.2 * RATE)]
    following.push(tones(0.0, 0.3))
    following.news()
    assert aligner.listened == [round(0.2 * RATE), round(0.3 * RATE)]  # before it leaves
    following.listen()
    assert len(aligner.listened) == 2
    following.close()
    assert aligner.closed == 1


@pytest.mark.parametrize("aligner", [None, ScriptedAligner(), ScriptedAligner(0, 3, 5)])
@pytest.mark.parametrize("lengths_s", [(0.2, 0.3, 0.5, 1.0, 1.0), (3.0,), (0.05,) * 60])
def test_every_word_comes_and_in_the_end_in_order(
    aligner: ScriptedAligner | None, lengths_s: tuple[float, ...]
) -> None:
    known: dict[int, TimedWord] = {}
    for _, words in spoken(follow(aligner), *lengths_s):
        known |= {word.index: word for word in words}
        last = [known[index] for index in sorted(known)]
        assert [word.index for word in last] == list(range(len(last)))
        assert all(a.start_s <= b.start_s for a, b in pairwise(last))
        assert all(word.start_s <= word.stop_s for word in last)
    assert len(known) == len(SENTENCE.words)
    misses = aligner.misses if aligner else range(6)
    assert [word.index for word in last if word.estimated] == list(misses)
    assert max(abs(word.start_s - word.index / 2) for word in last) < 0.2


def test_a_word_comes_before_its_block_or_with_it() -> None:
    came: dict[int, float] = {}
    for begins_s, words in spoken(follow(ScriptedAligner()), 0.2, *(0.2,) * 14):
        for word in words:
            came.setdefault(word.index, begins_s)
    assert all(begins_s <= index / 2 for index, begins_s in came.items())
    assert came[5] > 0.0  # and not all at once


def test_a_correction_is_not_sent_for_nothing() -> None:
    told = [word for _, words in spoken(follow(ScriptedAligner()), *(0.1,) * 30) for word in words]
    assert len(told) < 4 * len(SENTENCE.words)
    measured = [word.index for word in told if not word.estimated]
    assert sorted(measured) == sorted(set(measured))


@given(
    found=lists(lists(tuples(integers(0, 5), floats(0, 3), floats(0, 0.5)), max_size=3), max_size=8)
)
def test_at_each_moment_all_that_was_told_is_in_order(
    found: list[list[tuple[int, float, float]]],
) -> None:
    """Whatever is found, and however often it is found elsewhere."""
    following, told = follow(None), dict[int, TimedWord]()
    samples = tones(0.1, 1.0, 0.3, 1.0)
    for number, words in enumerate(found):
        following.push(samples[number * RATE // 4 : (number + 1) * RATE // 4])
        following._measure(
            [TimedWord(SENTENCE.words[i], start_s, start_s + s, i) for i, start_s, s in words]
        )
        told |= {word.index: word for word in following.news()}
        known = [told[index] for index in range(len(told))]
        assert all(a.start_s <= b.start_s for a, b in pairwise(known))
    told |= {word.index: word for word in following.finish()}
    known = [told[index] for index in range(len(SENTENCE.words))]
    assert all(a.start_s <= b.start_s for a, b in pairwise(known))


def test_words_for_the_same_characters_come_together() -> None:
    hundred = [Word(text, Span(0, 4)) for text in ("one", "hundred", "dollars")]
    sentence = Sentence("one hundred dollars please", (*hundred, Word("please", Span(5, 11))))
    following = follow(ScriptedAligner(), sentence)
    following.push(tones(0.0, 0.05))
    assert [word.index for word in following.news()] == [0, 1, 2]


def test_what_was_found_is_told_once_it_is_over() -> None:
    following = follow(ScriptedAligner(3))
    assert following.findings is None
    list(spoken(following, 3.0))
    assert following.findings == FOUND
    assert following.beyond_s == pytest.approx(0.0, abs=0.02)


def test_speech_after_the_last_word_is_counted() -> None:
    following = follow(ScriptedAligner(), Sentence.of("one two"))
    beyond_s = [following.beyond_s for _ in spoken(following, 0.5, 0.9, 0.6, 1.0)]
    assert np.allclose(beyond_s, [0.0, 0.0, 1.0, 2.0, 2.0], atol=0.02)


@pytest.mark.parametrize(
    ("text", "aligner", "believed"),
    [
        ("one two three four five six", ScriptedAligner(0, 1, 2, 4, 5), False),
        ("one two three four five six", ScriptedAligner(findings=[STRANGE]), True),
        ("uno due tre four cinque sei", ScriptedAligner(findings=[STRANGE]), False),
        ("uno due tre four cinque sei", ScriptedAligner(), True),
    ],
    ids=["hardly any word", "noise", "noise in another language", "names"],
)
def test_what_is_found_in_another_language_could_be_anywhere(
    text: str, aligner: ScriptedAligner, believed: bool
) -> None:
    following = follow(aligner, Sentence.of(text))
    known: dict[int, TimedWord] = {}
    for _, words in spoken(following, 1.0, 2.0):
        known |= {word.index: word for word in words}
    assert any(not word.estimated for word in known.values()) is believed
    assert (following.findings is not None) is believed


def test_a_word_out_of_order_is_taken_for_a_guess() -> None:
    aligner = ScriptedAligner()
    following = follow(aligner)
    following.push(tones(0.0, 3.0))
    following.listen()
    wrong = TimedWord(SENTENCE.words[4], 0.2, 0.4, 4)
    following._measure([wrong])
    words = following.finish()
    assert all(a.start_s <= b.start_s for a, b in pairwise(words))
    assert words[4].estimated


def test_nothing_to_follow_costs_nothing() -> None:
    following = follow(None, Sentence(""))
    following.push(tones(0.0, 1.0))
    assert (following.news(), following.finish()) == ((), ())
    following.close()
    following.close()


@pytest.mark.parametrize("number", range(3))
def test_a_real_persons_words_are_measured_while_they_speak(number: int) -> None:
    clip = clips()[number]
    (samples,) = clip.takes
    following = follow(Aligner(), Sentence.of(clip.text))
    came: dict[int, float] = {}
    known: dict[int, TimedWord] = {}
    for begins in range(0, len(samples), RATE // 4):
        following.push(samples[begins : begins + RATE // 4])
        for word in following.news():
            came.setdefault(word.index, begins / RATE)
            known[word.index] = word
        following.listen()
    known |= {word.index: word for word in following.finish()}
    following.close()
    assert len(known) == len(clip.text.split())
    late_s = [came.get(index, 9.0) - known[index].start_s for index in known]
    assert max(late_s) < 0.1
    assert sum(word.estimated for word in known.values()) <= 1
