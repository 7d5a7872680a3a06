"""The laws: whole words, the longest first, in any order, and every word knows its characters."""

import time
from itertools import chain, pairwise, permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.errors import InvalidRequest
from mira.text import Dictionary, split_sentences
from mira.text.dictionary import MAX_ADDED_CHARS, Entry
from mira.text.traced import Traced
from mira.types import Word

MANY = 100
"""Enough for these tests."""


def words_of(text: str, written: dict[str, Any], max_chars: int = 220) -> list[Word]:
    pieces = split_sentences(text, max_chars, dictionary=Dictionary.of(written, MANY))
    return [word for piece in pieces for word in piece.sentence.words]


def said(text: str, written: dict[str, Any]) -> str:
    pieces = split_sentences(text, dictionary=Dictionary.of(written, MANY))
    return " ".join(piece.sentence.text for piece in pieces)


@pytest.mark.parametrize(
    ("text", "written", "spoken"),
    [
        ("Hi Siobhan.", {"Siobhan": "shi vawn"}, "Hi Shi vawn."),
        ("Dr. Nguyen's here", {"Nguyen": "win"}, "Doctor Win's here"),
        ("(Siobhan), Siobhan! Siobhan", {"Siobhan": "shi vawn"},
            "(Shi vawn), Shi vawn! Shi vawn"),
        ("Nguyen-Smith, @Nguyen", {"Nguyen": "win"}, "Win-Smith, at Win"),
        # No part of a word or of a number.
        ("Siobhans xSiobhan O'Siobhan Siobhan'x", {"Siobhan": "shi vawn"},
            "Siobhans xSiobhan O'Siobhan Siobhan'x"),
        ("3.14 and 14", {"14": "fourteen!"}, "three point one four and fourteen!"),
        ("12 of 12,000", {"12": "a dozen"}, "a dozen of twelve thousand"),
        ("12 on 12/25/2024", {"12": "a dozen"},
            "a dozen on December twenty-fifth, twenty twenty-four"),
        # Case as written.
        ("it is IT", {"IT": "eye tee"}, "it is Eye tee"),
        # The longest, at the first place.
        ("New York City, New York, York", {"New York": "en why", "York": "yorick",
            "New York City": "the city"}, "The city, En why, Yorick"),
        ("New  York", {"New York": "en why"}, "En why"),
        ("New\nYork", {"New York": "en why"}, "New York"),  # two pieces
        ("a b c d", {"a b": "x", "b c d": "y"}, "x c d"),
        ("a b c", {"a b d": "x", "a": "y"}, "y b c"),
        ("a-a-ab", {"a": "x", "a-a": "y", "a-a-a": "z"}, "y-ab"),
        # Marks at the edges.
        ("C++, C# and C.", {"C++": "see plus plus"}, "See plus plus, C sharp and C."),
        ("Use .NET or xAS.NET", {".NET": "micro"}, "Use micro or xAS.NET"),
        ("I use Yahoo!, too", {"Yahoo!": "yah who"}, "I use Yah who, too"),
        ("I use Yahoo!", {"Yahoo!": "yah who"}, "I use Yah who!"),
        ("He works at Foo Inc. now", {"Foo Inc.": "foo"}, "He works at Foo now"),
        ("AT&T and O’Neill", {"AT&T": "a tee", "O'Neill": "oh neel"}, "a tee and Oh neel"),
        ("O'Neill", {"O’Neill": "oh neel"}, "Oh neel"),
        ("**Siobhan** _wrote_", {"Siobhan": "shi vawn"}, "Shi vawn wrote"),
        # What is said is read as anything is, and no entry reads it again.
        ("ETA", {"ETA": "5 km"}, "five kilometers"),
        ("a b", {"a": "b", "b": "a"}, "b a"),
        ("a", {"a": "a a"}, "a a"),
        ("Hello Bob, hi", {"Bob": ""}, "Hello, hi"),
        ("Bob", {"Bob": ""}, ""),
        ("a BMW", {"BMW": "iPhone"}, "a iPhone"),
        ("see\u00a0Ann", {"see Ann": "x"}, "x"),
        # Characters that are words.
        ("我用微信支付。", {"微信": "wei xin"}, "我用wei xin支付。"),
        ("我用GIF格式", {"GIF": "jiff"}, "我用Jiff格式"),
        ("他姓阮", {"阮": "软"}, "他姓软"),
        ("नमस्ते दुनिया", {"नमस": "x", "दुनिया": "y"}, "नमस्ते y"),
        ("Nguyễn", {"Nguyễn": "win"}, "Win"),
    ],
)  # fmt: skip
def test_words_are_said_as_they_are_written_there(
    text: str, written: dict[str, Any], spoken: str
) -> None:
    assert said(text, written) == spoken


