"""Of speech that is cut off, the words before the cut are heard, and none of those behind it."""

import numpy as np
import pytest
from hibari import Hibari

from tests.ears import fits, furthest, heard_until
from tests.recogniser import Recogniser
from tests.test_recogniser import TELEPHONE_RATE, VOICE_RATE, say, through_telephone

PARTS = [
    "Thank you, Sarah.",
    "The code",
    "is four,",
    "four,",
    "seven,",
    "for your room",
    "at nine.",
]
GAP_S = 0.12


@pytest.fixture(scope="module")
def ears() -> Recogniser:
    return Recogniser()


@pytest.mark.parametrize(
    ("text", "written", "begins"),
    [
        ("One moment, please.", "", ""),
        ("One moment, please.", "One moment.", "One moment,"),
        ("One moment, please.", "One moment, plea", "One moment, please."),
        (
            "It costs $42.50 a month.",
            "it costs forty two dollars and fifty cents",
            "It costs $42.50",
        ),
        ("At 3:15 pm on Monday", "At three fifteen p.m.", "At 3:15 pm"),
        ("No, no, no, no.", "No, no.", "No, no,"),
        ("It is four, four, seven.", "It is for.", "It is four,"),
        ("Call Siobhan Nguyen at noon.", "Call Shavonne Win.", "Call Siobhan Nguyen"),
        ("Call Siobhan Nguyen at noon.", "Call Siobhan at noon", "Call Siobhan Nguyen at noon."),
        ("a  b", "a b", "a  b"),
    ],
)
def test_the_beginning_that_is_most_alike(text: str, written: str, begins: str) -> None:
    assert furthest(text, written) == (len(begins.split()), len(begins))


def test_what_was_said_before_a_cut_is_heard(ears: Recogniser) -> None:
    voice, text = Hibari(), " ".join(PARTS)
    gap = np.zeros(int(GAP_S * VOICE_RATE), np.float32)
    said, words = gap, 0
    for part in PARTS:
        spoken = say(voice, part)
        loud = np.flatnonzero(np.abs(spoken) > 0.003)
        said = np.concatenate([said, spoken[loud[0] : loud[-1] + 1], gap])
        words += len(part.split())
        heard = heard_until(ears, text, said, VOICE_RATE)
        assert heard.words == words, heard
        assert text[: heard.chars].split()[-1] == part.split()[-1]
        assert fits(text, heard.chars, heard) and not fits(text, max(heard.chars - 20, 0), heard)
    heard = heard_until(ears, text, through_telephone(said), TELEPHONE_RATE)
    assert heard.chars == len(text)


def test_nothing_is_heard_of_nothing(ears: Recogniser) -> None:
    silence = np.zeros(VOICE_RATE, np.float32)
    for samples in (silence[:0], silence):
        assert heard_until(ears, " ".join(PARTS), samples, VOICE_RATE).words == 0
