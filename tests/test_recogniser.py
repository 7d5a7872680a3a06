"""The ears must hear what is said, and must not forgive a word that is not.

Knows nothing about the text front end: the voice is given words, never numerals.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hibari import Hibari

from tests.recogniser import Recogniser, Samples, resample, word_errors

VOICE_RATE = 24_000
TELEPHONE_RATE = 8_000
SENTENCES = Path(__file__).parent / "data" / "sentences.txt"
"""One sentence a line: as it is written, a tab, as a person says it."""


@pytest.fixture(scope="module")
def ears() -> Recogniser:
    return Recogniser()


@pytest.fixture(scope="module")
def voice() -> Hibari:
    return Hibari()


def say(voice: Hibari, text: str) -> Samples:
    return np.asarray(voice(text, seed=0), dtype=np.float32)


def read_sentences() -> list[tuple[str, str]]:
    """Return (written, spoken) pairs."""
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    return [(written, spoken) for written, spoken in (line.split("\t") for line in lines)]


def through_telephone(samples: Samples) -> Samples:
    """8 kHz mu-law and back; [num_samples] at VOICE_RATE to [num_samples] at TELEPHONE_RATE."""
    pcm = np.clip(resample(samples, VOICE_RATE, TELEPHONE_RATE), -1, 1) * 32767
    frame = av.AudioFrame.from_ndarray(pcm.astype(np.int16)[None], "s16", "mono")
    frame.sample_rate = TELEPHONE_RATE
    line_in = av.AudioCodecContext.create("pcm_mulaw", "w")
    line_in.sample_rate, line_in.layout, line_in.format = TELEPHONE_RATE, "mono", "s16"
    line_out = av.AudioCodecContext.create("pcm_mulaw", "r")
    line_out.sample_rate, line_out.layout = TELEPHONE_RATE, "mono"

    def received() -> Iterator[Samples]:
        for packet in [*line_in.encode(frame), *line_in.encode(None)]:
            for block in line_out.decode(packet):
                yield block.to_ndarray().reshape(-1).astype(np.float32) / np.float32(32768)

    return np.concatenate(list(received()))


@pytest.mark.parametrize(
    ("expected", "heard"),
    [
        ("Hello, and thank you!", "hello and thank you"),
        ("forty two dollars and fifty cents", "Forty-two dollars and fifty cents."),
        ("Your total is $42.50.", "your total is forty two dollars and fifty cents"),
        ("one thousand two hundred fifty dollars", "$1,250"),
        ("three point five million dollars", "$3.5 million"),
        ("fifteen pounds", "£15"),
        ("at three forty five p m", "at 3:45 p.m."),
        ("at three forty five p m", "at three forty-five PM"),
        ("from nine a m to five p m", "from 9am to 5 P.M."),
        ("ten oh five", "10:05"),
        ("seven o'clock", "seven o clock"),
        ("seven o'clock", "7:00"),
        ("June twenty first, twenty twenty six", "June 21st, 2026"),
        ("nineteen ninety eight", "1998"),
        ("five five five, zero one two three", "555-0123"),
        ("B seven K two nine X", "B7K29X"),
        ("B seven K two nine X", "B-seven K-two-nine X."),
        ("two hundred and five", "two hundred five"),
        ("one million two hundred thousand", "1,200,000"),
        ("support at example dot com", "support@example.com"),
        ("example dot com slash pay", "example.com/pay"),
        ("Doctor Lee and Mister Brown and Missus Green", "Dr. Lee and Mr. Brown and Mrs. Green"),
        ("forty five Main Street", "45 Main St."),
        ("Saint Mary", "St. Mary"),
        ("the U S office", "the U.S. office"),
        ("the U S office", "the US office"),
        ("a photo ID", "a photo I.D."),
        ("for example a passport", "e.g. a passport"),
        ("minus five degrees Celsius", "-5°C"),
        ("two point five kilograms", "2.5 kg"),
        ("two point five kilograms", "two point five kg"),
        ("twelve kilometers", "12 kilometres"),
        ("twenty five percent", "25%"),
        ("sixty five miles per hour", "65 mph"),
        ("okay, good bye", "OK, goodbye"),
        ("e-mail", "email"),
        ("our favourite colour", "our favorite color"),
        ("I'm sorry", "I’m sorry"),
        ("a café", "a cafe"),
    ],
)
def test_the_same_words_are_no_error(expected: str, heard: str) -> None:
    assert word_errors(expected, heard)[0] == 0
    assert word_errors(heard, expected)[0] == 0


@pytest.mark.parametrize(
    ("expected", "heard", "errors"),
    [
        ("press one for sales", "press two for sales", 1),
        ("press one for sales", "press for sales", 1),
        ("press one for sales", "press the one for sales", 1),
        ("we are open", "", 3),
        ("", "you", 1),
        ("we are open", "we are not open", 1),
        ("we can do it", "we can't do it", 1),
        ("thirteen", "thirty", 1),
        ("ten oh five", "one thousand five", 2),
        ("twenty twenty six", "two thousand twenty six", 2),
        ("five five five", "five hundred fifty five", 2),
        ("seven o'clock", "seven", 1),
        ("$42.50", "forty two dollars and fifteen cents", 2),
        ("$42.50", "forty two fifty", 2),
        ("$20", "€20", 1),
        ("555-0123", "five five five, zero one two four", 1),
        ("1998", "nineteen eighty nine", 2),
        ("B7K29X", "B 7 K 2 9 S", 1),
        ("at three p m", "at three a m", 1),
        ("call the U S", "call the us", 2),
        ("I am here", "I A M here", 2),
        ("support at example dot com", "support example com", 2),
        ("minus five degrees", "five degrees", 1),
        ("two kilograms", "two kilometers", 1),
        ("four", "for", 1),
        ("Doctor Lee", "Drive Lee", 1),
        ("Main Street", "Main Saint", 1),
    ],
)
def test_a_wrong_word_is_an_error(expected: str, heard: str, errors: int) -> None:
    assert word_errors(expected, heard)[0] == errors


def test_words_are_counted_in_the_expected_text() -> None:
    assert word_errors("one moment, please", "one moment") == (1, 3)
    assert word_errors("555-0123", "") == (7, 7)
    assert word_errors("", "") == (0, 0)


def test_the_sentences_are_pairs_and_their_spoken_side_has_only_words() -> None:
    sentences = read_sentences()
    assert len(sentences) >= 36
    assert len(set(sentences)) == len(sentences)
    for written, spoken in sentences:
        assert written == written.strip() and written
        assert not any(c.isdigit() or c in "$€£%&@°/+" for c in spoken), spoken


def test_resampling_keeps_duration_and_pitch() -> None:
    seconds = np.arange(VOICE_RATE) / VOICE_RATE
    tone = np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    low = resample(tone, VOICE_RATE, TELEPHONE_RATE)
    assert abs(low.size - TELEPHONE_RATE) < 100
    assert np.argmax(np.abs(np.fft.rfft(low))) * TELEPHONE_RATE / low.size == pytest.approx(
        440, 0.01
    )


def test_resampling_refuses_what_is_not_mono_float() -> None:
    with pytest.raises(ValueError, match="float32"):
        resample(np.zeros((2, 100), dtype=np.float32), VOICE_RATE, TELEPHONE_RATE)
    with pytest.raises(ValueError, match="float32"):
        resample(np.zeros(100, dtype=np.int16), VOICE_RATE, TELEPHONE_RATE)


def test_nothing_is_heard_in_silence(ears: Recogniser) -> None:
    assert ears.transcribe(np.zeros(0, dtype=np.float32), VOICE_RATE) == ""
    assert ears.transcribe(np.zeros(2 * VOICE_RATE, dtype=np.float32), VOICE_RATE) == ""


def test_nothing_that_was_said_is_heard_in_noise(ears: Recogniser, voice: Hibari) -> None:
    spoken = "Is there anything else I can do for you?"
    speech = say(voice, spoken)
    noise = np.random.default_rng(0).normal(0, 0.3, speech.size).astype(np.float32)
    errors, words = word_errors(spoken, ears.transcribe(noise, VOICE_RATE))
    assert errors >= words


def test_numbers_are_heard_the_way_they_are_read(ears: Recogniser, voice: Hibari) -> None:
    for spoken in (
        "The order number is four eight two one three.",
        "The order number is forty eight thousand two hundred thirteen.",
    ):
        heard = ears.transcribe(say(voice, spoken), VOICE_RATE)
        assert word_errors(spoken, heard)[0] == 0, heard


def test_speech_is_heard_the_same_twice_and_over_the_telephone(
    ears: Recogniser, voice: Hibari
) -> None:
    spoken = "Your total is forty two dollars and fifty cents."
    samples = say(voice, spoken)
    heard = ears.transcribe(samples, VOICE_RATE)
    assert heard == ears.transcribe(samples, VOICE_RATE)
    assert word_errors(spoken, heard)[0] == 0
    heard = ears.transcribe(through_telephone(samples), TELEPHONE_RATE)
    assert word_errors(spoken, heard)[0] == 0


def test_speech_longer_than_one_window_is_heard_to_its_end(ears: Recogniser, voice: Hibari) -> None:
    spoken = " ".join(spoken for _, spoken in read_sentences()[-6:])
    pause = np.zeros(VOICE_RATE // 2, dtype=np.float32)
    samples = np.concatenate(
        [part for _, s in read_sentences()[-6:] for part in (say(voice, s), pause)]
    )
    assert samples.size > 30 * VOICE_RATE
    errors, words = word_errors(spoken, ears.transcribe(samples, VOICE_RATE))
    assert errors <= 0.1 * words


def test_backwards_speech_is_not_understood(ears: Recogniser, voice: Hibari) -> None:
    spoken = "Thank you, Sarah. Your room is booked for three nights."
    errors, words = word_errors(spoken, ears.transcribe(say(voice, spoken)[::-1], VOICE_RATE))
    assert errors > 0.7 * words
