"""A connection's bytes in, requests out: uvicorn's protocol on h11, with bounds.

h11 refuses heads, chunk headers and trailers that are too long, and reads one request at a time.
What it leaves open is bounded here: how long a client may take to send a head, how much is parsed
in one turn of the event loop, and how many connections may wait. Knows nothing about requests.
"""

import asyncio
import re
import socket
import sys
import time
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from mira.server import errors
from mira.server.request_id import new_request_id

MAX_HEAD_BYTES = 16 << 10  # a request line with its headers, a chunk's header, trailers
HEAD_TIMEOUT_S = 10.0  # from a head's first byte to its last; also for the rest of a refused body
MAX_WAITING = 1024  # connections without a whole request; one more closes another
PATIENCE_S = 1.0  # a client that has been sending for longer is closed sooner than an idle one
SLICE_BYTES = 4 << 10  # parsed in one turn of the event loop: 4 KiB of one-byte chunks take 8 ms
MOST_UNPARSED_BYTES = 1 << 20  # reading stops well before it; this is for what h11 itself lets in
PROBE_S = 0.02  # between two looks at a client that ended its half, and before it is sent something
QUOTED = re.compile(r""":? (bytearray\()?b['"].*""", re.DOTALL)
"""What h11 quotes of a line that it can't read: there may be a key in it."""
TCP_CLOSE_WAIT = 8  # Linux's number for: the peer sent its end, and nothing says that it is gone


class _Flow(FlowControl):
    """Flow control that lets nothing be read while there are bytes to parse."""

    def __init__(self, connection: "Connection") -> None:
        super().__init__(connection.transport)
        self._connection = connection

    def resume_reading(self) -> None:
        """Go on with what was read, then with reading."""
        if self.read_paused:
            self.read_paused = False
            self._connection.go_on()


