"""The seam between text and sound: one sentence and a voice in, blocks of samples out.

Knows nothing about how the sentence was found or where the samples go.
"""

from collections import Counter
from collections.abc import Generator
from typing import Protocol

from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Block, Samples, Sampling, Sentence, Voice


class Synthesizer(Protocol):
    """Speaks one sentence at a time; safe to use from several threads at once."""

    @property
    def sample_rate(self) -> int:
        """Sample rate of every block, in Hz."""

    @property
    def max_chars(self) -> int:
        """Length of the longest sentence that it speaks well."""

    @property
    def at_once(self) -> int:
        """Number of its generators that compute at the same time; the others wait for a turn."""

    @property
    def max_streams(self) -> int:
        """Number of listeners it can speak to at once, however fast it is."""

    @property
    def ready(self) -> bool:
        """Whether it can speak now: a model that broke is being restarted."""

    @property
    def failure(self) -> str:
        """Why only a new process can speak again; empty as long as this one may."""

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Voices it can speak in without being shown a recording."""

    @property
    def reads_phonemes(self) -> bool:
        """Whether it speaks a word's `phonemes` where there are any, or goes by its letters."""

    @property
    def incidents(self) -> Counter[str]:
        """Counts of what went wrong and was dealt with since the start, by kind; they only grow."""

    @property
    def fingerprint(self) -> str:
        """Name of all that a clone depends on beside its recording, in hexadecimal digits: where
        it is the same, so is the clone. Empty if it can't clone."""

    def measure(self, most: int) -> int:
        """Return how many listeners to begin with, from 1 to `most`; it is corrected later on.

        May take seconds, and is called before anything else. It may pace itself by what it finds.
        """

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """Make a voice of a recording of somebody speaking.

        Args:
            name: Of the voice.
            samples: [num_samples] mono, in [-1, 1]; a few seconds.
            sample_rate: Of `samples`, in Hz.
            transcript: What is said in it, word for word; "" if that is not known.

        Raises:
            InvalidRequest: The recording can't be used, or this synthesizer can't clone.
        """

    def synthesize(
        self,
        sentence: Sentence,
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[Block, None, None]:
        """Yield the sentence, the first block as early as it can be had.

        An empty block before the first says that the sentence can be read: the pause before it is
        heard meanwhile. Silence after the sentence is the engine's to cut and to add.

        Args:
            sentence: Plain words, as `mira.text` makes them; not empty.
            voice: One of `voices`, or a clone.
            sampling: For a model that draws what it says; with a seed it says the same again.
            playback: Who hears it, for those that have to choose between streams.
            cancel: Ends it, wherever it waits; closing the generator does so between two blocks.

        Raises:
            NothingToSay: Before the first block, an empty one too: it can't read any of these
                words; the message says why, and what it can read.
            VoiceNotFound: This synthesizer can't speak as `voice`.
            SynthesisFailed: The sentence can't be spoken.
            Cancelled: Nobody wants the rest.
        """

    def close(self) -> None:
        """Stop what runs for it. May be called again."""
