"""A service that is told to stop in, open sockets that are told so out.

Answers to requests end by themselves; a socket may be open for hours. Knows nothing about either.
Used on the event loop only.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mira.errors import NotReady

REASON = "The service is stopping."


class Stopping:
    """Whether it stops, and until when what is being said may go on."""

    def __init__(self) -> None:
        self._ends_at: float | None = None
        self._waiting: set[Callable[[], object]] = set()

    @property
    def under_way(self) -> bool:
        """Whether nothing new is begun any more."""
        return self._ends_at is not None

    @property
    def left_s(self) -> float:
        """Seconds that what is being said has left; none before `begin`."""
        return 0.0 if self._ends_at is None else max(0.0, self._ends_at - time.monotonic())

    def begin(self, within_s: float) -> None:
        """Begin to stop, and tell everybody who waits for that."""
        self._ends_at = time.monotonic() + within_s
        for tell in tuple(self._waiting):
            tell()

    @contextmanager
    def telling(self, tell: Callable[[], object]) -> Iterator[None]:
        """Call this when it begins, as long as the block lasts."""
        self._waiting.add(tell)
        try:
            yield
        finally:
            self._waiting.discard(tell)

    def check(self) -> None:
        """Raise NotReady once nothing new is begun."""
        if self.under_way:
            raise NotReady(f"{REASON} Open another connection.")