class Connection(H11Protocol):
    """One client's connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unparsed = bytearray()
        self._next_slice: asyncio.Handle | None = None
        self._deadline: asyncio.TimerHandle | None = None  # of what the client has to send
        self._since = time.monotonic()  # it is the client's turn
        self._half_closed = False
        self._given_away = False  # it became a WebSocket

    @property
    def _begun(self) -> bool:
        """Whether a request is arriving, or the rest of a refused one."""
        return self.conn.their_state is h11.SEND_BODY or bool(self.conn.trailing_data[0])

    @property
    def _waits(self) -> bool:
        """Whether it is the client's turn: no request is here whole."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; make room for this connection if need be."""
        super().connection_made(transport)
        self.flow = _Flow(self)
        self._wait()
        if len(self.connections) > MAX_WAITING:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._unparsed.clear()
        for handle in (self._deadline, self._next_slice):
            if handle is not None:
                handle.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse a slice now, and the others each in a turn of its own: other clients come between.

        A transport that goes on reading as long as there is something would not let them.
        """
        if not self._unparsed and len(data) <= SLICE_BYTES:
            self._parse(data)
            return
        self._unparsed += data
        if len(self._unparsed) > MOST_UNPARSED_BYTES:
            self.transport.abort()
            return
        self.transport.pause_reading()
        self.go_on()

    def go_on(self) -> None:
        """Parse what was read, or read on."""
        if self._given_away:
            return
        if self._unparsed and self._next_slice is None:
            self._next_slice = self.loop.call_soon(self._parse_slice)
        elif not self._unparsed and not self.transport.is_closing():
            self.transport.resume_reading()

    def _parse_slice(self) -> None:
        self._next_slice = None
        if self.flow.read_paused or self.transport.is_closing():
            return
        data = bytes(self._unparsed[:SLICE_BYTES])
        del self._unparsed[:SLICE_BYTES]
        self._parse(data)
        if not self.flow.read_paused:
            self.go_on()

    def _parse(self, data: bytes) -> None:
        waited = self._waits
        begun = self._begun
        super().data_received(data)
        if self._given_away:
            return
        if not (waited and self._waits) or not begun:
            self._since = time.monotonic()
        self._wait()

    def _wait(self) -> None:
        """Bound how long it may be the client's turn."""
        refused = self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY
        if self.conn.their_state is not h11.IDLE and not refused:
            self._forget_deadline()
        elif self._begun:
            self._unset_keepalive_if_required()
            if self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._too_late)
        else:
            self._forget_deadline()
            if self.timeout_keep_alive_task is None:
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.IDLE:
            late = f"The request's headers did not arrive within {HEAD_TIMEOUT_S:.0f} seconds."
            self._refuse(408, late, "request_timeout")
        self.transport.close()

    def _make_room(self) -> None:
        """Close the connection that has been sending for the longest, or else idle."""
        others = [other for other in self.connections if isinstance(other, Connection)]
        waiting = [one for one in others if one._waits and not one.transport.is_closing()]
        waiting.remove(self)
        now = time.monotonic()  # the loop's own is the same for all that come in one turn
        slow = [other for other in waiting if other._begun and now - other._since > PATIENCE_S]
        if len(waiting) >= MAX_WAITING:
            min(slow or waiting, key=lambda other: other._since).transport.close()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keep a connection on which an answer is due: the client may still read.

        One that hangs up looks the same until something is sent to it. Once the answer has begun
        the end is taken for a hang-up, as most servers do, so that speech stops at once.
        """
        due = self.cycle is not None and not self.cycle.more_body
        if not due or self.cycle.response_started or not hasattr(socket, "TCP_INFO"):
            return None
        self._half_closed = True
        self.loop.call_later(PROBE_S, self._probe, True)
        return True

    def _probe(self, first: bool = False) -> None:
        """Find out whether the client is gone: its machine then refuses what is sent to it."""
        if self.cycle.response_complete or self.transport.is_closing():
            return
        client: socket.socket = self.transport.get_extra_info("socket")
        if client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != TCP_CLOSE_WAIT:
            self.transport.abort()
            return
        # Older clients know no interim answers: what is sent to them anyway has to do.
        if first and not self.cycle.response_started and self.conn.their_http_version == b"1.1":
            interim = h11.InformationalResponse(status_code=100, headers=[], reason="Continue")
            self.transport.write(self.conn.send(interim) or b"")
        self.loop.call_later(PROBE_S, self._probe)

    def on_response_complete(self) -> None:
        """Wait for the next request, if there can be one."""
        self._since = time.monotonic()
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._half_closed and self.cycle.response_complete:
            self.transport.close()
        else:
            self._wait()

    def _should_upgrade(self) -> bool:
        """Tell whether a WebSocket is asked for; RFC 9110 has others answered as they are."""
        keyed = any(name == b"sec-websocket-key" for name, _ in self.headers)
        return keyed and self.scope["method"] == "GET" and self._get_upgrade() == b"websocket"

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over, with all that came after the request, and stop all clocks."""
        self._unset_keepalive_if_required()
        self._forget_deadline()
        self._given_away = True
        super().handle_websocket_upgrade(event)
        early = self.conn.trailing_data[0] + bytes(self._unparsed)
        self._unparsed.clear()
        self.transport.resume_reading()
        if early:
            self.transport.get_protocol().data_received(early)  # type: ignore[attr-defined]

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or is out of bounds."""
        error = sys.exception()  # h11's
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if status == 431:
            text = f"The request's headers are over the limit of {MAX_HEAD_BYTES} bytes."
            self._refuse(status, text, "headers_too_large")
        else:
            why = QUOTED.sub("", str(error))
            self._refuse(status, f"This is not a valid HTTP request: {why}.", "invalid_http")
        self.transport.close()

    def _refuse(self, status: int, message: str, code: str) -> None:
        """Answer without the application, as it would, unless an answer has begun."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # the application can't answer any more
            self.cycle.message_event.set()
        answer = errors.refuse(status, message, code)
        headers = [
            *answer.raw_headers,
            (b"x-request-id", new_request_id().encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
