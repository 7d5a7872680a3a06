"""Clients that are slow, rude or many, on real sockets: bounded, while others are served."""

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from mira.server import middleware, protocol
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

STREAM = "/v1/audio/speech-stream"
MIB = 1 << 20
HOST = b"host: localhost\r\n"
CHUNKED = b"POST /v1/audio/speech-stream HTTP/1.1\r\n" + HOST
CHUNKED += b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
FLOODS = {  # what comes first, what is repeated, for how many bytes
    "pipelined requests": (b"", (b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n") * 500, 24 * MIB),
    "headers": (b"GET / HTTP/1.1\r\n" + HOST, b"a:1\r\n" * 5000, 24 * MIB),
    "one header": (b"GET / HTTP/1.1\r\n" + HOST + b"content-type: ", b";a=b" * 5000, 10 * MIB),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"a:1\r\n" * 5000, 12 * MIB),
    "one chunk's extensions": (CHUNKED + b"2;", b"a=b;" * 5000, 24 * MIB),
    "chunks' extensions": (CHUNKED, b"1;" + b"a=b;" * 2000 + b"\r\n \r\n", 24 * MIB),
    "chunks of one byte": (CHUNKED, b"1\r\n \r\n" * 5000, 2 * MIB),
}


def write_all(served: Served, first: bytes, piece: bytes, num_bytes: int) -> None:
    """Send as much as the server takes, for a few seconds at most."""
    deadline = time.monotonic() + 5
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.settimeout(1)
        with contextlib.suppress(OSError):
            client.sendall(first)
            for _ in range(num_bytes // len(piece)):
                if time.monotonic() > deadline:
                    return
                client.sendall(piece)


def connect(served: Served, data: bytes = b"") -> socket.socket:
    """A client of few words."""
    client = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    client.sendall(data)
    return client


def rest(client: socket.socket) -> bytes:
    """All that the server says until it closes."""
    data = b""
    while piece := client.recv(65536):
        data += piece
    return data


@contextlib.contextmanager
def closing_all(clients: list[socket.socket]) -> Iterator[None]:
    try:
        yield
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_takes_neither_memory_nor_the_loop(shared: Served, kind: str) -> None:
    process = psutil.Process()
    before = peak = process.memory_info().rss
    slowest_s = 0.0
    flood = threading.Thread(target=write_all, args=(shared, *FLOODS[kind]))
    with shared.client() as client:
        client.get("/health")
        flood.start()
        while flood.is_alive():
            began = time.monotonic()
            assert client.get("/health").status_code == 200
            slowest_s = max(slowest_s, time.monotonic() - began)
            peak = max(peak, process.memory_info().rss)
        flood.join()
    assert peak - before < 40 * MIB
    assert slowest_s < 1.5  # 0.03 s on an idle machine


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nx: " + b"a" * 20_000, 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"x: a\r\n" * 5000, 431, "headers_too_large"),
        (b"hello\r\n\r\n", 400, "invalid_http"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "invalid_http"),  # TLS
        (b"GET / HTTP/1.1\r\n\r\n", 400, "invalid_http"),
        (b"GET / HTTP/1.1\r\nx-api-key : s3cr3t\r\n\r\n", 400, "invalid_http"),
        (b"GET / HTTP/1.1\r\nx-api-key: s3cr3t\0'\r\n\r\n", 400, "invalid_http"),
        (b"GET /?api_key=s3cr3t  HTTP/1.1\r\n\r\n", 400, "invalid_http"),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, "invalid_http"),
        (CHUNKED + b"x\r\n", 400, "invalid_http"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_request_is_told_so(shared: Served, data: bytes, status: int, code: str) -> None:
    with connect(shared, data) as client:
        head, _, body = rest(client).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"x-request-id: req_" in head
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert b"s3cr3t" not in body, "there may be a key in what can't be read"


def test_a_head_that_trickles_in_is_given_up(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.5)
    began = time.monotonic()
    with connect(shared, b"GET / HT") as client:
        client.settimeout(0.05)
        answer = b""
        while b"}}" not in answer:
            assert time.monotonic() - began < 15
            with contextlib.suppress(TimeoutError):
                answer += client.recv(4096)
            with contextlib.suppress(OSError):  # it may have been closed meanwhile
                client.sendall(b"T")
    assert time.monotonic() - began >= 0.5
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer


def test_the_second_head_on_a_connection_is_bounded_as_well(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.3)
    whole = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
    for parts in ((whole + b"GET /he",), (whole, b"GET /he")):
        with connect(shared) as client:
            for part in parts:
                client.sendall(part)
                time.sleep(0.1)
            answers = rest(client)
        assert answers.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in answers


def test_a_client_that_only_connects_may_wait_as_long_as_between_requests(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.2)
    served = serve(ToySynthesizer())
    with connect(served) as client:
        time.sleep(0.6)
        client.sendall(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    served.server.config.timeout_keep_alive = 1
    for data in (b"", b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"):
        began = time.monotonic()
        with connect(served, data) as client:
            rest(client)
        assert time.monotonic() - began >= 0.9


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nho", CHUNKED, b""], ids=["head", "body", ""])
def test_however_many_connections_wait_another_one_is_served(
    shared: Served, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """As many as are allowed are open; with each that comes, one that waits is closed."""
    monkeypatch.setattr(protocol, "MAX_WAITING", 20)
    monkeypatch.setattr(protocol, "PATIENCE_S", 0.0)
    clients = [connect(shared, sent) for _ in range(40)]
    with closing_all(clients):
        wait_until(lambda: shared.connections <= 20)
        for path in ("/health", "/voices"):
            assert shared.get(path).status_code == 200
        assert shared.post(STREAM, json={"input": "Hi."}).status_code == 200
        assert rest(clients[0]) == b"", "the oldest goes first"
        clients[-1].settimeout(0.1)
        with pytest.raises(TimeoutError):
            clients[-1].recv(1)
    wait_until(lambda: shared.connections == 0)


def test_who_sends_slowly_makes_room_before_who_waits(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_WAITING", 3)
    monkeypatch.setattr(protocol, "PATIENCE_S", 0.2)
    idle = connect(shared, b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
    slow = connect(shared, b"GET / HTTP/1.1\r\n")
    with closing_all([idle, slow]):
        assert idle.recv(15) == b"HTTP/1.1 200 OK"
        wait_until(lambda: shared.connections == 2)
        time.sleep(0.4)
        with connect(shared, b"GET"), connect(shared, b"GET"):
            assert rest(slow) == b""
            wait_until(lambda: shared.connections == 3)
            idle.sendall(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
            idle.settimeout(5)
            data = b""
            while data.count(b"HTTP/1.1 200 OK") < 1:
                data += idle.recv(4096)
    wait_until(lambda: shared.connections == 0)


def test_a_connection_that_is_being_answered_never_makes_room(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_WAITING", 2)
    go_on = threading.Event()
    toy = ToySynthesizer(before_block=lambda number: number == 0 or go_on.wait(20))
    served = serve(toy)
    with Wire(served) as wire:
        wire.post(STREAM, {"input": "One two three."})
        wire.read_head()
        clients = [connect(served, b"GET / HTTP/1.1\r\n") for _ in range(10)]
        with closing_all(clients):
            assert served.get("/health").status_code == 200
            go_on.set()
            assert sum(map(len, wire.chunks())) == 2 * len(toy.whole("One two three.")) * 2 // 3


def test_too_many_requests_at_once_are_told_when_to_come_back(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "MAX_SERVED", 0)
    go_on = threading.Event()
    toy = ToySynthesizer(before_block=lambda number: number == 0 or go_on.wait(20))
    served = serve(toy, max_streams=1, queue_s=30)
    with Wire(served) as first, Wire(served) as second, Wire(served) as third:
        third.write_head(STREAM, "content-length: 10")  # does not count: its body is not here
        first.post(STREAM, {"input": "One two three."})
        first.read_head()
        second.post(STREAM, {"input": "One two three."})
        wait_until(lambda: served.get("/voices").status_code == 429)
        answer = served.get("/voices")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        for path in ("/health", "/health/ready", "/metrics"):
            assert served.get(path).status_code == 200
        go_on.set()
        assert list(first.chunks())
        second.read_head()
        assert list(second.chunks())
    served.wait_idle()
    assert served.get("/voices").status_code == 200


# Not at once: whoever ends their half after the answer began has left.
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("compute_s", [0.1, 0.3])
def test_a_client_that_ends_its_half_is_answered(
    serve: Serve, version: str, compute_s: float
) -> None:
    toy = ToySynthesizer(compute_s=compute_s)
    served = serve(toy)
    text = "One two."
    body = json.dumps({"input": text}).encode()
    head = f"POST {STREAM} HTTP/{version}\r\nhost: a\r\ncontent-type: application/json\r\n"
    with connect(served, f"{head}content-length: {len(body)}\r\n\r\n".encode() + body) as client:
        client.shutdown(socket.SHUT_WR)
        answer = rest(client)
    while answer.startswith(b"HTTP/1.1 100 "):  # what a client that is gone would refuse
        assert version == "1.1"
        answer = answer.partition(b"\r\n\r\n")[2]
    head_, _, sent = answer.partition(b"\r\n\r\n")
    assert head_.startswith(b"HTTP/1.1 200 ")
    if version == "1.0":
        assert b"chunked" not in head_
        assert len(sent) == 2 * len(toy.whole(text)) * 2 // 3
    else:
        assert sent.endswith(b"0\r\n\r\n")


def test_a_short_answer_reaches_who_ended_its_half(shared: Served) -> None:
    with connect(shared, b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n") as client:
        client.shutdown(socket.SHUT_WR)
        answer = rest(client)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"}")
    wait_until(lambda: shared.connections == 0)


def test_a_client_that_hangs_up_before_the_first_audio_is_noticed(serve: Serve) -> None:
    """It reads all that it is sent, so only what comes after its end tells that it is gone."""
    go_on = threading.Event()
    served = serve(ToySynthesizer(before_block=lambda number: go_on.wait(20)))
    with Wire(served) as wire:
        wire.post(STREAM, {"input": "One two three."})
        wait_until(lambda: served.service.admission.active == 1)
    wait_until(lambda: served.connections == 0)
    go_on.set()
    served.wait_idle()
    assert served.service.telemetry.cancelled == 1
    assert served.service.telemetry.audio_s == 0


def test_an_older_client_that_hangs_up_is_noticed_at_the_first_audio(serve: Serve) -> None:
    """Nothing can be sent to it before, and no second block is needed."""
    first, others = threading.Event(), threading.Event()
    toy = ToySynthesizer(before_block=lambda number: (others if number else first).wait(20))
    served = serve(toy)
    body = b'{"input": "One two three."}'
    head = f"POST {STREAM} HTTP/1.0\r\ncontent-type: application/json\r\n"
    connect(served, f"{head}content-length: {len(body)}\r\n\r\n".encode() + body).close()
    wait_until(lambda: served.service.admission.active == 1)
    first.set()
    wait_until(lambda: served.connections == 0)
    others.set()
    served.wait_idle()
    assert served.service.telemetry.cancelled == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", STREAM, 200), ("GET", "/health", 404), ("GET", "/nowhere", 404)],
)
def test_an_upgrade_where_no_socket_is_has_an_answer(
    shared: Served, method: str, path: str, status: int
) -> None:
    body = b'{"input": "Hi."}' if method == "POST" else b""
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with connect(shared, head.encode() + body) as client:
        assert client.recv(12) == f"HTTP/1.1 {status}".encode()


def test_requests_that_come_at_once_are_answered_in_their_order(shared: Served) -> None:
    paths = ["/health", "/v1/models", "/nowhere", "/"] * 5
    data = b"".join(b"GET %s HTTP/1.1\r\n" % path.encode() + HOST + b"\r\n" for path in paths)
    data += b"GET / HTTP/1.1\r\nconnection: close\r\n" + HOST + b"\r\n"
    with connect(shared, data) as client:
        answers = rest(client)
    statuses = re.findall(rb"HTTP/1\.1 (\d+) ", answers)
    assert statuses == [b"200", b"200", b"404", b"200"] * 5 + [b"200"]


def test_a_large_body_is_parsed_in_slices_and_arrives_whole(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a turn of its own: between two of them others are served."""
    parsed: list[tuple[int, int]] = []
    turn = 0
    parse = protocol.Connection._parse

    def spy(self: protocol.Connection, data: bytes) -> None:
        nonlocal turn
        parsed.append((len(data), turn))
        self.loop.call_soon(next_turn)
        parse(self, data)

    def next_turn() -> None:
        nonlocal turn
        turn += 1

    monkeypatch.setattr(protocol.Connection, "_parse", spy)
    served = serve(ToySynthesizer(), max_body_bytes=4 * MIB)
    text = json.dumps({"input": "Hi.", "more": "x" * 3 * MIB}).encode()
    for _ in range(3):
        headers = {"content-type": "application/json"}
        assert served.post(STREAM, content=text, headers=headers).status_code == 200
    assert max(num_bytes for num_bytes, _ in parsed) == protocol.SLICE_BYTES
    turns = [when for num_bytes, when in parsed if num_bytes == protocol.SLICE_BYTES]
    assert len(turns) > 3 * 3 * MIB // protocol.SLICE_BYTES // 2
    assert len(set(turns)) == len(turns)


def test_the_rest_of_a_refused_body_is_not_awaited_for_ever(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.5)
    began = time.monotonic()
    with Wire(shared) as wire:
        wire.write_head("/v1/audio/voices", "content-length: 10000000")
        assert wire.read_head() == 415
        with pytest.raises(OSError):
            while time.monotonic() - began < 15:
                wire.write(b"a" * 1000)
                time.sleep(0.02)
    wait_until(lambda: shared.connections == 0)
