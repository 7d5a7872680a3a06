"""Blocking work stays off the event loop, and ends when its consumer does."""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import aclosing

import anyio
import pytest
from anyio import CapacityLimiter, create_task_group

from mira.server.bridge import iterate


class Source:
    """Counts, on whichever thread asks, and remembers which it was."""

    def __init__(self, last: int = 1000, item_s: float = 0.0) -> None:
        self.last = last
        self.item_s = item_s
        self.made = 0
        self.closed = False
        self.threads: set[int] = set()

    def items(self) -> Generator[int, None, None]:
        try:
            while self.made < self.last:
                self.threads.add(threading.get_ident())
                time.sleep(self.item_s)
                self.made += 1
                yield self.made
        finally:
            self.threads.add(threading.get_ident())
            self.closed = True


def test_items_come_in_order_from_other_threads() -> None:
    source = Source(50)

    async def consume() -> list[int]:
        return [item async for item in iterate(source.items(), CapacityLimiter(1))]

    assert anyio.run(consume) == list(range(1, 51))
    assert source.closed
    assert threading.get_ident() not in source.threads


def test_nothing_is_made_that_nobody_asked_for() -> None:
    source = Source()

    async def consume() -> None:
        async with aclosing(iterate(source.items(), CapacityLimiter(1))) as items:
            await anext(items)
            await anext(items)
            await anyio.sleep(0.05)
            assert source.made == 2
            assert not source.closed
        assert source.closed

    anyio.run(consume)
    assert source.made == 2
    assert threading.get_ident() not in source.threads


def test_cancelling_waits_for_the_item_and_closes() -> None:
    source = Source(item_s=0.1)

    async def consume() -> None:
        async with aclosing(iterate(source.items(), CapacityLimiter(1))) as items:
            async for _ in items:
                pass

    async def interrupt() -> None:
        async with create_task_group() as tasks:
            tasks.start_soon(consume)
            await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        assert source.closed

    anyio.run(interrupt)
    assert source.made == 1
    assert threading.get_ident() not in source.threads, "closed by whoever collected the garbage"


def test_the_event_loop_goes_on_meanwhile() -> None:
    source = Source(2, item_s=0.2)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while not source.closed:
            ticks += 1
            await anyio.sleep(0.01)

    async def both() -> None:
        async with create_task_group() as tasks:
            tasks.start_soon(tick)
            async for _ in iterate(source.items(), CapacityLimiter(1)):
                pass

    anyio.run(both)
    assert ticks > 5


def test_errors_pass_and_close() -> None:
    closed = False

    def items() -> Generator[int, None, None]:
        nonlocal closed
        try:
            yield 1
            raise ValueError("broken")
        finally:
            closed = True

    async def consume() -> None:
        async for _ in iterate(items(), CapacityLimiter(1)):
            pass

    with pytest.raises(ValueError, match="broken"):
        anyio.run(consume)
    assert closed


def test_a_task_that_is_cancelled_while_an_item_is_made_waits_for_it_and_closes() -> None:
    """As the server does when it stops: not through anyio, so its shields do not hold."""
    source = Source(item_s=0.2)

    async def consume() -> None:
        async with aclosing(iterate(source.items(), CapacityLimiter(2))) as items:
            async for _ in items:
                pass

    async def main() -> None:
        task = asyncio.ensure_future(consume())
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert source.closed
    assert source.made == 2
