"""The law: what a rule leaves has its own source, what it puts in has that of what it replaces."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.text.traced import Reading, Rule, Traced, rule
from mira.types import Span, Word


def sources(text: str, pattern: str, reading: Reading) -> list[tuple[str, str]]:
    """Each character of the text that one rule makes, with what it stands for."""
    traced = Traced(text)
    traced.apply([rule(pattern, reading)])
    ends = zip(traced.text, traced._firsts, traced._lasts)
    return [(char, text[first : last + 1]) for char, first, last in ends]


@pytest.mark.parametrize(
    ("text", "pattern", "reading", "made"),
    [
        ("a1b", "1", "xy", [("a", "a"), ("x", "1"), ("y", "1"), ("b", "b")]),
        ("a1b", "1", "", [("a", "a"), ("b", "b")]),
        ("[a](b)", r"\[(.)\]\(.\)", r"\1", [("a", "a")]),
        ("1-2", "([0-9])-([0-9])", r"\1to\2", [("1", "1"), ("t", "-"), ("o", "-"), ("2", "2")]),
        ("ab", "(x)?(a)", r"\1\2", [("a", "a"), ("b", "b")]),
        # What is put in where nothing was stands for its neighbours.
        ("ab", "(a)(b)", r"\1-\2", [("a", "a"), ("-", "ab"), ("b", "b")]),
        ("a", r"\b(?=a)", "-", [("-", "a"), ("a", "a")]),
        ("a", r"\Z", "-", [("a", "a"), ("-", "a")]),
        # A word is read as a whole, though it begins or ends as what it stands for.
        ("a k", "a k", lambda m: "a kk", [("a", "a"), (" ", " "), ("k", "k"), ("k", "k")]),
        ("a@b.", "a@b.", lambda m: "a b.", [*((c, "a@b") for c in "a b"), (".", ".")]),
        ("a b", "a b", lambda m: "c b", [("c", "a"), (" ", " "), ("b", "b")]),
        ("&b;", "&b;", lambda m: "&", [("&", "&b;")]),
        ("5 k", "5 k", lambda m: [("x", 0, 1), ("y", 2, 3)], [*zip("x y", "5 k")]),
        ("ab", "ab", lambda m: m[0], [("a", "a"), ("b", "b")]),
    ],
)  # fmt: skip
def test_a_rule_keeps_the_source(
    text: str, pattern: str, reading: Reading, made: list[tuple[str, str]]
) -> None:
    assert sources(text, pattern, reading) == made


def words(traced: Traced) -> list[tuple[str, int, int]]:
    [found] = traced.words([Span(0, len(traced.text))])
    return [(word.text, word.source.start, word.source.stop) for word in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" — ", []),
        ("Hi, (you)!", [("Hi,", 0, 2), ("(you)!", 5, 8)]),
        ("¿ Hi — you ?", [("¿ Hi —", 2, 4), ("you ?", 7, 10)]),
        ("It's “x”—1", [("It's", 0, 4), ("“x”—1", 6, 10)]),
        ("नमस्ते। b", [("नमस्ते।", 0, 6), ("b", 8, 9)]),
        ("「你好」。ok", [("「你", 1, 2), ("好」。", 2, 3), ("ok", 5, 7)]),
    ],
)
def test_words(text: str, found: list[tuple[str, int, int]]) -> None:
    assert words(Traced(text)) == found


def test_words_of_parts() -> None:
    """A word that is cut is two, each with its own characters."""
    [one, other] = Traced("ab —cd !").words([Span(0, 4), Span(5, 8)])
    assert [(word.text, word.source) for word in (*one, *other)] == [
        ("ab —", Span(0, 2)),
        ("d !", Span(5, 6)),
    ]


def test_places_may_have_gaps() -> None:
    assert words(Traced("ab c", [5, 6, 7, 10])) == [("ab", 5, 7), ("c", 10, 11)]


def test_words_that_share_a_part_of_their_sources_share_all() -> None:
    """ "½kg" is read as "one half", and the unit stays glued to the second word."""
    traced = Traced("a ½kg b")
    traced.apply([rule("½", "one half")])
    assert words(traced) == [("a", 0, 1), ("one", 2, 5), ("halfkg", 2, 5), ("b", 6, 7)]


S = "ʃəvˈɔn"
"""How "Siobhan" sounds."""


def sounded(text: str, sounds: dict[str, str], pattern: str = "$^", said: str = "") -> list[str]:
    """Give what is written in the text a sound, read the text by one rule, and show the words."""
    at = {Span(text.index(part), text.index(part) + len(part)): s for part, s in sounds.items()}
    traced = Traced(text, sounds=at)
    traced.apply([rule(pattern, lambda match: said)])
    [found] = traced.words([Span(0, len(traced.text))])
    return [f"{word.text}={word.phonemes}" for word in found]


@pytest.mark.parametrize(
    ("text", "sounds", "rule", "made"),
    [
        ("Hi Siobhan, you", {"Siobhan": S}, (), ["Hi=", f"Siobhan,={S}", "you="]),
        ("(Siobhan)!", {"Siobhan": S}, (), [f"(Siobhan)!={S}"]),
        # Whatever became of its text.
        ("Hi Siobhan.", {"Siobhan": S}, ("Siobhan", "shi vawn"), ["Hi=", f"shi vawn.={S}"]),
        ("Siobhan's dog", {"Siobhan": S}, (), [f"Siobhan's={S}z", "dog="]),
        ("Siobhan'll.", {"Siobhan": S}, ("Siobhan", "shi vawn"), [f"shi vawn'll.={S}əl"]),
        ("It costs $100.", {"$100": "hˈʌnɹəd"}, (r"\$100", "one hundred"),
            ["It=", "costs=", "one hundred.=hˈʌnɹəd"]),
        # One group for each word, or all for one word.
        ("In New York.", {"New York": "nˈu jˈɔɹk"}, (), ["In=", "New=nˈu", "York.=jˈɔɹk"]),
        ("In New York's", {"New York": "nˈu jˈɔɹk"}, (), ["In=", "New=nˈu", "York's=jˈɔɹks"]),
        ("In New York.", {"New York": "nujˈɔɹk"}, (), ["In=", "New York.=nujˈɔɹk"]),
        ("a GIF b", {"GIF": "dʒˈɪf fˈaɪl"}, (), ["a=", "GIF=dʒˈɪf fˈaɪl", "b="]),
        # Other words that are joined by a mark.
        ("Siobhan-Ann Lee", {"Siobhan": S}, (), [f"Siobhan-={S}", "Ann=", "Lee="]),
        ("Lee–Siobhan…Ann", {"Siobhan": S}, (), ["Lee–=", f"Siobhan…={S}", "Ann="]),
        ("Coca-Cola-Co", {"Coca-Cola": S}, (), [f"Coca-Cola-={S}", "Co="]),
        ("AB-Ann", {"AB": ""}, (), ["AB-Ann="]),
        ("Ann-Siobhan's", {"Siobhan": S}, (), ["Ann-=", f"Siobhan's={S}z"]),
        # Only a part of a word.
        ("Siobhans", {"Siobhan": S}, (), ["Siobhans="]),
        ("mySiobhan", {"Siobhan": S}, (), ["mySiobhan="]),
        ("O'Siobhan", {"Siobhan": S}, (), ["O'Siobhan="]),
        ("New York", {"w Yo": S}, (), ["New=", "York="]),
        ("one two", {"one": "ˈeɪ", "two": "bˈi"}, (), ["one=ˈeɪ", "two=bˈi"]),
        ("xone two", {"one": "ˈeɪ", "two": "bˈi"}, (), ["xone=", "two=bˈi"]),
        # It is not said.
        ("a b c", {"b": S}, ("b", ""), ["a=", "c="]),
        ("a , c", {",": S}, (), ["a ,=", "c="]),
    ],
)  # fmt: skip
def test_words_with_a_sound(
    text: str, sounds: dict[str, str], rule: tuple[str, ...], made: list[str]
) -> None:
    assert sounded(text, sounds, *rule) == made


def test_a_sound_in_two_parts_is_of_neither() -> None:
    traced = Traced("New York", sounds={Span(0, 8): "nˈu jˈɔɹk"})
    traced.edit([("New York", 0, 8)])
    words = traced.words([Span(0, 3), Span(4, 8)])
    assert [word.phonemes for part in words for word in part] == ["", ""]
    assert traced.words([Span(0, 8)]) == [
        (Word("New", Span(0, 8), "nˈu"), Word("York", Span(0, 8), "jˈɔɹk"))
    ]


def test_a_word_of_several_stands_for_all_of_them() -> None:
    traced = Traced("In New York.", sounds={Span(3, 11): "nujˈɔɹk"})
    assert words(traced) == [("In", 0, 2), ("New York.", 3, 11)]


def test_an_edit_keeps_the_rest() -> None:
    traced = Traced("ab cd")
    traced.edit([("x y", 0, 2), ("", 4, 5)])
    assert traced.text == "x y c"
    assert words(traced) == [("x", 0, 2), ("y", 0, 2), ("c", 3, 4)]
    assert (traced.source(0, 5), traced.source(3, 9)) == (Span(0, 4), Span(2, 4))


_RULES = st.builds(
    rule,
    st.sampled_from(["a", "a+", "(a)b", "b(.)", " a", r"(a)?(\s)", r"\b", "(b)(a)", "[ab]$"]),
    st.sampled_from(["", "x", " y "])
    | st.sampled_from(["", "a", "b ", "a b", " x y"]).map(lambda said: lambda match: said),
)


@settings(deadline=None)
@given(text=st.text("ab c", max_size=20), rules=st.lists(_RULES, max_size=6))
def test_sources_never_go_back(text: str, rules: list[Rule]) -> None:
    traced, plain = Traced(text), text
    traced.apply(rules)
    for each in rules:
        plain = each.pattern.sub(each.reading, plain)
    assert traced.text == plain
    firsts, lasts = list(traced._firsts), list(traced._lasts)
    assert len(firsts) == len(lasts) == len(plain)
    assert all(0 <= first <= last < len(text) for first, last in zip(firsts, lasts))
    assert firsts == sorted(firsts) and lasts == sorted(lasts)


@settings(deadline=None)
@given(
    text=st.text("ab c-'s,", max_size=20),
    edges=st.lists(st.integers(0, 20), max_size=6, unique=True),
    rules=st.lists(_RULES, max_size=3),
    cut=st.integers(0, 20),
)
def test_sounds_change_no_text_and_no_order(
    text: str,
    edges: list[int],
    rules: list[tuple],  # type: ignore[type-arg]
    cut: int,
) -> None:
    spans = [Span(*pair) for pair in zip(sorted(edges)[::2], sorted(edges)[1::2])]
    traced = Traced(text, sounds=dict.fromkeys(spans, "ˈæ bˈi"))
    traced.apply(rules)
    cut = min(cut, len(traced.text))
    found = traced.words([Span(0, cut), Span(cut, len(traced.text))])
    plain = Traced(text)
    plain.apply(rules)
    joined = ["".join("".join(word.text for word in part).split()) for part in found]
    assert joined == [
        "".join("".join(word.text for word in part).split())
        for part in plain.words([Span(0, cut), Span(cut, len(traced.text))])
    ]
    for one, other in pairwise(word for part in found for word in part):
        assert one.source == other.source or one.source.stop <= other.source.start
    for word in (word for part in found for word in part if word.phonemes):
        assert any(span.start <= word.source.start < span.stop for span in spans)


def test_what_is_said_as_it_is_written_is_not_read() -> None:
    text = Traced("Chapter IV of IV", sounds={Span(8, 10): ""})
    text.apply((rule("IV", lambda m: "four"), rule("of", "from")))
    assert text.text == "Chapter IV from four"
    [words] = text.words([Span(0, len(text.text))])
    assert [word.phonemes for word in words] == [""] * 4
