"""The law: any string goes through, visible words stay, and clean text is left alone."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.text.clean import clean
from mira.text.traced import Traced


def cleaned(text: str) -> str:
    traced = Traced(text)
    clean(traced)
    return traced.text


@settings(max_examples=200, deadline=None)
@given(text=st.text() | st.text(alphabet="*_`~#[]()<>|\\&;-=!x \n^'\""))
def test_any_string_is_accepted(text: str) -> None:
    said = cleaned(text)
    assert said == " ".join(said.split())
    said.encode()  # no lone surrogate is left


@pytest.mark.parametrize(
    "run", ["$$$$$", ">>>>>>", "#@&%*$#@", "</</</</", "|+|+|+|+|+|", "({[<>]})"]
)
def test_a_run_of_symbols_says_nothing(run: str) -> None:
    assert cleaned(run) == cleaned(f"{run}\n") == ""
    assert cleaned(f"One {run} two") == cleaned(f"One{run}two") == "One two"


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.from_regex(r"[A-Za-z]{1,8}[,.]?", fullmatch=True), max_size=12))
def test_plain_words_are_left_alone(words: list[str]) -> None:
    assert cleaned(" ".join(words)) == " ".join(words)


@settings(max_examples=100, deadline=None)
@given(
    words=st.lists(st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True), min_size=1, max_size=6),
    mark=st.sampled_from(["*", "**", "***", "_", "__", "~~", "`"]),
    half=st.sampled_from(["both", "open", "close"]),
)
def test_emphasis_goes_even_when_a_piece_has_only_half_of_it(
    words: list[str], mark: str, half: str
) -> None:
    text = " ".join(words)
    before, after = mark * (half != "close"), mark * (half != "open")
    assert cleaned(f"{before}{text}{after}") == text


@pytest.mark.parametrize(
    "text",
    [
        "snake_case and a_b_c",
        "2 * 3 * 4",
        "2*3*4 and 2**3",
        "a < b",
        "if x <y and z> 3",
        "C# and C++",
        "5 > 3",
        "#1 and #news",
        "@name",
        "It's (really) 5' 10\"",
        "1. First",
        "50% & more",
        "AT&T; R&D",
        "<b> & &amp;",
        "½ 2² 3³ 20°C",
        "日本語、テスト。「はい」！",
        "مرحبا، كيف حالك؟",
        "می\u200cخواهم",
        "-5 and +5",
        "~5",
        "x = [1, 2]",
        "f(x)",
    ],
)
def test_what_is_said_is_not_damaged(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        # Markdown
        ("**Hello** _world_ ***both*** `code` ~~gone~~", "Hello world both code gone"),
        ("[text](http://a.b/c_(d)) and ![alt](x.png 't')", "text and alt"),
        ("[see][1] this[^2]", "see this"),
        ("# Title ##", "Title"),
        ("## Head", "Head"),
        ("- a", "a"),
        ("- [x] b", "b"),
        ("> quote", "quote"),
        ("> > - a", "a"),
        ("---", ""),
        ("```py", ""),
        ("| a | b |", "a, b"),
        ("||a||b|", "a, b"),
        ("|---|:-:|", ""),
        ("[1]: https://example.com", ""),
        ("[^1]: A note.", "A note."),
        ("***", ""),
        ("Yours ##### $$$$$$ $5 ++", "Yours $5 ++"),
        ("- 5 and -5", "5 and -5"),
        ("• item", "item"),
        (r"\*not emphasis\*", "*not emphasis*"),
        ("我**很**好", "我很好"),
        ("Price*", "Price"),
        # Unicode
        ("１２３ ％ ＡＢＣ", "123 % ABC"),
        ("① ℃ Ⅳ №5 ﬁne 𝐁𝐨𝐥𝐝", "1 °C IV No. 5 fine Bold"),
        ("“It’s” a‑b −5", '"It\'s" a-b -5'),
        ("5\u200bkm\ufeff \ud800\u202eabc\x00", "5km abc"),
        ("e\u0301", "é"),
        ("a\u00a0b\u3000c", "a b c"),
        # Emoji
        ("I 👍🏽 it!", "I it!"),
        ("Great 😀.", "Great."),
        ("👍", ""),
        ("👨‍👩‍👧 1️⃣ 🇩🇪 ❤️ ✅ ☎", "1"),
        ("Hi (👍)", "Hi"),
    ],
)
def test_what_is_not_said_is_removed(text: str, plain: str) -> None:
    assert cleaned(text) == plain


@pytest.mark.parametrize(
    "unit",
    [
        "*",
        "_",
        "**a",
        "[",
        "[a](",
        "![",
        "((((",
        "<",
        "<a ",
        "&",
        "&a",
        "-- ",
        "|",
        "\\",
        "> ",
        ":)",
        "<3 ",
        ":a:",
        "==",
    ],
)
def test_time_is_linear(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begun = time.perf_counter()
    cleaned(text)
    assert time.perf_counter() - begun < 3
