"""When somebody's audio runs out, and so whose is computed first.

Everything that has to choose between streams asks the same question here. A processor that is
shared evenly between thirty new calls gives each its first word at the same late moment, and its
second too late. In this order most start at once and none stops.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mira.stream.clock import Player

URGENT_S = 0.3
"""A listener with less than this left to play goes before one that begins; with more, after."""


class Playback:
    """Whoever hears a stream, as if they played it from its first block on.

    One that only downloads seems to be far from running dry, and makes way for those that aren't.

    Args:
        live: False for what is written to a file: it has time, and makes way for everybody.
        pace: How many times faster than it was spoken the speech is played.
        now: The clock, in seconds.
        words: Whether anybody wants to know when each word is heard; a voice that has to listen
            to itself for that does so only then.
        keep: Whether what is said is to be kept, because it will be said again.
    """

    def __init__(
        self,
        live: bool = True,
        pace: float = 1.0,
        now: Callable[[], float] = time.perf_counter,
        words: bool = True,
        keep: bool = False,
    ) -> None:
        self.live = live
        self.pace = pace
        self.words = words
        self.keep = keep
        self.now = now
        self.wants: Callable[[int], bool] = bool
        """Whether it is worth waking whoever renders for so many more tokens."""
        self._text_waits: tuple[float, float | None] = 0.0, None  # in all before; since when
        self.began_at = now()
        """When it last began to wait for audio with nothing to play: it, or its text, was new."""
        self.begins = True
        """Whether none came since."""
        self.read_chars = 0
        """Number of characters of the text that are being spoken, or have been."""
        self.player = Player()

    def takes(self, audio_s: float) -> None:
        """Credit `audio_s` seconds of speech; played at `pace`, it lasts shorter or longer."""
        self.player.takes(audio_s / self.pace, self.now())
        self.begins = False

    @contextmanager
    def waiting_for_text(self) -> Iterator[None]:
        """Say that whatever happens inside is a wait for text. Who runs dry in it begins anew."""
        ran_dry = (self.left_s() or 0.0) < 0
        self._text_waits = self.waited_for_text_s, self.now()
        try:
            yield
        finally:
            self._text_waits = self.waited_for_text_s, None
            if self.begins or (not ran_dry and (self.left_s() or 0.0) < 0):
                self.begins, self.began_at = True, self.now()

    @property
    def waits_for_text(self) -> bool:
        """Whether nothing can be computed for it, however urgent it is."""
        return self._text_waits[1] is not None

    @property
    def waited_for_text_s(self) -> float:
        """Seconds in which it was text that was missing, so far."""
        waited_s, since = self._text_waits
        return waited_s if since is None else waited_s + self.now() - since

    @property
    def silent(self) -> bool:
        """Whether somebody waits for audio: there was none yet, or it has run out."""
        left_s = self.left_s()
        return self.live and not self.waits_for_text and (left_s is None or left_s < 0)

    def left_s(self) -> float | None:
        """Return the seconds still to play, negative if it has run dry; None before any audio."""
        return self.player.left_s(self.now())


def rank(playback: Playback) -> tuple[int, float]:
    """Return what sorts by urgency: who is about to run dry, who has nothing yet, the others."""
    if not playback.live:
        return 3, playback.began_at
    if playback.begins:
        return 1, playback.began_at
    left = playback.left_s() or 0.0
    return 0 if left < URGENT_S else 2, left
