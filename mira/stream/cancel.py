"""One token that ends one stream, whatever it is doing and whoever wants it ended.

Leaf: the socket, the engine and the model all look at the same token.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Cancelled(Exception):
    """Nobody wants the rest of a stream. No failure: it ends the stream's generators."""


class Cancel:
    """A stream's token. Safe to call and to look at from any thread."""

    def __init__(self) -> None:
        self.cancelled = False
        self._wakes: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """End the stream, or let it never begin; calling it again does nothing."""
        with self._lock:
            self.cancelled = True
            wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()

    def check(self) -> None:
        """Raise Cancelled if the stream was cancelled."""
        if self.cancelled:
            raise Cancelled

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Have `wake` called when the stream is cancelled; at once if it was before.

        Args:
            wake: Runs on the thread that cancels, so it must not wait. It may still be running
                when the block has been left.
        """
        with self._lock:
            cancelled = self.cancelled
            if not cancelled:
                self._wakes.append(wake)
        if cancelled:
            wake()
        try:
            yield
        finally:
            with self._lock, suppress(ValueError):  # it was called
                self._wakes.remove(wake)
