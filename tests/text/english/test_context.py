"""What the words around a number say it is; bounded, and never over the end of a sentence."""

import re

import pytest

from mira.text.english.context import Kind, is_counted, kind_of

CODE, PLACE = Kind.CODE, Kind.PLACE


def kind(text: str) -> Kind | None:
    """Tell what the number in angle brackets is."""
    start, stop = text.index("<"), text.index(">") - 1
    return kind_of(text.replace("<", "").replace(">", ""), start, stop)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The code is <4821>.", CODE),
        ("the code (like <482913>)", CODE),
        ("the code you received is <4821>", CODE),
        ("Your account, the one you opened last year, is <1234>.", CODE),
        ("Codes 4821 and <5932> work.", CODE),
        ("text STOP to <70707>", CODE),
        ("<4821> is your code", CODE),
        ("Is this the <212> area code?", CODE),
        ("acct. no. <55012>", CODE),
        ("in room <204>", PLACE),
        ("rooms 203 and <204>", PLACE),
        ("our suite number is <1550>", PLACE),
        ("flight UA <204>", PLACE),
        ("P.O. Box <42>", PLACE),
        ("P.O. Box <4200>", CODE),
        # Something is counted, measured or dated.
        ("Order <1200> units.", None),
        ("your order total is <1500>", None),
        ("the number of guests is <1234>", None),
        ("the code has <4821> lines", None),
        ("your code expires in <2027>", None),
        ("call <500> happy customers", None),
        ("room 204, <350> guests", None),
        ("text 5 to <2000> people", None),
        ("we had <1234> of them", None),
        # Too short for its cue.
        ("order <12> pizzas", None),
        ("number <100>", None),
        # The end of a sentence lies between.
        ("What is the code? <4821> people asked.", None),
        ("We fixed the code. <4821> lines.", None),
    ],
)
def test_the_words_around_it_decide(text: str, expected: Kind | None) -> None:
    assert kind(text) is expected


def test_a_cue_may_be_sixty_characters_away_and_no_more() -> None:
    assert kind(f"code {'you have ' * 5}is <4821>") is CODE
    assert kind(f"code {'you have ' * 7}is <4821>") is None


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        (" people", True),
        (" happy customers", True),
        (" US dollars", True),
        ("-meter dashes", True),
        (" of them", True),
        (" is late", False),
        (" expires", False),
        (" to access", False),
        (" Elm Streets", False),
        (" a b c tables", False),
        ("", False),
        (".", False),
    ],
)
def test_what_is_counted_follows_within_three_words(text: str, counted: bool) -> None:
    assert is_counted(text, 0) is counted


def test_every_division_of_the_words_before_gives_the_same() -> None:
    """What is farther away than the nearest cue changes nothing."""
    text = "My flight, the room and the account are booked, and the code is "
    for word in re.finditer(r"\w+", text[:-12]):
        rest = text[word.start() :]
        assert kind_of(rest + "4821", len(rest), len(rest) + 4) is CODE
