"""Text in, as it is typed; sentences out, each as soon as nothing after it can change its end.

Knows nothing about how a sentence is read, and nothing about audio. Pieces are the text's own
characters: only white space is collapsed, and what mark-up became is taken out where it cuts.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import gt

from mira.text.boundaries import SENTENCE_MARK, ends_sentence
from mira.text.clauses import first_cut, length_cut
from mira.text.markup import Run
from mira.text.pauses import CUTS, LINE_CUT, PARAGRAPH_CUT, Break, asked_s, together_s
from mira.text.weight import max_words, weight
from mira.types import Span

# All white space becomes one of three marks, so that no run of it can grow the buffer.
_RUN = re.compile(r"\S+(?: \S+){0,64}|\s+")
_LINE_BREAKS = re.compile("[\n\u2028\u2029\x0b\x0c]")
_APART = re.compile(rf"[\s{CUTS}]")


@dataclass(frozen=True, slots=True)
class Cut:
    """A sentence, or a part of one, as it is written."""

    text: str
    firsts: Sequence[int]
    """[len(text)] the index in the input of the first character that each one stands for, counted
    over all pushes."""
    lasts: Sequence[int]
    """[len(text)] that of the last one."""
    span: Span
    """All of it, in the input."""
    before: Break = Break.NONE
    """What stands between the piece before and this one."""
    pause_s: float | None = None
    """Silence before it that was asked for."""
    sounds: dict[Span, str] = field(default_factory=dict)
    """See `Run`."""


class SentenceSplitter:
    """Cut a stream of text into pieces to be spoken one after another.

    The pieces are the same however the text is divided into pushes; a flush ends one.

    Args:
        max_chars: The longest piece, in Latin letters; characters that take longer to say count
            for more (a Chinese one for four), so this is a bound on seconds in any script. At
            most a quarter as many words: each takes its time, however short.
        first_max_words: A first sentence longer than this is cut at a natural pause, because
            nothing can be heard before the first piece is complete.
    """

    def __init__(self, max_chars: int = 220, first_max_words: int = 12) -> None:
        self._max_weight = max(1, max_chars)
        self._max_words = max_words(max_chars)
        self._first_max_words = first_max_words
        self._first = True
        self._text = ""  # white space collapsed; what is before `_start` has been given out
        self._firsts = array("q")  # of each of its characters, as in a run
        self._lasts = array("q")
        self._sounds: dict[Span, str] = {}
        self._weights = array("q", [0])  # before each of them, and at the end: the weight so far
        self._words = array("q", [0])  # and the words begun
        self._start = 0
        self._scanned = 0  # no sentence ends before this
        self._line_start = 0  # where the line that `_start` is on began; negative when forgotten
        self._white = ""  # white space seen, its length and kind not yet known
        self._white_at = 0, 0  # what its last character stands for
        self._gap = _Gap()  # before the piece that begins at `_start`

    def push(self, run: Run) -> Iterator[Cut]:
        """Take more text; yield every piece that is now certain."""
        if self._start:
            self._forget()
        self._take(run)
        yield from self._cuts(final=False)

    def flush(self) -> Iterator[Cut]:
        """End the text, or what there is of it: yield the rest. A silence that was asked for at its
        end is a cut of no characters."""
        yield from self._cuts(final=True)
        gap = self._gap
        if gap.pause_s is not None:
            self._gap = _Gap()
            yield Cut("", (), (), gap.asked_at, gap.kind, gap.pause_s)

    def _forget(self) -> None:
        done = self._start
        self._text = self._text[done:]
        self._firsts, self._lasts = self._firsts[done:], self._lasts[done:]
        self._weights, self._words = self._weights[done:], self._words[done:]
        self._start -= done
        self._scanned -= done
        self._line_start -= done

    def _take(self, run: Run) -> None:
        out, at = [], 0
        if run.sounds:
            self._sounds.update(run.sounds)
        for part in _RUN.findall(run.text):
            stop = at + len(part)
            white, self._white = self._white, ""
            if part[0].isspace():
                breaks = len(_LINE_BREAKS.findall(part)) + white.count("\n")
                self._white = "\n\n" if breaks > 1 else "\n" if breaks else " "
                self._white_at = run.firsts[stop - 1], run.lasts[stop - 1]
                # Two line breaks decide at once; what white space follows does not matter.
                if breaks > 1 and white != "\n\n":
                    out.append(self._take_white(self._white))
            else:
                if white and white != "\n\n":
                    out.append(self._take_white(white))
                self._firsts.extend(run.firsts[at:stop])
                self._lasts.extend(run.lasts[at:stop])
                out.append(part)
            at = stop
        self._measure("".join(out))

    def _take_white(self, white: str) -> str:
        for places, at in zip((self._firsts, self._lasts), self._white_at):
            places.extend([at] * len(white))
        return white

    def _measure(self, added: str) -> None:
        in_word = [*map(str.isalnum, self._text[-1:] or " "), *map(str.isalnum, added)]
        begun = map(gt, in_word[1:], in_word)
        self._weights.extend(accumulate(map(weight, added), initial=self._weights.pop()))
        self._words.extend(accumulate(begun, initial=self._words.pop()))
        self._text += added

    def _cuts(self, final: bool) -> Iterator[Cut]:
        self._skip_apart()
        while self._start < len(self._text) and (end := self._end(final)) is not None:
            start, self._start, self._scanned = self._start, end, end
            text = self._text[start:end].rstrip()
            newline = self._text.rfind("\n", start, end)
            if newline >= 0:
                self._line_start = newline + 1
            cut = self._cut(text.replace("\n", " "), start)
            self._gap, self._first = _Gap(), False
            self._skip_apart()
            yield cut

    def _cut(self, text: str, start: int) -> Cut:
        firsts = self._firsts[start : start + len(text)]
        lasts = self._lasts[start : start + len(text)]
        sounds = {span: how for span, how in self._sounds.items() if span.start <= lasts[-1]}
        if sounds:  # one that is not whole is known to the piece that has its other part too
            self._sounds = {
                span: how for span, how in self._sounds.items() if span.stop > lasts[-1] + 1
            }
        span = Span(firsts[0], lasts[-1] + 1)
        return Cut(text, firsts, lasts, span, self._gap.kind, self._gap.pause_s, sounds)

    def _end(self, final: bool) -> int | None:
        """Find where the current piece ends; None while that is not certain."""
        text, start = self._text, self._start
        limit = self._limit()
        end, known = self._sentence_end(len(text) if limit is None else limit, final)
        if self._first:
            ended = end is not None or (final and limit is None)
            sentence = text[start : end or known]
            cut = first_cut(sentence, ended, self._first_max_words, self._is_inside)
            if cut is not None:
                return start + cut
        if end is not None:
            return end
        if limit is not None and known >= limit:
            return start + length_cut(text[start : limit + 1], self._is_inside)
        return len(text) if final else None

    def _sentence_end(self, stop: int, final: bool) -> tuple[int | None, int]:
        """Find the end of the first sentence, if it is known and not after `stop`, and up to where
        there is none.
        """
        text = self._text
        while mark := SENTENCE_MARK.search(text, self._scanned, stop):
            at = mark.start()
            decided = ends_sentence(text, self._start, self._line_start, at, final)
            if decided is None:
                return None, at
            ends, after = decided
            if ends and (after == at or not self._is_inside(after - self._start)):
                return (after, after) if after <= stop else (None, stop)
            self._scanned = after
        self._scanned = max(self._scanned, stop)
        return None, stop

    def _is_inside(self, at: int) -> bool:
        """Tell whether that far into the piece is the middle of what is read as one."""
        at += self._start
        if at >= len(self._text):
            return False
        before, after = self._lasts[at - 1], self._firsts[at]
        same = self._firsts[at - 1] == after
        return same or any(s.start <= before and after < s.stop for s in self._sounds)

    def _limit(self) -> int | None:
        """Find the first character that no longer fits into the piece."""
        start = self._start
        # A word that was cut has begun anew.
        words = self._words[start + 1] - self._text[start].isalnum() + self._max_words
        full = min(
            bisect_right(self._weights, self._weights[start] + self._max_weight, start + 2),
            bisect_right(self._words, words, start + 2),
        )
        return full - 1 if full <= len(self._text) else None

    def _skip_apart(self) -> None:
        while _APART.match(self._text, self._start):
            mark, at = self._text[self._start], self._start
            self._gap.widen(mark, self._firsts[at], self._lasts[at])
            if mark in ("\n", LINE_CUT, PARAGRAPH_CUT):
                self._line_start = at + 1
            self._start += 1
        self._scanned = max(self._scanned, self._start)


class _Gap:
    """What stands between two pieces."""

    def __init__(self) -> None:
        self.pause_s: float | None = None
        """Silence that was asked for."""
        self.asked_at = Span(0, 0)
        """Where it was asked for in the input."""
        self._ends = {"\n": 0, LINE_CUT: 0, PARAGRAPH_CUT: 0}

    def widen(self, mark: str, first: int, last: int) -> None:
        """Add white space or what mark-up became, and what it stands for."""
        if mark in self._ends:
            self._ends[mark] += 1
        elif not mark.isspace() and (pause_s := asked_s(mark)) is not None:
            start = first if self.pause_s is None else self.asked_at.start
            self.asked_at = Span(start, last + 1)
            self.pause_s = together_s(self.pause_s, pause_s)

    @property
    def kind(self) -> Break:
        """The widest break in it; where a line is ended by a mark and white space, it is one."""
        lines, cuts, paragraphs = self._ends.values()
        return Break.PARAGRAPH if paragraphs else Break(min(max(lines, cuts), Break.PARAGRAPH))
