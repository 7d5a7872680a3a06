"""Captions: law, real readers, and what reads well."""

import html
import re
from io import BytesIO
from itertools import pairwise

import av
import pytest
from hypothesis import given

from mira.types import Span
from mira.words.captions import LINE_CHARS, LONGEST_S, Cue, cues, subrip, webvtt
from mira.words.said import SaidWord
from tests.words.saying import evenly, said

TEXT = (
    "Hello there. Dr. Smith's office called about your appointment on Tuesday at half past nine, "
    "and they would like to know whether you can come a little earlier than that. "
    "Is 3 < 4 & 5 > 2? Yes."
)


def shown(cue: Cue) -> list[str]:
    return [" ".join(word.text for word in line) for line in cue.lines]


@given(said())
def test_captions_hold_every_word_once_and_never_overlap(
    spoken: tuple[str, list[SaidWord], float],
) -> None:
    text, words, _ = spoken
    made = cues(text, words)
    for cue, after in pairwise(made):
        assert cue.stop_ms <= after.start_ms
    num_words = 0
    for cue in made:
        assert 0 <= cue.start_ms < cue.stop_ms
        assert 1 <= len(cue.lines) <= 2
        cue_words = [word for line in cue.lines for word in line]
        num_words += len(cue_words)
        if len(cue_words) > 1:
            assert cue_words[-1].stop_s - cue_words[0].start_s <= LONGEST_S
            for line in shown(cue):
                assert len(line) <= LINE_CHARS or " " not in line
    assert num_words == len(words)


@given(said())
def test_both_formats_read_back_as_the_captions(
    spoken: tuple[str, list[SaidWord], float],
) -> None:
    text, words, _ = spoken
    made = cues(text, words)
    expected = [(cue.start_ms, cue.stop_ms, shown(cue)) for cue in made]
    arrow = [(*times, [line.replace("-->", "→") for line in lines]) for *times, lines in expected]
    assert _read(subrip(text, words), ",") == arrow
    vtt = webvtt(text, words)
    assert not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f]", subrip(text, words) + vtt)
    assert vtt.startswith("WEBVTT\n\n") or (vtt == "WEBVTT\n" and not words)
    read = _read(vtt.removeprefix("WEBVTT\n").lstrip("\n"), ".")
    assert [(start, stop, [_plain(line) for line in lines]) for start, stop, lines in read] == (
        expected
    )
    for start_ms, stop_ms, lines in read:
        inside = [_in_ms(*found) for found in re.findall(_TIME, " ".join(lines))]
        assert [start_ms, *inside, stop_ms] == sorted({start_ms, *inside, stop_ms})


_TIME = r"<(\d\d+):(\d\d):(\d\d)\.(\d{3})>"


def _in_ms(*parts: str) -> int:
    hours, minutes, seconds, ms = map(int, parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms


def _plain(line: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", line))


def _read(file: str, point: str) -> list[tuple[int, int, list[str]]]:
    """The captions of a file: what stands between blank lines."""
    time = rf"(\d\d+):(\d\d):(\d\d){re.escape(point)}(\d{{3}})"
    found = []
    for block in file.rstrip("\n").split("\n\n") if file else []:
        lines = block.split("\n")
        if point == ",":
            assert lines.pop(0) == str(len(found) + 1)
        times = re.fullmatch(f"{time} --> {time}", lines.pop(0))
        assert times and lines and all(lines)
        found.append((_in_ms(*times.groups()[:4]), _in_ms(*times.groups()[4:]), lines))
    return found


@pytest.mark.parametrize("write", [subrip, webvtt])
def test_ffmpeg_reads_them(write: object) -> None:
    words = evenly(TEXT, pause_s=0.4)
    file = write(TEXT, words).encode()  # type: ignore[operator]
    with av.open(BytesIO(file), format="srt" if write is subrip else "webvtt") as container:
        (stream,) = container.streams.subtitles
        read = [
            (packet.pts, packet.duration, subtitle.dialogue.decode())
            for packet in container.demux(stream)
            for subtitle in packet.decode()
        ]
    made = cues(TEXT, words)
    assert read == [
        (cue.start_ms, cue.stop_ms - cue.start_ms, "\n".join(shown(cue))) for cue in made
    ]


def test_captions_end_where_a_reader_would_pause() -> None:
    assert [shown(cue) for cue in cues(TEXT, evenly(TEXT, pause_s=0.4))] == [
        ["Hello there."],
        ["Dr. Smith's office called about your", "appointment on Tuesday at half past nine,"],
        ["and they would like to know whether you", "can come a little earlier than that."],
        ["Is 3 < 4 & 5 > 2? Yes."],
    ]


def test_what_is_shown_is_the_text_without_its_markup() -> None:
    text = "**Wait** — what? See\n- `a_b` and [our\xa0page](https://example.com) [sic]\n- 2*3\u2028"
    words = [
        SaidWord(Span(*found.span()), at * 0.3, at * 0.3 + 0.3, False)
        for at, found in enumerate(
            re.finditer(r"\*\*Wait\*\*|what\?|See|`a_b`|and|\[our|page|\[sic\]|2\*3\s", text)
        )
    ]
    assert [shown(cue) for cue in cues(text, words)] == [
        ["Wait — what? See", "a_b and our page [sic] 2*3"],
    ]


def test_a_word_is_never_cut() -> None:
    text = f"Look at {'long' * 20} and {'x' * 43}."
    assert [shown(cue) for cue in cues(text, evenly(text))] == [
        ["Look at"],
        ["long" * 20],
        ["and"],
        [f"{'x' * 43}."],
    ]


def test_a_caption_stays_a_moment_but_not_into_the_next() -> None:
    words = evenly("One two. Three four.", word_s=1, pause_s=0.2)
    first, second = cues("One two. Three four.", words)
    assert (first.start_ms, first.stop_ms) == (0, 2200)
    assert (second.start_ms, second.stop_ms) == (2200, 4700)


def test_words_in_webvtt_have_their_own_times() -> None:
    assert webvtt("One <two> three.", evenly("One <two> three.", word_s=1)) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:03.500\n"
        "One <00:00:01.000>&lt;two&gt; <00:00:02.000>three.\n"
    )


def test_captions_of_a_whole_day_take_a_moment() -> None:
    text = "And so it went on and on, day by day. " * 2000
    made = cues(text, evenly(text, pause_s=0.3))
    assert len(made) == 2000
