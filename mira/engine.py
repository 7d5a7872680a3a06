"""The main path: text and a voice in, a stream of samples out.

Knows neither which model speaks nor who listens.
"""

from collections.abc import Generator
from contextlib import closing

from mira.ahead import ahead
from mira.errors import NothingToSay, VoiceNotFound
from mira.synth.base import Synthesizer
from mira.text import speakable, split_sentences
from mira.types import Samples, Voice


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

    @property
    def sample_rate(self) -> int:
        """Of everything it speaks, in Hz."""
        return self._synthesizer.sample_rate

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Who can speak."""
        return self._synthesizer.voices

    def speak(self, text: str, voice: Voice) -> Generator[Samples, None, None]:
        """Yield `text` as blocks of samples at `sample_rate`, the first as early as possible.

        Closing the generator cancels what is left and frees what it held.

        Args:
            text: Any length; Markdown, emoji, numbers and abbreviations are fine.
            voice: One of `voices`.

        Raises:
            NothingToSay: Before the first block: nothing in `text` can be spoken.
            VoiceNotFound: Before the first block: `voice` is not one of `voices`.
            SynthesisFailed: At any block.
        """
        if voice not in self.voices:
            raise VoiceNotFound(f"This engine has no voice named {voice.name!r}.")
        blocks = ahead(self._sentences(text, voice), self.sample_rate, self._lead_s)
        with closing(blocks):
            first = next(blocks, None)
            if first is None:
                raise NothingToSay
            yield first
            yield from blocks

    def _sentences(self, text: str, voice: Voice) -> Generator[Samples, None, None]:
        for sentence in split_sentences(text):
            if words := speakable(sentence):
                with closing(self._synthesizer.synthesize(words, voice)) as blocks:
                    yield from blocks
