"""The main path: text and a voice in, a stream of samples out.

Knows neither which model speaks nor who listens.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain

from mira.errors import NothingToSay, SynthesisFailed
from mira.stream.ahead import Interrupt, ahead
from mira.stream.joining import Joiner
from mira.stream.listening import Listener
from mira.stream.turns import Turns
from mira.synthesizer import Synthesizer
from mira.text import Break, Piece, pause_s, speakable, split_sentences
from mira.text.weight import max_words
from mira.types import Samples, Sampling, Voice


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
        self._turns = Turns(synthesizer.at_once)
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

    def speak(
        self,
        text: str | Iterable[str],
        voice: Voice,
        sampling: Sampling = Sampling(),
        interrupt: Interrupt | None = None,
        live: bool = True,
    ) -> Generator[Samples, None, None]:
        """Yield `text` as blocks of samples at `sample_rate`, the first as early as possible.

        Closing the generator cancels what is left and frees what it held.

        Args:
            text: Any length; Markdown, emoji, numbers and abbreviations are fine. Or parts of it
                that may come slowly, cut anywhere: each sentence is spoken once it is certain.
                They are asked for on another thread, which then holds nothing. It sounds the same
                however it was cut, unless a live listener ran dry: they have had their pause, or
                a part of it, while they waited.
            voice: One of `voices`, or a clone.
            sampling: For a model that draws what it says; with a seed it says the same again.
            interrupt: Called from any thread, it ends the stream as closing would, even while
                somebody waits for the next block.
            live: Somebody listens while it is computed. False: it may come in larger blocks, and
                makes way for what is live.

        Raises:
            NothingToSay: Before the first block: nothing in `text` can be spoken.
            VoiceNotFound: Before the first block: the engine can't speak as `voice`.
            SynthesisFailed: At any block; after `close`, before the first.
        """
        interrupt, listener = interrupt or Interrupt(), Listener(live)

        def synthesize(words: str) -> Generator[Samples, None, None]:
            if self._closed:
                raise SynthesisFailed("The engine is closed.")
            return self._synthesizer.synthesize(words, voice, sampling, listener)

        def waited_s() -> float:
            # Whole text is the same each time, however slowly it is computed.
            dry = live and not isinstance(text, str)
            return max(0.0, -(listener.left_s() or 0.0)) if dry else 0.0

        speech = _Speech(Joiner(self.sample_rate), synthesize, waited_s, self._pause_at_end)
        parts = speech.parts(self._pieces(text))
        return ahead(parts, self.sample_rate, self._lead_s, self._turns, interrupt, listener)

    def close(self) -> None:
        """Stop what runs for the engine; it can't speak after that. May be called again.

        A stream that still runs may fail with SynthesisFailed: end the streams first.
        """
        self._closed = True
        self._synthesizer.close()

    def _pieces(self, text: str | Iterable[str]) -> Iterator[Piece]:
        """Cut into what can be spoken at once, in words."""
        for piece in split_sentences(text, self._synthesizer.max_chars):
            words = speakable(piece.text)
            if not words or self._fits(words):
                yield Piece(words, piece.before)
                continue
            # It grew too long when its numbers and addresses were written out.
            parts = split_sentences(words, self._synthesizer.max_chars, first_max_words=len(words))
            for number, part in enumerate(parts):
                yield part if number else Piece(part.text, piece.before)

    def _fits(self, words: str) -> bool:
        most = self._synthesizer.max_chars
        return len(words) <= most and len(words.split()) <= max_words(most)


class _Speech:
    """One text's pieces, and the pauses between them."""

    def __init__(
        self,
        joiner: Joiner,
        synthesize: Callable[[str], Generator[Samples, None, None]],
        waited_s: Callable[[], float],
        pause_at_end: bool,
    ) -> None:
        self._joiner = joiner
        self._synthesize = synthesize
        self._waited_s = waited_s
        self._pause_at_end = pause_at_end
        self._said = ""  # the last piece that was spoken
        self._break = Break.NONE  # what came after it, so far
        self._heard = False  # whether there was any sound
        self._refused = NothingToSay()

    def parts(self, pieces: Iterator[Piece]) -> Iterator[Generator[Samples, None, None]]:
        """Yield each piece as a generator of its blocks, begun by nobody yet.

        Raises:
            NothingToSay: At the end: no piece could be spoken.
        """
        for piece in pieces:
            self._break = max(self._break, piece.before)
            if piece.text:
                yield self._spoken(piece.text)
        if not self._heard:
            raise self._refused
        yield self._end()

    def _spoken(self, words: str) -> Generator[Samples, None, None]:
        pause_s = self._pause_s()
        with closing(self._synthesize(words)) as blocks:
            try:
                first = next(blocks, None)
            except NothingToSay as refused:
                self._refused = refused
                return
            if first is None:
                return
            # Only now: what can't be read has no pause. But before it is computed: meanwhile,
            # the pause can be listened to.
            yield self._joiner.pause(max(0.0, pause_s - self._waited_s()))
            self._said, self._break = words, Break.NONE
            for sound in map(self._joiner.push, chain([first], blocks)):
                self._heard = self._heard or len(sound) > 0
                yield sound

    def _end(self) -> Generator[Samples, None, None]:
        yield self._joiner.pause(self._pause_s()) if self._pause_at_end else self._joiner.flush()

    def _pause_s(self) -> float:
        return pause_s(self._said, self._break) if self._said else 0.0
