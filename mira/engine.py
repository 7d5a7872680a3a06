"""The main path: text and a voice in, a stream of samples out.

Knows neither which model speaks nor who listens.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import closing

from mira.ahead import ahead
from mira.errors import NothingToSay
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

    @property
    def sample_rate(self) -> int:
        """Of everything it speaks, in Hz."""
        return self._synthesizer.sample_rate

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Who can speak without being cloned first; the first one is the engine's own choice."""
        return self._synthesizer.voices

    @property
    def incidents(self) -> Counter[str]:
        """What went wrong and was dealt with since the start, by kind."""
        return self._synthesizer.incidents

    def clone(self, name: str, samples: Samples, sample_rate: int) -> Voice:
        """Make a voice of a few seconds of somebody speaking; see `Synthesizer.clone`.

        Raises:
            InvalidRequest: The recording can't be used, or this engine can't clone.
        """
        return self._synthesizer.clone(name, samples, sample_rate)

    def speak(
        self, text: str, voice: Voice, sampling: Sampling = Sampling()
    ) -> Generator[Samples, None, None]:
        """Yield `text` as blocks of samples at `sample_rate`, the first as early as possible.

        Closing the generator cancels what is left and frees what it held.

        Args:
            text: Any length; Markdown, emoji, numbers and abbreviations are fine.
            voice: One of `voices`, or a clone.
            sampling: For a model that draws what it says; with a seed it says the same again.

        Raises:
            NothingToSay: Before the first block: nothing in `text` can be spoken.
            VoiceNotFound: Before the first block: the engine can't speak as `voice`.
            SynthesisFailed: At any block.
        """
        blocks = ahead(
            self._sentences(text, voice, sampling), self.sample_rate, self._lead_s, self._turns
        )
        with closing(blocks):
            first = next(blocks, None)
            if first is None:
                raise NothingToSay
            yield first
            yield from blocks

    def _sentences(
        self, text: str, voice: Voice, sampling: Sampling
    ) -> Generator[Samples, None, None]:
        for sentence in split_sentences(text, self._synthesizer.max_chars):
            if words := speakable(sentence):
                with closing(self._synthesizer.synthesize(words, voice, sampling)) as blocks:
                    yield from blocks
