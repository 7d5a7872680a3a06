"""A synchronous generator in, an asynchronous iterator out.

The only place where blocking work meets the event loop. Pull-based: nothing is computed that the
socket has not asked for, so backpressure needs no code.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

T = TypeVar("T")
_DONE = object()


async def iterate(
    items: Generator[T, None, None], limiter: CapacityLimiter
) -> AsyncGenerator[T, None]:
    """Yield `items`, each computed on a worker thread; close them wherever this ends."""
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
        with CancelScope(shield=True):  # a cancelled request must still free what it holds
            if step is not None:
                await asyncio.wait([step])
            await to_thread.run_sync(items.close, limiter=limiter)
