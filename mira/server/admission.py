"""Who may speak now, who waits for a place, and whose place is taken away.

Knows nothing about what streams say, nor how many there may be: `capacity` finds that out. Used on
the event loop only, so it needs no lock.
"""

import math
import time
from asyncio import Event
from collections import deque
from dataclasses import dataclass

from anyio import CancelScope, current_time, move_on_after

from mira.errors import Overloaded
from mira.server.capacity import Capacity
from mira.settings import Settings
from mira.stream.clock import StreamClock

FULL_S = 10.0  # after a caller found no place, for which those that don't listen lose theirs sooner
LONGEST_RETRY_S = 30
MOST_BESIDE = 64  # streams without a place: nothing is computed for them, but each has a thread


@dataclass(slots=True)
class _Place:
    scope: CancelScope
    since: float
    beside: bool = False  # it takes none of those that there are


class Admission:
    """Counts streams and refuses those over the limit: better a fast 429 than 65 slow calls.

    Args:
        capacity: How many may speak; as many more may wait. May be replaced while nobody does.
        settings: Say for how long callers and listeners are waited for.
    """

    def __init__(self, capacity: Capacity, settings: Settings) -> None:
        self.capacity = capacity
        self._settings = settings
        self._waiting: deque[tuple[StreamClock, CancelScope, Event]] = deque()
        self._speaking: dict[StreamClock, _Place] = {}
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
    def free(self) -> bool:
        """Whether the next one need not wait."""
        return not self._waiting and self.capacity.free > 0

    @property
    def idle_s(self) -> float:
        """Seconds since the last stream ended; 0 while any speaks."""
        return 0.0 if self._speaking else time.perf_counter() - self._idle_since

    async def idle(self) -> None:
        """Wait until no stream holds a place."""
        await self._idle.wait()

    async def enter(self, clock: StreamClock, scope: CancelScope) -> None:
        """Take a place, and hold it until `leave`.

        Args:
            scope: Around the stream. It is cancelled by its deadline when the listener is further
                behind its own playback than one waits for.

        Raises:
            Overloaded: There was none for as long as one waits.
        """
        if self.free:
            return self._let_in(clock, scope)
        self._press()
        called = Event()
        self._waiting.append((clock, scope, called))
        try:
            self._next()  # a place comes by time alone too, and nobody calls then
            if len(self._waiting) <= self.capacity.limit:
                with move_on_after(self._settings.queue_s):
                    await called.wait()
            if not called.is_set():
                self._press()
                self._next()
        finally:
            if not called.is_set():
                self._waiting.remove((clock, scope, called))
        if not called.is_set():
            raise self._overloaded()

    def let_by(self, clock: StreamClock, scope: CancelScope) -> bool:
        """Let a stream in, whether it waits or not, for which nothing has to be computed; until
        `leave`. Return whether it is in: there may be only so many."""
        if clock in self._speaking:  # a place has just come
            return True
        if sum(place.beside for place in self._speaking.values()) >= MOST_BESIDE:
            return False
        self._speaking[clock] = _Place(scope, time.perf_counter(), beside=True)
        self._idle.clear()
        for waiting in self._waiting:
            if waiting[0] is clock:
                self._waiting.remove(waiting)
                waiting[2].set()
                break
        return True

    def leave(self, clock: StreamClock) -> None:
        """Give the place back; nothing happens if there was none."""
        place = self._speaking.pop(clock, None)
        if place is None:
            return
        self._idle_since = time.perf_counter()
        if not place.beside:
            self._lasts_s += (self._idle_since - place.since - self._lasts_s) / 8
        self.capacity.leave(clock)
        self._next()
        if not self._speaking:
            self._idle.set()

    def ready(self, clock: StreamClock) -> None:
        """Bound how long the listener may take for a chunk that is ready, until `sent`."""
        self.capacity.look()
        self._next()
        full = time.perf_counter() - self._refused_at < FULL_S
        settings = self._settings
        bound_s = settings.full_stall_timeout_s if full else settings.stall_timeout_s
        self._speaking[clock].scope.deadline = _deadline(clock, bound_s)

    def kept_back(self, clock: StreamClock, for_s: float) -> None:
        """Give the listener as much longer: a part of the chunk is not to leave yet."""
        self._speaking[clock].scope.deadline += for_s

    def sent(self, clock: StreamClock) -> None:
        """Bound nothing until the next one is ready: the listener took this one."""
        self._speaking[clock].scope.deadline = math.inf

    def check_late(self, clock: StreamClock) -> None:
        """Raise Overloaded for a stream that waits because of those that were let in before it."""
        if self._computed[:1] != [clock]:
            raise self._overloaded()

    def _overloaded(self) -> Overloaded:
        """Say when there may be a place: streams end as often as they last, one after another."""
        now = time.perf_counter()
        ages_s = [now - self._speaking[clock].since for clock in self._computed]
        lasts_s = max(self._lasts_s, sum(ages_s) / max(1, len(ages_s)))
        wait_s = math.ceil((len(self._waiting) + 1) * lasts_s / max(1, len(ages_s)))
        retry_after_s = min(max(1, wait_s), LONGEST_RETRY_S)
        why = "Too many streams are beginning to speak at once."
        if self._full:
            why = f"All {self.capacity.limit} streams are speaking."
        again = f"Try again in {retry_after_s} second{'s' * (retry_after_s > 1)}."
        return Overloaded(f"{why} {again}", retry_after_s)

    @property
    def _computed(self) -> list[StreamClock]:
        """Those that have a place, the first of them first."""
        return [clock for clock, place in self._speaking.items() if not place.beside]

    @property
    def _full(self) -> bool:
        return len(self._computed) >= self.capacity.limit

    def _press(self) -> None:
        """Let who doesn't listen make room for a caller who finds none."""
        if not self._full:
            return  # it only has to wait until others have begun
        self.capacity.press()
        self._refused_at = time.perf_counter()
        for clock, place in self._speaking.items():
            if clock.held:
                sooner = _deadline(clock, self._settings.full_stall_timeout_s)
                place.scope.deadline = min(place.scope.deadline, sooner)

    def _next(self) -> None:
        while self._waiting and self.capacity.free:
            clock, scope, called = self._waiting.popleft()
            self._let_in(clock, scope)
            called.set()

    def _let_in(self, clock: StreamClock, scope: CancelScope) -> None:
        self.capacity.enter(clock)
        self._speaking[clock] = _Place(scope, time.perf_counter())
        self._idle.clear()


def _deadline(clock: StreamClock, bound_s: float) -> float:
    return current_time() + max(0.0, clock.patience_left_s(bound_s))
