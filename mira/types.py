"""The plain values that every stage passes on.

Knows nothing about any stage.
"""

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mira.errors import InvalidRequest

Samples = npt.NDArray[np.float32]
"""[num_samples] mono, nominally in [-1, 1]; the sample rate is its producer's."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, stop) of the input text, counted over all of it."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word, and what it stands for: "$100" is three words with the same source."""

    text: str
    source: Span
    phonemes: str = ""
    """How it sounds, in IPA, where that is known; a voice that reads letters goes by its text."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a synthesizer is given to say, in plain words."""

    text: str
    words: tuple[Word, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Sentence":
        """Make a sentence in which each word stands for itself."""
        words = (Word(word[0], Span(*word.span())) for word in re.finditer(r"\S+", text))
        return cls(text, tuple(words))


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word and when it is heard, in seconds."""

    word: Word
    start_s: float
    stop_s: float
    index: int
    """Number of words before it, of the sentence or of the stream; never two with the same."""
    estimated: bool = False
    """Whether it was reckoned, not measured."""

    def later(self, by_s: float, by_words: int = 0) -> "TimedWord":
        """Return it as a part of something longer, after so many seconds and words."""
        start_s, stop_s = self.start_s + by_s, self.stop_s + by_s
        return TimedWord(self.word, start_s, stop_s, self.index + by_words, self.estimated)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A piece of speech, and what is new of its words.

    Each word comes with the block that it begins in, or before, if anybody wants to know (see
    `Playback.words`). One that comes again, with the same index, is corrected. One that nobody
    can read, such as a dash or a word in a script that the voice doesn't know, never comes. From
    a synthesizer times and indices count from the sentence's beginning, from the engine from that
    of the stream.
    """

    samples: Samples
    words: tuple[TimedWord, ...] = ()
    flushed: bool = False
    """Whether all of the text up to a flush has been spoken with it."""


MAX_TRANSCRIPT_CHARS = 1500
"""Longest transcript of a recording: a minute of the fastest speech."""


def check_transcript(transcript: str) -> None:
    """Raise InvalidRequest for a transcript that is too long: every sentence would read it."""
    if len(transcript) > MAX_TRANSCRIPT_CHARS:
        raise InvalidRequest(
            f"The transcript has {len(transcript)} characters, more than the limit of "
            f"{MAX_TRANSCRIPT_CHARS}. Use a shorter recording.",
            "transcript",
            "string_above_max_length",
        )


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks. A value: found by name once, at the rim, then passed along."""

    name: str
    global_tokens: tuple[int, ...] = ()
    """[32], each in [0, 4096): how a cloned voice sounds. Empty for an engine's own voice."""
    speech_tokens: tuple[int, ...] = field(default=(), repr=False)
    """[frames], each in [0, 8192): how the recording was spoken. Empty if not computed."""
    transcript: str = ""
    """Words of the recording. A model continues them and `speech_tokens` together, or neither."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a language model picks its next token; the defaults are MiraTTS' own.

    Source: mira/model.py of the published MiraTTS.
    """

    temperature: float = 0.8  # 0 picks the likeliest
    top_k: int = 50  # 0 keeps all
    top_p: float = 0.95
    min_p: float = 0.05
    repetition_penalty: float = 1.2
    max_new_tokens: int = 1024  # 20.48 s of speech
    seed: int | None = None  # None: another one each time

    def __post_init__(self) -> None:
        """Raise ValueError for values that no sampler can use."""
        if not (
            self.temperature >= 0
            and self.top_k >= 0
            and 0 < self.top_p <= 1
            and 0 <= self.min_p <= 1
            and self.repetition_penalty > 0
            and self.max_new_tokens > 0
        ):
            raise ValueError(f"out of range: {self}")
