"""The seam between text and sound: one sentence and a voice in, blocks of samples out.

Knows nothing about how the sentence was found or where the samples go.
"""

from collections.abc import Generator
from typing import Protocol

from mira.types import Samples, Voice


class Synthesizer(Protocol):
    """Speaks one sentence at a time; safe to use from several threads at once."""

    @property
    def sample_rate(self) -> int:
        """Of every block it yields, in Hz."""

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Who it can speak as; the first one is its own choice."""

    def synthesize(self, sentence: str, voice: Voice) -> Generator[Samples, None, None]:
        """Yield the sentence's samples, the first block as early as it can be had.

        Args:
            sentence: Plain words, as `mira.text.speakable` makes them; not empty.
            voice: One of `voices`.

        Closing the generator cancels the rest. The pause that belongs after the sentence is
        part of its samples.

        Raises:
            SynthesisFailed: The sentence can't be spoken.
        """
