"""The main path: text and a voice in, a stream of samples out.

Knows neither which model speaks nor who listens.
"""

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing

from mira.ahead import Interrupt, ahead
from mira.errors import NothingToSay, SynthesisFailed
from mira.listening import Listener
from mira.synth.base import Synthesizer
from mira.text import speakable, split_sentences
from mira.turns import Turns
from mira.types import Samples, Sampling, Voice


class Engine:
    """Speaks text sentence by sentence. Safe to use from several threads at once."""

    def __init__(self, synthesizer: Synthesizer, lead_s: float = 2.0) -> None:
        """
        Args:
            synthesizer: Speaks one sentence.
            lead_s: How much audio may be computed before anybody takes it, in seconds.
        """
        self._synthesizer = synthesizer
        self._lead_s = lead_s
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
        text: str,
        voice: Voice,
        sampling: Sampling = Sampling(),
        interrupt: Interrupt | None = None,
        live: bool = True,
    ) -> Generator[Samples, None, None]:
        """Yield `text` as blocks of samples at `sample_rate`, the first as early as possible.

        Closing the generator cancels what is left and frees what it held.

        Args:
            text: Any length; Markdown, emoji, numbers and abbreviations are fine.
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
        sentences = self._sentences(text, voice, sampling, listener)
        blocks = ahead(sentences, self.sample_rate, self._lead_s, self._turns, interrupt, listener)
        with closing(blocks):
            first = next(blocks, None)
            if first is None and not interrupt.called:
                raise NothingToSay
            if first is None:
                return
            yield first
            yield from blocks

    def close(self) -> None:
        """Stop what runs for the engine; it can't speak after that. May be called again.

        A stream that still runs may fail with SynthesisFailed: end the streams first.
        """
        self._closed = True
        self._synthesizer.close()

    def _sentences(
        self, text: str, voice: Voice, sampling: Sampling, listener: Listener
    ) -> Generator[Samples, None, None]:
        for sentence in split_sentences(text, self._synthesizer.max_chars):
            for words in self._within_reach(speakable(sentence)):
                if self._closed:
                    raise SynthesisFailed("The engine is closed.")
                spoken = self._synthesizer.synthesize(words, voice, sampling, listener)
                with closing(spoken) as blocks:
                    yield from blocks

    def _within_reach(self, words: str) -> Iterator[str]:
        """Cut again what grew too long when its numbers and addresses were written out."""
        if len(words) <= self._synthesizer.max_chars:
            return iter([words] if words else [])
        return split_sentences(words, self._synthesizer.max_chars, first_max_words=len(words))
