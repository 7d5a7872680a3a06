"""Settings in, a listening server.

Knows nothing about endpoints.
"""

import logging
import os
import socket
import sys
import threading
from asyncio import CancelledError
from types import FrameType
from typing import TextIO

import uvicorn
from fastapi import FastAPI

from mira.engine import Engine
from mira.errors import InvalidSettings, one_line
from mira.load import load_engine
from mira.progress import Report, progress_bar
from mira.server import memory
from mira.server.app import create_app
from mira.server.auth import check_reach
from mira.server.frames import Frames
from mira.server.keys import Keys
from mira.server.protocol import MAX_HEAD_BYTES, Connection
from mira.server.request_id import note_request
from mira.server.state import Service
from mira.server.stopping import Stopping
from mira.settings import Settings

log = logging.getLogger(__name__)

# A listener that plays in real time must push back soon, or the kernel takes a minute of speech
# that an interruption then throws away. Linux doubles the number; accepted sockets inherit it.
SEND_BUFFER_BYTES = 32 * 1024
# Clients keep their connections for a while (LiveKit: 120 s); closing one that is about to be
# used costs them a failed call.
KEEP_ALIVE_S = 130
PING_S = 20.0
IN_HAND_S = 60.0  # of audio that a listener may have in hand, and play before it takes more
BACKLOG = 2048
TOLD = (
    "ASGI callable returned without",  # the stream said why it broke
    "Invalid UTF-8 sequence",  # of a socket, whose client is told: its bytes are no news, nor safe
)
"""Beginnings of uvicorn's lines that nobody needs."""
OPEN_FILES = 4096  # that the process may have: connections, and what a model and its voices take


def run(settings: Settings) -> None:
    """Serve until the process is told to stop.

    Raises:
        InvalidSettings: The address can't be listened on, or the keys can't be used.
        Exception: Whatever kept the engine from starting.
    """
    memory.keep_little()
    _allow_open_files()
    _log(settings.log_level.upper())
    app = create_app(settings, _load)
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    log.info("listening on http://%s:%s", host, port)
    server = make_server(app, settings)
    service: Service = app.state.service
    _say_who_may(service.keys, settings)
    service.give_up = lambda: setattr(server, "should_exit", True)
    with listener:
        server.run(sockets=[listener])
    _end(service.failure)
    if service.failure is not None:
        raise service.failure


def _say_who_may(keys: Keys, settings: Settings) -> None:
    if keys.needed:
        log.info("keys: %d; nobody else is served", len(keys))
    elif settings.open_to_everybody:
        log.warning("no keys: open_to_everybody lets whoever reaches this do everything")
    else:
        log.info("no keys: this machine alone is served, and everybody on it")


def _log(level: str) -> None:
    line = "%(levelname)s %(name)s: %(message)s%(about)s"
    standard = _Standard()
    standard.addFilter(note_request)
    logging.basicConfig(level=level, format=line, handlers=[standard])
    for name in ("watchfiles", "httpx2"):  # they tell of each change, and each address
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(PlainLines())
    logging.getLogger("uvicorn.access").addFilter(_without_query)


def _end(failure: Exception | None) -> None:
    """End the process, if threads would keep it: one that loads a model can't be cancelled, nor one
    that waits for a driver which is broken."""
    others = [thread for thread in threading.enumerate() if not thread.daemon]
    if len(others) > 1:  # than this one
        if failure is not None:  # which whoever called this would say
            sys.stderr.write(f"mira: {one_line(failure)}\n")
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0 if failure is None else 1)


class _Standard(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is by then: a bar takes its place while it is drawn."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        pass


def _load(settings: Settings, report: Report) -> Engine:
    """Load the engine, and show on standard error what is reported."""
    with progress_bar(sys.stderr) as show:

        def both(what: str, done: int, total: int) -> None:
            report(what, done, total)
            show(what, done, total)

        return load_engine(settings, both)


def _allow_open_files() -> None:
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
            most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _without_query(record: logging.LogRecord) -> bool:
    """Take what follows the path off a line of the access log: there may be a key in it."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args
        )
    return True


class PlainLines(logging.Filter):
    """Leaves out of uvicorn's log what was said already, and what it says of itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line stays; say in our words how many requests were cut off."""
        said = str(record.msg)
        if record.levelno < logging.WARNING or said.startswith(TOLD):
            return False
        if said.startswith("Exception in ASGI") and record.exc_info:
            # Those of the application were logged when they were answered.
            return not isinstance(record.exc_info[1], Exception | CancelledError)
        if said.startswith("Cancel %s running") and record.args:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg = "%s requests were running after shutdown_timeout_s and are cut off"
            return record.args[0] != 0  # type: ignore[index]
        return True


class _Server(uvicorn.Server):
    """Ends when it is told to, and the process at once when it is told again."""

    def __init__(self, config: uvicorn.Config, stopping: Stopping) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._told = False

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let running requests finish, and what sockets speak, within bounds."""
        timeout_s = self.config.timeout_graceful_shutdown or 0
        log.info("stopping: what is running has %s s to finish", timeout_s)
        self._stopping.begin(timeout_s)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal; that it was one is no failure, so it is not raised again at the end."""
        if self._told:
            os._exit(128 + sig)
        self._told = self.should_exit = True


def make_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """Put the server around the application; it is run on a socket from `listen`."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=settings.log_level == "debug",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
        server_header=False,
        http=Connection,
        ws=Frames,
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=False,  # audio does not get smaller by it
        # A ping keeps routers from forgetting the connection, and TCP notices by it that the other
        # end is gone. No answer says nothing: aiohttp, which LiveKit's plugins are on, reads a ping
        # when it is asked for a message, and nobody asks while a socket waits for the next turn.
        ws_ping_interval=PING_S,
        ws_ping_timeout=None,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        # Whether a page was asked for by https is only shown, to who asked; the address not even
        # that.
        proxy_headers=True,
        forwarded_allow_ips="*",
    )
    return _Server(config, app.state.service.stopping)


def listen(settings: Settings) -> socket.socket:
    """Open a socket that clients can connect to.

    Raises:
        InvalidSettings: The address can't be listened on, or not without keys.
    """
    host, port = settings.host, settings.port
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        check_reach(str(address[0]), settings)
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        raise InvalidSettings(
            f"Can't listen on {host}:{port}: {error.strerror}. Choose another with --port."
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # A listener that was cut off still has to take what the kernel holds for it; one that never
        # does would keep its connection for ever.
        linger_ms = int(1000 * (settings.stall_timeout_s + IN_HAND_S))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, linger_ms)
    return listener
