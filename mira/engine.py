"""The main path: text and a voice in, a stream of speech out.

Knows neither which model speaks nor who listens.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain

from mira.errors import NothingToSay, SynthesisFailed
from mira.stream.ahead import Ahead
from mira.stream.cancel import Cancel
from mira.stream.joining import Joiner
from mira.stream.playback import Playback
from mira.synthesizer import Synthesizer
from mira.text import Break, Piece, pause_s, split_sentences
from mira.types import Block, Samples, Sampling, Sentence, TimedWord, Voice


class Engine:
    """Speaks text sentence by sentence. Safe to use from several threads at once."""

    def __init__(
        self, synthesizer: Synthesizer, lead_s: float = 2.0, pause_at_end: bool = False
    ) -> None:
        """
        Args:
            synthesizer: Speaks one sentence.
            lead_s: How much audio may be computed before anybody takes it, in seconds.
            pause_at_end: End a text with the pause that would be before another sentence.
        """
        self._synthesizer = synthesizer
        self._lead_s = lead_s
        self._pause_at_end = pause_at_end
        self._closed = False

    @property
    def sample_rate(self) -> int:
        """Of everything it speaks, in Hz."""
        return self._synthesizer.sample_rate

    @property
    def ready(self) -> bool:
        """Whether it can speak now: a model that broke is being restarted."""
        return not self._closed and self._synthesizer.ready

    @property
    def failure(self) -> str:
        """Why only a new process can speak again; empty as long as this one may."""
        return self._synthesizer.failure

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Who can speak without being cloned first; the first one is the engine's own choice."""
        return self._synthesizer.voices

    @property
    def fingerprint(self) -> str:
        """Names all that `clone` depends on beside its recording; empty: it can't clone."""
        return self._synthesizer.fingerprint

    @property
    def incidents(self) -> Counter[str]:
        """What went wrong and was dealt with since the start, by kind."""
        return self._synthesizer.incidents

    @property
    def at_once(self) -> int:
        """How many streams compute at the same time; the others wait for their turn."""
        return self._synthesizer.at_once

    @property
    def max_streams(self) -> int:
        """How many listeners it can speak to at once, however fast it is."""
        return self._synthesizer.max_streams

    def measure(self, most: int) -> int:
        """Say how many listeners to begin with; may take seconds. See `Synthesizer`.

        Args:
            most: Not to look for more.

        Returns:
            From 1 to `most`.
        """
        return self._synthesizer.measure(most)

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """Make a voice of a few seconds of somebody speaking; see `Synthesizer.clone`.

        Raises:
            InvalidRequest: The recording can't be used, or this engine can't clone.
        """
        return self._synthesizer.clone(name, samples, sample_rate, transcript)

    def blocks(
        self,
        text: str | Iterable[str],
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[Block, None, None]:
        """Yield `text` as blocks of speech at `sample_rate`, the first as early as possible.

        All is computed by whoever asks for the next block. Closing the generator frees what it
        holds.

        Args:
            text: Any length; Markdown, emoji, numbers and abbreviations are fine. Or parts of it
                that may come slowly, cut anywhere: each sentence is spoken once it is certain.
                While they are waited for, nothing is held. It sounds the same however it was cut,
                unless a live listener ran dry: they have had their pause, or a part of it, while
                they waited.
            voice: One of `voices`, or a clone.
            sampling: For a model that draws what it says; with a seed it says the same again.
            playback: Who hears it. One that is not live may get larger blocks, and makes way for
                those that are.
            cancel: Ends it from any thread, at once.

        Raises:
            NothingToSay: Before the first block: nothing in `text` can be spoken.
            VoiceNotFound: Before the first block: the engine can't speak as `voice`.
            SynthesisFailed: At any block; after `close`, before the first.
            Cancelled: At any block: nobody wants the rest.
        """
        playback, cancel = playback or Playback(), cancel or Cancel()

        def synthesize(sentence: Sentence) -> Generator[Block, None, None]:
            cancel.check()
            if self._closed:
                raise SynthesisFailed("The engine is closed.")
            return self._synthesizer.synthesize(sentence, voice, sampling, playback, cancel)

        utterance = _Utterance(self.sample_rate, synthesize, playback)
        # Whole text is the same each time, however slowly it is computed.
        whole = isinstance(text, str) or not playback.live
        coming = text if isinstance(text, str) else _coming(text, playback, cancel)
        for piece in split_sentences(coming, self._synthesizer.max_chars):
            yield from utterance.speak(piece, catch_up=not whole)
        yield from utterance.end(self._pause_at_end)

    def speak(
        self,
        text: str | Iterable[str],
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[Samples, None, None]:
        """Yield the samples of `blocks`, computed ahead on a thread of its own.

        Closing the generator cancels what is left. One that is cancelled ends as if there were no
        more blocks, even while somebody waits for the next one.
        """
        playback, cancel = playback or Playback(), cancel or Cancel()
        blocks = self.blocks(text, voice, sampling, playback, cancel)
        samples_per_s = self.sample_rate * playback.pace
        ahead = Ahead(
            blocks,
            lambda block: len(block.samples) / samples_per_s,
            self._lead_s,
            playback,
            cancel,
        )
        with closing(ahead):
            for block in ahead:
                if len(block.samples):
                    yield block.samples

    def close(self) -> None:
        """Stop what runs for the engine; it can't speak after that. May be called again.

        A stream that still runs may fail with SynthesisFailed: end the streams first.
        """
        self._closed = True
        self._synthesizer.close()


class _Utterance:
    """One text's speech so far: its sentences, and the pauses between them."""

    def __init__(
        self,
        sample_rate: int,
        synthesize: Callable[[Sentence], Generator[Block, None, None]],
        playback: Playback,
    ) -> None:
        self._sample_rate = sample_rate
        self._synthesize = synthesize
        self._playback = playback
        self._joiner = Joiner(sample_rate)
        self._num_samples = 0
        self._said = ""  # the last piece that was spoken
        self._break = Break.NONE  # what came after it, so far
        self._heard = False  # whether there was any sound
        self._refused = NothingToSay()

    def speak(self, piece: Piece, *, catch_up: bool) -> Iterator[Block]:
        """Yield a piece, after the pause before it.

        Args:
            catch_up: A listener who ran dry has had that part of the pause.
        """
        self._break = max(self._break, piece.before)
        if not piece.sentence.text:
            return
        with closing(self._synthesize(piece.sentence)) as blocks:
            try:
                first = next(blocks, None)
            except NothingToSay as refused:
                self._refused = refused
                return
            if first is None:
                return
            # Only now: what can't be read has no pause. But before it is computed: meanwhile,
            # the pause can be listened to.
            pause_s = self._pause_s() - (self._waited_s() if catch_up else 0.0)
            yield from self._block(self._joiner.pause(max(0.0, pause_s)))
            start_s = self._num_samples / self._sample_rate
            self._said, self._break = piece.sentence.text, Break.NONE
            for block in chain([first], blocks):
                sound = self._joiner.push(block.samples)
                self._heard = self._heard or len(sound) > 0
                yield from self._block(sound, _later(block.words, start_s))

    def end(self, pause: bool) -> Iterator[Block]:
        """Yield what is left of the last piece, with a pause after it or without.

        Raises:
            NothingToSay: No piece could be spoken.
        """
        if not self._heard:
            raise self._refused
        yield from self._block(
            self._joiner.pause(self._pause_s()) if pause else self._joiner.flush()
        )

    def _block(self, samples: Samples, words: tuple[TimedWord, ...] = ()) -> Iterator[Block]:
        if len(samples) or words:
            self._num_samples += len(samples)
            self._playback.takes(len(samples) / self._sample_rate)
            yield Block(samples, words)

    def _pause_s(self) -> float:
        return pause_s(self._said, self._break) if self._said else 0.0

    def _waited_s(self) -> float:
        """How much speech would have been heard since there was none."""
        return max(0.0, -(self._playback.left_s() or 0.0)) * self._playback.pace


def _coming(text: Iterable[str], playback: Playback, cancel: Cancel) -> Iterator[str]:
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


def _later(words: Iterable[TimedWord], by_s: float) -> tuple[TimedWord, ...]:
    return tuple(TimedWord(word.word, word.start_s + by_s, word.stop_s + by_s) for word in words)
