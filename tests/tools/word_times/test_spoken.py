"""What is known of when words are heard must be so."""

import numpy as np
import pytest

from mira.types import Sentence
from tests.recogniser import Recogniser
from tools.bench.words import RECORDINGS, SENTENCES
from tools.word_times.compare import pauses
from tools.word_times.listeners import recognise
from tools.word_times.spoken import (
    FliteVoice,
    NetworkVoice,
    audible,
    by_telephone,
    recorded,
    sentences,
)


@pytest.fixture(scope="module")
def network() -> NetworkVoice:
    return NetworkVoice()


def test_durations_of_the_network_agree_with_its_pauses(network: NetworkVoice) -> None:
    (sentence,) = sentences("We have three sizes: small, medium and large.")
    speech = network.say(sentence)
    assert speech is not None
    assert (np.diff(speech.times[:, 0]) > 0).all()
    assert np.isnan(speech.times[[3, 4, 7], 1]).all()  # before a mark, or the end
    off = speech.times - pauses(speech, speech.times)
    assert np.count_nonzero(~np.isnan(off)) >= 2
    assert np.nanmax(np.abs(off)) < 0.06


def test_joined_phrases_begin_and_end_where_they_were_put(network: NetworkVoice) -> None:
    speech = network.joined(["One moment", "please", "thank you"], 0.3)
    assert speech is not None and speech.times.shape == (5, 2)
    known = pauses(speech, speech.times)
    assert speech.times[0, 0] == pytest.approx(0.2)
    assert np.isnan(speech.times[0, 1]) and np.isnan(speech.times[1, 0])
    assert speech.times[2, 0] - speech.times[1, 1] == pytest.approx(0.3, abs=1e-4)
    both = ~np.isnan(known + speech.times)
    assert both.sum() == 6
    assert np.abs(known - speech.times)[both].max() < 0.011


def test_one_that_has_other_words_is_left_out(network: NetworkVoice) -> None:
    assert network.say(Sentence.of("Hello — there")) is None


def test_a_telephone_is_heard_as_one(network: NetworkVoice) -> None:
    speech = network.say(Sentence.of("Hello there."))
    assert speech is not None
    heard = by_telephone(speech)
    assert heard.sample_rate == 8000 and heard.audio_s == pytest.approx(speech.audio_s, abs=0.01)
    assert len(np.unique(heard.samples)) <= 256
    first, last = (np.asarray(audible(s.samples)) / s.sample_rate for s in (speech, heard))
    assert np.abs(first - last).max() < 0.03


def test_the_labels_of_festival_lite() -> None:
    try:
        voice = FliteVoice("slt")
    except OSError:
        pytest.skip("libflite is not installed")
    speech = voice.say(Sentence.of("Your room is booked."))
    assert speech is not None
    assert speech.times[0, 0] > 0 and speech.times[-1, 1] < speech.audio_s
    assert (speech.times[1:, 0] == speech.times[:-1, 1]).all()


def test_a_recording_has_words_and_no_times() -> None:
    speech = recorded(RECORDINGS / "allison.wav")
    assert len(speech.sentence.words) == 12 and np.isnan(speech.times).all()


def test_the_recogniser_hears_each_word_roughly_where_it_is(network: NetworkVoice) -> None:
    speech = network.say(Sentence.of("Your table is booked at half past seven tonight"))
    assert speech is not None
    found = recognise(Recogniser(), speech)
    assert found.shape == speech.times.shape
    assert np.nanmedian(np.abs(found - speech.times)) < 0.15


def test_there_are_sixty_sentences() -> None:
    lines = SENTENCES.read_text("utf-8").splitlines()
    assert len(lines) == len({*lines}) == 60
