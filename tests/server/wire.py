"""One HTTP request on a socket of its own, written and read by hand."""

import json
import socket
import struct
from collections.abc import Iterator, Mapping
from types import TracebackType

from tests.server.serving import Served


class Wire:
    """A client that sees every byte, and that can be slow or rude.

    Args:
        receive_buffer: Bytes that the kernel may take before the client does; None for its usual.

    Attributes:
        patience_s: How long it waits for bytes; then a read raises TimeoutError.
    """

    def __init__(self, served: Served, receive_buffer: int | None = None) -> None:
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.patience_s = 20.0
        self._socket.settimeout(self.patience_s)
        self._socket.connect(("127.0.0.1", served.port))
        self._unread = b""
        self.status = 0
        self.headers: dict[str, str] = {}

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def post(self, path: str, payload: Mapping[str, object]) -> None:
        """Send a whole request."""
        body = json.dumps(payload).encode()
        self.write_head(path, f"content-length: {len(body)}")
        self.write(body)

    def write_head(self, path: str, *headers: str, kind: str | None = "application/json") -> None:
        """Send what stands before a body."""
        lines = [f"POST {path} HTTP/1.1", "host: mira"]
        lines += [f"content-type: {kind}"] if kind else []
        self.write("\r\n".join([*lines, *headers, "", ""]).encode())

    def read_head(self) -> int:
        """Read up to the body; return the status."""
        head = self._read_until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {
            name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
        }
        return self.status

    def chunks(self) -> Iterator[bytes]:
        """The body's HTTP chunks, which are what the server wrote.

        Raises:
            EOFError: The connection ended before the body did.
        """
        while num_bytes := int(self._read_until(b"\r\n"), 16):
            chunk = self.read(num_bytes)
            self.read(2)  # the line break that ends it
            yield chunk

    def json(self) -> dict[str, dict[str, str | None]]:
        """The body of a short answer."""
        found = json.loads(self.read(int(self.headers["content-length"])))
        assert isinstance(found, dict)
        return found

    def read(self, num_bytes: int) -> bytes:
        """Read exactly so many bytes."""
        while len(self._unread) < num_bytes:
            self._receive()
        taken, self._unread = self._unread[:num_bytes], self._unread[num_bytes:]
        return taken

    def close(self) -> None:
        """Leave, as a client does that is interrupted."""
        self._socket.close()

    def reset(self) -> None:
        """Leave without a goodbye: the peer gets a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._unread:
            self._receive()
        taken, _, self._unread = self._unread.partition(mark)
        return taken + mark

    def _receive(self) -> None:
        self._socket.settimeout(self.patience_s)
        received = self._socket.recv(65536)
        if not received:
            raise EOFError
        self._unread += received
