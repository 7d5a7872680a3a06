"""A text with mark-up in, as it is typed; the text that is to be read out.

What is left of a tag is what it does: it cuts, it is silent for a while, or it has its content
read in another way. Knows nothing about sentences. Each character knows which ones of the input
it stands for.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mira.text import elements, tags
from mira.text.elements import Sound
from mira.text.normalize import OTHER_SCRIPT
from mira.text.pauses import CUTS, pause_cut
from mira.text.tags import Entity, Pause, Tag, Verbatim
from mira.text.weight import CJK
from mira.types import Span

MAX_CONTENT = 1000
"""Most characters of an element that is read as one; a longer one is ordinary text."""
_CHARS_AT_ONCE = 1000
# Marks among it that no letter follows are plain too: "a < b", "Q & A", "x[1]".
_PLAIN = re.compile(
    r"(?:[^<&\[]++|<(?=[^\w#@$%{/!?]|/[^\w>])|&(?=[^A-Za-z#]|#[^0-9xX])|\[(?=[^\spP]))++"
)
# Most of what is typed, and this is quick.
_IS_PLAIN = re.compile(r"[\x00-%\'-;=-Z\\-\x7f]*").fullmatch
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_CUT = re.compile(f"[{CUTS}]")
_NO_SPACE_AFTER = re.compile(rf"[\s(\[{{“‘«¿¡{CUTS}\u3000-\u303f\uff00-\uffef{CJK}]")
_NO_SPACE_BEFORE = re.compile(rf"[\s.,;:!?…)\]}}%’'”»{CUTS}\u3000-\u303f\uff00-\uffef{CJK}]")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text to be read."""

    text: str
    firsts: Sequence[int]
    """[len(text)] the index in the input of the first character that each one stands for."""
    lasts: Sequence[int]
    """[len(text)] that of the last one."""
    sounds: dict[Span, str] = field(default_factory=dict)
    """How some stretches of the input sound; see `Traced.sounds`."""

    @classmethod
    def plain(cls, text: str, start: int = 0) -> "Run":
        """Make a run of the input's own characters from `start` on."""
        places = range(start, start + len(text))
        return cls(text, places, places)


class Markup:
    """Take a stream of text apart into what is read and what mark-up does to it.

    Holds back only what may still become mark-up, and a bounded number of characters of it. What
    comes out is the same however the text is divided into pushes; a flush ends what is open.
    """

    def __init__(self) -> None:
        self._held = ""  # may still become mark-up
        self._begins = 0  # index in the input of its first character
        self._out = _Written()
        self._open: _Open | None = None
        self._english = True  # no other script was seen

    def push(self, text: str) -> Iterator[Run]:
        """Take more text; yield all that is certain to be read."""
        if not (self._held or self._open or len(text) > _CHARS_AT_ONCE) and _IS_PLAIN(text):
            self._out.add(Run.plain(text, self._begins))
            self._begins += len(text)
            if text:
                yield self._out.take()
        else:
            self._held += text
            yield from self._scan(final=False)

    def flush(self) -> Iterator[Run]:
        """End the text, or what there is of it: yield the rest."""
        yield from self._scan(final=True)

    def _scan(self, final: bool) -> Iterator[Run]:
        text, at = self._held, 0
        read = 0  # what is from there to `at` is read as it is
        while at < len(text):
            stop = min(at + _CHARS_AT_ONCE, self._limit())
            if at >= stop:
                self._read(text[read:at], self._begins + read)
                read = at
                self._give_up()
            elif plain := _PLAIN.match(text, at, stop):
                at = plain.end()
            elif not (found := tags.at(text, at, final)):
                break
            elif isinstance(found[1], Verbatim) and found[0] == at + 1:
                at += 1  # a mark that begins nothing
            else:
                self._read(text[read:at], self._begins + read)
                self._act(found[1], text, at, found[0])
                at = read = found[0]
            if len(self._out) + at - read >= _CHARS_AT_ONCE:
                self._read(text[read:at], self._begins + read)
                read = at
                if len(self._out):
                    yield self._out.take()
        self._read(text[read:at], self._begins + read)
        self._held, self._begins = text[at:], self._begins + at
        if final and self._open:
            self._close(self._begins)
        if len(self._out):
            yield self._out.take()

    def _limit(self) -> int:
        """Find where what is held is too much for the element that is open."""
        return self._open.limit - self._begins if self._open else len(self._held)

    def _act(self, what: tags.Found, text: str, at: int, after: int) -> None:
        source = Span(self._begins + at, self._begins + after)
        if isinstance(what, Verbatim):
            self._read(text[what.start : what.stop], self._begins + what.start)
        elif isinstance(what, Entity):
            self._read_for(what.text, source)
        elif isinstance(what, Pause):
            self._target.write_all(pause_cut(what.duration_s), source)
        elif isinstance(what, Tag):
            self._tag(what, source)
        else:
            self._target.set_apart(source.start)

    def _tag(self, tag: Tag, source: Span) -> None:
        if self._open and tag.name == self._open.tag.name:
            self._open.depth += -1 if tag.closing else 0 if tag.empty else 1
            if not self._open.depth:
                self._close(source.stop)
        elif tag.name == "break":
            if not tag.closing:
                self._target.write_all(pause_cut(tags.break_s(tag.attributes)), source)
        elif not self._open and not tag.closing and elements.is_read_as_one(tag):
            self._open = _Open(tag, source.start)
            if tag.empty:
                self._close(source.stop)
        elif cut := elements.cut_of(tag):
            self._cut(cut, source)
        elif tag.name not in elements.JOINED:
            self._target.set_apart(source.start)

    def _cut(self, cut: str, source: Span) -> None:
        target = self._target
        if cut != elements.CELL:
            target.write_all(cut, source)
        else:
            if target.last_said.isalnum():
                target.write_all(cut, source)
            target.set_apart(source.stop - 1)

    def _read(self, text: str, start: int) -> None:
        """Take characters of the input as they are."""
        if not text:
            return
        parts = [Span(0, len(text))] if text.isascii() else _without_private(text)
        for part in parts:
            self._see(text[part.start : part.stop])
            self._target.add(Run.plain(text[part.start : part.stop], start + part.start))

    def _read_for(self, text: str, source: Span) -> None:
        """Take characters that stand for all of `source`."""
        text = _PRIVATE.sub("", text)
        self._see(text)
        self._target.write_all(text, source)

    def _see(self, text: str) -> None:
        if self._english and not text.isascii():
            self._english = not OTHER_SCRIPT.search(self._target.last + text)

    @property
    def _target(self) -> "_Written":
        return self._open.content if self._open else self._out

    def _give_up(self) -> None:
        """Read an element that is too long like any text."""
        assert self._open
        content, self._open = self._open.content, None
        self._out.add(content.take())
        if content.apart is not None:
            self._out.set_apart(content.apart)

    def _close(self, stop: int) -> None:
        """Read an element that is whole."""
        assert self._open
        content, tag, start = self._open.content.take(), self._open.tag, self._open.start
        self._open = None
        self._out.set_apart(start)
        whole = Span(start, stop)
        if tag.name != "say-as" and tag.name != "spell":
            self._say(tag, content, whole)
        else:
            at = 0
            for cut in [*_CUT.finditer(content.text), None]:
                self._say(tag, _part(content, at, cut.start() if cut else None), whole)
                if cut:
                    at = cut.end()
                    self._out.add(_part(content, cut.start(), at))
        self._out.set_apart(stop - 1)

    def _say(self, tag: Tag, content: Run, whole: Span) -> None:
        bare = content.text.strip()
        if bare:
            start = content.text.index(bare)
            content = _part(content, start, start + len(bare))
            whole = Span(content.firsts[0], content.lasts[-1] + 1)
        said = elements.reading(tag, _CUT.sub(" ", bare), self._english)
        if isinstance(said, str):
            self._read_for(said, whole)
            if tag.name != "sub" and not any(map(str.isdigit, said)):
                self._out.sounds[whole] = ""
        elif bare:
            self._out.add(content)
            if isinstance(said, Sound):
                self._out.sounds[whole] = said.phonemes


