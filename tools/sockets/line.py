"""One client's socket: messages out, and audio in with the moment at which it came."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mira.cli.bench.service import Service
from tools.sockets.protocols import Message, Protocol, read

PATIENCE_S = 20.0


class Line:
    """A socket, open."""

    def __init__(self, socket: ClientConnection, protocol: Protocol) -> None:
        self.socket = socket
        self.protocol = protocol

    async def send(self, *messages: Message) -> None:
        """Send messages, one after another."""
        for message in messages:
            await self.socket.send(json.dumps(message))

    async def hear(self, patience_s: float = PATIENCE_S) -> tuple[float, bytes, bool]:
        """Wait for a message; when it came, its audio, and whether a turn is over with it.

        Raises:
            TimeoutError: None comes.
        """
        try:
            async with asyncio.timeout(patience_s):
                data = await self.socket.recv()
        except ConnectionClosed:
            return time.perf_counter(), b"", True
        at = time.perf_counter()
        return at, *read(data, self.protocol)

    async def audio(self) -> AsyncIterator[tuple[float, bytes]]:
        """Yield a turn's audio to its end, each with when it came."""
        over = False
        while not over:
            at, data, over = await self.hear()
            if data:
                yield at, data

    async def drain(self, quiet_s: float) -> float | None:
        """Hear what comes until nothing does for a while; return when the last audio came."""
        last = None
        with suppress(TimeoutError):
            while self.socket.close_code is None:
                at, data, _ = await self.hear(quiet_s)
                last = at if data else last
        return last


async def opened(service: Service, protocol: Protocol) -> Line:
    """Open one. It never pings."""
    url = f"ws://{service.host}:{service.port}{protocol.path}"
    socket = await connect(url, compression=None, max_size=None, proxy=None, ping_interval=None)
    return Line(socket, protocol)


@asynccontextmanager
async def calling(service: Service, protocol: Protocol) -> AsyncIterator[Line]:
    """Open one, and close it in the end."""
    line = await opened(service, protocol)
    try:
        yield line
    finally:
        await line.socket.close()
