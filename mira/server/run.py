"""Settings in, a listening server.

Knows nothing about endpoints.
"""

import logging
import socket

import uvicorn

from mira.errors import InvalidSettings
from mira.load import load_engine
from mira.server.app import create_app
from mira.settings import Settings

# A listener that plays in real time must push back soon, or the kernel takes a minute of speech
# that an interruption then throws away. Linux doubles the number; accepted sockets inherit it.
SEND_BUFFER_BYTES = 32 * 1024
# Clients keep their connections for a while (LiveKit: 120 s); closing one that is about to be
# used costs them a failed call.
KEEP_ALIVE_S = 130
BACKLOG = 2048


def run(settings: Settings) -> None:
    """Serve until the process is told to stop.

    Raises:
        InvalidSettings: The address can't be listened on.
    """
    level = settings.log_level
    logging.basicConfig(level=level.upper(), format="%(levelname)s %(name)s: %(message)s")
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    logging.getLogger(__name__).info("listening on http://%s:%s", host, port)
    config = uvicorn.Config(
        create_app(settings, load_engine),
        log_config=None,
        access_log=level == "debug",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
        server_header=False,
    )
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise InvalidSettings(
            f"Can't listen on {host}:{port}: {error.strerror}. Choose another with --port."
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return listener
