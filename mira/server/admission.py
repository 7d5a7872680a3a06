"""How many streams may speak at once.

Knows nothing about what they say. Used on the event loop only, so it needs no lock.
"""

from asyncio import Event
from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CapacityLimiter

from mira.errors import Overloaded


class Admission:
    """Counts streams and refuses those over the limit: better a fast 429 than 65 slow calls."""

    def __init__(self, max_streams: int) -> None:
        self.active = 0
        self._idle = Event()
        self._idle.set()
        self.max_streams = max_streams
        # One thread a stream: a stream that waits for its next block must not hold up another's.
        self.limiter = CapacityLimiter(max_streams)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Hold one place.

        Raises:
            Overloaded: All places are taken.
        """
        if self.active >= self.max_streams:
            raise Overloaded(f"All {self.max_streams} streams are speaking. Try again in a second.")
        self.active += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.active -= 1
            if not self.active:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until no stream holds a place."""
        await self._idle.wait()
