"""Words and their times in, captions out: SubRip (.srt) and WebVTT (.vtt).

Knows nothing about files. A caption is what one can read at a glance: a sentence, or a clause of a
long one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate, pairwise
from math import inf

from mira.words.said import SaidWord

LINE_CHARS = 42
LONGEST_S = 6.0
"""A caption, unless it is a single word, is no longer, and has no more than two lines."""
SHORT_S = 1.0
"""One that is shorter is hard to read."""
LINGER_S = 0.5
"""How long it stays after its last word, if the next one leaves it that time."""

_SENTENCE_ENDS = re.compile(r"[.!?…][\"'”’)\]*_]*$")
_CLAUSE_ENDS = re.compile(r"[,;:–—][\"'”’)\]*_]*$")
_CONTROLS = re.compile(r"[\0-\x1f\x7f-\x9f]")  # readers stop there
_LONE_DASH = re.compile(r"(?<=\s)[-–—…]+(?=\s)")
_LINK = re.compile(r"\[(?=[^\]\n]{1,300}\]\()")
_MARKS = re.compile(r"(?<!\w)[*_`~|]+|[*_`~|]+(?!\w)")  # not in 2*3 or a_b


@dataclass(frozen=True, slots=True)
class Shown:
    """A word as it is shown, and when it is heard."""

    text: str
    start_s: float
    stop_s: float
    weight: int
    """How much of a break follows: 0 none, 1 a clause ends, 2 a sentence or a long pause."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption: one or two lines of words, each with its time."""

    start_ms: int
    stop_ms: int
    lines: tuple[tuple[Shown, ...], ...]


def subrip(text: str, words: Sequence[SaidWord]) -> str:
    """Return the words of a text as captions in SubRip's format."""
    made = []
    for number, cue in enumerate(cues(text, words), 1):
        lines = "\n".join(" ".join(word.text for word in line) for line in cue.lines)
        lines = lines.replace("-->", "→")  # it would begin another caption
        times = f"{_clock(cue.start_ms)} --> {_clock(cue.stop_ms)}".replace(".", ",")
        made.append(f"{number}\n{times}\n{lines}\n")
    return "\n".join(made)


def webvtt(text: str, words: Sequence[SaidWord]) -> str:
    """Return the words of a text as captions in WebVTT, in which each word has its time too.

    Players that know these times show each word as it is heard, the others just the caption.
    """
    return "\n".join(["WEBVTT\n", *map(_vtt_cue, cues(text, words))])


def cues(text: str, words: Sequence[SaidWord]) -> list[Cue]:
    """Cut the words of a text, in its order, into captions that don't overlap."""
    shown, made = _shown(text, words), list[Cue]()
    cuts = _cuts(shown)
    for begin, end in pairwise(cuts):
        part = shown[begin:end]
        start_ms = max(_ms(part[0].start_s), made[-1].stop_ms if made else 0)
        until_s = part[-1].stop_s + LINGER_S
        if end < len(shown):
            until_s = min(until_s, shown[end].start_s)
        # A format's times may not be equal.
        made.append(Cue(start_ms, max(start_ms + 1, _ms(until_s)), _lines(part)))
    return made


def _shown(text: str, words: Sequence[SaidWord]) -> list[Shown]:
    made = []
    text = _LINK.sub(" ", text)
    for word, after in pairwise([*words, None]):
        assert word is not None
        between = text[word.source.stop : after.source.start if after else None]
        source = text[word.source.start : word.source.stop]
        said = _MARKS.sub("", source) or source  # an asterisk can be a word
        dash = _LONE_DASH.findall(between) if after and "\n" not in between else []
        # Never a line's end inside, whichever character makes one.
        show = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", " ".join(" ".join([said, *dash]).split()))
        pause_s = after.start_s - word.stop_s if after else inf
        weight = _weight(show, pause_s, between.count("\n"))
        made.append(Shown(show, word.start_s, word.stop_s, weight))
    return [word for word in made if word.text]


def _weight(shown: str, pause_s: float, line_ends: int) -> int:
    if line_ends > 1 or pause_s > 0.7 or (_SENTENCE_ENDS.search(shown) and pause_s > 0.08):
        return 2  # not after "Dr.", which no pause follows
    return 1 if line_ends or pause_s > 0.2 or _CLAUSE_ENDS.search(shown) else 0


def _cuts(shown: Sequence[Shown]) -> list[int]:
    """Return where captions begin, and the end, so that together they read best."""
    one_line = _one_line(shown)
    ends = list(accumulate((word.weight == 2 for word in shown), initial=0))
    costs = [0.0, *[inf] * len(shown)]
    came_from = [0] * len(costs)
    for begin in range(len(shown)):
        num_chars = 0
        for end in range(begin + 1, max(begin + 1, one_line[one_line[begin]]) + 1):
            last, length_s = shown[end - 1], shown[end - 1].stop_s - shown[begin].start_s
            num_chars += len(last.text) + 1
            if end > begin + 1 and length_s > LONGEST_S:
                break
            cost = costs[begin] + (4, 1, 0)[last.weight] + 2 * (ends[end - 1] - ends[begin])
            cost += 3 * max(0.0, SHORT_S - length_s)
            # Those of one sentence about as long as each other.
            cost += (num_chars / LINE_CHARS / 2) ** 2
            if cost < costs[end]:
                costs[end], came_from[end] = cost, begin
    cuts = [len(shown)]
    while cuts[-1]:
        cuts.append(came_from[cuts[-1]])
    return cuts[::-1]


def _one_line(shown: Sequence[Shown]) -> list[int]:
    """Return, for each word and the end, where a line that begins with it has to end."""
    made, end, num_chars = [], 0, -1
    for begin in range(len(shown)):
        while end < len(shown) and num_chars + 1 + len(shown[end].text) <= LINE_CHARS:
            num_chars += 1 + len(shown[end].text)
            end += 1
        made.append(end)
        if end > begin:
            num_chars -= 1 + len(shown[begin].text)
        else:
            end += 1  # a word that is longer than a line
    return [*made, len(shown)]


def _lines(words: Sequence[Shown]) -> tuple[tuple[Shown, ...], ...]:
    """Put a caption's words into one line, or into two about as long, cut at a mark if possible."""

    def length(line: Sequence[Shown]) -> int:
        return sum(len(word.text) + 1 for word in line) - 1

    if length(words) <= LINE_CHARS or len(words) == 1:
        return (tuple(words),)
    ways = [(words[:cut], words[cut:]) for cut in range(1, len(words))]

    def badness(way: tuple[Sequence[Shown], Sequence[Shown]]) -> tuple[bool, float]:
        longest = max(map(length, way))
        return longest > LINE_CHARS, longest - 10 * way[0][-1].weight

    first, second = min(ways, key=badness)
    return tuple(first), tuple(second)


def _vtt_cue(cue: Cue) -> str:
    before_ms, lines = cue.start_ms, []
    for line in cue.lines:
        shown = []
        for word in line:
            start_ms = _ms(word.start_s)
            # The format wants them between the caption's own, each after the one before.
            timed = before_ms < start_ms < cue.stop_ms
            shown.append(f"<{_clock(start_ms)}>" * timed + escape(word.text, quote=False))
            before_ms = max(before_ms, start_ms)
        lines.append(" ".join(shown))
    times = f"{_clock(cue.start_ms)} --> {_clock(cue.stop_ms)}"
    return "\n".join([times, *lines, ""])


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
