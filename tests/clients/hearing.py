"""What other people's clients heard, held against what was to be said."""

import base64
from collections.abc import Sequence
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


def check_words(
    told: Sequence[tuple[str, float]], samples: Samples, sample_rate: int, text: str
) -> None:
    """The words of a text were told in their order, each with the second in which it is heard."""
    assert [word.strip() for word, _ in told] == text.split()
    listening = Aligner().begin(Sentence.of(text), sample_rate)
    heard = {word.index: word for word in [*listening.push(samples), *listening.finish()]}
    off_s = [start_s - heard[index].start_s for index, (_, start_s) in enumerate(told)]
    assert off_s == pytest.approx([0] * len(told), abs=0.15)
    assert abs(np.median(off_s)) < 0.04
