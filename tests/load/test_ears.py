"""What listens to a model is there if its library is; without it the model speaks all the same."""

import logging
import sys

import pytest

from mira.load.ears import load_ears
from mira.types import Sentence
from tests.recorded import ALLISON, Clip, clips, recorded_synthesizer


@pytest.mark.parametrize("guard", [True, False])
def test_words_are_measured_where_the_library_is(guard: bool) -> None:
    ears = load_ears(guard)
    assert ears.guard is guard
    clip = clips()[0]
    (*_, last) = recorded_synthesizer(clip, ears=ears).synthesize(Sentence.of(clip.text), ALLISON)
    assert [word.estimated for word in last.words] == [False]


def test_without_it_they_are_guessed_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with caplog.at_level(logging.WARNING):
        ears = load_ears(False)
    assert [record.getMessage() for record in caplog.records] == [
        "when words are spoken will be guessed: import of pocketsphinx halted; None in sys.modules"
    ]
    clip = clips()[0]
    (*_, last) = recorded_synthesizer(clip, ears=ears).synthesize(Sentence.of(clip.text), ALLISON)
    assert [word.estimated for word in last.words] == [True]


def test_a_word_that_no_dictionary_has_is_found() -> None:
    ears = load_ears(False)
    clip = clips()[1]
    spelt = Clip(clip.text.replace("successfully installed", "suksessfully inztalled"), clip.takes)
    blocks = recorded_synthesizer(spelt, ears=ears).synthesize(Sentence.of(spelt.text), ALLISON)
    words = {word.index: word for block in blocks for word in block.words}
    assert not words[2].estimated
    assert not words[3].estimated
    assert words[3].start_s == pytest.approx(1.25, abs=0.1)
