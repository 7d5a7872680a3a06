"""Who may open a WebSocket, and how many."""

import json
import logging
import socket
import threading

import pytest
from fastapi import FastAPI
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus

from tests.conftest import Serve
from tests.server.conftest import Start
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client
from tests.server.test_frames import HANDSHAKE
from tests.server.uploading import upload
from tests.toys import ToySynthesizer

PATH = "/tts/websocket"


def refused(served: Served, path: str = PATH, **options: object) -> tuple[int, dict[str, object]]:
    """Try to open one; return the status, and the error in the body."""
    with pytest.raises(InvalidStatus) as raised, Client(served, path, **options):
        pass
    answer = raised.value.response
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.body is not None
    error = json.loads(answer.body)
    return answer.status_code, error.get("error", error)


def test_pages_of_others_may_not(shared: Served) -> None:
    status, error = refused(shared, origin="https://evil.example")
    assert (status, error["error_code"]) == (403, "permission_error")
    assert "cors_origins" in str(error["message"])


def test_pages_of_our_own_may(shared: Served, serve: Serve) -> None:
    with Client(shared, PATH, origin=f"http://127.0.0.1:{shared.port}"):
        pass
    served = serve(ToySynthesizer(), cors_origins="https://page.example")
    with Client(served, PATH, origin="https://page.example"):
        pass


def test_a_host_name_of_somebody_else_is_refused(shared: Served) -> None:
    with socket.create_connection(("127.0.0.1", shared.port)) as client:
        head = f"GET {PATH} HTTP/1.1\r\nhost: evil.example\r\nconnection: upgrade\r\n"
        head += "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: "
        client.sendall(f"{head}{'A' * 22}==\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 403"


def test_a_path_where_none_is_says_which_was_meant(shared: Served) -> None:
    status, error = refused(shared, "/v1/tts/websocket")
    assert (status, error["code"]) == (404, "not_found")
    assert "/tts/websocket" in str(error["message"])


def test_one_too_many_is_told_so(serve: Serve) -> None:
    served = serve(ToySynthesizer(), max_sockets=2)
    with Client(served, PATH), Client(served, PATH):
        status, error = refused(served)
        assert (status, error["error_code"]) == (429, "rate_limit_exceeded")
    wait_until(lambda: served.connections == 0)
    with Client(served, PATH):
        pass


@pytest.mark.parametrize("path", ["/v1/speak?model=anna2", "/v1/text-to-speech/anna2/stream-input"])
def test_a_client_that_leaves_before_it_is_let_in_is_no_mistake_of_ours(
    start: Start, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    cloning, let = threading.Event(), threading.Event()
    toy = ToySynthesizer(
        fingerprint="c0ffee", while_cloning=lambda name: cloning.set() or let.wait(20)
    )
    served = start(toy)
    upload(served)
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(HANDSHAKE.replace(PATH.encode(), path.encode()))
        assert cloning.wait(20)
    wait_until(lambda: served.connections == 0)
    let.set()
    with Client(served, path):  # now that it is known
        pass
    assert not served.service.telemetry.failures
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("accepted", [False, True])
def test_a_mistake_of_ours_is_logged_and_told(
    serve: Serve, caplog: pytest.LogCaptureFixture, accepted: bool
) -> None:
    served = serve(ToySynthesizer())
    app: FastAPI = served.app

    @app.websocket("/broken")
    async def broken(websocket: WebSocket) -> None:
        if accepted:
            await websocket.accept()
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        if accepted:
            with Client(served, "/broken") as client:
                assert client.closed()[0] == 1011
        else:
            assert refused(served, "/broken")[0] == 500
    assert "internal error" in caplog.text
    assert served.service.telemetry.failures["Internal"] == 1
