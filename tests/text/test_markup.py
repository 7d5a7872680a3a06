"""The law: what is read does not depend on how the text was divided, and no mark-up is read."""

import re
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mira.text import Piece, split_sentences
from mira.text.markup import MAX_CONTENT, Markup, Run
from tools.bad_input import MARK_UP

_FRAGMENTS = st.sampled_from(
    [
        *"<>[]&;=/\"'!?- \n.aB1",
        *("<b>", "</b>", "<p>", "</s>", "<br/>", "<x y>", "<td>", "</", "<!--", "-->", "<?x"),
        *("<![CDATA[", "]]>", "<!", "&amp;", "&#x", "&lt;", "[pause:", "[pause", "1s]", "word "),
        *('<break time="1s"/>', "<break", ' time="', "<spell>", "</spell>", "<sub alias='"),
        *(
            '<say-as interpret-as="digits">',
            "</say-as>",
            "<phoneme ph='x'>",
            "</phoneme>",
            "</sub>",
        ),
        *(
            "<https://a.b>",
            "<a@b.c>",
            "<1",
            "<$x>",
            "x" * 90,
            "y=" * 60,
            "你好",
            "π",
            "\ue000",
            "\ue164",
        ),
    ]
)
_TEXTS = st.lists(_FRAGMENTS | st.text(max_size=3), max_size=40).map("".join)


def runs(text: str, cuts: list[int]) -> list[tuple[str, int, int]]:
    """Each character that is read, and what it stands for."""
    markup, found = Markup(), list[Run]()
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    for start, stop in pairwise(edges):
        found += markup.push(text[start:stop])
    found += markup.flush()
    return [char for run in found for char in zip(run.text, run.firsts, run.lasts, strict=True)]


@settings(deadline=None, max_examples=500)
@given(text=_TEXTS, cuts=st.lists(st.integers(0, 10**6), max_size=20))
@example(text="<spell>" + "a" * MAX_CONTENT + "<p>b", cuts=[MAX_CONTENT])
@example(text='<a b="c > d', cuts=[10])
def test_what_is_read_does_not_depend_on_the_pushes(text: str, cuts: list[int]) -> None:
    whole = runs(text, [])
    assert runs(text, cuts) == whole == runs(text, list(range(len(text))))


@settings(deadline=None, max_examples=300)
@given(text=_TEXTS)
def test_sources_are_in_order(text: str) -> None:
    for (_, first, last), (_, after, until) in pairwise(runs(text, [])):
        assert 0 <= first <= last < len(text) and first <= after and last <= until


@settings(deadline=None, max_examples=200)
@given(text=st.text(alphabet="ab 12.,<>3&;[]/'\n", max_size=60))
def test_characters_that_are_no_mark_up_stay(text: str) -> None:
    if not re.search(r"<[/a-z0-9]|&[a-z]|\[\s{0,3}pause", text):
        assert "".join(char for char, _, _ in runs(text, [])) == text


def said(text: str) -> str:
    """What is read, pieces apart, pauses that were asked for in brackets."""
    return " | ".join(_shown(piece) for piece in split_sentences(text))


