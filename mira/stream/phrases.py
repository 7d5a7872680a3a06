"""Sentences that are said again and again, as their voice spoke them: computed once.

What is kept is what a synthesizer made, block for block. All that follows (pauses, pace, format,
where words stand in a text) is done anew each time, so that a sentence sounds the same whether it
was kept or not, by whichever protocol and in whichever text it is asked for. Knows nothing about
text, files or sockets.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace

from mira.stream.playback import Playback
from mira.types import Block, Sampling, Sentence, Span, TimedWord, Voice, Word

LONGEST_CHARS = 200  # of a sentence, as it is spoken: about 13 s
REMEMBERED = 4096  # sentences that were said once, of which nothing but that is known
# What Python's objects take beside the samples, in bytes.
PHRASE_BYTES, BLOCK_BYTES, WORD_BYTES = 800, 200, 550


@dataclass(frozen=True, slots=True)
class Phrase:
    """All that decides how a sentence sounds, wherever in a text it is."""

    sentence: Sentence
    """With sources that count from its own beginning."""
    voice: Voice
    sampling: Sampling = Sampling()

    @classmethod
    def of(cls, sentence: Sentence, voice: Voice, sampling: Sampling = Sampling()) -> "Phrase":
        """Make the phrase of a sentence that is somewhere in a text."""
        begins = sentence.words[0].source.start if sentence.words else 0
        words = (
            Word(
                word.text,
                Span(word.source.start - begins, word.source.stop - begins),
                word.phonemes,
            )
            for word in sentence.words
        )
        return cls(Sentence(sentence.text, tuple(words)), voice, sampling)


@dataclass(frozen=True, slots=True)
class _Kept:
    blocks: tuple[Block, ...]
    words: bool  # whether those of the blocks were timed
    num_bytes: int


class Phrases:
    """Keeps what was said twice, or once where that is asked for; those said last, in bounds.

    Safe to use from several threads at once: two that say a new phrase at the same time both
    compute it. One that was not said to its end, that was flawed or whose voice has gone since
    leaves nothing behind.

    Args:
        max_bytes: Of all that is kept, and again of what may be kept once it was said to its end; 0
            keeps nothing.
    """

    def __init__(self, max_bytes: int = 0) -> None:
        self.max_bytes = max_bytes
        self.lasts: Callable[[Voice], bool] = lambda voice: True
        """Whether a voice is still as it was; asked before anything is kept, and must not wait."""
        self.num_bytes = 0
        """Memory that is used."""
        self.hits = 0
        """Number of sentences that were not computed, because they were kept."""
        self.misses = 0
        """Number of those that were computed and might have been kept."""
        self._kept: OrderedDict[Phrase, _Kept] = OrderedDict()  # the first was said longest ago
        self._said: OrderedDict[int, None] = OrderedDict()  # hashes; the first is the oldest
        self._held = 0  # bytes of what is being said
        self._cleared = 0  # how often
        self._lock = threading.Lock()  # held for moments, never while anything is computed

    def __len__(self) -> int:
        return len(self._kept)

    def has(self, phrase: Phrase, words: bool) -> bool:
        """Tell whether nothing has to be computed to say it.

        Args:
            words: Whether it has to be known when each is heard.
        """
        kept = self._kept.get(phrase)
        return kept is not None and (kept.words or not words)

    def speak(
        self,
        sentence: Sentence,
        voice: Voice,
        sampling: Sampling,
        playback: Playback,
        compute: Callable[[], Generator[Block, None, None]],
        flaws: Callable[[], int] = int,
    ) -> Generator[Block, None, None]:
        """Yield a sentence as it was kept, or computed, and then maybe kept.

        Args:
            sentence: As it is in its text.
            voice: Who speaks; with `sampling`.
            playback: Says whether anybody wants to know its words, and whether to keep it at once.
            compute: Begins to speak it.
            flaws: Counts what went wrong while something was computed.
        """
        if not self.max_bytes or not _is_keepable(sentence, sampling):
            return compute()
        phrase = Phrase.of(sentence, voice, sampling)
        with self._lock:
            kept = self._kept.get(phrase)
            if kept is not None and (kept.words or not playback.words):
                self._kept.move_to_end(phrase)
                self.hits += 1
                return _said_again(kept, sentence, playback.words)
            self.misses += 1
            keep = playback.keep or kept is not None or self._was_said(phrase)
        return self._keeping(phrase, playback.words, compute, flaws) if keep else compute()

    def forget(self, gone: Callable[[Voice], bool] = lambda voice: True) -> int:
        """Drop the phrases of voices that are gone, by default all; return their number.

        One that is being said now is not kept when it ends.
        """
        with self._lock:
            self._cleared += 1
            found = [phrase for phrase in self._kept if gone(phrase.voice)]
            for phrase in found:
                self._drop(phrase)
            return len(found)

    def _was_said(self, phrase: Phrase) -> bool:
        """Tell whether it was said before, and note that it is now. Under the lock."""
        name = hash(phrase)
        before = name in self._said
        self._said[name] = None
        self._said.move_to_end(name)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return before

    def _keeping(
        self,
        phrase: Phrase,
        words: bool,
        compute: Callable[[], Generator[Block, None, None]],
        flaws: Callable[[], int],
    ) -> Generator[Block, None, None]:
        cleared, flawed = self._cleared, flaws()
        blocks: list[Block] = []
        num_bytes = 0
        fits = True
        try:
            with closing(compute()) as computed:
                for block in computed:
                    more = _num_bytes(block)
                    fits = fits and self._hold(more)
                    if fits:
                        num_bytes += more
                        blocks.append(_copy(block, phrase.sentence))
                    elif blocks:  # others may have it
                        blocks.clear()
                        self._hold(-num_bytes)
                        num_bytes = 0
                    yield block
            if fits and flaws() == flawed:
                kept = _Kept(tuple(blocks), words, PHRASE_BYTES + num_bytes)
                self._keep(phrase, kept, cleared)
        finally:
            self._hold(-num_bytes)

    def _hold(self, more: int) -> bool:
        """Take memory for what may be kept once it was said to its end, if there is some left."""
        with self._lock:
            if self._held + more > self.max_bytes:
                return False
            self._held += more
            return True

    def _keep(self, phrase: Phrase, new: _Kept, cleared: int) -> None:
        """Keep what was said, unless something was cleared in the meantime."""
        with self._lock:
            if cleared != self._cleared or self.has(phrase, new.words):
                return
            if not self.lasts(phrase.voice):
                return
            if phrase in self._kept:
                self._drop(phrase)
            self._kept[phrase] = new
            self.num_bytes += new.num_bytes
            while self.num_bytes > self.max_bytes:
                self._drop(next(iter(self._kept)))

    def _drop(self, phrase: Phrase) -> None:
        self.num_bytes -= self._kept.pop(phrase).num_bytes


def _is_keepable(sentence: Sentence, sampling: Sampling) -> bool:
    """Tell whether it may be kept: who sends a seed wants to hear what that makes."""
    return sampling.seed is None and len(sentence.text) <= LONGEST_CHARS


def _said_again(kept: _Kept, sentence: Sentence, words: bool) -> Generator[Block, None, None]:
    for block in kept.blocks:
        timed = _of(block.words, sentence) if words else ()
        yield Block(block.samples, timed)


def _of(words: tuple[TimedWord, ...], sentence: Sentence) -> tuple[TimedWord, ...]:
    """Return the same words of the same sentence elsewhere."""
    return tuple(replace(word, word=sentence.words[word.index]) for word in words)


def _copy(block: Block, sentence: Sentence) -> Block:
    """Copy a block: its samples may be a part of more, and its words are of a whole text."""
    samples = block.samples.copy()
    samples.flags.writeable = False
    return Block(samples, _of(block.words, sentence))


def _num_bytes(block: Block) -> int:
    return block.samples.nbytes + BLOCK_BYTES + WORD_BYTES * len(block.words)
