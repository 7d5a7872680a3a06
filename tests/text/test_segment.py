"""The law: pieces do not depend on how the text was divided, and no character is lost."""

import re
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.text import Break
from mira.text.markup import Run
from mira.text.segment import Cut, SentenceSplitter
from mira.text.weight import LETTERS_PER_WORD, weight

# Random letters seldom meet the rules: mix them with what decides about boundaries.
_FRAGMENTS = st.sampled_from(
    [
        *" \n.!?…,;:-—\"'”’)(*#|>1A b",
        *(" ", "\n\n", "\r\n", "...", "Dr. ", "e.g. ", "U.S. ", "p.m. ", "The ", "I ", "and "),
        *("acct. ", "5 oz. ", "Art. ", "IV ", "Ocean Dr. ", "Yahoo! ", "EST ", "Call ", "Mass. "),
        *("because ", "word ", "J. ", "No. 5 ", "3.14 ", "$3.50 ", "- item\n", "# Title\n"),
        *("1. one\n", "http://a.b/c?d=e ", "你好。", "「はい。」と", "، ", "؟ ", "।", "한국어. "),
        *("a comma, ", "She said ", "in ", "word " * 13, "x" * 50, "你" * 30, "\u0301", "👍🏽 "),
        "\ud800",
    ]
)
_TEXTS = st.lists(_FRAGMENTS | st.text(max_size=5), max_size=60).map("".join)


def _pushed(text: str, cuts: list[int], **options: int) -> list[Cut]:
    splitter = SentenceSplitter(**options)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces = [p for a, b in pairwise(edges) for p in splitter.push(Run.plain(text[a:b], a))]
    return pieces + list(splitter.flush())


def split_sentences(text: str, max_chars: int = 220, first_max_words: int = 12) -> Iterator[Cut]:
    splitter = SentenceSplitter(max_chars, first_max_words)
    yield from splitter.push(Run.plain(text))
    yield from splitter.flush()


def _texts(pieces: Iterable[Cut]) -> list[str]:
    return [piece.text for piece in pieces]


@settings(max_examples=400, deadline=None)
@given(text=_TEXTS, cuts=st.lists(st.integers(0, 10**6), max_size=20))
def test_pieces_do_not_depend_on_the_pushes(text: str, cuts: list[int]) -> None:
    assert _pushed(text, cuts) == list(split_sentences(text))


@settings(max_examples=200, deadline=None)
@given(text=_TEXTS, max_chars=st.integers(1, 60), first=st.integers(1, 15))
def test_letter_by_letter_is_whole_for_any_bounds(text: str, max_chars: int, first: int) -> None:
    letters = _pushed(text, list(range(len(text))), max_chars=max_chars, first_max_words=first)
    assert letters == list(split_sentences(text, max_chars, first))


