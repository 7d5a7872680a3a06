"""A text and rules that rewrite it in; what they make of it out, each character with its source.

Knows nothing about what the rules are for.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

from mira.text.needs import had_by, needs
from mira.text.sounds import ENDING, with_ending
from mira.text.weight import CJK
from mira.types import Span, Word

# One character of Chinese or Japanese is a word: no white space divides them.
_WORD = re.compile(rf"[{CJK}][^\w\s]*|[^\s{CJK}]+")
# What may stand between two words without a space; what is in a contraction does not.
_JOINING = re.compile(r"[^\w\s']+")
_GROUP = re.compile(r"\\(\d)")
_TO_LAST_SPACE = re.compile(r".*\s", re.DOTALL)
_TO_LAST_MARK = re.compile(r".*\W", re.DOTALL)

Edit = tuple[str, int, int]
"""What to put in place of the characters [start, stop)."""

Reading = str | Callable[[re.Match[str]], str | list[Edit]]
"""What to put in place of a match: a text in which "\\1" is the first group, or a function.

A function may return the match itself to leave it as it is, or changes inside of the match, each
of which stands for what it replaces.
"""


@dataclass(frozen=True)
class Rule:
    """A pattern and what becomes of its matches.

    Compiled when it is first used, or when `prepare` asks: hundreds of them take half a second.
    """

    written: str
    reading: Reading
    flags: int = 0

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern, to look for."""
        return re.compile(self.written, self.flags)

    @cached_property
    def needs(self) -> tuple[int, int, int]:
        """What a text has to have if the pattern is in it; see `needs`."""
        return needs(self.written, self.flags)


Rules = Sequence[Rule]


def rule(pattern: str, reading: Reading, flags: int = 0) -> Rule:
    """Make one rule."""
    return Rule(pattern, reading, flags)


def one_of(words: Iterable[str]) -> str:
    """Write a pattern for any of the words, the longest first.

    What several begin with is written once, which makes it three times as quick.
    """
    rests: dict[str, list[str]] = {}
    for word in words:
        rests.setdefault(word[:1], []).append(word[1:])
    ends = rests.pop("", None) is not None
    branches = [
        re.escape(first) + (one_of(rest) if any(rest) else "") for first, rest in rests.items()
    ]
    return f"(?:{'|'.join(branches)}){'?' if ends else ''}"


@dataclass(slots=True)
class _Found:
    """A word: number of its part, characters of the text, first and last of its source."""

    part: int
    start: int
    stop: int
    source: list[int]


