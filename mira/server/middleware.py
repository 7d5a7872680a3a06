"""What every request passes through: a bounded body, and an id that the answer carries.

Plain ASGI, not Starlette's base class: that one stands between a stream and its client, and
hides that the client left. Knows nothing about endpoints.
"""

import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from http import HTTPStatus

from anyio import CapacityLimiter, move_on_after
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mira.server.errors import refuse

LARGE_AT_ONCE = 8  # requests that may have a large body; each is in memory several times over
SLOWEST_BYTES_PER_S = 64 << 10  # of a large body
BODY_TIMEOUT_S = 30.0  # to send a request's body: a client that trickles it must not stay for ever


class RequestId:
    """Answers carry `x-request-id`: clients print it, and some warn without it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the id to the answer."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = f"req_{uuid.uuid4().hex}"
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)


class BodyLimit:
    """Refuses a body over the limit: before reading it if its length is announced, else there.

    Args:
        max_bytes: Of any body, but for those
        large: that are sent to these paths. Few of them are read at once, the others wait.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, large: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._large = large or {}
        self._places = CapacityLimiter(LARGE_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, bounded in size and time, then pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        large = self._large.get(scope["path"]) if scope["method"] == "POST" else None
        async with AsyncExitStack() as stack:
            if large is not None and not _is_utf8(scope):
                # A form's fields are decoded as it says, and some of Python's codecs take minutes.
                wrong = "Send the form in UTF-8: its content-type names another charset."
                return await refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, wrong, "invalid_charset")(
                    scope, receive, send
                )
            if large is not None:
                await stack.enter_async_context(self._places)
            await self._read(scope, receive, send, large or self._max_bytes)

    async def _read(self, scope: Scope, receive: Receive, send: Send, max_bytes: int) -> None:
        too_large = refuse(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is over the limit of {max_bytes} bytes.",
            "request_too_large",
        )
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > max_bytes:
            return await too_large(scope, receive, send)
        timeout_s = BODY_TIMEOUT_S
        if max_bytes > self._max_bytes:
            timeout_s += max_bytes / SLOWEST_BYTES_PER_S
        body = bytearray()
        with move_on_after(timeout_s) as timeout:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > max_bytes:
                    return await too_large(scope, receive, send)
        if timeout.cancelled_caught:
            late = f"The body did not arrive within {timeout_s:.0f} seconds."
            return await refuse(HTTPStatus.REQUEST_TIMEOUT, late, "request_timeout")(
                scope, receive, send
            )
        whole: list[Message] = [{"type": "http.request", "body": bytes(body)}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        return await self._app(scope, replay, send)


def _is_utf8(scope: Scope) -> bool:
    """Whether what the content-type says of its charset, if anything, is UTF-8."""
    # As it is read later on: another reader might find another one in the same words.
    _, options = parse_options_header(Headers(scope=scope).get("content-type"))
    return options.get(b"charset", b"utf-8").lower() in (b"utf-8", b"utf8")
