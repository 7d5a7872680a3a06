"""WebSockets that are rude, on real connections: bounded, while others are served."""

import socket
import threading
import time
from contextlib import suppress

import psutil
import pytest
from websockets.frames import Frame, Opcode

from mira.server.frames import MOST_FRAGMENTS, Frames
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client, Listening
from tests.toys import ToySynthesizer

PATH = "/tts/websocket"
MIB = 1 << 20
HANDSHAKE = (
    f"GET {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
).encode()


def frame(kind: Opcode, data: bytes = b"", fin: bool = True) -> bytes:
    return Frame(kind, data, fin).serialize(mask=True)


def opened(served: Listening, early: bytes = b"") -> socket.socket:
    """A client after its handshake, which does nothing by itself."""
    client = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    client.sendall(HANDSHAKE + early)
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"x-request-id: req_" in head.lower()
    return client


def some(client: socket.socket) -> bytes:
    data = client.recv(4096)
    assert data, "it was closed"
    return data


def rest(client: socket.socket) -> bytes:
    data = b""
    with suppress(OSError):
        while piece := client.recv(65536):
            data += piece
    return data


FLOODS = {
    "pings": frame(Opcode.PING) * 5000,
    "empty messages": frame(Opcode.TEXT) * 5000,
    "small messages": frame(Opcode.TEXT, b"{}") * 5000,
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_takes_neither_memory_nor_the_loop(shared: Served, kind: str) -> None:
    process = psutil.Process()
    before = peak = process.memory_info().rss
    slowest_s = 0.0

    def pour() -> None:
        with opened(shared) as client, suppress(OSError):
            client.settimeout(1)
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                client.sendall(FLOODS[kind])

    flood = threading.Thread(target=pour)
    with shared.client() as other:
        other.get("/health")
        flood.start()
        while flood.is_alive():
            began = time.monotonic()
            assert other.get("/health").status_code == 200
            slowest_s = max(slowest_s, time.monotonic() - began)
            peak = max(peak, process.memory_info().rss)
        flood.join()
    assert peak - before < 40 * MIB
    assert slowest_s < 2.5  # 0.05 s on an idle machine


def test_a_message_over_the_limit_closes_the_socket(serve: Serve) -> None:
    served = serve(ToySynthesizer(), max_body_bytes=10_000)
    with Client(served, PATH) as client:
        client.say('{"transcript": "' + "a" * 20_000 + '"}')
        assert client.closed()[0] == 1009


def test_so_does_one_in_endless_fragments(shared: Served) -> None:
    with opened(shared) as client:
        client.sendall(frame(Opcode.TEXT, b"{", fin=False))
        with suppress(OSError):
            client.sendall(frame(Opcode.CONT, fin=False) * (MOST_FRAGMENTS + 1))
        assert b"\x03\xf1" in rest(client)  # 1009


def test_a_message_may_come_in_fragments_a_byte_at_a_time(shared: Served) -> None:
    message = frame(Opcode.TEXT, b'{"context_id":', fin=False) + frame(
        Opcode.CONT, b'"C","cancel":true}'
    )
    with opened(shared) as client:
        for byte in message:
            client.sendall(bytes([byte]))
        assert b'"cancelled"' in client.recv(4096)


def test_what_comes_with_the_handshake_is_read_after_it(shared: Served) -> None:
    with opened(shared, frame(Opcode.TEXT, b'{"context_id":"C","cancel":true}')) as client:
        assert b'"cancelled"' in client.recv(4096)


NONSENSE = {
    "no frames": b"\xff" * 20,
    "no text": frame(Opcode.TEXT, b"\xff\xfe"),
    "no reason": b"\x88\x81aaaab",
}


@pytest.mark.parametrize("early", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_that_comes_with_the_handshake_is_told_after_it(
    shared: Served, caplog: pytest.LogCaptureFixture, early: bytes
) -> None:
    with opened(shared, early) as client:
        answer = rest(client)
    assert answer[:1] == b"\x88" and answer[2:4] in (b"\x03\xea", b"\x03\xef")  # 1002, 1007
    wait_until(lambda: shared.connections == 0)
    assert not [each for each in caplog.records if each.name not in ("uvicorn.error", "mira")]


def test_no_text_closes_the_socket(shared: Served) -> None:
    with opened(shared) as client:
        client.sendall(frame(Opcode.TEXT, b"\xff\xfe"))
        assert b"\x03\xef" in rest(client)  # 1007


def test_bytes_that_are_no_frames_close_it(shared: Served) -> None:
    with opened(shared) as client:
        client.sendall(b"\xff" * 64)  # others might be a message, or a part of one
        rest(client)
    wait_until(lambda: shared.connections == 0)


UNREADABLE = {
    "many headers": "".join(f"x-{number}: 1\r\n" for number in range(200)),
    "a long header": f"x: {'a' * 9000}\r\n",
    "a body": "content-length: 5\r\n",
    "a body in chunks": "transfer-encoding: chunked\r\n",
}


@pytest.mark.parametrize("what", [*UNREADABLE, "a long address"])
def test_a_handshake_that_can_not_be_read_is_refused_and_its_connection_closed(
    shared: Served, what: str
) -> None:
    head = HANDSHAKE.replace(b"\r\n\r\n", b"\r\n" + UNREADABLE.get(what, "").encode() + b"\r\n")
    if what == "a long address":
        head = head.replace(PATH.encode(), PATH.encode() + b"?api_key=" + b"s" * 9000)
    with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as client:
        client.sendall(head)
        answer = rest(client)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"invalid_http" in answer and b"ssss" not in answer
    wait_until(lambda: shared.connections == 0)


def test_a_server_that_stops_says_so(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.002)
    served = serve(toy)
    with Client(served, PATH) as idle, Client(served, PATH) as speaking:
        form = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
        speaking.say({"transcript": "One two three. " * 50, "output_format": form})
        assert speaking.hear()
        served.server.should_exit = True
        assert idle.closed()[0] == speaking.closed()[0] == 1012
    wait_until(lambda: toy.opened == toy.closed)


def test_pings_go_on_to_whoever_answers_none(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As LiveKit's sockets do, which nobody reads between two turns."""

    def hurried(self: Frames) -> None:
        self.ping_interval = 0.05
        self.schedule_ping()

    monkeypatch.setattr(Frames, "start_keepalive", hurried)
    with opened(shared) as client:
        heard = b""
        while heard.count(b"\x89\x04") < 5:  # pings with 4 bytes in them
            heard += some(client)
        client.sendall(frame(Opcode.TEXT, b'{"context_id":"C","cancel":true}'))
        while b'"cancelled"' not in heard:
            heard += some(client)
