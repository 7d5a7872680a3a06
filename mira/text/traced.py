"""A text and rules that rewrite it in; what they make of it out, each character with its source.

Knows nothing about what the rules are for.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from mira.text.weight import CJK
from mira.types import Span, Word

# One character of Chinese or Japanese is a word: no white space divides them.
_WORD = re.compile(rf"[{CJK}][^\w\s]*|[^\s{CJK}]+")
_GROUP = re.compile(r"\\(\d)")
_TO_LAST_SPACE = re.compile(r".*\s", re.DOTALL)
_TO_LAST_MARK = re.compile(r".*\W", re.DOTALL)

Reading = str | Callable[[re.Match[str]], str]
"""What to put in place of a match: a text in which "\\1" is the first group, or a function.

A function may return the match itself to leave it as it is.
"""

Rules = Sequence[tuple[re.Pattern[str], Reading]]


def rule(pattern: str, reading: Reading, flags: int = 0) -> tuple[re.Pattern[str], Reading]:
    """Compile one rule."""
    return re.compile(pattern, flags), reading


def one_of(words: Sequence[str]) -> str:
    """Write a pattern for any of the words, the longest first."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")"


class Traced:
    """A text that changes, and remembers which characters of the input it stands for.

    What a rule leaves as it is keeps its own source, character by character; what it puts in
    has the source of all that it replaces. Both ends of the sources never decrease.

    Args:
        text: As it was written.
        firsts: [len(text)] the index in the input of the first character that each one stands for;
            None: the text is all of it.
        lasts: [len(text)] that of the last one; None: each stands for one.
    """

    def __init__(
        self,
        text: str,
        firsts: Sequence[int] | None = None,
        lasts: Sequence[int] | None = None,
    ) -> None:
        self.text = text
        self._firsts = range(len(text)) if firsts is None else firsts
        self._lasts = self._firsts if lasts is None else lasts

    def apply(self, rules: Rules) -> None:
        """Read every match of every rule, in order."""
        for pattern, reading in rules:
            if pattern.search(self.text):  # most have none, and this is quick
                self._sub(pattern, reading)

    def _sub(self, pattern: re.Pattern[str], reading: Reading) -> None:
        text, at = self.text, 0
        texts: list[str] = []
        firsts: list[int] = []
        lasts: list[int] = []
        for match in pattern.finditer(text):
            for said, start, stop in _edits(match, reading):
                # What is put in where nothing was stands for its neighbours.
                low, high = (start, stop) if start < stop else (start - 1, stop + 1)
                first, last = self._firsts[max(low, 0)], self._lasts[min(high, len(text)) - 1]
                texts += (text[at:start], said)
                firsts += self._firsts[at:start]
                firsts += [first] * len(said)
                lasts += self._lasts[at:start]
                lasts += [last] * len(said)
                at = stop
        if texts:
            self.text = "".join(texts) + text[at:]
            self._firsts = firsts + list(self._firsts[at:])
            self._lasts = lasts + list(self._lasts[at:])

    def words(self, parts: Iterable[Span]) -> list[tuple[Word, ...]]:
        """Find the words of each part of the text.

        Each has a letter or a digit. Marks that stand alone belong to the word before them, at
        the start of a part to the one after; no mark at an edge of a word belongs to its source.
        Two sources are the same or have nothing in common.
        """
        text, source = self.text, [-1, -1]
        found: list[list[tuple[int, int, list[int]]]] = []
        for part in parts:
            words: list[tuple[int, int, list[int]]] = []
            for match in _WORD.finditer(text, part.start, part.stop):
                start, stop = match.span()
                bare = _without_marks(text, start, stop)
                if bare:
                    first, last = self._firsts[bare[0]], self._lasts[bare[1]]
                    if first > source[1]:
                        source = [first, last]
                    source[1] = max(source[1], last)
                    words.append((start if words else part.start, stop, source))
                elif words:
                    words[-1] = (words[-1][0], stop, words[-1][2])
            found.append(words)
        return [
            tuple(Word(text[start:stop], Span(at[0], at[1] + 1)) for start, stop, at in words)
            for words in found
        ]


def _without_marks(text: str, start: int, stop: int) -> tuple[int, int] | None:
    """Find the first and the last letter, accent or digit of [start, stop); None: only marks."""
    first, last = start, stop - 1
    if not text[first].isalnum() or not text[last].isalnum():
        if not any(map(str.isalnum, text[start:stop])):
            return None
        while unicodedata.category(text[first])[0] not in "LMN":
            first += 1
        while unicodedata.category(text[last])[0] not in "LMN":
            last -= 1
    return first, last


def _edits(match: re.Match[str], reading: Reading) -> Iterator[tuple[str, int, int]]:
    """Yield what to put in place of which characters of the text; the others stay."""
    start, stop = match.span()
    if isinstance(reading, str):
        # The groups stay; the text between two of them stands for what was between them.
        literals = _GROUP.split(reading)
        for literal, group in zip(literals[::2], [*literals[1::2], ""]):
            low, high = match.span(int(group)) if group else (stop, stop)
            if low < 0:
                low = high = start  # the group took no part
            if literal or low > start:
                yield literal, start, low
            start = high
    elif (new := reading(match)) != (old := match[0]):
        # Words that both begin with stay, and words and marks that both end with.
        head = _common(_TO_LAST_SPACE, old, new)
        tail = _common(_TO_LAST_MARK, old[head:][::-1], new[head:][::-1])
        yield new[head : len(new) - tail], start + head, stop - tail


def _common(pattern: re.Pattern[str], old: str, new: str) -> int:
    same = next((at for at, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    match = pattern.match(old[:same])
    return match.end() if match else 0
