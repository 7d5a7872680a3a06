"""How many streams may speak at once, and how long one more waits for a place.

Knows nothing about what they say. Used on the event loop only, so it needs no lock.
"""

from asyncio import Event
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, WouldBlock, move_on_after

from mira.errors import Overloaded


class Admission:
    """Counts streams and refuses those over the limit: better a fast 429 than 65 slow calls.

    Args:
        max_streams: That speak at once; as many more may wait.
        queue_s: How long one waits for a place before it is refused.
    """

    def __init__(self, max_streams: int, queue_s: float = 0.0) -> None:
        self._queue_s = queue_s
        self._places = CapacityLimiter(max_streams)
        self._idle = Event()
        self._idle.set()
        # One thread a stream: a stream that waits for its next block must not hold up another's.
        self.limiter = CapacityLimiter(max_streams)

    @property
    def active(self) -> int:
        """Streams that speak."""
        return self._places.borrowed_tokens

    @property
    def max_streams(self) -> int:
        """That may speak at once."""
        return int(self._places.total_tokens)

    @max_streams.setter
    def max_streams(self, count: int) -> None:
        self._places.total_tokens = self.limiter.total_tokens = count

    @property
    def free(self) -> int:
        """Streams that could begin now."""
        return max(0, self.max_streams - self.active)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        """Hold one place.

        Raises:
            Overloaded: All places were taken for as long as one waits.
        """
        full = f"All {self.max_streams} streams are speaking. Try again in a second."
        place = object()
        try:
            self._places.acquire_on_behalf_of_nowait(place)
        except WouldBlock:
            if self._places.statistics().tasks_waiting >= self.max_streams:
                raise Overloaded(full) from None
            with move_on_after(self._queue_s) as queueing:
                await self._places.acquire_on_behalf_of(place)
            if queueing.cancelled_caught:
                raise Overloaded(full) from None
        self._idle.clear()
        try:
            yield
        finally:
            self._places.release_on_behalf_of(place)
            if not self.active:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until no stream holds a place."""
        await self._idle.wait()
