"""Who may speak now, who waits for a place, and whose place is taken away.

Knows nothing about what streams say, nor how many there may be: `capacity` finds that out. Used on
the event loop only, so it needs no lock.
"""

import math
import time
from asyncio import Event
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from anyio import CancelScope, current_time, fail_after, move_on_after

from mira.errors import Overloaded
from mira.server.capacity import Capacity
from mira.stream.clock import StreamClock

FULL_S = 10.0
"""After a caller found no place, those that don't listen lose theirs sooner."""
LONGEST_RETRY_S = 30


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long who waits for whom, in seconds.

    Attributes:
        queue_s: A caller for a place, before it is refused.
        stall_s: The service for a listener that is behind its own playback.
        full_stall_s: The same, while others find no place.
    """

    queue_s: float = 0.0
    stall_s: float = math.inf
    full_stall_s: float = math.inf


class Admission:
    """Counts streams and refuses those over the limit: better a fast 429 than 65 slow calls.

    Args:
        capacity: How many may speak; as many more may wait. May be replaced while nobody does.
        patience: How long callers and listeners are waited for.
    """

    def __init__(self, capacity: Capacity, patience: Patience = Patience()) -> None:
        self.capacity = capacity
        self._patience = patience
        self._waiting: deque[tuple[StreamClock, Event]] = deque()
        self._held: dict[StreamClock, CancelScope] = {}
        self._speaking: dict[StreamClock, float] = {}  # since when
        self._lasts_s = 0.0  # a stream, lately
        self._refused_at = -math.inf
        self._idle_since = time.perf_counter()
        self._idle = Event()
        self._idle.set()

    @property
    def active(self) -> int:
        """Number of streams that speak."""
        return len(self._speaking)

    @property
    def max_streams(self) -> int:
        """Number of streams that may speak at the same time, as things are."""
        return self.capacity.limit

    @property
    def free(self) -> int:
        """Number of streams that could begin now."""
        return self.capacity.free

    @property
    def idle_s(self) -> float:
        """Seconds since the last stream ended; 0 while any speaks."""
        return 0.0 if self._speaking else time.perf_counter() - self._idle_since

    @asynccontextmanager
    async def stream(self, clock: StreamClock) -> AsyncIterator[None]:
        """Hold one place.

        Raises:
            Overloaded: There was none for as long as one waits.
        """
        if self._waiting or not self.capacity.free:
            await self._wait(clock)
        else:
            self._let_in(clock)
        try:
            yield
        finally:
            self._leave(clock)

    def look(self) -> None:
        """Take in how the streams are; to be called when a chunk of one is ready."""
        self.capacity.look()
        self._next()

    @contextmanager
    def patience(self, clock: StreamClock) -> Iterator[None]:
        """Bound how long a listener may take for the chunk that is ready.

        Raises:
            TimeoutError: It is further behind its own playback than one waits for.
        """
        full = time.perf_counter() - self._refused_at < FULL_S
        bound_s = self._patience.full_stall_s if full else self._patience.stall_s
        with fail_after(max(0.0, clock.patience_left_s(bound_s))) as scope:
            self._held[clock] = scope
            try:
                yield
            finally:
                del self._held[clock]

    async def idle(self) -> None:
        """Wait until no stream holds a place."""
        await self._idle.wait()

    async def _wait(self, clock: StreamClock) -> None:
        self._press()
        called = Event()
        self._waiting.append((clock, called))
        try:
            self._next()  # a place comes by time alone too, and nobody calls then
            if len(self._waiting) <= self.max_streams:
                with move_on_after(self._patience.queue_s):
                    await called.wait()
            if not called.is_set():
                self._press()
                self._next()
        except BaseException:
            if clock in self._speaking:  # called and cancelled in the same moment
                self._leave(clock)
            raise
        finally:
            if (clock, called) in self._waiting:
                self._waiting.remove((clock, called))
        if clock not in self._speaking:
            raise self._overloaded()

    def _press(self) -> None:
        """A caller finds no place: who doesn't listen has to make room."""
        if not self._full:
            return  # it only has to wait until others have begun
        self.capacity.press()
        self._refused_at = time.perf_counter()
        for clock, scope in self._held.items():
            left_s = max(0.0, clock.patience_left_s(self._patience.full_stall_s))
            scope.deadline = min(scope.deadline, current_time() + left_s)

    @property
    def _full(self) -> bool:
        return self.active >= self.max_streams

    def _let_in(self, clock: StreamClock) -> None:
        self.capacity.enter(clock)
        self._speaking[clock] = time.perf_counter()
        self._idle.clear()

    def _leave(self, clock: StreamClock) -> None:
        lasted_s = time.perf_counter() - self._speaking.pop(clock)
        self._lasts_s += (lasted_s - self._lasts_s) / 8
        self.capacity.leave(clock)
        self._next()
        if not self._speaking:
            self._idle_since = time.perf_counter()
            self._idle.set()

    def _next(self) -> None:
        while self._waiting and self.capacity.free:
            clock, called = self._waiting.popleft()
            self._let_in(clock)
            called.set()

    def _overloaded(self) -> Overloaded:
        """Say when there may be a place: streams end as often as they last, one after another."""
        now = time.perf_counter()
        ages_s = [now - since for since in self._speaking.values()]
        lasts_s = max(self._lasts_s, sum(ages_s) / max(1, len(ages_s)))
        ahead = len(self._waiting) + 1
        wait_s = math.ceil(ahead * lasts_s / max(1, len(ages_s)))
        full = f"All {self.max_streams} streams are speaking."
        if not self._full:
            full = "Too many streams are beginning to speak at once."
        retry_after_s = min(max(1, wait_s), LONGEST_RETRY_S)
        return Overloaded(
            f"{full} Try again in {retry_after_s} second{'s' * (retry_after_s > 1)}.",
            retry_after_s,
        )