def test_an_empty_dictionary_changes_nothing() -> None:
    assert said("Hi Siobhan, it's 5 km.", {}) == "Hi Siobhan, it's five kilometers."
    assert len(Dictionary()) == len(Dictionary.of({}, 0)) == 0


S = "ʃəvˈɔn"


@pytest.mark.parametrize(
    ("text", "written", "words"),
    [
        ("Hi Siobhan.", {"Siobhan": {"say": "shi vawn", "ipa": "ʃəˈvɔːn"}},
            ["Hi=Hi=", f"Shi vawn.=Siobhan={S}"]),
        ("**Siobhan**’s car", {"Siobhan": {"ipa": "ʃəˈvɔːn"}},
            [f"Siobhan's=Siobhan**’s={S}z", "car=car="]),
        ("a GIF, GIFs", {"GIF": {"cmu": "JH IH1 F"}},
            ["a=a=", "GIF,=GIF=dʒˈɪf", "GIFs=GIFs="]),
        ("$100", {"$100": {"ipa": "ə ˈhʌndrəd"}}, ["one hundred dollars=$100=ə hˈʌndɹəd"]),
        ("New York-based", {"New York": {"ipa": "ˈnu jɔrk"}},
            ["New=New York=nˈu", "York-=New York=jˈɔɹk", "based=based="]),
        ("C++.", {"C++": {"ipa": "ˈsi"}}, ["C plus plus.=C++=sˈi"]),
        ("(Yahoo!)", {"Yahoo!": {"ipa": "jɑˈhu"}}, ["(Yahoo!)=Yahoo!=jɑhˈu"]),
        ("Nguyen", {"Nguyen": "win"}, ["Win=Nguyen="]),
    ],
)  # fmt: skip
def test_words_with_their_sources_and_sounds(
    text: str, written: dict[str, Any], words: list[str]
) -> None:
    assert [
        f"{word.text}={text[word.source.start : word.source.stop]}={word.phonemes}"
        for word in words_of(text, written)
    ] == words


def test_what_has_a_sound_already_stays_as_it_is() -> None:
    text = '<phoneme alphabet="ipa" ph="ˈnoʊ">Ann</phoneme> and Ann Lee'
    words = words_of(text, {"Ann": {"say": "x", "ipa": "ˈæn"}, "Ann and": "y"})
    assert [(word.text, word.phonemes) for word in words] == [
        ("Ann", "nˈoʊ"),
        ("and", ""),
        ("x", "ˈæn"),
        ("Lee", ""),
    ]


def test_a_dictionary_over_another_one() -> None:
    file = Dictionary.of({"Ann": "x", "Bob": "y", "Bob Lee": "z", "Cy": "c"}, MANY)
    request = Dictionary.of({"Bob": "1", "Cy": "2", "Ann Lee": "3"}, MANY)
    both = request.over(file)
    read = list(split_sentences("Ann, Bob, Cy, Bob Lee, Ann Lee", dictionary=both))
    assert read[0].sentence.text == "x, one, two, z, three"
    assert len(both) == 7