_CLAUSES = st.sampled_from(
    [
        *["and", "or", "so", "because", "when", "in", "to", "she", "the", "I", "word", "walks"],
        "well,",
        "so;",
        "—",
        "3",
        "end.",
        *("Reno,", "NV", "OK?", "NVDA", "Fri", "-", "From"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(words=st.lists(_CLAUSES, min_size=10, max_size=30), first=st.integers(4, 15))
def test_the_first_pause_does_not_depend_on_the_pushes(words: list[str], first: int) -> None:
    text = " ".join(words)
    letters = _pushed(text, list(range(len(text))), first_max_words=first)
    assert letters == list(split_sentences(text, first_max_words=first))


@settings(max_examples=300, deadline=None)
@given(text=_TEXTS | st.text(alphabet="ab.!\"' )", max_size=40), max_chars=st.integers(1, 60))
def test_loses_nothing_and_never_exceeds_the_bound(text: str, max_chars: int) -> None:
    pieces = _texts(split_sentences(text, max_chars))
    assert "".join("".join(pieces).split()) == "".join(text.split())
    for piece in pieces:
        assert piece == piece.strip() and piece
        assert len(piece) == 1 or sum(map(weight, piece)) <= max_chars
        assert len(re.findall(r"[^\W_]+", piece)) <= max(1, max_chars // LETTERS_PER_WORD)


@settings(max_examples=100, deadline=None)
@given(text=_TEXTS)
def test_what_was_yielded_early_is_what_the_whole_begins_with(text: str) -> None:
    splitter, early = SentenceSplitter(), []
    for at, letter in enumerate(text):
        early += splitter.push(Run.plain(letter, at))
        assert early == list(split_sentences(text))[: len(early)]


# Each case is the pieces, joined by " | ". A short sentence stands first where the pieces after
# it are meant, because the first piece has rules of its own.
_SENTENCES = [
    "Dr. Smith met Mrs. Jones. | They talked.",
    "Pi is 3.14 or so. | Yes.",
    "Use fruit, e.g. apples, i.e. the red ones. | Good.",
    "The U.S. Army is large. | Good.",
    "He lives in the U.S. | She doesn't.",
    "We left at 5 p.m. on Monday. | Good.",
    "We met at 5 p.m. | Then we left.",
    "It closes Dec. 20–Jan. 3 and Mon.-Sat. | Then we rest.",
    "Sat. and Sun. it opens at 9. | We sat. | John left.",
    "It has exp. 04/27 on it. | Good.",
    "J. K. Rowling wrote it. | Really.",
    "See No. 5 now. | No. | I won't.",
    "I love St. Louis. | It is big.",
    "He lives on Main St. | She doesn't.",
    "Go to https://example.com/a.b?c=d. | Then click.",
    "Mail jane.doe@example.com. | Then wait.",
    "Wait... what did you say? | Well... | Nothing.",
    "I... I don't know. | Sorry.",
    "Python 3.11.7 is out. | Get it.",
    "It costs $3.50. | Cheap!",
    "It is 5:30. | Go.",
    "Open main.py and read it. | Good.",
    '"Stop." | "Why?" | He left.',
    '"Stop!" he said. | I stopped.',
    "(See page 5.) | Then go on.",
    "It's done.” | Next.",
    "**Done.** | Next.",
    "Really?! | Yes!!! | Good.",
    "It was Plan B. | Then it failed.",
    "It is I. | You know me.",
    "Acme Inc. announced it. | The price rose.",
    "He works at Acme Inc. | The price rose.",
    "On Jan. 5 we left. | Good.",
    "hi there. | how are you? | fine",
    "It has 3 parts. | 1 is big.",
    "See Fig. 3 for that. | Good.",
    "你好，世界。 | 你好吗？ | 好！",
    "「はい。」と言った。 | そうです。",
    "我……不知道。 | 好。",
    "안녕하세요. | 저는 김입니다.",
    "مرحبا، كيف حالك؟ | أنا بخير.",
    "नमस्ते। | आप कैसे हैं? | मैं ठीक हूँ।",
    "Привет. | Как дела? | Хорошо.",
    "Done. | 👍 Great.",
]


@pytest.mark.parametrize("expected", _SENTENCES)
def test_sentences_end_where_a_person_ends_them(expected: str) -> None:
    pieces = expected.split(" | ")
    assert _texts(split_sentences(" ".join(pieces), first_max_words=99)) == pieces


# What a short form means decides: a number or a name belongs to it, or a new sentence begins.
_SHORT_FORMS = [
    "Go to Ste. 200, Fl. 3. | Then pay Rs. 500 at Apt. 12. | Good.",
    "Your acct. ending in 5 is fine. | Good.",
    "My card, exp. 04/27, is old. | Good.",
    "He went to the gen. store. | Then home.",
    "That's it. | 5 people came.",
    "We met at 5 p.m. | John was late.",
    "Come at 5 p.m. Eastern or 6 a.m. Monday. | Good.",
    "Stir in 5 oz. | Serve cold.",
    "It is 6 ft. | Bob is 5 ft. 10 in. tall.",
    "Take 3 lbs. of it. | Good.",
    "We sell pens, ink, etc. | Johnson buys them.",
    "Pens, etc. are here. | Good.",
    "I live on Ocean Dr. | Call me.",
    "See Dr. Who now. | Good.",
    "Read Art. IV and App. B first. | Good.",
    "See Art. II, Fig. A and Vol. IX of it. | Is it? | No. | I won't.",
    "He is in Boston, Mass. and happy. | Good.",
    "I felt ill. | then I slept.",
    "I use Yahoo! mail. | Wow! | really?",
    "P.S. I love you. | Good.",
    "I met Amb. Rice, Sec. Clinton and Fr. Mike. | Good.",
    "Mr. Lee of Acme Corp. called. | He left.",
    "My initial is J. | My name is Fox.",
    "Open Mon. 9-5 and Sat. 10-2. | Good.",
    "We have approx. 5 left. | Good.",
    "The mgr. is out, and the pkgs. are in. | Good.",
    "hmm. | okay. | i see.",
    "Is he in? | No. | He's out.",
    "We saw the sun. | then it set.",
]


@pytest.mark.parametrize("expected", _SHORT_FORMS)
def test_short_forms_end_sentences_by_what_they_mean(expected: str) -> None:
    pieces = expected.split(" | ")
    assert _texts(split_sentences(" ".join(pieces), first_max_words=99)) == pieces


@pytest.mark.parametrize("text", [case.replace(" | ", " ") for case in _SHORT_FORMS])
def test_short_forms_decide_the_same_letter_by_letter(text: str) -> None:
    assert _pushed(text, list(range(len(text)))) == list(split_sentences(text))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one\n\ntwo", ["one", "two"]),
        ("one \r\n \r\n two", ["one", "two"]),
        ("List:\n- one\n- two\n  more\nEnd", ["List:", "- one", "- two more", "End"]),
        ("1. First step\n2. Second step", ["1. First step", "2. Second step"]),
        ("# Title\nText follows.", ["# Title", "Text follows."]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |", "|---|---|", "| 1 | 2 |"]),
        ("Roses are red\nViolets are blue", ["Roses are red", "Violets are blue"]),
        ("Roses are red,\nviolets are blue", ["Roses are red, violets are blue"]),
        (
            "This line was broken because it was as wide as the\nWindow of the editor.",
            ["This line was broken because it was as wide as the Window of the editor."],
        ),
        ("milk\neggs\nbread", ["milk", "eggs", "bread"]),
        ("hi anna,\nit is me\nsee you", ["hi anna, it is me", "see you"]),
        (
            "this line was broken because it was as wide as the\nwindow of the editor",
            ["this line was broken because it was as wide as the window of the editor"],
        ),
        (
            "please call me back when you\nhave a moment today.",
            ["please call me back when you have a moment today."],
        ),
        (
            "please call me back when you\nHave a moment today.",
            ["please call me back when you", "Have a moment today."],
        ),
        ("I met Dr.\nSmith today.", ["I met Dr. Smith today."]),
        ("- Hello\n- Bye", ["- Hello", "- Bye"]),
    ],
)
def test_lines(text: str, pieces: list[str]) -> None:
    assert _texts(split_sentences(text, first_max_words=99)) == pieces


def test_what_stands_between_pieces_is_told() -> None:
    text = " One. Two.\nThree\n Four.\n\nFive.\n \n\nSix.  Seven\r\neight.\n"
    assert [(piece.text, piece.before) for piece in split_sentences(text)] == [
        ("One.", Break.NONE),
        ("Two.", Break.NONE),
        ("Three", Break.LINE),
        ("Four.", Break.LINE),
        ("Five.", Break.PARAGRAPH),
        ("Six.", Break.PARAGRAPH),
        ("Seven", Break.NONE),
        ("eight.", Break.LINE),
    ]


def test_short_words_take_their_time_too() -> None:
    pieces = _texts(split_sentences("a b-c " * 100))
    assert max(len(piece.replace("-", " ").split()) for piece in pieces) == 220 // LETTERS_PER_WORD


def test_a_word_that_is_cut_counts_twice() -> None:
    text = "x" * 7 + "e\u0301 b c"  # no accent begins a piece, so the cut is before the "e"
    pieces = ["x" * 7, "e\u0301 b", "c"]
    assert _texts(split_sentences(text, max_chars=8, first_max_words=99)) == pieces


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        ("Thank you for calling Acme,", "my name is Jane and I am happy to help you today."),
        (
            "I checked your order this morning",
            "because it had not arrived by the day that we had promised.",
        ),
        (
            "The meeting starts at nine tomorrow",
            "and we will need everyone in the big room on the second floor.",
        ),
        (
            "The extremely long and winding road goes",
            "through very many little old towns near some beautiful blue lakes I know.",
        ),
        ("Hello there my good friend!", "How are you doing on this fine and sunny morning today?"),
        ("It is a sentence of exactly twelve words, which must stay whole.", ""),
        ("Our line for customers is open Mon - Fri from 9 to 5,", "and at no other time."),
        ("On March 5, 2024 the new shop opened its doors,", "which made all of us very happy."),
        (
            "The office that you want is in Portland, OR",
            "because the one that we had here was closed.",
        ),
        (
            "See [the guide, the one that we wrote](http://a.b) first",
            "because nothing else explains all that you will need to know.",
        ),
        ("今天天气很好，", "我们可以一起去公园散步，也可以在家看电影。"),
    ],
)
def test_the_first_piece_is_short_and_ends_at_a_pause(first: str, rest: str) -> None:
    gap = "" if first.endswith("，") else " "
    pieces = _texts(split_sentences(first + gap + rest))
    assert pieces[0] == first
    assert gap.join(pieces[1:]) == rest


@pytest.mark.parametrize("after", ["NV and", "NVDA and", "Nevada and", "N and"])
def test_a_word_after_a_comma_is_waited_for(after: str) -> None:
    """Twelve words, a comma, and what may be a state."""
    text = f"We looked at all of the houses near the lake in Reno, {after} found one."
    assert _pushed(text, list(range(len(text)))) == list(split_sentences(text))


def test_a_conjunction_is_not_left_alone() -> None:
    text = "and five when it's because"
    assert _texts(split_sentences(text, first_max_words=4)) == [text]


def test_the_first_piece_does_not_wait_for_the_sentence() -> None:
    splitter = SentenceSplitter()
    typed = "Thank you for calling Acme, my name is Jane and I am happy to "
    pieces = [p.text for word in typed.split(" ") for p in splitter.push(Run.plain(word + " "))]
    assert pieces == ["Thank you for calling Acme,"]


def test_a_sentence_is_known_as_soon_as_the_next_begins() -> None:
    splitter = SentenceSplitter()
    assert _texts(splitter.push(Run.plain("It works."))) == []
    assert _texts(splitter.push(Run.plain(" N"))) == ["It works."]
    assert _texts(splitter.push(Run.plain("ext\n\n"))) == ["Next"]


def test_what_follows_a_cut_is_looked_at_anew() -> None:
    """After the cut it is no item of a list any more, whose lines would belong together."""
    pieces = _texts(split_sentences("- a b c d, e f\ng h i j k", first_max_words=4))
    assert pieces == ["- a b c d,", "e f", "g h i j k"]


def test_long_sentences_are_cut_at_the_best_pause() -> None:
    clause = "this goes on and on for quite some time"
    text = f"Well. {clause}, {clause}; {clause}, {clause} {clause} {clause} {clause}"
    pieces = _texts(split_sentences(text))
    assert pieces[1] == f"{clause}, {clause};"
    assert max(map(len, pieces)) <= 220


def test_chinese_pieces_are_shorter() -> None:
    pieces = _texts(split_sentences("我" * 300))
    assert max(map(len, pieces)) == 55


@pytest.mark.parametrize(
    "unit", ["a", "word ", "Hi there. ", "St. ", "A.", "你", ".", " ", "\n", "- ", "a b, "]
)
@pytest.mark.parametrize("push", [5, 60_000])
def test_time_is_linear(unit: str, push: int) -> None:
    text = unit * (60_000 // len(unit))
    splitter = SentenceSplitter()
    begun = time.process_time()
    for at in range(0, len(text), push):
        for _ in splitter.push(Run.plain(text[at : at + push], at)):
            pass
    list(splitter.flush())
    # 0.02 to 0.2 s here; a quadratic one takes many.
    assert time.process_time() - begun < 2


def test_memory_is_bounded() -> None:
    splitter = SentenceSplitter()
    for unit in ("a", " ", "\n", ".", "a " * 50, '"'):
        for _ in range(100):
            for _ in splitter.push(Run.plain(unit * 100)):
                pass
            assert len(splitter._text) < 12_000
