"""Streams that want to compute in, one after another out: whoever's listener runs dry first.

Knows nothing about what is computed.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mira.stream.cancel import Cancel
from mira.stream.playback import Playback, rank


class Turns:
    """Lets some compute at once, and the others wait. Safe to use from several threads at once.

    Args:
        at_once: How many.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[Playback, threading.Event]] = []
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, playback: Playback, cancel: Cancel) -> Iterator[None]:
        """Wait for a turn, and give it back when the block ends.

        Raises:
            Cancelled: In place of a turn.
        """
        waiter = playback, threading.Event()
        with self._lock:
            self._waiting.append(waiter)
            self._call_next()
        try:
            with cancel.waking(waiter[1].set):
                waiter[1].wait()
            cancel.check()
            yield
        finally:
            with self._lock:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                else:
                    self._free += 1
                self._call_next()

    def _call_next(self) -> None:
        if self._free and self._waiting:
            waiter = min(self._waiting, key=lambda waiting: rank(waiting[0]))
            self._waiting.remove(waiter)
            self._free -= 1
            waiter[1].set()