@pytest.mark.parametrize(
    ("word", "value", "wrong"),
    [
        ("", "x", "no letter and no digit"),
        (" ", "x", "no letter and no digit"),
        ("&", "and", "no letter and no digit"),
        ("👍", "x", "no letter and no digit"),
        ("<>", "x", "no letter and no digit"),
        ("x" * 65, "x", "the word has 65 characters, more than the limit of 64"),
        ("㎞" * 40, "x", "the word has 80 characters, more than the limit of 64"),
        ("x", "y" * 201, "say has 201 characters, more than the limit of 200"),
        ("x", {"say": "y" * 201}, "say has 201 characters, more than the limit of 200"),
        ("a\x00b", "x", r"the word has a control character, '\\x00': remove it"),
        ("a\nb", "x", r"the word has a control character"),
        ("x", "a\tb", r"say has a control character, '\\t'"),
        ("x", 5, "write how it is said"),
        ("x", None, "write how it is said"),
        ("x", ["y"], "write how it is said"),
        ("x", {}, "write how it is said: say, ipa or cmu"),
        ("x", {"says": "y"}, "there is no 'says': an entry has say, and ipa or cmu"),
        ("x", {"say": 5}, "say is a text"),
        ("x", {"ipa": None}, "ipa is a text"),
        ("x", {"ipa": "wyn"}, r"ipa: 'y' \(U\+0079\) is no sound of English"),
        ("x", {"cmu": "W YN"}, r"cmu: 'YN' .* is no sound of English"),
        ("x", {"ipa": "w", "cmu": "W"}, "it has ipa and cmu: leave out one"),
        ("x", {"ipa": ""}, "ipa: The pronunciation is empty"),
        ("x", {"say": "", "ipa": "w"}, "it has phonemes and says nothing"),
    ],
)
def test_an_entry_that_can_not_be_used_is_named(word: str, value: object, wrong: str) -> None:
    with pytest.raises(InvalidRequest, match=wrong) as error:
        Dictionary.of({"fine": "y", word: value}, MANY, where="dictionary")
    named = word if word.isprintable() else repr(word)
    assert error.value.param == f"dictionary.{named}"[:75]
    assert str(error.value).startswith(f"{error.value.param}: ")
    with pytest.raises(InvalidRequest) as error:
        Dictionary.of({word: value}, MANY)
    assert error.value.param == named[:64]


def test_there_are_only_so_many() -> None:
    many = {f"w{number}": "x" for number in range(MANY + 1)}
    with pytest.raises(InvalidRequest, match="101 entries are more than the limit of 100") as error:
        Dictionary.of(many, MANY, where="dictionary")
    assert error.value.param == "dictionary"
    assert len(Dictionary.of(many, MANY + 1)) == MANY + 1


def test_a_word_has_one_entry() -> None:
    with pytest.raises(InvalidRequest, match="another entry for this word"):
        Dictionary.of({"O'Neill": "x", "O’Neill": "y"}, MANY)
    assert len(Dictionary.of({"O'Neill": "x", "O’Neill": "x"}, MANY)) == 1


def test_a_voice_that_reads_letters_needs_letters() -> None:
    for value in ({"ipa": "wɪn"}, {"cmu": "W IH1 N"}):
        with pytest.raises(InvalidRequest, match="this voice reads letters, not phonemes: add"):
            Dictionary.of({"Nguyen": value}, MANY, reads_phonemes=False)
        Dictionary.of({"Nguyen": value | {"say": "win"}}, MANY, reads_phonemes=False)


_TOKENS = ["a", "b", "ab", "A", " ", " ", "-", "+", "'s", "'", ".", "5", "中", "文", "é", "\u0301"]
_WORDS = st.lists(st.sampled_from([*_TOKENS, "b"]), min_size=1, max_size=6).map("".join)
_ENTRIES = st.dictionaries(
    _WORDS.filter(lambda word: any(map(str.isalnum, word))),
    st.sampled_from(["x", "xx y", "", {"ipa": "w"}, {"say": "z", "ipa": "ˈæ bˈi"}]),
    max_size=8,
)
_TEXTS = st.lists(st.sampled_from([*_TOKENS, "A b. ", "\n"]), max_size=25).map("".join)


def usable(written: dict[str, Any]) -> dict[str, Any]:
    """Leave out all but one of the words that are the same when they are clean."""
    fine: dict[str, Any] = {}
    for word, value in written.items():
        try:
            Dictionary.of(fine | {word: value}, MANY)
        except InvalidRequest:
            continue
        fine[word] = value
    return fine


@settings(deadline=None, max_examples=200)
@given(text=_TEXTS, written=_ENTRIES)
def test_the_order_of_the_entries_does_not_matter(text: str, written: dict[str, Any]) -> None:
    written = usable(written)
    shuffled = {word: written[word] for word in sorted(written, reverse=True)}
    assert words_of(text, written) == words_of(text, shuffled)