def _shown(piece: Piece) -> str:
    asked = "" if piece.pause_s is None else f"[{piece.pause_s:g}]"
    return f"{asked} {piece.sentence.text}".strip()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        # HTML
        ("<b>bold</b> new H<sub>2</sub>O", "bold new H two O"),
        ("Tom &amp; Jerry &lt;5 &#233; &#xe9;", "Tom and Jerry less than five é é"),
        ("It is &lt;b&gt;, not &amp;lt;", "It is less than b greater than, not and lt;"),
        ("<!-- hidden --> shown <!-->now", "shown now"),
        ("<!DOCTYPE html><?xml version='1.0'?><![CDATA[a < b]]> c", "a less than b c"),
        ("See <https://x.com> or <mailto:a@x.com>, <a@b.com>.",
         "See x dot com or mailto:a at x dot com, a at b dot com."),
        ("<p>One</p> <div>Two<br>three</div>", "One | Two | three"),
        ("<ul><li>One</li><li>Two</li></ul>", "One | Two"),
        ("<tr><td>One</td><td>Two</td> <th>3</th></tr>", "One, Two, three"),
        ("un<i>believ</i>able <a href='http://a.b?c>d'>link</a>", "unbelievable link"),
        ("<script>var a = 1;</script>Hello", "Hello"),
        # Speech
        ("<speak version='1'>Hello <prosody rate='slow'>there</prosody>.</speak>", "Hello there."),
        ("<s>One</s><s>two</s>", "One | two"),
        ("<voice name='x'>Hello.</voice><lang xml:lang='en'>World</lang>", "Hello. | World"),
        ("<audio src='a.wav'>a bell</audio> <mark name='x'/>rings", "a bell rings"),
        ('<speed ratio="1.2"/><volume ratio="2"/><emotion value="sad"/>Well', "Well"),
        ("<amazon:effect name='whispered'>Hush</amazon:effect>", "Hush"),
        ('The <SUB Alias="World Wide Web">WWW</SUB>.', "The World Wide Web."),
        ("A <sub alias='Tom &amp; Jo'>TJ</sub> B", "A Tom and Jo B"),
        ("<emphasis level='strong'>very</emphasis>!", "very!"),
        ("<spell>AB12</spell>", "A B one two"),
        ("code<spell>b-12</spell>ok", "code B, one two ok"),
        ('<say-as interpret-as="cardinal">1900</say-as> now', "one thousand nine hundred now"),
        ('<ssml:say-as format="mdy" interpret-as="date">1/2/03</ssml:say-as>',
         "January second, two thousand three"),
        ('<say-as interpret-as="date">soon</say-as> <say-as interpret-as="foo">5</say-as>',
         "soon five"),
        ('<say-as interpret-as="characters">A. B. C</say-as>. The end.', "A, B, C. | The end."),
        ('<phoneme alphabet="x-sampa" ph="p@">pecan</phoneme>', "pecan"),
        ('<phoneme alphabet="ipa" ph="☃">pecan</phoneme> pie', "pecan pie"),
        # What is none
        ("a < b and <5 you", "a less than b and less than five you"),
        ("if x <y and z> 3", "if x less than y and z greater than three"),
        ("List<string> <laughs softly> <笑>ok", "List ok"),
        ("Hi <$name>, <500> see <@U12> and <{x}>, <1@x.com>", "Hi, see and, one at x dot com"),
        ("Dear <<name>>, hello", "Dear, hello"),
        ("a<5, b>3 if 5<6 and 7>3 or <$50", "a less than five, b greater than three if five less "
         "than six and seven greater than three or less than fifty dollars"),
        ("Q&T; R&D &nope; & &", "Q and T; R and D and nope; and and"),
        ("[the pause](http://a.b) and [pause](http://a.b)", "the pause and pause"),
    ],
)  # fmt: skip
def test_mark_up_does_what_it_says(text: str, spoken: str) -> None:
    assert said(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("One [pause:1.5s] two", "One | [1.5] two"),
        ("One. [PAUSE: 500 ms]Two", "One. | [0.5] Two"),
        ("One [pause:1.5] two [pause:.5s] three", "One | [1.5] two | [0.5] three"),
        ("One [pause] two", "One | [0.4] two"),
        ('One<break time="1.5s"/>two', "One | [1.5] two"),
        ("One <break time='250ms'></break> two", "One | [0.25] two"),
        ("One <break time=2s/> two", "One | [2] two"),
        ('One <break/> two <break strength="x-strong"/> three', "One | [0.4] two | [1] three"),
        ('One.<break strength="none"/> Two', "One. | [0] Two"),
        ("One <break/> [pause:1s]\n\n<break time='3s'/> two", "One | [4.4] two"),
        ("One [pause:99s] two [pause:9s][pause:9s] three", "One | [10] two | [10] three"),
        ("One [pause:1s]", "One | [1]"),
        ("[pause:1s] One", "[1] One"),
        ("[pause:1s]", "[1]"),
        ("One. [pause:1s] ... [pause:1s]", "One. | [1] | [1]"),
        ("One [pause:1s], two [pause:2s]. Three", "One | [1] two | [2] | Three"),
        ("Dr. [pause:1s] Smith", "Doctor. | [1] Smith"),
        ("One\n<break time='1s'/>\ntwo", "One | [1] two"),
        ("A long one [pause:1s] and it goes on", "A long one | [1] and it goes on"),
        ("<spell>AB<break time='1s'/>12</spell>", "A B | [1] one two"),
        # What can't be read is as long as a break that says nothing.
        ("One [pause:long] two <break time='-1s'/> three", "One | [0.4] two | [0.4] three"),
        ("One [pause:1e9] two", "One | [0.4] two"),
    ],
)
def test_pauses(text: str, spoken: str) -> None:
    assert said(text) == spoken


def test_all_pauses_of_a_text_are_two_minutes_at_most() -> None:
    text = "One [pause:9s] " * 200 + "two <break time='0s'/> three"
    asked = [piece.pause_s for piece in split_sentences(text)]
    assert asked == [None, *[9.0] * 13, 3.0, *[None] * 186, 0.0]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<spell>AB", "A B"),
        ("<b>One <i>two</b> three</i>", "One two three"),
        ("</spell>One</p></x></>two", "One | two"),
        ("<spell>A<spell>B</spell>C</spell> D", "A B C D"),
        ("<sub alias='x'>a<say-as interpret-as='digits'>12</sub>b</say-as>", "x b"),
        ("<prosody><spell>AB</prosody>C</spell>", "A B, C"),
        ('<break time="1s" One', "[1] One"),
        ("<say-as interpret-as='digits' 12</say-as>", "one two"),
        ("<break time='1s <b>One</b>", "[1] One"),
        ('<b attr="never closed>One</b> two', "One two"),
        ("One <", "One less than"),
        ("One <b", "One less than b"),
        ("&#0;&#x110000;&#99999999999;&#xD800;&#xE164;One &", "One and"),
        ("\ue000One\ue164 \ue002two\uf8ff", "One two"),
        ("<!-- One", "One"),
        ("<![CDATA[One", "One"),
        ("One <!", "One less than!"),
        ("<sub>One</sub> <sub alias=''>two</sub>", "One"),
        ("<spell></spell><say-as/><phoneme ph='x'/>One", "One"),
        ("<say-as interpret-as='expletive'>One</say-as>", "beep"),
    ],
)
def test_bad_mark_up_is_read_sensibly(text: str, spoken: str) -> None:
    assert said(text) == spoken


