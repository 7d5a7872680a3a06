"""A recorded voice in, the voice that a model speaks in out: from memory, disk, or the model.

Knows nothing about files of recordings, nor about how a model makes a voice of one.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from mira.types import Samples, Voice
from mira.voices.cache import Cache, Tokens
from mira.voices.recent import Recent
from mira.voices.recorded import Recorded, voice_of


class Cloner(Protocol):
    """Makes voices of recordings: an engine."""

    @property
    def fingerprint(self) -> str:
        """Names what a clone depends on beside the recording; "" if it can't clone."""

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """See `mira.synthesizer.Synthesizer`."""


class Clones:
    """Safe to use from several threads at once.

    Args:
        cache: On disk.
        changing: Lock, held while what is known of voices changes.
        uses: Whether a voice has the recording that this names, under that lock: what was made of
            another one, which was removed meanwhile, is not kept.
    """

    def __init__(self, cache: Cache, changing: threading.Lock, uses: Callable[[str], bool]) -> None:
        self._cache = cache
        self._changing = changing
        self._uses = uses
        self._cloning = threading.Lock()  # one at a time: the processors are there for calls
        self._recent = Recent()

    def at_hand(self, voice: Recorded) -> bool:
        """Whether nothing has to be computed."""
        return voice.content in self._cache.prepared or voice.content in self._recent

    def remembered(self, voice: Recorded) -> Voice | None:
        """The voice, if it is in memory."""
        tokens = self._recent.get(voice.content)
        return None if tokens is None else voice_of(voice, tokens)

    def recall(self, voice: Recorded) -> Voice | None:
        """The voice, if it is in memory or on disk. Waits for nobody who computes."""
        if known := self.remembered(voice):
            return known
        tokens = self._cache.tokens(voice.content)
        if tokens is None:
            return None
        with self._changing:
            if self._uses(voice.content):
                self._recent.put(voice.content, tokens)
        return voice_of(voice, tokens)

    def make(
        self, voice: Recorded, cloner: Cloner, hear: Callable[[], tuple[Samples, int]]
    ) -> Voice:
        """Compute the voice, unless somebody else did while this waited for its turn.

        Args:
            hear: Called for the recording's samples and their rate in Hz.

        Raises:
            InvalidRequest: The recording turns out unusable.
        """
        with self._cloning:
            if known := self.recall(voice):
                return known
            made = cloner.clone(voice.name, *hear(), voice.transcript)
            tokens = Tokens(global_tokens=made.global_tokens, speech_tokens=made.speech_tokens)
            with self._changing:  # not beside a removal, which would leave it behind
                if self._uses(voice.content):
                    self._recent.put(voice.content, tokens)
                    self._cache.keep_tokens(voice.content, tokens)
        return voice_of(voice, tokens)

    def forget(self, content: str) -> None:
        """Drop all that was computed of a recording. Under the lock."""
        self._recent.drop(content)
        self._cache.forget(content)

    def clear(self) -> int:
        """Drop everything; for how many recordings there was something. Under the lock."""
        self._recent.clear()
        return self._cache.clear()
