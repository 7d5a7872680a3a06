"""How far two ideas of word times are apart, on numbers and silences that are plain."""

import numpy as np
import pytest

from mira.types import Sentence, TimedWord
from tools.word_times.compare import errors, pauses, row, unbiased
from tools.word_times.listeners import Told
from tools.word_times.spoken import Speech

RATE = 8000
SENTENCE = Sentence.of("one two three")
NAN = float("nan")


def sound(*seconds: float) -> Speech:
    """Alternate silence and tone, silence first."""
    parts = [np.full(round(s * RATE), n % 2, np.float32) for n, s in enumerate(seconds)]
    return Speech(SENTENCE, np.concatenate(parts), RATE, np.full((3, 2), NAN))


def test_a_word_beside_silence_begins_or_ends_there() -> None:
    speech = sound(0.3, 0.2, 0.05, 0.4, 0.2, 0.5, 0.1)  # the closure of a stop is no pause
    about = np.asarray([[0.2, 0.6], [0.6, 1.0], [1.1, 1.6]])
    plain = pauses(speech, about)
    np.testing.assert_allclose(plain, [[0.3, NAN], [NAN, 0.95], [1.15, 1.65]], atol=0.006)
    assert np.isnan(pauses(speech, about + 9)[1]).all()  # no word is near


def test_what_is_always_off_is_a_bias() -> None:
    truth = np.asarray([[0.0, 0.5], [1.0, 1.5], [2.0, NAN]])
    speech = sound(0.1, 0.1)
    found = errors(speech, truth + [[0.03, -0.1]] * 3, truth)
    made = row("kind", found)
    assert made["start p50 ms"] == pytest.approx(30) and made["start bias ms"] == pytest.approx(30)
    assert made["end p95 ms"] == pytest.approx(100) and made["end bias ms"] == pytest.approx(-100)
    assert (made["words"], made["starts"], made["ends"], made["missed"]) == (3, 3, 2, None)
    assert row("kind", unbiased(found))["start p95 ms"] == pytest.approx(0)


def test_what_was_told_and_when() -> None:
    told = Told(np.full((3, 2), NAN))
    one, two = (TimedWord(SENTENCE.words[n], n, n + 0.5, n, estimated=n == 1) for n in (0, 1))
    told.takes([one], 0.75)
    told.takes([two], 1.0)
    told.takes([TimedWord(two.word, 1.1, 1.6, 1)], 2.0)
    made = row("kind", [], [told])
    assert (made["missed"], made["estimated"], made["corrected"]) == (1, 1, 1)
    assert made["told p50 ms"] == pytest.approx((250 - 600) / 2)
    np.testing.assert_allclose(told.first[1], [1, 1.5])
    np.testing.assert_allclose(told.times[1], [1.1, 1.6])
