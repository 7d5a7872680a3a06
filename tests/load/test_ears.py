"""What listens to a model is there if its library is; without it the model speaks all the same."""

import logging
import sys

import pytest

from mira.builtin.phonemes import Phonemizer
from mira.load.ears import load_ears
from mira.model.attempt import Ears
from mira.types import Sentence, TimedWord
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


def misspelt(ears: Ears) -> dict[int, TimedWord]:
    """Speak two words, the third and the fourth, that no dictionary has."""
    clip = clips()[1]
    spelt = Clip(clip.text.replace("successfully installed", "suksessfully inztalled"), clip.takes)
    blocks = recorded_synthesizer(spelt, ears=ears).synthesize(Sentence.of(spelt.text), ALLISON)
    return {word.index: word for block in blocks for word in block.words}


def test_without_a_front_end_all_other_words_are_found(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "mira.builtin.pronounce", None)
    words = misspelt(load_ears(False))
    assert [index for index, word in words.items() if word.estimated] == [2, 3]
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith("words that no dictionary has will not be found: import of mira")


def test_a_word_at_which_the_front_end_breaks_is_a_guess(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(phonemizer: Phonemizer, *given: object) -> None:
        raise IndexError("a rule broke")

    monkeypatch.setattr(Phonemizer, "_tokens", breaks)
    words = misspelt(load_ears(False))
    assert [index for index, word in words.items() if word.estimated] == [2, 3]
    assert "a word will not be found: IndexError" in caplog.text


def test_a_word_that_no_dictionary_has_is_found() -> None:
    words = misspelt(load_ears(False))
    assert not words[2].estimated
    assert not words[3].estimated
    assert words[3].start_s == pytest.approx(1.25, abs=0.1)