@pytest.mark.parametrize(
    "one",
    [
        "<spell>AB-12-CD</spell>",
        "<say-as interpret-as='telephone'>212-555-0142</say-as>",
        "<say-as interpret-as='date' format='mdy'>3/5/2024</say-as>",
        "<sub alias='Yes. No. Never. Salt, pepper, and she said so'>x</sub>",
        "<phoneme ph='ˈwɪnstən ˈseɪləm nɔɹθ kæɹəlaɪnə'>Winston Salem, and North Carolina</phoneme>",
    ],
)
def test_no_piece_ends_inside_of_an_element(one: str) -> None:
    whole = said(f"Yes. {one}").partition(" | ")[2]
    for words in (*range(1, 18), *range(30, 60)):
        assert whole in said(f"{'word ' * words}{one}{' word' * 20}"), words


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Chapter <spell>IV</spell> of Louis <spell>X</spell>", "Chapter I V of Louis X"),
        ("at 5 <spell>C3</spell>'s", "at five C three's"),
        ("<spell>Dr</spell> Smith, <spell>ETA</spell> 5", "D R Smith, E T A five"),
        ("Chapter <sub alias='IV'>x</sub>", "Chapter four"),
        ("<say-as interpret-as='currency' format='USD'>5</say-as>", "five US dollars"),
    ],
)
def test_what_has_been_read_is_not_read_again(text: str, spoken: str) -> None:
    assert said(text) == spoken


def test_an_element_that_is_too_long_is_ordinary_text() -> None:
    text = "<spell>" + "So it goes. " * 100 + "</spell>"
    assert said(text) == " | ".join(["So it goes."] * 100)


def test_english_is_not_written_into_other_scripts() -> None:
    marked = "<say-as interpret-as='{}'>12</say-as>"
    both = marked.format("digits") + " " + marked.format("cardinal")
    assert said(f"Hello {both}") == "Hello one two twelve"
    assert said(f"你好，{both}") == "你好，1 2 12"
    assert said("你好，<spell>AB12</spell>") == "你好，A B 1 2"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("It works. Is <", ["It works."]),
        ("It works. Q&", ["It works."]),
        ("It works. A [", ["It works."]),
        ("It works. Now <spell>AB", ["It works."]),
        ("It works. a < b and <3", ["It works."]),
        ("Is it <5, <3 or <= 6? I", ["Is it less than five, or less than or equal to six?"]),
        ("It works.<break time='1s'/>", ["It works."]),
        ("One<p>", ["One"]),
        ("Is a < b? I", ["Is a less than b?"]),
        ("Is it R&D? I", ["Is it R and D?"]),
        ("Is it [this]? I", ["Is it this?"]),
    ],
)
def test_what_is_certain_does_not_wait_for_mark_up(text: str, pieces: list[str]) -> None:
    def parts() -> Iterator[str]:
        yield text
        raise TimeoutError

    found = []
    with pytest.raises(TimeoutError):
        for piece in split_sentences(parts()):
            found.append(piece.sentence.text)
    assert found == pieces


def test_a_phoneme_goes_with_its_words() -> None:
    text = (
        "<phoneme ph='ʃɪˈvɔn'>Siobhan</phoneme> met "
        "<phoneme alphabet='cmu-arpabet' ph='HH OW0 AA1 K IY0 N'>Joaquin</phoneme> and "
        "<phoneme ph='?'>Jo</phoneme>, <phoneme alphabet='x-sampa' ph='a'>Al</phoneme>."
    )
    [piece] = split_sentences(text)
    assert [(word.text, word.phonemes) for word in piece.sentence.words] == [
        *[("Siobhan", "ʃɪvˈɔn"), ("met", ""), ("Joaquin", "hoʊˈɑkin"), ("and", "")],
        *[("Jo,", ""), ("Al.", "")],
    ]


@pytest.mark.parametrize("unit", MARK_UP)
def test_letter_by_letter_it_costs_little_more(unit: str) -> None:
    text = (unit * 4096)[:4096]
    begun = time.process_time()
    for _ in split_sentences(iter(text)):
        pass
    # 0.02 to 0.1 s here; a machine that tests may be busy.
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("values", ['=""' * 330, " a='b'" * 165, "= " * 490, "='" * 490])
def test_a_long_tag_may_come_letter_by_letter(values: str) -> None:
    text = f"<a {values}" * 4
    begun = time.process_time()
    runs(text, list(range(len(text))))
    # 0.02 to 0.1 s here; where each value is looked at for each letter, 0.5 s.
    assert time.process_time() - begun < 0.25
