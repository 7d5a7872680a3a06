"""What every WebSocket passes through on its way to an endpoint: who may open one, and how many.

Browsers let every web page open WebSockets to everywhere, and have no CORS for them. Knows nothing
about endpoints, nor what is said on a socket.
"""

import logging
from collections.abc import Callable
from contextlib import ExitStack

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from mira.errors import MiraError, Overloaded
from mira.server import errors
from mira.server.auth import caller_of, check_origin
from mira.server.families import family_of
from mira.server.telemetry import Telemetry
from mira.settings import Settings

log = logging.getLogger(__name__)

INTERNAL_ERROR = 1011  # of RFC 6455


def socket_guard(app: ASGIApp, settings: Settings, telemetry: Telemetry) -> ASGIApp:
    """Refuse WebSockets of other people's web pages, of keys that may not speak, which is what all
    of them are for, and those over `max_sockets` or over a key's own limit.

    Args:
        telemetry: Counts those that are open, and what fails.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await app(scope, receive, send)
        connection = HTTPConnection(scope)
        caller = caller_of(connection)
        with ExitStack() as counted:
            try:
                check_origin(settings, connection.headers, "open sockets")
                caller.check_may("speak")
                num_open = telemetry.sockets.total()
                if num_open >= settings.max_sockets:
                    raise Overloaded(f"{num_open} sockets are open, as many as max_sockets allows.")
                counted.enter_context(caller.socket())
            except MiraError as error:
                telemetry.failed(type(error).__name__)
                return await errors.respond(error)(scope, receive, send)
            counted.enter_context(telemetry.socket(family_of(scope).value))
            await _guarded(app, scope, receive, send, telemetry.failed)

    return answer


async def _guarded(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, count: Callable[[str], None]
) -> None:
    """Log a mistake of ours, and tell the client that there was one, unless it left meanwhile."""
    accepted = gone = False

    async def send_and_see(message: Message) -> None:
        nonlocal accepted, gone
        accepted = accepted or message["type"] == "websocket.accept"
        try:
            await send(message)
        except OSError:  # which is how a server says it
            gone = True
            raise

    try:
        await app(scope, receive, send_and_see)
    except Exception as error:
        if gone and isinstance(error, OSError | WebSocketDisconnect):
            return
        count("Internal")
        log.error("internal error", exc_info=error)
        if accepted:
            await send({"type": "websocket.close", "code": INTERNAL_ERROR})
        else:
            answer = errors.Refusal(errors.body(error), 500)
            await answer(scope, receive, send)
