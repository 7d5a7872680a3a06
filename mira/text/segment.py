"""Text in, as it is typed; sentences out, each as soon as nothing after it can change its end.

Knows nothing about how a sentence is read, and nothing about audio. Pieces are the input's own
characters: only white space is collapsed.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mira.text.boundaries import SENTENCE_MARK, UNDECIDED, Ending, ends_sentence
from mira.text.clauses import first_cut, length_cut
from mira.text.pauses import Break
from mira.text.weight import max_words, weight
from mira.types import Span

# All white space becomes one of three marks, so that no run of it can grow the buffer.
_RUN = re.compile(r"\S+(?: \S+){0,64}|\s+")
_LINE_BREAKS = re.compile("[\n\u2028\u2029\x0b\x0c]")


@dataclass(frozen=True, slots=True)
class Cut:
    """A sentence, or a part of one, as it is written."""

    text: str
    places: Sequence[int]
    """[len(text)] the index of each character in the input, counted over all pushes."""
    before: Break = Break.NONE
    """Between the one before and this one."""

    @property
    def span(self) -> Span:
        """All of it, in the input."""
        return Span(self.places[0], self.places[-1] + 1)


class SentenceSplitter:
    """Cut a stream of text into pieces to be spoken one after another.

    The pieces are the same however the text is divided into pushes. Use once: push, push, flush.

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
        self._places = array("q")  # of each character of `_text`, in the input
        self._taken = 0  # characters of the input
        self._start = 0
        self._scanned = 0  # no sentence ends before this
        self._measured = 0  # `_weight` is that of `_text[_start:_measured]`
        self._weight = 0
        self._words = 0  # begun there
        self._break = Break.NONE  # before the piece that begins at `_start`
        self._line_start = 0  # where the line that `_start` is on began; negative when forgotten
        self._white = ""  # white space seen, its length and kind not yet known

    def push(self, text: str) -> Iterator[Cut]:
        """Take more text; yield every piece that is now certain."""
        self._forget()
        self._take(text)
        yield from self._cuts(final=False)

    def flush(self) -> Iterator[Cut]:
        """The text is over: yield the rest."""
        yield from self._cuts(final=True)

    def _take(self, text: str) -> None:
        out = [self._text]
        for run in _RUN.findall(text):
            white, self._white = self._white, ""
            if run[0].isspace():
                breaks = len(_LINE_BREAKS.findall(run)) + white.count("\n")
                self._white = "\n\n" if breaks > 1 else "\n" if breaks else " "
                # Two line breaks decide at once; what white space follows does not matter.
                added = self._white if breaks > 1 and white != "\n\n" else ""
                self._places.extend([self._taken] * len(added))
            else:
                added = run if white == "\n\n" else white + run
                self._places.extend([self._taken - 1] * (len(added) - len(run)))
                self._places.extend(range(self._taken, self._taken + len(run)))
            out.append(added)
            self._taken += len(run)
        self._text = "".join(out)

    def _cuts(self, final: bool) -> Iterator[Cut]:
        self._skip_white()
        while self._start < len(self._text):
            end = self._end(final)
            if end is None:
                return
            text = self._text[self._start : end].rstrip()
            places = self._places[self._start : self._start + len(text)]
            cut = Cut(text.replace("\n", " "), places, self._break)
            self._break = Break.NONE
            self._advance(end)
            self._first = False
            yield cut

    def _end(self, final: bool) -> int | None:
        """Where the current piece ends, or None while that is not certain."""
        text, start = self._text, self._start
        limit = self._measure()
        end, known = self._sentence_end(len(text) if limit is None else limit, final)
        if self._first:
            ended = end is not None or (final and limit is None)
            cut = first_cut(text[start : end or known], ended, self._first_max_words)
            if cut is not None:
                return start + cut
        if end is not None:
            return end
        if limit is not None and known >= limit:
            return start + length_cut(text[start : limit + 1])
        return len(text) if final else None

    def _sentence_end(self, stop: int, final: bool) -> tuple[int | None, int]:
        """The end of the first sentence, if known and not after `stop`; up to where none is."""
        text = self._text
        while mark := SENTENCE_MARK.search(text, self._scanned, stop):
            at = mark.start()
            ending: Ending = ends_sentence(text, self._start, self._line_start, at, final)
            if ending is UNDECIDED:
                return None, at
            if isinstance(ending, int):
                return (ending, ending) if ending <= stop else (None, stop)
            self._scanned = at + ending.skip
        self._scanned = max(self._scanned, stop)
        return None, stop

    def _measure(self) -> int | None:
        """The index of the first character that no longer fits into the piece."""
        text, total, words, at = self._text, self._weight, self._words, self._measured
        while at < len(text):
            total_next, words_next = total + weight(text[at]), words + self._starts_word(at)
            full = total_next > self._max_weight or words_next > self._max_words
            if full and at > self._start:
                break
            total, words, at = total_next, words_next, at + 1
        self._weight, self._words, self._measured = total, words, at
        return at if at < len(text) else None

    def _starts_word(self, at: int) -> bool:
        text = self._text
        return text[at].isalnum() and (at == self._start or not text[at - 1].isalnum())

    def _advance(self, end: int) -> None:
        newline = self._text.rfind("\n", self._start, end)
        if newline >= 0:
            self._line_start = newline + 1
        # What was measured beyond the piece stays measured: short sentences in a long push
        # would otherwise be weighed again and again.
        measured = range(self._start, min(end, self._measured))
        self._weight -= sum(weight(self._text[at]) for at in measured)
        self._words -= sum(map(self._starts_word, measured))
        self._start = self._scanned = end
        if self._measured > end:  # a word that was cut has begun anew
            self._words += self._starts_word(end) and self._text[end - 1].isalnum()
        else:
            self._measured = end
        self._skip_white()

    def _skip_white(self) -> None:
        while self._start < len(self._text) and self._text[self._start].isspace():
            if self._text[self._start] == "\n":
                self._line_start = self._start + 1
                self._break = Break(min(self._break + 1, Break.PARAGRAPH))
            if self._measured > self._start:
                self._weight -= weight(self._text[self._start])
            self._start += 1
        self._measured = max(self._measured, self._start)
        self._scanned = max(self._scanned, self._start)

    def _forget(self) -> None:
        removed = self._start
        self._text, self._places = self._text[removed:], self._places[removed:]
        self._start -= removed
        self._scanned -= removed
        self._measured -= removed
        self._line_start -= removed
