"""A recorded voice in, the voice that a model speaks in out: from memory, disk, or the model.

Knows nothing about files of recordings, nor about how a model makes a voice of one.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from mira.types import Samples, Voice
from mira.voices.cache import Cache, Tokens
from mira.voices.known import Recorded

IN_MEMORY = 1024  # voices, of some 10 kB each


class Cloner(Protocol):
    """Makes voices of recordings: an engine."""

    @property
    def fingerprint(self) -> str:
        """Name of what a clone depends on beside the recording; "" if it can't clone."""

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """See `mira.synthesizer.Synthesizer`."""


class Clones:
    """Safe to use from several threads at once. The voice that spoke longest ago leaves the memory
    first; who only looks there needs no lock.

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
        self._recent: OrderedDict[str, Tokens] = OrderedDict()  # by content

    def at_hand(self, voice: Recorded) -> bool:
        """Whether nothing has to be computed."""
        return voice.content in self._cache.prepared or voice.content in self._recent

    def remembered(self, voice: Recorded) -> Voice | None:
        """The voice, if it is in memory."""
        try:
            self._recent.move_to_end(voice.content)
            return _spoken(voice, self._recent[voice.content])
        except KeyError:  # never here, or just taken out
            return None

    def recall(self, voice: Recorded) -> Voice | None:
        """The voice, if it is in memory or on disk. Waits for nobody who computes."""
        if known := self.remembered(voice):
            return known
        tokens = self._cache.tokens(voice.content)
        if tokens is None:
            return None
        with self._changing:
            self._remember(voice.content, tokens)
        return _spoken(voice, tokens)

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
                if self._remember(voice.content, tokens):
                    self._cache.keep_tokens(voice.content, tokens)
        return _spoken(voice, tokens)

    def forget(self, content: str) -> None:
        """Drop all that was computed of a recording. Under the lock."""
        self._recent.pop(content, None)
        self._cache.forget(content)

    def clear(self) -> int:
        """Drop everything; for how many recordings there was something. Under the lock."""
        self._recent.clear()
        return self._cache.clear()

    def _remember(self, content: str, tokens: Tokens) -> bool:
        """Under the lock; False if no voice has this recording any more."""
        if not self._uses(content):
            return False
        self._recent[content] = tokens
        self._recent.move_to_end(content)
        while len(self._recent) > IN_MEMORY:
            self._recent.popitem(last=False)
        return True


def _spoken(voice: Recorded, tokens: Tokens) -> Voice:
    return Voice(voice.name, tokens.global_tokens, tokens.speech_tokens, voice.transcript)
