"""A WebSocket client that sees every message, on a real connection."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

Message = dict[str, Any]


class Listening(Protocol):
    """A service, in this process or another."""

    @property
    def port(self) -> int:
        """Where it listens on this machine."""


class Client:
    """Says JSON, and hears JSON or bytes.

    Args:
        path: With its query.
        options: Of `websockets.sync.client.connect`, such as `additional_headers`.
    """

    def __init__(self, served: Listening, path: str, **options: Any) -> None:
        url = f"ws://127.0.0.1:{served.port}{path}"
        options = {"proxy": None, "max_size": None, "compression": None, **options}
        self._connecting = connect(url, **options)
        self.socket: ClientConnection

    def __enter__(self) -> "Client":
        self.socket = self._connecting.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._connecting.__exit__(*error)

    def say(self, *messages: Mapping[str, object] | str | bytes) -> None:
        """Send messages, objects as JSON."""
        for message in messages:
            self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def hear(self, timeout_s: float = 20.0) -> Message | bytes:
        """Wait for one message."""
        heard = self.socket.recv(timeout_s)
        return heard if isinstance(heard, bytes) else json.loads(heard)

    def until(self, there: Callable[[Message], object], timeout_s: float = 20.0) -> list[Message]:
        """Hear JSON messages up to the first that is wanted."""
        heard: list[Message] = []
        while not heard or not there(heard[-1]):
            message = self.hear(timeout_s)
            assert isinstance(message, dict)
            heard.append(message)
        return heard

    def rest(self, quiet_s: float = 0.3) -> list[Message | bytes]:
        """Hear all that comes until nothing does for a while, or the socket is closed."""
        return [*self._rest(quiet_s)]

    def _rest(self, quiet_s: float) -> Iterator[Message | bytes]:
        try:
            while True:
                yield self.hear(quiet_s)
        except (TimeoutError, ConnectionClosed):
            return

    def closed(self, timeout_s: float = 20.0) -> tuple[int, str]:
        """Wait until the server closes; return with which code and reason."""
        try:
            while True:
                self.socket.recv(timeout_s)
        except ConnectionClosed as error:
            assert error.rcvd is not None, "no close frame"
            return error.rcvd.code, error.rcvd.reason


def audio(messages: list[Message], field: str = "data") -> bytes:
    """Join the audio of messages that have some."""
    return b"".join(base64.b64decode(m[field]) for m in messages if m.get(field))
