"""What every request passes through: bounds on its body and on how many are served.

Plain ASGI, not Starlette's base class: that one stands between a stream and its client, and
hides that the client left. Knows nothing about endpoints.
"""

import math
import re
import time
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from http import HTTPStatus

from anyio import CancelScope, CapacityLimiter, current_time, move_on_after
from anyio.lowlevel import checkpoint
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mira.errors import MiraError, Overloaded
from mira.progress import amount
from mira.server.errors import refuse, respond

MAX_SERVED = 256  # requests that are answered at once beside streams, which have their own limit
UNCOUNTED = ("/health", "/health/ready", "/metrics")  # answered always: probes ask them
SMALL_BYTES = 64 << 10  # a body that is read at once: the longest text, escaped, by default
LARGE_AT_ONCE = 8  # larger bodies that are read at once; each is in memory several times over
# A client may take this long for a body, its own or an answer's, and a second more for each
# `SLOWEST_BYTES_PER_S` of it.
BODY_GRACE_S = 10.0
SLOWEST_BYTES_PER_S = 64 << 10
SLICE_BYTES = 64 << 10  # given on in one turn of the event loop: forms are parsed there
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def head_as_get(app: ASGIApp) -> ASGIApp:
    """Answer HEAD as GET, without the body. A stream ends once its headers are known: the server
    then says that the client is gone."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await app(scope, receive, send)
        answered = False

        async def send_head(message: Message) -> None:
            nonlocal answered
            if not answered:
                await send(message)
                answered = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await app({**scope, "method": "GET"}, receive, send_head)

    return answer


def served_limit(app: ASGIApp, max_streams: int) -> ASGIApp:
    """Answer 429 while `MAX_SERVED` others and all streams are being answered.

    Args:
        max_streams: Streams at once; as many more wait for a place.
    """
    most = MAX_SERVED + 2 * max_streams
    served = 0

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal served
        if scope["type"] != "http" or scope["path"] in UNCOUNTED:
            return await app(scope, receive, send)
        if served >= most:
            full = f"{served} requests are being answered. Try again in a second."
            return await respond(Overloaded(full))(scope, receive, send)
        served += 1
        try:
            with CancelScope() as answering:  # cut off, the server closes its connection
                await app(scope, receive, _in_time(send, answering))
        finally:
            served -= 1

    return answer


def _in_time(send: Send, answering: CancelScope) -> Send:
    """Cancel an answer whose client takes it more slowly than it could send one.

    A stream, whose length nobody knows, is bounded by how long it plays.
    """
    whole = False
    taken, took_s = 0, 0.0

    async def send_in_time(message: Message) -> None:
        nonlocal whole, taken, took_s
        if message["type"] == "http.response.start":
            whole = "content-length" in Headers(raw=message["headers"])
        if not whole:
            return await send(message)
        began = time.monotonic()
        left_s = BODY_GRACE_S + taken / SLOWEST_BYTES_PER_S - took_s
        answering.deadline = current_time() + left_s
        await send(message)
        answering.deadline = math.inf
        taken += len(message.get("body", b""))
        took_s += time.monotonic() - began

    return send_in_time


class BodyLimit:
    """Reads bodies, bounded in size and time, before anything looks at them.

    Args:
        max_bytes: Size of any body, but for
        max_upload_bytes: that of forms with a recording, POSTed to
        uploads: these paths.
        may_upload: Raises a MiraError if whoever sends this may not.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        max_upload_bytes: int,
        uploads: Collection[str],
        may_upload: Callable[[HTTPConnection], None],
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_upload_bytes = max_upload_bytes
        self._uploads = uploads
        self._may_upload = may_upload
        self._places = CapacityLimiter(LARGE_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then pass the request on; or refuse it as soon as it can be seen."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        upload = scope["method"] == "POST" and scope["path"] in self._uploads
        max_bytes = self._max_upload_bytes if upload else self._max_bytes
        if refusal := self._refusal(scope, upload, max_bytes):
            return await refusal(scope, receive, send)
        async with AsyncExitStack() as place:
            body = await self._read(receive, max_bytes, place)
            if body is None:
                return None  # the client left
            if isinstance(body, Response):
                return await body(scope, receive, send)
            if not upload:
                await place.aclose()
            await self._app(scope, _replay(body, receive), send)

    def _refusal(self, scope: Scope, upload: bool, max_bytes: int) -> Response | None:
        if CONTROL.search(scope["path"]):
            # A route also takes its path with a line break after it, which is none of `uploads`.
            unknown = f"Not Found: {scope['method']} of a path with control characters. See /docs."
            return refuse(HTTPStatus.NOT_FOUND, unknown, "not_found")
        headers = Headers(scope=scope)
        if upload:
            try:
                self._may_upload(HTTPConnection(scope))
            except MiraError as error:
                return respond(error)
            # As it is read later on: another reader might find another one in the same words.
            kind, options = parse_options_header(headers.get("content-type"))
            if kind.lower() != b"multipart/form-data":
                wrong = (
                    "Send a form with the recording as a file: content-type multipart/form-data."
                )
                return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, wrong, "invalid_content_type")
            if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
                # A form is decoded as it says, and some of Python's codecs take minutes.
                wrong = "Send the form in UTF-8: its content-type names another charset."
                return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, wrong, "invalid_charset")
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > max_bytes:
            return _too_large(max_bytes)
        return None

    async def _read(
        self, receive: Receive, max_bytes: int, place: AsyncExitStack
    ) -> bytearray | Response | None:
        """Read a body. A large one takes a place when it proves to be one, not when it says so."""
        body = bytearray()
        took_s, placed = 0.0, False
        while True:
            began = time.monotonic()
            with move_on_after(BODY_GRACE_S + len(body) / SLOWEST_BYTES_PER_S - took_s) as patience:
                message = await receive()
            took_s += time.monotonic() - began
            if patience.cancelled_caught:
                late = f"The body is too slow: {len(body)} bytes of it came in {took_s:.0f} s."
                return refuse(HTTPStatus.REQUEST_TIMEOUT, late, "request_timeout")
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > max_bytes:
                return _too_large(max_bytes)
            if not message.get("more_body", False):
                return body
            if not placed and len(body) > SMALL_BYTES:
                await place.enter_async_context(self._places)
                placed = True


def _too_large(max_bytes: int) -> Response:
    large = f"The body is over the limit of {amount(max_bytes)}."
    return refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, large, "request_too_large")


def _replay(body: bytearray, receive: Receive) -> Receive:
    """Read a body once more, in slices, so that other requests come between."""
    starts = iter(range(0, len(body) or 1, SLICE_BYTES))
    start: int | None = next(starts)

    async def replay() -> Message:
        nonlocal start
        if start is None:
            return await receive()
        if start:
            await checkpoint()
        piece = bytes(body[start : start + SLICE_BYTES])
        start = next(starts, None)
        return {"type": "http.request", "body": piece, "more_body": start is not None}

    return replay
