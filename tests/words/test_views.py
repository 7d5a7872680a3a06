"""Words as other programs have them."""

from mira.types import Span
from mira.words.said import SaidWord
from mira.words.views import word_object


def test_a_word_object_says_what_when_and_where() -> None:
    word = SaidWord(Span(6, 11), 0.40049, 0.9, estimated=True)
    assert word_object("Hello there.", word) == {
        "word": "there",
        "start": 0.4,
        "end": 0.9,
        "char_start": 6,
        "char_end": 11,
        "estimated": True,
    }
