"""A WebSocket's bytes in, messages out: uvicorn's protocol on `websockets`, with bounds.

What it leaves open is bounded here: how much is parsed in one turn of the event loop, how much is
written to a client that takes nothing, and how many fragments a message may have. Knows nothing
about messages.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame
from websockets.http11 import Response

from mira.server import errors

SLICE_BYTES = 4 << 10  # parsed in one turn of the event loop: 700 of the smallest frames
MOST_FRAGMENTS = 1024  # of one message; empty ones would never reach its limit of bytes
# For which a service that stops waits for the answer to its close. LiveKit's plugins read nothing
# between two turns, and give none.
STOP_ANSWER_S = 1.0
UNREADABLE = (
    "This handshake can't be read: its headers are too many, one of them or the address is too "
    "long, or it has a body."
)


class Frames(WebSocketsSansIOProtocol):
    """One client's WebSocket."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unparsed = bytearray()
        self._next_slice: asyncio.Handle | None = None

    @property
    def _blocked(self) -> bool:
        """Whether the application has something to read first, or the client."""
        return self.read_paused or not self.writable.is_set() or self.transport.is_closing()

    def data_received(self, data: bytes) -> None:
        """Parse a slice now, and the others each in a turn of its own: other clients come between.

        No more is read meanwhile. The first bytes are the handshake, and all of it; what follows
        waits until that was answered, for nothing could be said of it before.
        """
        if not self.handshake_initiated and not self.transport.is_closing():
            super().data_received(data)
            if not self.handshake_initiated:
                self._refuse()
            return
        self._unparsed += data
        if self._next_slice is None:
            self._parse_slice()

    def _parse_slice(self) -> None:
        self._next_slice = None
        if not self._blocked and self.handshake_complete:
            data = bytes(self._unparsed[:SLICE_BYTES])
            del self._unparsed[:SLICE_BYTES]
            super().data_received(data)
        self._go_on()

    def _refuse(self) -> None:
        """Answer a handshake that `websockets`, which is stricter than h11, says nothing to: its
        connection would stay open for ever."""
        answer = errors.refuse(HTTPStatus.BAD_REQUEST, UNREADABLE, "invalid_http")
        headers = Headers([*answer.headers.items(), ("connection", "close")])
        status = HTTPStatus(answer.status_code)
        said = Response(status, status.phrase, headers, bytes(answer.body))
        self.transport.write(said.serialize())
        self.transport.close()

    def _go_on(self) -> None:
        """Parse what was read, or read on, as soon as it makes sense."""
        if self._blocked or self._unparsed:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
        if not self._unparsed or self._blocked or not self.handshake_complete:
            return
        if self._next_slice is None:
            self._next_slice = self.loop.call_soon(self._parse_slice)

    async def receive(self) -> Any:
        """Give the application the next message; parse on after the last."""
        message = await super().receive()
        self._go_on()
        return message

    async def send(self, message: Any) -> None:
        """Send what the application says. A handshake that was refused is over, too."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True
        if self._unparsed:
            self._go_on()

    def resume_writing(self) -> None:
        """Go on: the client takes what it is sent."""
        super().resume_writing()
        self._go_on()

    def handle_cont(self, event: Frame) -> None:
        """Take another fragment of a message."""
        if len(self.frames) < MOST_FRAGMENTS:
            return super().handle_cont(event)
        self.frames = []
        self.conn.fail(1009, f"more than {MOST_FRAGMENTS} fragments")
        self.handle_parser_exception()

    def shutdown(self) -> None:
        """Leave the end to the endpoint, which knows what is still to be said. The client's answer
        is not waited for long."""
        self.close_timeout = STOP_ANSWER_S
        if self.close_sent or not self.handshake_initiated:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        super().connection_lost(exc)
        self._unparsed.clear()
        if self._next_slice is not None:
            self._next_slice.cancel()
