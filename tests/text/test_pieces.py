"""The laws: a word stands for the characters that it was made of, and none of them is lost."""

import re
from itertools import chain, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mira.text import Break, Mark, Piece, split_sentences
from mira.types import Sentence, Span, Word

# Nothing of them is thrown away.
_SPOKEN = [
    *"0123456789$€£¥%.,:;/-–+*=@&°'\"()xXkKMB ",
    *(" ", "  ", "\n", "\r\n", " \n\n ", "\t", "word ", "The ", "and ", "I ", "Hello, ", "you. "),
    *("am", "p.m.", "km", "May ", "th", "No. ", "½", "USD", "v", "code ", "A4", "room 12", "2024"),
    *("Mon-", "Sat. ", "Fri., ", "exp. ", "04/27", "M/W/F ", "Mar. 5 – ", "Apr. 2", "9-5", "T/Th "),
    *("http://", "www.", ".com", "e.g. ", "Dr. ", "St. ", "VI", "Chapter IV", "C++", "STOP ", "10"),
    *("**", "_", "`", "~~", "snake_case", "e\u0301", "か\u3099", "“", "’", "…", "—", "①", "№", "μ"),
    *("\u200b", "👍🏽", "你好。", "한국", "नमस्ते। ", "“yes” ", "word " * 13, "x" * 50, "1,234,567"),
    *(
        "2024-03-05",
        "5:30",
        "+1 (555) 123-4567",
        "https://example.com/a?b=c. ",
        "a@b.com",
    ),
]
_PARTS = st.lists(st.sampled_from(_SPOKEN), max_size=25)
_MARKED = st.sampled_from(
    [
        *("[a](http://b.c)", "![x](y)", "<b>", "<br/>", "&nbsp;", "# ", "- ", "> ", "| ", "|"),
        *("[^1]", "<", ">", "[", "]", "&", ";", "<p>", "</p>", "<s>", "<spell>", "</spell>", "</"),
        *('<sub alias="a 5 km run">', "</sub>", "[pause:1s]", "[pause:", "<break time='2s'/>", "="),
        *('<say-as interpret-as="cardinal">', "</say-as>", "<!--", "-->", "&#65;", "<x ", "<td>"),
        *('<phoneme ph="ʃɪˈvɔn">', "</phoneme>", "<![CDATA[", "]]>", '"'),
        *("\ue000", "\ue150", "/>"),
    ]
)
_TEXTS = st.lists(st.sampled_from(_SPOKEN) | _MARKED | st.text(max_size=3), max_size=25)
_BOUNDS = st.sampled_from([220, 220, 80, 20, 1])


def words_of(pieces: list[Piece]) -> list[Word]:
    return [word for piece in pieces for word in piece.sentence.words]


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("It costs $100.", "It=It costs=costs one=$100 hundred=$100 dollars.=$100"),
        ("**Hello**, _you_", "Hello,=Hello you=you"),
        ("un**believ**able", "unbelievable=un**believ**able"),
        ("So, e.g. here", "So,=So for=e.g. example=e.g. here=here"),
        ("See [the guide](http://a.b/c) now", "See=See the=the guide=guide now=now"),
        ("Hi 👍 you", "Hi=Hi you=you"),
        ("5 km, 10-12%", "five=5 kilometers,=km ten=10 to=- twelve=12 percent=%"),
        ("Chapter IV is", "Chapter=Chapter four=IV is=is"),
        ("On 5 March we", "On=On the=5 fifth=5 of=5 March=March we=we"),
        ("Call 555-0123.", "Call=Call" + "".join(f" {digit}=555-0123" for digit in (
            "five", "five", "five,", "zero", "one", "two", "three."))),
        ("Go to a.com.", "Go=Go to=to a=a.com dot=a.com com.=a.com"),
        ("12 N Elm St, LA", "twelve=12 North=N Elm=Elm Street,=St LA=LA"),
        ("Reno, NV 89501", "Reno,=Reno Nevada=NV" + "".join(f" {digit}=89501" for digit in (
            "eight", "nine", "five", "zero", "one"))),
        ("Room 204, B7", "Room=Room two=204 oh=204 four,=204 B=B7 seven=B7"),
        ("Tom &amp; I", "Tom=Tom and=&amp; I=I"),
        ("H<sub>2</sub>O", "H=H<sub>2</sub>O two=H<sub>2</sub>O O=H<sub>2</sub>O"),
        ("one  \n two", "one=one two=two"),
        ("wait — no", "wait_—=wait no=no"),
        ("你好。", "你=你 好。=好"),
        ("&lt;b&gt; is", "less=&lt; than=&lt; b=b greater=&gt; than=&gt; is=is"),
        ("<b>One</b>, two", "One,=One two=two"),
        ('A <sub alias="5 km">W3C</sub>.', "A=A five=W3C kilometers.=W3C"),
        ('A <sub alias="b c"/> d', 'A=A b=<sub_alias="b_c"/> c=<sub_alias="b_c"/> d=d'),
        ("<spell> B2 </spell>!", "B=B2 two!=B2"),
        ('<phoneme ph="ˈnu ˈjɔɹk">New York</phoneme>s', "New=New York=York s=s"),
    ],
)  # fmt: skip
def test_words_and_their_sources(text: str, sources: str) -> None:
    found = [
        f"{word.text}={text[word.source.start : word.source.stop]}".replace(" ", "_")
        for word in words_of(list(split_sentences(text)))
    ]
    assert found == sources.split()


