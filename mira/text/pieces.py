"""Text in, as it is typed; sentences to be spoken out, each word with the characters it stands for.

Knows nothing about voices.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain

from mira.text.dictionary import Dictionary
from mira.text.markup import Markup, Run
from mira.text.normalize import speakable
from mira.text.pauses import MAX_SILENCE_S, Break
from mira.text.segment import Cut, SentenceSplitter
from mira.text.traced import Traced
from mira.text.weight import max_words
from mira.types import Sentence, Span


class Mark(Enum):
    """What may be said of a text between two of its parts."""

    FLUSH = "flush"
    """All there is, is to be spoken as it stands: nothing that follows belongs to it."""
    DUE = "due"
    """The same, and nobody asks when it has been spoken: it has waited long enough."""
    IDLE = "idle"
    """There is no more for now."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, or a part of one."""

    sentence: Sentence
    """What is said; its sources lie inside `source`. Empty: nothing can be said."""
    before: Break
    """What separates it from the piece before."""
    source: Span
    """The characters of the input that it was made of, the mark-up inside of it included."""
    pause_s: float | None = None
    """Silence before it that was asked for, in seconds; None: as long as its marks ask for.

    Where a text ends with one, a piece that says nothing has it."""
    mark: Mark | None = None
    """What was said of the text here. Such a piece says nothing, and is between others."""


def split_sentences(
    text: str | Iterable[str | Mark],
    max_chars: int = 220,
    first_max_words: int = 12,
    dictionary: Dictionary = Dictionary(),
) -> Iterator[Piece]:
    """Cut a text, whole or as it comes, into pieces that are spoken one after another.

    Each is yielded as soon as nothing after it can change it. They are the same, and have the
    same sources, however the text is divided; but a flush ends a piece.

    Args:
        text: Any length. Sources are counted over all of its parts.
        max_chars: The longest piece; see `SentenceSplitter`.
        first_max_words: The longest first piece.
        dictionary: Words that are said in another way.
    """
    parts = [text] if isinstance(text, str) else text
    for cut in _bounded(_cuts(parts, SentenceSplitter(max_chars, first_max_words))):
        if isinstance(cut, Mark):
            yield Piece(Sentence(""), Break.NONE, Span(0, 0), mark=cut)
        else:
            yield from _read(cut, max_chars, dictionary)


def _cuts(parts: Iterable[str | Mark], splitter: SentenceSplitter) -> Iterator[Cut | Mark]:
    markup = Markup()
    for part in parts:
        if isinstance(part, str):
            yield from _split(markup.push(part), splitter)
        else:
            if part is not Mark.IDLE:
                yield from _split(markup.flush(), splitter)
                yield from splitter.flush()
            yield part
    yield from _split(markup.flush(), splitter)
    yield from splitter.flush()


def _split(runs: Iterable[Run], splitter: SentenceSplitter) -> Iterator[Cut]:
    return chain.from_iterable(map(splitter.push, runs))


def _bounded(cuts: Iterable[Cut | Mark]) -> Iterator[Cut | Mark]:
    """Yield cuts; once they have asked for all the silence of a text, their marks ask for it."""
    left_s = MAX_SILENCE_S
    for cut in cuts:
        if isinstance(cut, Cut) and cut.pause_s:
            pause_s = min(cut.pause_s, left_s)
            left_s -= pause_s
            cut = replace(cut, pause_s=pause_s or None)
        yield cut


def _read(cut: Cut, max_chars: int, dictionary: Dictionary) -> Iterator[Piece]:
    said = Traced(cut.text, cut.firsts, cut.lasts, cut.sounds)
    speakable(said, dictionary)
    text, before, source, pause_s = said.text, cut.before, cut.span, cut.pause_s
    if not any(map(str.isalnum, text)):
        yield Piece(Sentence(""), before, source, pause_s)
        return
    parts = [Span(0, len(text))]
    if len(text) > max_chars or text.count(" ") >= max_words(max_chars):
        # It grew too long when its numbers and addresses were written out.
        splitter = SentenceSplitter(max_chars, first_max_words=len(text))
        parts = [part.span for part in chain(splitter.push(Run.plain(text)), splitter.flush())]
    for part, words in zip(parts, said.words(parts)):
        if not words:
            continue  # marks alone
        if len(parts) > 1:
            source = Span(words[0].source.start, words[-1].source.stop)
        yield Piece(Sentence(text[part.start : part.stop], words), before, source, pause_s)
        before, pause_s = Break.NONE, None