class _Written:
    """Text to be read, as it is put together."""

    def __init__(self) -> None:
        self.sounds: dict[Span, str] = {}
        self.last = " "
        """The character before what is written next."""
        self.last_said = ""
        """The same, but no white space."""
        self.apart: int | None = None
        """Where the mark-up began that keeps what is written next from it."""
        self._runs: list[Run] = []
        self._num_chars = 0

    def __len__(self) -> int:
        return self._num_chars

    def set_apart(self, place: int) -> None:
        """Put a space between what is before this place of the input and what comes next, if
        they are two words."""
        if self.apart is None:
            self.apart = place

    def write_all(self, text: str, source: Span) -> None:
        """Add characters that each stand for all of `source`."""
        firsts, lasts = (array("q", [at]) * len(text) for at in (source.start, source.stop - 1))
        self.add(Run(text, firsts, lasts))

    def add(self, run: Run) -> None:
        """Add text that knows what it stands for."""
        if not run.text:
            return
        if self.apart is not None:
            place, self.apart = self.apart, None
            if not (_NO_SPACE_AFTER.match(self.last) or _NO_SPACE_BEFORE.match(run.text)):
                self.add(Run.plain(" ", place))
        self._runs.append(run)
        self._num_chars += len(run.text)
        self.last = run.text[-1]
        self.last_said = run.text.rstrip()[-1:] or self.last_said

    def take(self) -> Run:
        """Return all that was added since it was last called."""
        runs, sounds = self._runs, self.sounds
        self._runs, self.sounds, self._num_chars = [], {}, 0
        if len(runs) == 1 and not sounds:
            return runs[0]
        firsts, lasts = array("q"), array("q")
        for run in runs:
            firsts.extend(run.firsts)
            lasts.extend(run.lasts)
        return Run("".join(run.text for run in runs), firsts, lasts, sounds)


class _Open:
    """An element that is read as one, as far as it has come."""

    def __init__(self, tag: Tag, start: int) -> None:
        self.tag = tag
        self.start = start
        self.limit = start + MAX_CONTENT
        self.depth = 1
        self.content = _Written()


def _without_private(text: str) -> list[Span]:
    edges = [0, *(edge for match in _PRIVATE.finditer(text) for edge in match.span()), len(text)]
    return [Span(*edge) for edge in zip(edges[::2], edges[1::2])]


def _part(run: Run, start: int, stop: int | None) -> Run:
    return Run(run.text[start:stop], run.firsts[start:stop], run.lasts[start:stop])
