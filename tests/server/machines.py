"""Machines of known strength, simulated: callers come, are let in or not, listen in real time."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from mira.server.capacity import Capacity
from mira.stream.clock import StreamClock

TICK_S = 0.01
LEAD_S = 2.0  # computed before anybody takes it
SOCKET_S = 1.5  # of audio that waits in a listener's socket


class Time:
    """Seconds, moved by whoever simulates."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@dataclass(eq=False)
class Call:
    """One stream as the service sees it."""

    clock: StreamClock
    next_s: Callable[["Call"], float]  # of audio in its next block
    left_s: float  # of its text
    made: deque[float] = field(default_factory=deque)  # not taken yet
    made_s: float = 0.0  # in all
    runs_dry_at: float | None = None
    spent_s: float = 0.0  # on the block that is being made
    block_s: float = 0.0
    sending_s: float = 0.0

    def next_block(self) -> None:
        self.block_s = min(self.next_s(self), self.left_s)
        self.left_s -= self.block_s
        self.spent_s = 0.0

    @property
    def wants(self) -> bool:
        """Whether another block is to be made for it."""
        return self.block_s > 0 and sum(self.made) < LEAD_S

    def put(self, now: float) -> None:
        """The block is made."""
        self.made.append(self.block_s)
        self.runs_dry_at = max(self.runs_dry_at or now, now) + self.block_s
        self.next_block()

    def listen(self, now: float) -> bool:
        """Take what there is; False once all has been sent."""
        while self.made or self.clock.held:
            if not self.clock.held:
                self.sending_s = self.made.popleft()
                self.clock.ready(self.sending_s)
            if (self.clock.left_s or 0) - self.sending_s >= SOCKET_S:
                break
            self.clock.sent()
        return bool(self.made or self.block_s > 0 or self.clock.held)


class Machine:
    """Computes for the calls that were let in.

    Args:
        strength: Seconds of speech that it computes in one.
        capacity: Whom it lets in.
    """

    def __init__(self, strength: float, time: Time, capacity: Capacity, seed: int = 1) -> None:
        self.strength, self.time, self.capacity = strength, time, capacity
        self.calls: list[Call] = []
        self.refused = self.underruns = self.let_in = self.ended = 0
        self.broken = 0  # calls with more than one gap
        self.ttfa_s: list[float] = []
        self.dice = random.Random(seed)

    def call(self, text_s: float) -> bool:
        """Somebody wants `text_s` seconds of speech; False if there is no place."""
        if not self.capacity.free:
            self.capacity.press()
            self.refused += 1
            return False
        clock = StreamClock(self.time)
        call = Call(clock, self.next_s, text_s)
        call.next_block()
        self.calls.append(call)
        self.capacity.enter(clock)
        self.let_in += 1
        return True

    def tick(self) -> None:
        self.time.s += TICK_S
        self.compute()
        for call in list(self.calls):
            chunks = call.clock.chunks
            going_on = call.listen(self.time.s)
            if call.clock.chunks != chunks:
                self.capacity.look()
            if not going_on:
                self.calls.remove(call)
                self.capacity.leave(call.clock)
                self.ended += 1
                self.underruns += call.clock.underruns
                self.broken += call.clock.underruns > 1
                self.ttfa_s.append((call.clock.ttfa_ms or 0) / 1000)

    def next_s(self, call: Call) -> float:
        raise NotImplementedError

    def compute(self) -> None:
        raise NotImplementedError

    def run(
        self,
        for_s: float,
        calls_per_s: float,
        text_s: float = 20.0,
        each: Callable[[], None] = lambda: None,
    ) -> None:
        """Callers come at random, so many a second."""
        for _ in range(round(for_s / TICK_S)):
            if self.dice.random() < calls_per_s * TICK_S:
                self.call(text_s * self.dice.uniform(0.5, 1.5))
            self.tick()
            each()


class InTurns(Machine):
    """As the built-in voice computes: block by block, whose listener runs dry first goes first."""

    def next_s(self, call: Call) -> float:
        return 0.2 if call.runs_dry_at is None else 3.0

    def compute(self) -> None:
        budget = TICK_S * self.strength
        now = self.time.s
        while budget > 0:
            waiting = [call for call in self.calls if call.wants]
            if not waiting:
                return

            def rank(call: Call) -> tuple[int, float]:
                if call.runs_dry_at is None:
                    return 1, call.clock.accepted_at
                left = call.runs_dry_at - now
                return (0 if left < 0.3 else 2), left

            busy = [call for call in waiting if call.spent_s]
            call = busy[0] if busy else min(waiting, key=rank)
            part = min(budget, call.block_s - call.spent_s)
            call.spent_s += part
            budget -= part
            if call.spent_s >= call.block_s - 1e-9:
                call.put(now)


class AllAtOnce(Machine):
    """As a model that batches: everybody gets an equal share, in chunks that grow."""

    fastest = 1.6  # s of speech in a second that a single call gets at most

    def next_s(self, call: Call) -> float:
        left_s = 0.0 if call.runs_dry_at is None else call.runs_dry_at - self.time.s
        return min(max(0.24, left_s / 2), 1.5)

    def compute(self) -> None:
        waiting = [call for call in self.calls if call.wants]
        for call in waiting:
            call.spent_s += TICK_S * min(self.fastest, self.strength / len(waiting))
            if call.spent_s >= call.block_s:
                call.put(self.time.s)
