"""Text in, as it is typed; sentences out, each as soon as nothing after it can change its end.

Knows nothing about how a sentence is read, and nothing about audio. Pieces are the input's own
characters: only white space is collapsed.
"""

import re
from collections.abc import Iterator

from mira.text.boundaries import SENTENCE_MARK, UNDECIDED, Ending, ends_sentence
from mira.text.clauses import first_cut, length_cut
from mira.text.weight import weight

# All white space becomes one of three marks, so that no run of it can grow the buffer.
_WHITE_OR_NOT = re.compile(r"\s+|\S+")
_LINE_BREAKS = re.compile("[\n\u2028\u2029\x0b\x0c]")


class SentenceSplitter:
    """Cut a stream of text into pieces to be spoken one after another.

    The pieces are the same however the text is divided into pushes. Use once: push, push, flush.

    Args:
        max_chars: The longest piece, in Latin letters; characters that take longer to say count
            for more (a Chinese one for four), so this is a bound on seconds in any script.
        first_max_words: A first sentence longer than this is cut at a natural pause, because
            nothing can be heard before the first piece is complete.
    """

    def __init__(self, max_chars: int = 220, first_max_words: int = 12) -> None:
        self._max_weight = max(1, max_chars)
        self._first_max_words = first_max_words
        self._first = True
        self._text = ""  # white space collapsed; what is before `_start` has been given out
        self._start = 0
        self._scanned = 0  # no sentence ends before this
        self._measured = 0  # `_weight` is that of `_text[_start:_measured]`
        self._weight = 0
        self._line_start = 0  # where the line that `_start` is on began; negative when forgotten
        self._white = ""  # white space seen, its length and kind not yet known

    def push(self, text: str) -> Iterator[str]:
        """Take more text; yield every piece that is now certain."""
        self._text = self._text[self._start :] + self._collapse(text)
        self._rebase(self._start)
        yield from self._pieces(final=False)

    def flush(self) -> Iterator[str]:
        """The text is over: yield the rest."""
        yield from self._pieces(final=True)

    def _collapse(self, text: str) -> str:
        out: list[str] = []
        for run in _WHITE_OR_NOT.findall(text):
            if not run[0].isspace():
                out += (self._white, run) if self._white != "\n\n" else (run,)
                self._white = ""
                continue
            if self._white == "\n\n":
                continue
            breaks = len(_LINE_BREAKS.findall(run)) + (self._white == "\n")
            self._white = "\n\n" if breaks > 1 else "\n" if breaks else " "
            if breaks > 1:
                out.append("\n\n")  # decides at once; what white space follows does not matter
        return "".join(out)

    def _pieces(self, final: bool) -> Iterator[str]:
        self._skip_white()
        self._measured = max(self._measured, self._start)
        while self._start < len(self._text):
            end = self._end(final)
            if end is None:
                return
            piece = self._text[self._start : end].replace("\n", " ").strip()
            self._advance(end)
            self._first = False
            yield piece

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
        text, total, at = self._text, self._weight, self._measured
        while at < len(text):
            total_next = total + weight(text[at])
            if total_next > self._max_weight and at > self._start:
                break
            total, at = total_next, at + 1
        self._weight, self._measured = total, at
        return at if at < len(text) else None

    def _advance(self, end: int) -> None:
        newline = self._text.rfind("\n", self._start, end)
        if newline >= 0:
            self._line_start = newline + 1
        begun = self._start
        self._start = self._scanned = end
        self._skip_white()
        # What was measured beyond the piece stays measured: short sentences in a long push
        # would otherwise be weighed again and again.
        self._weight -= sum(map(weight, self._text[begun : min(self._start, self._measured)]))
        self._measured = max(self._start, self._measured)

    def _skip_white(self) -> None:
        while self._start < len(self._text) and self._text[self._start].isspace():
            if self._text[self._start] == "\n":
                self._line_start = self._start + 1
            self._start += 1
        self._scanned = max(self._scanned, self._start)

    def _rebase(self, removed: int) -> None:
        self._start -= removed
        self._scanned -= removed
        self._measured -= removed
        self._line_start -= removed


def split_sentences(text: str, max_chars: int = 220, first_max_words: int = 12) -> Iterator[str]:
    """Cut a whole text into pieces: `SentenceSplitter` with everything pushed at once."""
    splitter = SentenceSplitter(max_chars, first_max_words)
    yield from splitter.push(text)
    yield from splitter.flush()
