"""Spoken words and when they are heard in; the words of the sender's text, with the same, out.

"$100" is spoken as three words and is one here. Knows nothing about how times are found.
"""

import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock

from mira.text.weight import CJK
from mira.types import Span, TimedWord

_MOST_MARKS = 32  # looked at on either side of a word
_LONGEST_CHARS = 256  # of what is one word because nothing parts it
_IS_CJK = re.compile(rf"[{CJK}]")
_PARTS = re.compile(r"[\s<>]|[^\W_]")  # letters that nobody spoke are mark-up: a link's address
_MARKS_BEFORE = re.compile(r"(?:[^\w\s<>]|_)*\Z")
_MARKS_AFTER = re.compile(r"(?:[^\w\s<>]|_)*")


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word of the sender's text, and when it is heard, in seconds of the audio."""

    source: Span
    """With the marks around it: "Hello,"."""
    start_s: float
    stop_s: float
    estimated: bool
    """Whether one of its times was reckoned, not measured."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """How much of a text was heard by some moment."""

    chars: int
    """Number of characters of the text, from its beginning to the end of the last word heard."""
    words: str
    """The last two words heard, as they were sent; empty before the first."""
    audio_s: float
    """The moment, in seconds of audio."""

    def __str__(self) -> str:
        """Say it as a person would: spoken up to character 57, 'booked at', 3,140 ms."""
        ms = f"{1000 * self.audio_s:,.0f} ms"
        return f"spoken up to character {self.chars}, {self.words!r}, {ms}"


@dataclass(slots=True, eq=False)
class _Group:
    """Spoken words that are one word of the text."""

    start: int
    stop: int
    spoken: dict[int, TimedWord] = field(default_factory=dict)
    first: int = -1  # lowest and highest index in `spoken`
    last: int = -1
    num_estimated: int = 0
    told: SaidWord | None = None

    def take(self, word: TimedWord) -> None:
        before = self.spoken.get(word.index)
        self.num_estimated += word.estimated - (before.estimated if before else 0)
        self.spoken[word.index] = word
        self.first = word.index if self.first < 0 else min(self.first, word.index)
        self.last = max(self.last, word.index)

    @property
    def start_s(self) -> float:
        return self.told.start_s if self.told else 0.0

    @property
    def heard_s(self) -> float:
        """When most of its last spoken word was heard."""
        last = self.spoken[self.last]
        return max((last.start_s + last.stop_s) / 2, self.start_s)


class Said:
    """The words of one text, as far as their times are known. Safe on several threads at once.

    `reads` the text, whole or as it comes, and `takes` spoken words whose sources lie in it. Spoken
    words are one word where they share characters or no white space, tag or mark-up is between
    them; each character of Chinese or Japanese is a word. A word includes the marks around it.

    Words don't overlap, and their times don't go backwards. One that is told again is corrected: it
    replaces those told before whose characters it shares. What is known in the end doesn't depend
    on how text and words were divided.
    """

    def __init__(self, text: str = "") -> None:
        self._text = io.StringIO(text, newline="")  # grows without being copied each time
        self._chars = len(text)
        self._groups: list[_Group] = []  # in order of the text
        self._lock = Lock()

    def reads(self, part: str) -> None:
        """Add what follows in the text."""
        with self._lock:
            self._text.seek(0, io.SEEK_END)
            self._text.write(part)
            self._chars += len(part)

    def takes(self, words: Iterable[TimedWord]) -> tuple[SaidWord, ...]:
        """Take spoken words, new ones and corrected ones.

        Returns:
            What is new or changed by them, in order of the text.

        Raises:
            ValueError: A word stands for characters that were not read yet.
        """
        with self._lock:
            touched = self._groups[-1:]  # more of the text may have come: marks that belong to it
            for word in words:
                touched += self._place(word)
            return tuple(self._tell(touched))

    @property
    def text(self) -> str:
        """All of the text that was read."""
        with self._lock:
            return self._text.getvalue()

    @property
    def words(self) -> tuple[SaidWord, ...]:
        """All words whose times are known, in order of the text."""
        with self._lock:
            return tuple(group.told for group in self._groups if group.told)

    def until(self, audio_s: float) -> Spoken:
        """Return what was spoken in the first `audio_s` seconds.

        A word counts once half of it was heard; one that is spoken as several, once half of the
        last of those was.
        """
        with self._lock:
            at = bisect_right(self._groups, audio_s, key=lambda group: group.start_s)
            while at and self._groups[at - 1].heard_s > audio_s:
                at -= 1
            told = [group.told for group in self._groups[max(at - 2, 0) : at] if group.told]
            words = [self._between(word.source.start, word.source.stop) for word in told]
        chars = told[-1].source.stop if told else 0
        return Spoken(chars, " ".join(words), audio_s)

    def _place(self, word: TimedWord) -> Iterator[_Group]:
        """Put a spoken word where it belongs; yield the groups that this changes."""
        if word.word.source.stop > self._chars:
            raise ValueError(f"{word.word} is not in the text: read that first.")
        start, stop = self._bare(word.word.source)
        groups = self._groups
        at = bisect_right(groups, start, key=lambda group: group.start) - 1
        if at >= 0 and self._are_one(groups[at], start, stop):
            groups[at].stop = max(groups[at].stop, stop)
        else:
            yield from groups[max(at, 0) : at + 1]  # its marks end where this one begins
            at += 1
            groups.insert(at, _Group(start, stop))
        group = groups[at]
        group.take(word)
        while at + 1 < len(groups):
            other = groups[at + 1]
            if not self._are_one(group, other.start, max(stop, other.stop)):
                break
            del groups[at + 1]
            group.stop = max(group.stop, other.stop)
            for more in other.spoken.values():
                group.take(more)
        yield group

    def _are_one(self, group: _Group, start: int, stop: int) -> bool:
        """Whether nothing parts a group from the characters [start, stop) after its beginning."""
        if start < group.stop:
            return True
        if start - group.stop > _MOST_MARKS or stop - group.start > _LONGEST_CHARS:
            return False
        around = self._between(group.stop - 1, start + 1)
        by_itself = _IS_CJK.match(around[0]) or _IS_CJK.match(around[-1])
        return not by_itself and not _PARTS.search(around, 1, len(around) - 1)

    def _tell(self, touched: Iterable[_Group]) -> Iterator[SaidWord]:
        """Yield what the groups, and those after them that this changes, have to tell now."""
        for start in sorted({group.start for group in touched}):
            at = bisect_right(self._groups, start, key=lambda group: group.start) - 1
            while at < len(self._groups) and (word := self._word(at)) != self._groups[at].told:
                self._groups[at].told = word
                yield word
                at += 1

    def _word(self, at: int) -> SaidWord:
        group = self._groups[at]
        before = self._groups[at - 1].told if at else None
        source = self._with_marks(group, before.source.stop if before else 0, at + 1)
        start_s = group.spoken[group.first].start_s
        if before:
            start_s = max(start_s, before.start_s)
        stop_s = max(group.spoken[group.last].stop_s, start_s)
        return SaidWord(source, start_s, stop_s, group.num_estimated > 0)

    def _with_marks(self, group: _Group, floor: int, following: int) -> Span:
        """Widen a group by the marks around it. Those that join it to letters which nobody spoke
        are mark-up: of "[here](https://example.com)", the word is "[here"."""
        ceiling = self._groups[following].start if following < len(self._groups) else self._chars
        first, last = max(floor, group.start - _MOST_MARKS), min(ceiling, group.stop + _MOST_MARKS)
        before, after = self._between(first, group.start), self._between(group.stop, last)
        num_before = len(_MARKS_BEFORE.search(before)[0])  # type: ignore[index]
        if num_before < len(before) and before[-num_before - 1].isalnum():
            num_before = 0
        num_after = len(_MARKS_AFTER.match(after)[0])  # type: ignore[index]
        beyond = after[num_after : num_after + 1]
        if beyond.isalnum() and not self._is_cjk(beyond, group.stop - 1):
            num_after = 0
        return Span(group.start - num_before, group.stop + num_after)

    def _is_cjk(self, character: str, other: int) -> bool:
        """Whether one of two neighbours is a word by itself."""
        return any(map(_IS_CJK.match, (character, self._between(other, other + 1))))

    def _bare(self, source: Span) -> tuple[int, int]:
        """Return where a source begins and ends without the white space around it."""
        text = self._between(source.start, source.stop)
        start = source.start + len(text) - len(text.lstrip())
        return start, max(start, source.stop - len(text) + len(text.rstrip()))

    def _between(self, start: int, stop: int) -> str:
        self._text.seek(start)
        return self._text.read(stop - start)
