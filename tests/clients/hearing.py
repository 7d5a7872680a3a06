"""What other people's clients heard, held against what was to be said."""

import base64
from typing import Any

import numpy as np
import pytest

from mira.types import Sentence
from mira.words.align import Aligner
from tests.audio.decoding import decode
from tests.recogniser import Recogniser, Samples, word_errors

FIRST = "Hello there. Your table for two is booked at half past seven."
INTERRUPTED = "One two three four five six seven eight nine ten. " * 6
AGAIN = "Yes, of course. See you on Friday."
TURNS = [FIRST, INTERRUPTED, AGAIN]
CLICK = 0.02  # of full scale, where speech begins or ends


def samples_of(turn: Any, sample_rate: int, format: str = "pcm") -> Samples:
    """The audio of a turn, as a program prints it."""
    return decode(base64.b64decode(turn["audio"]), format, sample_rate)[0]


def check_heard(ears: Recogniser, samples: Samples, sample_rate: int, text: str) -> None:
    """Every word of a text is heard, no other, at a speaker's pace, and it begins and ends in
    silence."""
    heard = ears.transcribe(samples, sample_rate)
    assert word_errors(text, heard)[0] == 0, heard
    assert 0.2 < len(samples) / sample_rate / len(text.split()) < 0.5
    assert abs(samples[0]) < CLICK and abs(samples[-1]) < CLICK


def check_words(turn: Any, samples: Samples, sample_rate: int, text: str) -> None:
    """The words were told in their order, and when each is heard, counted from the first."""
    words, starts_s = zip(*turn["words"])
    assert [word.strip() for word in words] == text.split()
    listening = Aligner().begin(Sentence.of(text), sample_rate)
    heard = {word.index: word for word in [*listening.push(samples), *listening.finish()]}
    heard_s = [heard[index].start_s for index in range(len(words))]
    off_s = np.subtract(starts_s, starts_s[0]) - np.subtract(heard_s, heard_s[0])
    assert off_s == pytest.approx(np.zeros(len(words)), abs=0.15)
    assert abs(np.median(off_s)) < 0.04
