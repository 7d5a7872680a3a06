"""What is spoken by a recording is that recording, sample by sample."""

import numpy as np
import pytest

from mira.engine import Engine
from mira.errors import NothingToSay
from mira.stream.playback import Playback
from mira.text import split_sentences
from mira.types import Sentence
from tests.recorded import ALLISON, RATE, TEXT, clips, recorded_synthesizer


@pytest.mark.parametrize("live", [True, False])
def test_each_sentence_is_heard_as_it_was_recorded(live: bool) -> None:
    made = recorded_synthesizer()
    for clip in clips():
        sentence = Sentence.of(clip.text)
        blocks = made.synthesize(sentence, ALLISON, playback=Playback(live=live))
        heard = np.concatenate([block.samples for block in blocks])
        (take,) = clip.takes
        np.testing.assert_array_equal(heard[: len(take)], take)
        assert not heard[len(take) :].any()
    assert not made.incidents


@pytest.mark.parametrize("language", ["en", "it", "fr"])
def test_a_text_is_cut_into_the_sentences_that_were_recorded(language: str) -> None:
    texts = [clip.text for clip in clips(language)]
    assert [piece.sentence.text for piece in split_sentences(" ".join(texts), 150)] == texts


def test_the_engine_speaks_all_of_them() -> None:
    spoken = np.concatenate(list(Engine(recorded_synthesizer()).speak(TEXT, ALLISON)))
    assert 13 < len(spoken) / RATE < 15


def test_what_nobody_recorded_cant_be_read() -> None:
    with pytest.raises(NothingToSay, match="Nobody recorded"):
        list(recorded_synthesizer().synthesize(Sentence.of("Hello."), ALLISON))


def test_another_attempt_is_the_next_take() -> None:
    first, second, *_ = clips()
    both = recorded_synthesizer(type(first)(first.text, (*first.takes, *second.takes)))
    for take in (*first.takes, *second.takes):
        blocks = both.synthesize(Sentence.of(first.text), ALLISON)
        heard = np.concatenate([block.samples for block in blocks])
        assert len(heard) - len(take) in range(320)


def test_it_can_be_measured() -> None:
    assert recorded_synthesizer().measure(4) >= 1
