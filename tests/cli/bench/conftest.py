"""Services that a load may meet, each one function: how it answers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import psutil
import pytest

from mira.cli.bench.service import Service
from tests.server.serving import Served

Serves = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


class Server(ThreadingHTTPServer):
    """Waits for its threads, and says nothing of clients who hung up."""

    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Not a failure of the test."""


@pytest.fixture
def answering() -> Iterator[Serves]:
    """answering(answer) starts a service that answers every POST so, and returns its URL."""
    with ExitStack() as stack:

        def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def do_POST(self) -> None:
                    self.rfile.read(int(self.headers["content-length"]))
                    answer(self)

                def log_message(self, format: str, *arguments: object) -> None:
                    pass

            server = stack.enter_context(Server(("127.0.0.1", 0), Handler))
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


@pytest.fixture(scope="session")
def toy_service(shared: Served) -> Service:
    """The toy's server, as the benches see a service; the process is this one."""
    return Service("127.0.0.1", shared.port, psutil.Process())


def begin(to: BaseHTTPRequestHandler, status: int = 200, kind: str = "audio/pcm") -> None:
    """The head of an answer whose end is the connection's."""
    to.send_response(status)
    to.send_header("content-type", kind)
    to.send_header("transfer-encoding", "chunked")
    to.send_header("connection", "close")
    to.end_headers()
    to.close_connection = True


def chunk(to: BaseHTTPRequestHandler, data: bytes) -> None:
    """One piece of its body; an empty one ends it."""
    to.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    to.wfile.flush()


def tone(audio_s: float) -> bytes:
    """24 kHz s16le that can be heard from the first sample on."""
    return np.full(round(audio_s * 24000), 8000, "<i2").tobytes()
