"""Settings in, a listening server.

Knows nothing about endpoints.
"""

import ctypes
import logging
import socket

import uvicorn
from fastapi import FastAPI

from mira.errors import InvalidSettings
from mira.load import load_engine
from mira.server.app import create_app
from mira.server.state import Service
from mira.settings import Settings

# A listener that plays in real time must push back soon, or the kernel takes a minute of speech
# that an interruption then throws away. Linux doubles the number; accepted sockets inherit it.
SEND_BUFFER_BYTES = 32 * 1024
# Clients keep their connections for a while (LiveKit: 120 s); closing one that is about to be
# used costs them a failed call.
KEEP_ALIVE_S = 130
BACKLOG = 2048
MAX_CONNECTIONS = 1024  # each may hold a request's body in memory; more are answered 503

# glibc's malloc keeps a heap for each thread and grows its idea of what is worth giving back: an
# hour of mixed load then holds 700 MB, where with these it holds 335, and is no slower.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MALLOC_OPTIONS = {M_ARENA_MAX: 1, M_MMAP_THRESHOLD: 1 << 20, M_TRIM_THRESHOLD: 64 << 20}


def run(settings: Settings) -> None:
    """Serve until the process is told to stop.

    Raises:
        InvalidSettings: The address can't be listened on.
        Exception: Whatever kept the engine from starting.
    """
    _give_memory_back()
    level = settings.log_level.upper()
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    for name in ("watchfiles", "httpx2"):  # they tell of each change, and each address
        logging.getLogger(name).setLevel(logging.WARNING)
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    logging.getLogger(__name__).info("listening on http://%s:%s", host, port)
    app = create_app(settings, load_engine)
    server = make_server(app, settings)
    service: Service = app.state.service
    service.give_up = lambda: setattr(server, "should_exit", True)
    with listener:
        server.run(sockets=[listener])
    if service.failure is not None:
        raise service.failure


def _give_memory_back() -> None:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc and musl; musl's does nothing
        for option, value in MALLOC_OPTIONS.items():
            libc.mallopt(option, value)


def make_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """The server around the application; it is run on a socket from `listen`."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=settings.log_level == "debug",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
    )
    return uvicorn.Server(config)


def listen(settings: Settings) -> socket.socket:
    """A socket that clients can connect to.

    Raises:
        InvalidSettings: The address can't be listened on.
    """
    host, port = settings.host, settings.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise InvalidSettings(
            f"Can't listen on {host}:{port}: {error.strerror}. Choose another with --port."
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # A listener that was cut off still has to take what the kernel holds for it; one that never
        # does would keep its connection for ever.
        linger_ms = int(2000 * settings.stall_timeout_s)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, linger_ms)
    return listener
