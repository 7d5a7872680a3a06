"""Words are found in what was spoken."""

import numpy as np
import pytest

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.types import Samples, Sentence, TimedWord
from mira.words.align import Aligner

TEXT = "Thank you for calling, your table for two is booked at half past seven on Friday."


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


@pytest.fixture(scope="module")
def spoken() -> Samples:
    voice = BuiltinSynthesizer()
    blocks = voice.synthesize(Sentence.of(TEXT), voice.voices[0])
    return np.concatenate([block.samples for block in blocks])


def aligned(aligner: Aligner, text: str, samples: Samples, *cuts: int) -> list[TimedWord]:
    """The last that is told of each word."""
    alignment = aligner.begin(Sentence.of(text), 24000)
    told = [alignment.push(part) for part in np.split(samples, sorted(cuts))]
    told.append(alignment.finish())
    alignment.close()
    last = {word.index: word for news in told for word in news}
    return [last[index] for index in sorted(last)]


def test_all_words_are_found_in_order(aligner: Aligner, spoken: Samples) -> None:
    words = aligned(aligner, TEXT, spoken)
    assert [word.index for word in words] == list(range(16))
    assert all(word.start_s <= word.stop_s for word in words)
    starts = [word.start_s for word in words]
    assert starts == sorted(starts)
    assert not any(word.estimated for word in words)
