"""Which request an answer, a socket's message or a line of the log is about.

Knows nothing about what is asked.
"""

import logging
import uuid
from contextvars import ContextVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")

_current: ContextVar[str] = ContextVar("request_id", default="")


def new_request_id() -> str:
    """Make what `x-request-id` carries: clients print it, and some warn without it."""
    return f"req_{uuid.uuid4().hex}"


def request_id() -> str:
    """Return the id of the request, or of the socket's handshake, that runs this; "" if none does.

    A task that one begins has it too, and what it has a worker do; a stream's own thread has not.
    """
    return _current.get()


def request_ids(app: ASGIApp) -> ASGIApp:
    """Give every answer an id."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await app(scope, receive, send)
        new = new_request_id()
        _current.set(new)

        async def send_with_id(message: Message) -> None:
            if message["type"] in STARTS:
                MutableHeaders(scope=message)["x-request-id"] = new
            await send(message)

        await app(scope, receive, send_with_id)

    return answer


def note_request(record: logging.LogRecord) -> bool:
    """Note which request a line of the log is about, as `about`; for a handler, as its filter."""
    record.about = f" [{found}]" if (found := request_id()) else ""
    return True
