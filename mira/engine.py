"""The main path: text and a voice in, a stream of speech out.

Knows neither which model speaks nor who listens.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain

from mira.errors import NothingToSay, SynthesisFailed
from mira.stream.ahead import Ahead
from mira.stream.cancel import Cancel
from mira.stream.joining import Joiner
from mira.stream.phrases import Phrase, Phrases
from mira.stream.playback import Playback
from mira.synthesizer import Synthesizer
from mira.text import Break, Dictionary, Mark, Piece, pause_s, split_sentences, together_s
from mira.types import Block, Samples, Sampling, Sentence, Voice

_BLOCK_S = 1.0
"""Longest block of a pause."""


class Engine:
    """Speaks text sentence by sentence. Safe to use from several threads at once."""

    def __init__(
        self, synthesizer: Synthesizer, lead_s: float = 2.0, pause_at_end: bool = False
    ) -> None:
        """
        Args:
            synthesizer: Speaks one sentence; what else it knows is asked of it.
            lead_s: How much audio may be computed before anybody takes it, in seconds.
            pause_at_end: End a text with the pause that would be before another sentence.
        """
        self.synthesizer = synthesizer
        self.phrases = Phrases()
        """Sentences that need not be computed again; a service that keeps any replaces it."""
        self._lead_s = lead_s
        self._pause_at_end = pause_at_end
        self._closed = False

    @property
    def sample_rate(self) -> int:
        """Sample rate of everything it speaks, in Hz."""
        return self.synthesizer.sample_rate

    @property
    def ready(self) -> bool:
        """Whether it can speak now: a model that broke is being restarted."""
        return not self._closed and self.synthesizer.ready

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Voices that need no cloning; the first is the engine's own choice."""
        return self.synthesizer.voices

    @property
    def reads_phonemes(self) -> bool:
        """Whether it speaks phonemes that a word has; see `Synthesizer`."""
        return self.synthesizer.reads_phonemes

    @property
    def fingerprint(self) -> str:
        """Name of all that `clone` depends on beside its recording; empty if it can't clone."""
        return self.synthesizer.fingerprint

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """Make a voice of a few seconds of somebody speaking; see `Synthesizer.clone`.

        Raises:
            InvalidRequest: The recording can't be used, or this engine can't clone.
        """
        return self.synthesizer.clone(name, samples, sample_rate, transcript)

    def blocks(
        self,
        text: str | Iterable[str | Mark],
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
        dictionary: Dictionary = Dictionary(),
    ) -> Generator[Block, None, None]:
        """Yield `text` as blocks of speech at `sample_rate`, the first as early as possible.

        All is computed by whoever asks for the next block. Closing the generator frees what it
        holds.

        Args:
            text: Any length; Markdown, emoji, numbers and abbreviations are fine. Or parts of it
                that may come slowly, cut anywhere: each sentence is spoken once it is certain.
                While they are waited for, nothing is held. It sounds the same however it was cut,
                unless a live listener ran dry: they have had their pause, or a part of it, while
                they waited. A pause that it asks for is as long, whatever the pace. Between parts
                may stand a flush, after which a block says that it was reached, or the word that
                more takes a while: then the last sound is followed by a little silence at once.
            voice: One of `voices`, or a clone.
            sampling: For a model that draws what it says; with a seed it says the same again.
            playback: Who hears it. One that is not live may get larger blocks, and makes way for
                those that are.
            cancel: Ends it from any thread, at once.
            dictionary: Words that are said in another way.

        Raises:
            NothingToSay: Before the first block: nothing in `text` can be spoken, and no silence
                was asked for.
            VoiceNotFound: Before the first block: the engine can't speak as `voice`.
            SynthesisFailed: At any block; after `close`, before the first.
            Cancelled: At any block: nobody wants the rest.
        """
        playback, cancel = playback or Playback(), cancel or Cancel()

        def synthesize(sentence: Sentence) -> Generator[Block, None, None]:
            cancel.check()
            if self._closed:
                raise SynthesisFailed("The engine is closed.")
            compute = partial(
                self.synthesizer.synthesize, sentence, voice, sampling, playback, cancel
            )
            flaws = self.synthesizer.incidents.total
            return self.phrases.speak(sentence, voice, sampling, playback, compute, flaws)

        coming = text if isinstance(text, str) else _coming(text, playback, cancel)
        pieces = split_sentences(coming, self.synthesizer.max_chars, dictionary=dictionary)
        # Whole text is the same each time, however slowly it is computed.
        waits = None if isinstance(text, str) or not playback.live else playback
        for block in self._join(_reading(pieces, playback), synthesize, playback.pace, waits):
            cancel.check()
            if len(block.samples):
                playback.takes(len(block.samples) / self.sample_rate)
            if len(block.samples) or block.words or block.flushed:
                yield block

    def keeps(
        self,
        text: str,
        voice: Voice,
        sampling: Sampling = Sampling(),
        dictionary: Dictionary = Dictionary(),
        words: bool = True,
    ) -> bool:
        """Tell whether `blocks` would compute nothing: every sentence is among `phrases`.

        Args:
            words: Whether it has to be known when each is heard.
        """
        pieces = split_sentences(text, self.synthesizer.max_chars, dictionary=dictionary)
        said = (piece.sentence for piece in pieces if piece.sentence.text)
        phrases = (Phrase.of(sentence, voice, sampling) for sentence in said)
        # One after another: what follows the first that is not kept need not even be read.
        kept = (self.phrases.has(phrase, words) for phrase in phrases)
        return next(kept, False) and all(kept)

    def blocks_ahead(
        self,
        text: str | Iterable[str | Mark],
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
        dictionary: Dictionary = Dictionary(),
    ) -> Generator[Block, None, None]:
        """Yield `blocks`, computed ahead on a thread of its own.

        Closing the generator cancels what is left. One that is cancelled ends as if there were no
        more blocks, even while somebody waits for the next one.
        """
        playback, cancel = playback or Playback(), cancel or Cancel()
        blocks = self.blocks(text, voice, sampling, playback, cancel, dictionary)

        def audio_s(block: Block) -> float:
            return len(block.samples) / self.sample_rate / playback.pace

        with closing(Ahead(blocks, audio_s, self._lead_s, playback, cancel)) as ahead:
            yield from ahead

    def speak(
        self,
        text: str | Iterable[str | Mark],
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
        dictionary: Dictionary = Dictionary(),
    ) -> Generator[Samples, None, None]:
        """Yield the samples of `blocks_ahead`; unless `playback` says so, no word is timed."""
        playback = playback or Playback(words=False)
        blocks = self.blocks_ahead(text, voice, sampling, playback, cancel, dictionary)
        with closing(blocks):
            yield from (block.samples for block in blocks if len(block.samples))

    def close(self) -> None:
        """Stop what runs for the engine; it can't speak after that. May be called again.

        A stream that still runs may fail with SynthesisFailed: end the streams first.
        """
        self._closed = True
        self.synthesizer.close()

    def _join(
        self,
        pieces: Iterable[Piece],
        synthesize: Callable[[Sentence], Generator[Block, None, None]],
        pace: float,
        waits: Playback | None,
    ) -> Iterator[Block]:
        """Yield the pieces' blocks, with the pauses between them.

        Args:
            pace: How many times faster it is played; a pause that was asked for is as long.
            waits: Somebody who, when they ran dry, have had that part of a pause.
        """
        joiner, gap = Joiner(self.sample_rate), Gap(pace)
        refused, num_words = None, 0
        for piece in pieces:
            if piece.mark is not None:
                yield Block(joiner.settle(), flushed=piece.mark is Mark.FLUSH)
            gap.widen(piece)
            if not piece.sentence.text:
                continue
            with closing(synthesize(piece.sentence)) as spoken:
                try:
                    first = next(spoken, None)
                except NothingToSay as error:
                    refused = error
                    continue
                if first is None:
                    continue
                # Only now: what can't be read has no pause. But before it is computed: meanwhile,
                # the pause can be listened to.
                yield from _silence(joiner, gap.silence_s - _waited_s(waits))
                gap, begins_s = Gap(pace, piece.sentence.text), joiner.joined_s
                for block in chain([first], spoken):
                    words = tuple(word.later(begins_s, num_words) for word in block.words)
                    yield Block(joiner.push(block.samples), words)
                num_words += len(piece.sentence.words)
        if not joiner.joined_s and (refused or not gap.asked_s):
            raise refused or NothingToSay
        if gap.asked_s is not None or self._pause_at_end:
            yield from _silence(joiner, gap.silence_s - _waited_s(waits))
        else:
            yield Block(joiner.flush())