@settings(deadline=None, max_examples=200)
@given(
    text=_TEXTS,
    written=_ENTRIES,
    cuts=st.lists(st.integers(0, 10**6), max_size=10),
    bound=st.sampled_from([220, 20, 5]),
)
def test_sources_survive_it_and_any_division(
    text: str, written: dict[str, Any], cuts: list[int], bound: int
) -> None:
    dictionary = Dictionary.of(usable(written), MANY)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    parts = (text[a:b] for a, b in pairwise(edges))
    pieces = list(split_sentences(parts, bound, dictionary=dictionary))
    assert pieces == list(split_sentences(text, bound, dictionary=dictionary))
    words = [word for piece in pieces for word in piece.sentence.words]
    for one, other in pairwise(words):
        assert one.source == other.source or one.source.stop <= other.source.start
    if "" not in written.values():
        covered = set(chain.from_iterable(range(w.source.start, w.source.stop) for w in words))
        assert all(at in covered for at, char in enumerate(text) if char.isalnum())


def by_hand(text: str, words: set[str]) -> str:
    """Find the words by trying all of them everywhere, the longest first."""
    said, at = "", 0
    while at < len(text):
        found = ""
        for word in sorted(words, key=len, reverse=True):
            before, after = text[:at][-1:], text[at + len(word) :][:1]
            # A mark at an edge of the word has no letter beside it either.
            if text.startswith(word, at) and not (before.isalnum() or after.isalnum()):
                found = word
                break
        said += f"<{found}>" if found else text[at]
        at += len(found) or 1
    return said


@settings(deadline=None, max_examples=500)
@given(
    text=st.text("ab5 -+", max_size=25),
    words=st.sets(st.from_regex(r"[ab+-]{0,2}[ab][ab+-]{0,3}( [ab]{1,2})?", fullmatch=True)),
)
def test_the_longest_whole_word_is_found_everywhere(text: str, words: set[str]) -> None:
    traced = Traced(text)
    Dictionary({word: Entry(f"<{word}>") for word in words}).apply(traced)
    assert traced.text == by_hand(text, words)


def test_any_order_of_a_few() -> None:
    entries = {"a": "1", "a b": "2", "a b c": "3", "b c": "4"}
    read = {said("a b c a b b c a", dict(order)) for order in permutations(entries.items())}
    assert read == {"three two four one"}


# What ten thousand words begin with, and what they are made of after it: the text goes on with all
# of them for as long as it can.
_HOSTILE = [
    ("a ", "a b "),
    ("a-", "a-b-"),
    (".", "..!"),
    ("([", "([(("),
    ("中", "中文"),
    ("a", "ab"),
]


def ms_per_hundred(dictionary: Dictionary, text: str) -> float:
    traced = Traced(text)
    began = time.process_time()
    dictionary.apply(traced)
    return (time.process_time() - began) * 1000 / (len(text) / 100)


def hostile(begins: str, goes_on: str) -> Dictionary:
    dice, entries = Random(1), {}
    for number in range(10_000):
        length = dice.randint(1, 60)
        rest = "".join(dice.choices(goes_on, k=length)) if number % 2 else (begins * 60)[:length]
        entries[f"{begins}{rest}{'ab'[number % 2]}"] = Entry("x")
    return Dictionary(entries)


@pytest.mark.parametrize(("begins", "goes_on"), _HOSTILE)
def test_any_number_of_words_takes_no_longer(begins: str, goes_on: str) -> None:
    dictionary = hostile(begins, goes_on)
    least = min(ms_per_hundred(dictionary, begins * 500) for _ in range(3))
    assert least < 8.0  # on busy machines, of 1 allowed


def test_words_inside_of_one_another_take_no_longer() -> None:
    words = ["-" * dashes + "a" * letters for dashes in range(33) for letters in range(1, 32)]
    dictionary = Dictionary(dict.fromkeys(words, Entry("x")))
    text = ("-" * 32 + "a" * 32) * 10
    assert min(ms_per_hundred(dictionary, text) for _ in range(3)) < 8.0


def test_a_text_does_not_grow_without_bound() -> None:
    dictionary = Dictionary({"a": Entry("3/4 5-6 " * 25), "b": Entry("c")})
    pieces = list(split_sentences("a " * 2000 + "b", dictionary=dictionary))
    whole = Traced("a " * 100 + "b")
    dictionary.apply(whole)
    assert MAX_ADDED_CHARS - 200 < len(whole.text) - 201 <= MAX_ADDED_CHARS
    assert whole.text.startswith("3/4 5-6 3/4 ") and whole.text.endswith("a a c")
    assert pieces[-1].source.stop == 4001, "all of it is read"