@settings(deadline=None, max_examples=200)
@given(parts=_TEXTS, cuts=st.lists(st.integers(0, 10**6), max_size=20), bound=_BOUNDS)
def test_sources_do_not_depend_on_the_pushes(parts: list[str], cuts: list[int], bound: int) -> None:
    text = "".join(parts)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pushed = split_sentences((text[a:b] for a, b in pairwise(edges)), bound)
    assert list(pushed) == list(split_sentences(text, bound))


@settings(deadline=None, max_examples=200)
@given(parts=_PARTS, cuts=st.lists(st.integers(0, 10**6), max_size=9), bound=_BOUNDS)
def test_a_flush_ends_a_piece_and_loses_nothing(
    parts: list[str], cuts: list[int], bound: int
) -> None:
    text = "".join(parts)
    edges = sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})
    pushed = [each for a, b in pairwise(edges) for each in (text[a:b], Mark.IDLE, Mark.FLUSH)]
    pieces = list(split_sentences(pushed, bound))
    flushed = [piece.mark for piece in pieces if piece.mark]
    assert flushed == [Mark.IDLE, Mark.FLUSH] * (len(edges) - 1)
    told, spans = iter(edges[1:]), [word.source for word in words_of(pieces)]
    assert all(one == other or one.stop <= other.start for one, other in pairwise(spans))
    edge = stop = 0
    for piece in pieces:
        if piece.mark is Mark.FLUSH:
            edge, read = next(told), text[stop:]
            assert stop <= edge and not any(map(str.isalnum, read[: edge - stop]))
        elif not piece.mark:
            assert edge <= piece.source.start
            stop = piece.source.stop


@settings(deadline=None, max_examples=300)
@given(parts=_TEXTS, bound=_BOUNDS)
@example(parts=["½kg"], bound=1)
def test_sources_are_in_order_and_whole(parts: list[str], bound: int) -> None:
    text = "".join(parts)
    pieces = list(split_sentences(text, bound))
    spans = [word.source for word in words_of(pieces)]
    for one, other in pairwise(spans):
        assert one == other or one.stop <= other.start
    for piece in pieces:
        for span in (piece.source, *(word.source for word in piece.sentence.words)):
            assert piece.source.start <= span.start < span.stop <= piece.source.stop <= len(text)
    assert [piece.source.start for piece in pieces] == sorted(p.source.start for p in pieces)


@settings(deadline=None, max_examples=300)
@given(parts=_TEXTS, bound=_BOUNDS)
def test_words_are_what_is_spoken(parts: list[str], bound: int) -> None:
    for piece in split_sentences("".join(parts), bound):
        said, words = piece.sentence.text, piece.sentence.words
        assert bool(said) == bool(words)
        assert "".join("".join(word.text for word in words).split()) == "".join(said.split())
        for word in words:
            assert word.text == word.text.strip() and any(map(str.isalnum, word.text))
        if said.isascii():
            assert " ".join(word.text for word in words) == said


@settings(deadline=None, max_examples=300)
@given(parts=_PARTS, bound=_BOUNDS)
def test_no_letter_or_digit_is_lost(parts: list[str], bound: int) -> None:
    text = "".join(parts)
    spans = {word.source for word in words_of(list(split_sentences(text, bound)))}
    covered = set(chain.from_iterable(range(span.start, span.stop) for span in spans))
    lost = [at for at, char in enumerate(text) if char.isalnum() and at not in covered]
    assert not lost, [text[at - 5 : at + 5] for at in lost]


@settings(deadline=None, max_examples=200)
@given(
    words=st.lists(
        st.from_regex(r"\(?([bdfgjkz][aeou]){1,4}[,.]?\)?", fullmatch=True), max_size=20
    ),
    gap=st.sampled_from([" ", "  ", "\n", "\r\n", "\n\n", " \t\n "]),
    mark=st.sampled_from(["", "*", "**", "_", "`", "~~"]),
)
def test_a_plain_word_stands_for_itself(words: list[str], gap: str, mark: str) -> None:
    text = gap.join(f"{mark}{word}{mark}" for word in words)
    for word in words_of(list(split_sentences(text))):
        source = text[word.source.start : word.source.stop]
        assert re.sub(r"[^a-z]", "", word.text) in (source, re.sub(r"[^a-z]", "", source))


def test_pieces_know_where_they_came_from() -> None:
    text = "One.\n\n👍 **Two** \n---\n three."
    pieces = list(split_sentences(iter([text[:3], text[3:]])))
    assert [
        (piece.sentence.text, piece.before, text[piece.source.start : piece.source.stop])
        for piece in pieces
    ] == [
        ("One.", Break.NONE, "One."),
        ("Two", Break.PARAGRAPH, "👍 **Two**"),
        ("", Break.LINE, "---"),
        ("three.", Break.LINE, "three."),
    ]


def test_what_grows_is_cut_again_and_keeps_its_sources() -> None:
    pieces = list(split_sentences("\n\n$1,234,567.89 please", max_chars=60))
    befores = [piece.before for piece in pieces]
    assert befores == [Break.PARAGRAPH, *[Break.NONE] * (len(pieces) - 1)] and len(pieces) > 1
    for piece in pieces:
        assert len(piece.sentence.text) <= 60
    words = words_of(pieces)
    assert " ".join(word.text for word in words) == (
        "one million two hundred thirty-four thousand five hundred sixty-seven dollars and "
        "eighty-nine cents please"
    )
    assert {word.source for word in words} == {Span(2, 15), Span(16, 22)}


def test_a_sentence_of_plain_words_is_what_tests_may_make() -> None:
    [piece] = split_sentences("Come here, now.")
    made = Sentence.of("Come here, now.")
    assert piece.sentence.text == made.text
    assert [w.text for w in piece.sentence.words] == [w.text for w in made.words]