class Gap:
    """What is between a piece and the next.

    Args:
        pace: How many times faster it is played.
        said: The piece before, if there is one.
    """

    def __init__(self, pace: float, said: str = "") -> None:
        self.said = said
        self.asked_s: float | None = None
        self._pace = pace
        self._break = Break.NONE

    def widen(self, piece: Piece) -> None:
        """Add what is before a piece, which itself may have nothing to say."""
        self._break = max(self._break, piece.before)
        self.asked_s = together_s(self.asked_s, piece.pause_s)

    @property
    def silence_s(self) -> float:
        """How long to be silent, in seconds of speech."""
        if self.asked_s is not None:
            return self.asked_s * self._pace
        return pause_s(self.said, self._break) if self.said else 0.0


def _silence(joiner: Joiner, silence_s: float) -> Iterator[Block]:
    """End a piece: yield the pause after it."""
    yield Block(joiner.pause(min(max(0.0, silence_s), _BLOCK_S)))
    while (silence_s := silence_s - _BLOCK_S) > 0:
        yield Block(joiner.pause(min(silence_s, _BLOCK_S)))


def _waited_s(playback: Playback | None) -> float:
    """Return how much speech would have been heard since there was none."""
    return max(0.0, -(playback.left_s() or 0.0)) * playback.pace if playback else 0.0


def _reading(pieces: Iterable[Piece], playback: Playback) -> Iterator[Piece]:
    """Yield pieces; say how far into the text they are."""
    for piece in pieces:
        playback.read_chars = max(playback.read_chars, piece.source.stop)
        yield piece


def _coming(text: Iterable[str | Mark], playback: Playback, cancel: Cancel) -> Iterator[str | Mark]:
    """Yield the parts of a text; while one is waited for, nobody waits for audio."""
    parts = iter(text)
    while True:
        with playback.waiting_for_text():
            cancel.check()  # inside: whoever cancels sees that it waits, or is seen here
            part = next(parts, None)
        cancel.check()
        if part is None:
            return
        yield part
