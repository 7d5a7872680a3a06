"""A guess at a word's time is never impossible, and near what was measured on a real person."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import booleans, floats, integers, lists, sampled_from, tuples

from mira.types import Sentence, TimedWord
from mira.words.spread import Spread
from mira.words.voiced import Voiced
from tests.recorded import RATE, clips
from tests.words.test_voiced import tones

# What a person who looks at the wave finds, in seconds.
CONFIGURATION = {"You": 0.36, "sample": 2.22, "configuration": 3.6, "that": 5.3, "started.": 6.5}


def spread(sentence: Sentence, *durations_s: float) -> Spread:
    """Of a sentence during which there is silence, voice, silence …"""
    voiced = Voiced(RATE)
    voiced.push(tones(*durations_s))
    return Spread(sentence, voiced)


def said(sentence: Sentence, index: int, start_s: float, stop_s: float) -> dict[int, TimedWord]:
    return {index: TimedWord(sentence.words[index], start_s, stop_s, index)}


WORDS = sampled_from(["a", "the", "incomprehensible", "yes,", "no.", "PBX", "—", "你好", "ʃ", "7"])


@given(
    words=lists(WORDS, min_size=1, max_size=12),
    durations=lists(floats(0, 1), max_size=8),
    measured=lists(tuples(integers(0, 11), floats(0, 4), floats(0, 1)), max_size=4),
    over=booleans(),
)
def test_every_word_has_a_possible_time(
    words: list[str],
    durations: list[float],
    measured: list[tuple[int, float, float]],
    over: bool,
) -> None:
    sentence = Sentence.of(" ".join(words))
    known: dict[int, TimedWord] = {}
    starts = sorted(start_s for _, start_s, _ in measured)
    indices = sorted({index % len(words) for index, _, _ in measured})
    for index, start_s, (_, _, lasts_s) in zip(indices, starts, measured):
        known |= said(sentence, index, start_s, start_s + lasts_s)
    voiced = Voiced(RATE)
    voiced.push(tones(0.0, *durations))
    times = Spread(sentence, voiced).times(known, over)
    assert [word.index for word in times] == list(range(len(words)))
    assert [word.word for word in times] == list(sentence.words)
    assert all(a.start_s <= b.start_s for a, b in pairwise(times))
    assert all(word.start_s <= word.stop_s for word in times)
    assert [word for word in times if not word.estimated] == list(known.values())
    if over and not known:
        assert times[-1].stop_s <= voiced.heard_s + 1e-6


def test_words_take_as_long_as_their_letters() -> None:
    sentence = Sentence.of("an international line")
    times = spread(sentence, 0.5, 1.8).times({}, over=True)
    assert times[0].start_s == pytest.approx(0.5, abs=0.02)
    assert times[-1].stop_s == pytest.approx(2.3, abs=0.02)
    short, long, middle = (word.stop_s - word.start_s for word in times)
    assert long == pytest.approx(13 / 2 * short)
    assert middle == pytest.approx(2 * short)


def test_characters_that_are_words_take_as_long_as_each_other() -> None:
    times = spread(Sentence.of("你好 世界 我"), 0.0, 2.5).times({}, over=True)
    assert np.allclose([word.start_s for word in times], [0.0, 1.0, 2.0], atol=0.02)


def test_phonemes_say_more_than_letters() -> None:
    sentence = Sentence.of("queue tent")
    words = (
        replace(sentence.words[0], phonemes="kjˈu"),
        replace(sentence.words[1], phonemes="tɛnt"),
    )
    times = spread(Sentence(sentence.text, words), 0.0, 1.4).times({}, over=True)
    assert times[1].start_s == pytest.approx(0.6, abs=0.02)


def test_a_pause_is_where_the_mark_is() -> None:
    sentence = Sentence.of("Unfortunately, no.")
    times = spread(sentence, 0.0, 0.5, 0.3, 0.9).times({}, over=True)
    assert times[0].stop_s == pytest.approx(0.5, abs=0.02)
    assert times[1].start_s == pytest.approx(0.8, abs=0.02)


def test_a_short_pause_may_be_within_a_word() -> None:
    times = spread(Sentence.of("unfortunately"), 0.0, 0.5, 0.2, 0.5).times({}, over=True)
    assert times[0].stop_s == pytest.approx(1.2, abs=0.02)


def test_the_rest_is_spread_over_what_measured_words_leave() -> None:
    sentence = Sentence.of("one two three four five")
    times = spread(sentence, 0.0, 4.0).times(said(sentence, 2, 2.0, 3.0), over=True)
    assert np.allclose([word.start_s for word in times[:3]], [0.0, 1.0, 2.0], atol=0.02)
    assert times[3].start_s == 3.0
    assert times[4].stop_s == pytest.approx(4.0, abs=0.02)
    assert [word.estimated for word in times] == [True, True, False, True, True]


def test_who_speaks_slowly_goes_on_slowly() -> None:
    sentence = Sentence.of("one two three four five six seven eight")
    made = spread(sentence, 0.0, 4.0)
    slow = {index: said(sentence, index, index, index + 1.0)[index] for index in range(4)}
    fast = {index: said(sentence, index, index / 5, index / 5 + 0.2)[index] for index in range(4)}
    assert made.times(slow, over=False)[5].start_s - 4.0 > 0.3
    assert made.times(fast, over=False)[5].start_s - 0.8 < 0.25


def test_what_was_not_said_yet_is_to_come() -> None:
    times = spread(Sentence.of("one two three, four"), 0.0, 0.3).times({}, over=False)
    assert times[0].start_s == 0.0
    assert times[2].start_s > 0.3
    assert times[3].start_s - times[2].stop_s == pytest.approx(0.2)  # there will be a pause
    nothing = spread(Sentence.of("one two"), 0.5).times({}, over=False)
    assert nothing[0].start_s == 0.5


def test_a_real_persons_words_are_about_where_they_are_heard() -> None:
    *_, clip = clips()
    voiced = Voiced(RATE)
    voiced.push(*clip.takes)
    times = Spread(Sentence.of(clip.text), voiced).times({}, over=True)
    off_s = [
        abs(word.start_s - CONFIGURATION[word.word.text])
        for word in times
        if word.word.text in CONFIGURATION
    ]
    assert len(off_s) == len(CONFIGURATION)
    assert max(off_s) < 0.5
    assert float(np.median(off_s)) < 0.15