class Traced:
    """A text that changes, and remembers which characters of the input it stands for.

    What a rule leaves as it is keeps its own source, character by character; what it puts in
    has the source of all that it replaces. Both ends of the sources never decrease.

    Args:
        text: As it was written.
        firsts: [len(text)] the index in the input of the first character that each one stands for;
            None: the text is all of it.
        lasts: [len(text)] that of the last one; None: each stands for one.
        sounds: See the attribute.
    """

    def __init__(
        self,
        text: str,
        firsts: Sequence[int] | None = None,
        lasts: Sequence[int] | None = None,
        sounds: Mapping[Span, str] | None = None,
    ) -> None:
        self.text = text
        self._has = 0  # not yet known
        self.sounds = dict(sounds or {})
        """How parts of the input sound, in canonical IPA, whatever becomes of their text. No two
        overlap; to have one, the words of a part must stand for all of it and nothing else. With
        none, "", a part is said as it is written, and no rule reads it."""
        self._firsts = range(len(text)) if firsts is None else firsts
        self._lasts = self._firsts if lasts is None else lasts

    def apply(self, rules: Rules) -> None:
        """Read every match of every rule, in order."""
        read = [span for span, phonemes in self.sounds.items() if not phonemes]
        for rule in rules:
            one, other, third = rule.needs
            has = self._has = self._has or had_by(self.text)
            # Most have no match, and this tells most of those.
            if has & one and has & other and has & third and rule.pattern.search(self.text):
                matches, reading = rule.pattern.finditer(self.text), rule.reading
                edits = chain.from_iterable(_edits(match, reading) for match in matches)
                self.edit((e for e in edits if not self._touches(e, read)) if read else edits)

    def edit(self, edits: Iterable[Edit]) -> None:
        """Make some changes: all of the text as it is now, in order, none over another."""
        text, at = self.text, 0
        texts: list[str] = []
        firsts: list[int] = []
        lasts: list[int] = []
        edited = False
        for said, start, stop in edits:
            if at < start:
                texts.append(text[at:start])
                firsts += self._firsts[at:start]
                lasts += self._lasts[at:start]
            if said:
                # What is put in where nothing was stands for its neighbours.
                low, high = (start, stop) if start < stop else (max(start - 1, 0), stop + 1)
                texts.append(said)
                firsts += [self._firsts[low]] * len(said)
                lasts += [self._lasts[min(high, len(text)) - 1]] * len(said)
            at, edited = stop, True
        if edited:
            self._has = 0
            self.text = "".join(texts) + text[at:]
            self._firsts = firsts + list(self._firsts[at:])
            self._lasts = lasts + list(self._lasts[at:])

    def _touches(self, edit: Edit, spans: Sequence[Span]) -> bool:
        _, start, stop = edit
        source = self.source(start, stop) if start < stop else Span(0, 0)
        return any(span.start < source.stop and source.start < span.stop for span in spans)

    def source(self, start: int, stop: int) -> Span:
        """Find what the characters [start, stop), as far as they exist, stand for."""
        return Span(self._firsts[max(start, 0)], self._lasts[min(stop, len(self.text)) - 1] + 1)

    def words(self, parts: Sequence[Span]) -> list[tuple[Word, ...]]:
        """Find the words of each part of the text.

        Each has a letter or a digit. Marks that stand alone belong to the word before them, at
        the start of a part to the one after; no mark at an edge of a word belongs to its source.
        Two sources are the same or have nothing in common.

        What has a sound stands apart from what a mark joins to it. It is as many words as the
        sound has, or else a single one; "Ann's" has the sound of "Ann" and an ending.
        """
        found = self._found(parts)
        spoken = self._sounded(found) if self.sounds else ((at, "") for at in found)
        words: list[list[Word]] = [[] for _ in parts]
        for at, phonemes in spoken:
            source = Span(at.source[0], at.source[1] + 1)
            words[at.part].append(Word(self.text[at.start : at.stop], source, phonemes))
        return [*map(tuple, words)]

    def _found(self, parts: Sequence[Span]) -> list[_Found]:
        text, source = self.text, [-1, -1]
        found: list[_Found] = []
        for number, part in enumerate(parts):
            for start, stop in self._runs(part):
                bare = _without_marks(text, start, stop)
                alone = not found or found[-1].part != number
                if bare:
                    first, last = self._firsts[bare[0]], self._lasts[bare[1]]
                    if first > source[1]:
                        source = [first, last]
                    source[1] = max(source[1], last)
                    found.append(_Found(number, part.start if alone else start, stop, source))
                elif not alone:
                    found[-1].stop = stop
        return found

    def _runs(self, part: Span) -> Iterator[tuple[int, int]]:
        """Yield what stands between white space, in two where a mark joins something to a sound."""
        sounded = [span for span, phonemes in self.sounds.items() if phonemes]
        starts, stops = {span.start for span in sounded}, {span.stop for span in sounded}
        for match in _WORD.finditer(self.text, part.start, part.stop):
            start, stop = match.span()
            for mark in _JOINING.finditer(self.text, start + 1, stop - 1) if starts else ():
                before, after = self._lasts[mark.start() - 1] + 1, self._firsts[mark.end()]
                if before in stops or after in starts:
                    yield start, mark.end()
                    start = mark.end()
            yield start, stop

    def _sounded(self, found: Sequence[_Found]) -> Iterator[tuple[_Found, str]]:
        """Yield the words with their phonemes, as many words as a sound has or one."""
        at = 0
        for span, phonemes in sorted(self.sounds.items(), key=lambda item: item[0].start):
            while at < len(found) and found[at].source[0] < span.start:
                yield found[at], ""
                at += 1
            stop = at
            while stop < len(found) and found[stop].source[0] < span.stop:
                stop += 1
            words = found[at:stop]
            if phonemes and words and (ended := self._ended(words, span, phonemes)):
                at = stop
                groups = ended.split()
                if len(groups) == len(words):
                    yield from zip(words, groups)
                else:
                    first, last = words[0], words[-1]
                    source = [first.source[0], last.source[1]]
                    yield _Found(first.part, first.start, last.stop, source), ended
        yield from ((word, "") for word in found[at:])

    def _ended(self, words: Sequence[_Found], span: Span, phonemes: str) -> str:
        """Return the phonemes of words that stand for `span` and at most an ending; "" if not."""
        first, last = words[0], words[-1]
        if first.part != last.part or first.source[0] != span.start:
            return ""
        if last.source[1] + 1 == span.stop:
            return phonemes
        ending = ENDING.search(self.text, last.start, last.stop)
        if ending and self._lasts[ending.start() - 1] < span.stop <= self._firsts[ending.start()]:
            return with_ending(phonemes, ending[1])
        return ""


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


def _edits(match: re.Match[str], reading: Reading) -> Iterator[Edit]:
    """Yield what to put in place of which characters of the text; the others stay."""
    start, stop = match.span()
    if isinstance(reading, str):
        # The groups stay; the text between two of them stands for what was between them.
        literals = _template(reading)
        if len(literals) == 1:
            yield reading, start, stop
            return
        for literal, group in zip(literals[::2], [*literals[1::2], ""]):
            low, high = match.span(int(group)) if group else (stop, stop)
            if low < 0:
                low = high = start  # the group took no part
            if literal or low > start:
                yield literal, start, low
            start = high
    elif isinstance(new := reading(match), list):
        yield from new
    elif new != (old := match[0]):
        # Words that both begin with stay, and words and marks that both end with.
        head = _common(_TO_LAST_SPACE, old, new) if old[:1] == new[:1] else 0
        same = old[-1:] == new[-1:]
        tail = _common(_TO_LAST_MARK, old[head:][::-1], new[head:][::-1]) if same else 0
        yield new[head : len(new) - tail], start + head, stop - tail


@lru_cache(maxsize=1024)
def _template(reading: str) -> list[str]:
    return _GROUP.split(reading)


def _common(pattern: re.Pattern[str], old: str, new: str) -> int:
    same = next((at for at, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    match = pattern.match(old[:same])
    return match.end() if match else 0
