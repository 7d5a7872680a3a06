"""A synchronous generator in, an asynchronous iterator out.

The only place where blocking work meets the event loop. Pull-based: nothing is computed that the
socket has not asked for, so backpressure needs no code.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

log = logging.getLogger(__name__)

T = TypeVar("T")
_DONE = object()
LONGEST_ITEM_S = 30.0
"""After which an item that is being computed for nobody is no longer waited for."""


async def iterate(
    items: Generator[T, None, None],
    limiter: CapacityLimiter,
    interrupt: Callable[[], object] = lambda: None,
) -> AsyncGenerator[T, None]:
    """Yield `items`, each computed on a worker thread; close them wherever this ends.

    Args:
        items: Advanced and closed on worker threads only.
        limiter: Of those threads.
        interrupt: Called where this ends, before the item that is being computed is waited for. A
            thread can't be cancelled, but it may wait for something that this can wake it from.
    """
    step: asyncio.Future[object] | None = None
    try:
        while True:
            step = asyncio.ensure_future(to_thread.run_sync(next, items, _DONE, limiter=limiter))
            # Shielded, for a thread can't be cancelled: what is being computed is waited for below.
            item = await asyncio.shield(step)
            if item is _DONE:
                return
            yield item  # type: ignore[misc]  # next() gives T or the sentinel
    finally:
        interrupt()
        closing = asyncio.ensure_future(_close(step, items, limiter))
        with CancelScope(shield=True):  # a cancelled request must still free what it holds
            done, _ = await asyncio.wait([closing], timeout=LONGEST_ITEM_S)
        if done:
            closing.result()
        else:
            log.error(
                "a block is still being computed after %.0f s: left to itself", LONGEST_ITEM_S
            )


async def _close(
    step: asyncio.Future[object] | None,
    items: Generator[object, None, None],
    limiter: CapacityLimiter,
) -> None:
    if step is not None:
        await asyncio.wait([step])
    await to_thread.run_sync(items.close, limiter=limiter)
