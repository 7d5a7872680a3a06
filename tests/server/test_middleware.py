"""Every answer has an id, and no body can be too long or take for ever."""

import re

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from mira.server import middleware
from mira.server.middleware import BodyLimit
from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

STREAM = "/v1/audio/speech-stream"
LIMIT = 1 << 20


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/health", {}, 200),
        ("GET", "/metrics", {}, 200),
        ("GET", "/docs", {}, 200),
        ("POST", STREAM, {"json": {"input": "Hi."}}, 200),
        ("POST", STREAM, {"json": {"input": ""}}, 400),
        (
            "POST",
            STREAM,
            {"content": b"\xff", "headers": {"content-type": "application/json"}},
            400,
        ),
        ("GET", "/nowhere", {}, 404),
        ("GET", STREAM, {}, 405),
        ("POST", STREAM, {"content": b" " * (LIMIT + 1)}, 413),
    ],
)
def test_every_answer_has_an_id_of_its_own(
    shared: Served, method: str, path: str, options: dict[str, object], status: int
) -> None:
    with shared.client() as client:
        answers = [client.request(method, path, **options) for _ in "ab"]  # type: ignore[arg-type]
    assert [answer.status_code for answer in answers] == [status, status]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(re.fullmatch("req_[0-9a-f]{32}", found) for found in ids)
    assert ids[0] != ids[1]


def test_an_announced_body_over_the_limit_is_not_awaited(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, f"content-length: {LIMIT + 1}")
        assert wire.read_head() == 413
        error = wire.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", "request_too_large")
    assert str(LIMIT) in str(error["message"])


def test_a_body_of_unknown_length_is_cut_at_the_limit(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, "transfer-encoding: chunked")
        for _ in range(16):
            wire.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        wire.write(b"1\r\n \r\n")  # one byte over, and the end is not sent
        assert wire.read_head() == 413
        assert wire.json()["error"]["code"] == "request_too_large"


def test_a_body_of_just_the_limit_is_read(serve: Serve, toy: ToySynthesizer) -> None:
    served = serve(toy, max_body_bytes=2000)
    body = b'{"input": "Hi."}'
    headers = {"content-type": "application/json"}
    for num_bytes, status in ((2000, 200), (2001, 413)):
        padded = body + b" " * (num_bytes - len(body))
        assert served.post(STREAM, content=padded, headers=headers).status_code == status


def test_a_body_may_come_in_pieces(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, "transfer-encoding: chunked")
        for piece in (b'{"input"', b': "One two', b' three."}'):
            wire.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        wire.write(b"0\r\n\r\n")
        assert wire.read_head() == 200
        assert sum(map(len, wire.chunks())) > 1000


def test_a_client_that_leaves_within_its_body_is_forgotten(shared: Served) -> None:
    with Wire(shared) as wire:
        wire.write_head(STREAM, "content-length: 1000")
        wire.write(b'{"inp')
    assert shared.get("/health").status_code == 200


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_TIMEOUT_S", 0.05)
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("not to be reached")

    async def receive() -> Message:
        await anyio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": STREAM, "headers": []}
    anyio.run(BodyLimit(app, LIMIT), scope, receive, send)
    assert sent[0]["status"] == 408
    assert b'"request_timeout"' in sent[1]["body"]


def test_a_connection_is_used_again_after_every_kind_of_answer(shared: Served) -> None:
    """Clients keep theirs for minutes; a leftover of one request must not poison the next."""
    with Wire(shared) as wire:
        for payload, status in (({"input": "Hi."}, 200), ({"input": ""}, 400)) * 2:
            wire.post(STREAM, payload)
            assert wire.read_head() == status
            if status == 200:
                assert list(wire.chunks())
            else:
                wire.json()
