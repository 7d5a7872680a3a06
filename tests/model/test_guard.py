"""Speech passes; what is no speech is named."""

import numpy as np
import pytest

from mira.model.guard import MAX_REPEATS, Degenerate, Guard, oddities
from mira.types import Sentence
from mira.words.align import Findings

RATE = 16000
TONE = (0.3 * np.sin(np.arange(RATE) / 10)).astype(np.float32)
SILENCE = np.zeros(RATE, np.float32)


def test_speech_passes() -> None:
    guard = Guard("Hello there, how are you today?", RATE)
    for token in range(100):
        guard.token(token)
    guard.samples(SILENCE)
    assert not guard.audible
    guard.samples(TONE)
    assert guard.audible
    guard.samples(SILENCE)


def test_a_pause_is_measured_across_blocks_and_ends_with_sound() -> None:
    guard = Guard("text", RATE)
    guard.samples(TONE)
    for _ in range(10):
        guard.samples(np.concatenate([SILENCE, TONE[:8000]]))
    guard.samples(SILENCE)
    with pytest.raises(Degenerate, match="silence"):
        guard.samples(SILENCE)


def test_one_token_for_a_second_is_repetition() -> None:
    guard = Guard("a rather long text that may take its time " * 3, RATE)
    for _ in range(MAX_REPEATS):
        guard.token(7)
    guard.token(8)
    for _ in range(MAX_REPEATS):
        guard.token(7)
    with pytest.raises(Degenerate, match="repetition"):
        guard.token(7)


def test_far_more_than_the_text_needs_is_run_on() -> None:
    guard = Guard("Hi.", RATE)
    with pytest.raises(Degenerate, match="run-on"):
        for token in range(1000):
            guard.token(token)


def test_speech_that_goes_on_after_the_last_word_is_babble() -> None:
    guard = Guard("Hi.", RATE)
    guard.beyond(1.5)
    with pytest.raises(Degenerate, match="babble"):
        guard.beyond(1.6)


@pytest.mark.parametrize(
    ("findings", "kinds"),
    [
        (Findings(), []),
        (Findings(missed=(0,)), []),
        (Findings(missed=(0, 2, 4)), []),  # mumbled, here and there
        (Findings(missed=(1, 2)), []),  # too short to be sure
        (Findings(missed=(2, 3)), ["words missed"]),
        (Findings(missed=(3,)), ["words missed"]),
        (Findings(missed=(0, 2, 3)), ["words missed"]),
        (Findings(repeated=1, noise_s=0.9), []),
        (Findings(missed=(3, 4), repeated=2), ["words missed", "words repeated"]),
        (Findings(noise_s=1.0), ["babble"]),
    ],
)
def test_what_is_odd_has_a_name(findings: Findings, kinds: list[str]) -> None:
    sentence = Sentence.of("I have your reservation, sir.")
    assert list(oddities(findings, sentence)) == kinds
    assert list(oddities(Findings(), sentence, beyond_s=1.6)) == ["babble"]
