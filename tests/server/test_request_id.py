"""What is said of a request can be found by its id: in answers, messages and the log."""

import logging
import re

import pytest

from mira.server.request_id import note_request
from mira.settings import Settings
from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.sockets.client import Client
from tests.toys import ToySynthesizer

STREAM = "/v1/audio/speech-stream"
LIMIT = Settings().max_body_bytes
RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
SAY = {"transcript": "One two three.", "context_id": "C", "voice": "anna", "output_format": RAW}


def handshake_id(client: Client) -> str:
    assert client.socket.response is not None
    return client.socket.response.headers["x-request-id"]


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


def test_a_sockets_failures_carry_the_handshakes_id(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=0))
    with Client(served, "/tts/websocket") as client:
        client.say({**SAY, "output_format": None}, SAY)
        for _ in range(2):  # refused; and failed in the middle
            told = client.hear()
            assert isinstance(told, dict)
            assert (told["type"], told["request_id"]) == ("error", handshake_id(client))
    for path in ("/v1/speak", "/v2/speak"):
        with Client(served, f"{path}?model=anna") as client:
            client.say({"type": "Speak", "text": "One two three."}, {"type": "Flush"})
            told = client.until(lambda message: message["type"] == "Error")
            assert {told[0]["request_id"], told[-1]["request_id"]} == {handshake_id(client)}


def test_lines_of_the_log_say_which_request_they_are_about(serve: Serve) -> None:
    lines = list[tuple[str, str]]()

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((record.getMessage(), record.__dict__["about"]))

    keeping = Keeping()
    keeping.addFilter(note_request)
    logging.getLogger("mira").addHandler(keeping)
    try:
        served = serve(ToySynthesizer(fail_at=0))
        with Client(served, "/tts/websocket") as client:
            client.say(SAY)
            client.hear()
            about = f" [{handshake_id(client)}]"
    finally:
        logging.getLogger("mira").removeHandler(keeping)
    assert [of for line, of in lines if "failed before its first audio" in line] == [about]
    assert all(of == "" for line, of in lines if line.startswith("ready:"))
