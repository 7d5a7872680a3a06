"""When somebody's audio runs out, and so whose is computed first.

Leaf: everything that has to choose between streams asks the same question here. A processor that
is shared evenly between thirty new calls gives each its first word at the same late moment, and
its second too late. In this order most start at once and none stops.
"""

import threading
import time
from collections.abc import Callable

URGENT_S = 0.3
"""A listener with less than this left to play goes before a new one; with more, after."""


class Listener:
    """Whoever hears a stream, as if they played it from its first block on.

    One that only downloads seems to be far from running dry, and makes way for those that aren't.

    Args:
        live: False for what is written to a file: it has time, and makes way for everybody.
        now: The clock, in seconds.
    """

    def __init__(self, live: bool = True, now: Callable[[], float] = time.perf_counter) -> None:
        self.live = live
        self.now = now
        self.gone = False
        self.waits_for_text = False
        """Nothing can be computed for it, however urgent it is."""
        self.wants: Callable[[int], bool] = bool
        """Whether it is worth waking whoever renders for so many more tokens."""
        self._wake: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self.began_at = now()
        self.runs_dry_at: float | None = None
        """When all there is will have been played; None before there is any."""

    def takes(self, audio_s: float) -> None:
        """Credit `audio_s` seconds of ready audio."""
        # A listener that has run dry waited, and goes on from here; it is no more urgent for that.
        now = self.now()
        self.runs_dry_at = max(self.runs_dry_at or now, now) + audio_s

    def leaves(self) -> None:
        """Nobody listens any more: whoever waits on their behalf can stop, see `on_leave`."""
        with self._lock:
            self.gone, wake = True, self._wake
        wake()

    def on_leave(self, wake: Callable[[], None]) -> None:
        """Say what wakes the one that waits on their behalf; at once if they have left."""
        with self._lock:
            self._wake = wake
        if self.gone:
            wake()

    @property
    def silent(self) -> bool:
        """Whether somebody waits for audio: there was none yet, or it has run out."""
        left_s = self.left_s()
        return self.live and not self.waits_for_text and (left_s is None or left_s < 0)

    def left_s(self) -> float | None:
        """Seconds of audio still to play, negative if it has been silent since; None: none yet."""
        return None if self.runs_dry_at is None else self.runs_dry_at - self.now()


def rank(listener: Listener) -> tuple[int, float]:
    """Sorts by urgency: who is about to run dry, then who has nothing yet, then the others."""
    left = listener.left_s()
    if not listener.live:
        return 3, listener.began_at
    if left is None:
        return 1, listener.began_at
    return 0 if left < URGENT_S else 2, left
