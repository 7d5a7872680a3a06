"""The server as a process, and the socket it listens on."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mira.errors import InvalidSettings
from mira.server.app import create_app
from mira.server.key_file import MIN_SECRET_CHARS
from mira.server.run import (
    IN_HAND_S,
    KEEP_ALIVE_S,
    SEND_BUFFER_BYTES,
    PlainLines,
    listen,
    make_server,
)
from mira.settings import Settings
from tests.server.keyed import HOLDERS, WRONG, write_keys
from tests.server.processes import STREAM, started, toy
from tests.server.serving import wait_until


def test_accepted_connections_take_little_in_advance() -> None:
    with listen(Settings(port=0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs Linux")
def test_the_kernel_gives_up_on_who_takes_nothing() -> None:
    with listen(Settings(port=0, stall_timeout_s=3)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0] as accepted:
            timeout_ms = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert timeout_ms == 1000 * (3 + IN_HAND_S)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        pytest.param("::1", marks=pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")),
    ],
)
def test_either_family_is_listened_on(host: str) -> None:
    with listen(Settings(host=host, port=0)) as listener:
        socket.create_connection((host, listener.getsockname()[1])).close()


def test_a_taken_port_is_said() -> None:
    with listen(Settings(port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(InvalidSettings, match=rf":{port}: .*in use.*--port"):
            listen(Settings(port=port))


def test_an_address_that_is_not_ours_is_said() -> None:
    with pytest.raises(InvalidSettings, match=r"Can't listen on 192\.0\.2\.1:0: "):
        listen(Settings(host="192.0.2.1", port=0, open_to_everybody=True))


def test_the_settings_reach_the_server() -> None:
    settings = Settings(port=0, shutdown_timeout_s=7)
    config = make_server(create_app(settings, lambda settings: None), settings).config  # type: ignore[arg-type, return-value]
    assert config.timeout_graceful_shutdown == 7
    assert config.timeout_keep_alive == KEEP_ALIVE_S > 120
    assert config.access_log is False


BOSS = "boss-0123456789abcdef"


def test_the_process_ends_when_its_model_is_beyond_repair() -> None:
    """With one line and a status that a supervisor starts it again for."""
    breaks = 'toy.before_block = lambda number: setattr(toy, "failure", "The card fell out.")'
    with toy(breaks) as process:
        process.wait_ready()
        assert process.client.post(STREAM, json={"input": "Hello."}).content
        assert process.wait() == 1
        assert process.said.splitlines()[-1] == "mira: The card fell out."
        assert "Traceback" not in process.said


def test_it_ends_though_what_broke_never_closes() -> None:
    """A driver that is beyond repair seldom lets go of the thread that is in it."""
    change = """
state.STOP_S = 0.5
toy.close = never
toy.before_block = lambda number: setattr(toy, "failure", "The card fell out.")
"""
    with toy(change) as process:
        process.wait_ready()
        assert process.client.post(STREAM, json={"input": "Hello."}).content
        assert process.wait(30) == 1
        lines = process.said.splitlines()
        assert lines[-1] == "mira: The card fell out."
        assert "the engine did not end within 0 s" in process.said
        assert "Traceback" not in process.said


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_process_speaks_and_stops_when_told(stop: signal.Signals) -> None:
    with started("-m", "mira", "serve") as process:
        process.wait_ready()
        answer = process.client.post(STREAM, json={"input": "Hello there."})
        assert (answer.status_code, len(answer.content) > 16000) == (200, True)
        assert "server" not in answer.headers, "what runs it is nobody's business"
        process.popen.send_signal(stop)
        assert process.wait() == 0
        assert "Traceback" not in process.said
        assert process.popen.stdout is not None
        assert process.popen.stdout.read() == ""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "change",
    ["run.load_engine = lambda settings, report: never()", "toy.measure = lambda most: never()"],
    ids=["load", "measure"],
)
def test_it_stops_while_a_model_loads(change: str, stop: signal.Signals) -> None:
    """The thread that loads can't be cancelled, and would keep the process."""
    with toy(change) as process:
        assert process.client.get("/health").json()["ready"] is False
        time.sleep(0.2)
        process.popen.send_signal(stop)
        assert process.wait(20) == 0
        assert "Traceback" not in process.said


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(stop: signal.Signals) -> None:
    """The first waits for those who listen."""
    with toy("toy.compute_s = 0.2", shutdown_timeout_s="600") as process:
        process.wait_ready()
        with process.client.stream("POST", STREAM, json={"input": "One two three. " * 200}) as told:
            chunks = told.iter_raw()
            next(chunks)
            process.popen.send_signal(stop)
            with pytest.raises(subprocess.TimeoutExpired):
                process.popen.wait(1.5)
            next(chunks)
            process.popen.send_signal(stop)
            assert process.wait(20) == 128 + stop


@pytest.mark.parametrize(
    ("bounds", "words"),
    [("600, 0.5", "left alone"), ("0.5, 600", "a stream did not end within")],
)
def test_it_stops_though_a_block_is_never_done(bounds: str, words: str) -> None:
    """Its thread hangs, in a driver for one. Either bound suffices."""
    change = (
        f"state.STOP_S, utterance.LONGEST_ITEM_S = {bounds}; "
        "toy.before_block = lambda number: number == 0 or never()"
    )
    with toy(change, shutdown_timeout_s="0") as process:
        process.wait_ready()
        with process.client.stream("POST", STREAM, json={"input": "One two three."}) as told:
            chunks = told.iter_raw()
            next(chunks)
            process.popen.send_signal(signal.SIGTERM)
            assert process.wait() == 0
        assert words in process.said


FEW_FILES = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
"""


def test_what_goes_wrong_is_a_line_each_and_many_connections_are_no_trouble() -> None:
    """A stalled listener, what is no HTTP, a body that never comes, and a call at the end."""
    body = json.dumps({"input": "One two three. " * 250}).encode()
    head = f"POST {STREAM} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n".encode()
    speech = head + b"content-length: %d\r\n\r\n" % len(body) + body
    with (
        toy(FEW_FILES, stall_timeout_s="1", full_stall_timeout_s="1") as process,
        ExitStack() as clients,
    ):
        process.wait_ready()

        def connect(data: bytes = b"") -> socket.socket:
            client = clients.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", process.port))
            client.sendall(data)
            return client

        for _ in range(400):
            connect()
        for data in (b"hello\r\n\r\n", head + b"content-length: 9\r\n\r\n", speech):
            connect(data)
        wait_until(lambda: process.client.get("/stats").json()["failures"] != {}, 60)
        connect(speech).recv(4096)
        process.popen.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    lines = process.said.splitlines()
    assert all(re.match(r"(INFO|WARNING) [\w.]+: \S", line) for line in lines), process.said
    (broken,) = [line for line in lines if "broken" in line]
    assert re.search(r"s of audio: its listener takes too little \[req_[0-9a-f]{32}\]$", broken)
    assert "ASGI" not in process.said
    assert "stopping: what is running has 1 s to finish" in process.said
    assert "2 requests were running after shutdown_timeout_s and are cut off" in process.said


def test_no_key_is_in_any_line_of_the_log(tmp_path: Path) -> None:
    """At any level, the access log's lines among them, wherever it was sent and however wrongly."""
    path, mistyped = write_keys(tmp_path / "keys.toml"), "mistyped-0123456789"
    secrets = [*HOLDERS, WRONG, mistyped]
    places = {"api_keys_file": str(path), "api_keys": f"boss={BOSS}", "log_level": "debug"}
    with toy("", **places) as process:
        wait_until(lambda: process.client.get("/health/ready").status_code == 200, 60)
        for secret in [*secrets, BOSS]:
            for name in ("authorization", "xi-api-key", "x-api-key", "cookie", "sec-websocket-key"):
                value = f"Bearer {secret}" if name == "authorization" else secret
                process.client.get("/voices", headers={name: value})
            for name in ("api_key", "access_token", "authorization", "key", "token"):
                process.client.get("/voices", params={name: secret})
                process.client.post(STREAM, params={name: secret}, json={"input": "", "seed": ""})
            upgrade = {"connection": "upgrade", "upgrade": "websocket", "x-api-key": secret}
            process.client.get("/tts/websocket", params={"api_key": secret}, headers=upgrade)
            port = process.client.base_url.port
            for where in ("/tts/websocket", "/v1/speak", "/nowhere"):
                url = f"ws://127.0.0.1:{port}{where}?api_key={quote(secret)}&token={quote(secret)}"
                with (
                    suppress(InvalidStatus),
                    connect(url, additional_headers={"x-api-key": secret}, proxy=None) as client,
                ):
                    client.send(b"\0")
            for line in (f"authorization : Bearer {secret}\r\nhost: a", f"x-api-key: {secret}\0"):
                with socket.create_connection(("127.0.0.1", port)) as raw:
                    raw.sendall(f"GET /voices?api_key={secret} HTTP/1.1\r\n{line}\r\n\r\n".encode())
                    answer = raw.recv(4096)
                    assert b" 400 " in answer.splitlines()[0] and secret.encode() not in answer
        for wrong in (
            f'[{mistyped}]\nkey = "{mistyped}',
            f"[x]\n{mistyped} = 1",
            f'x = "{mistyped}"',
        ):
            path.write_text(wrong)
            os.utime(path, (1, 1))
            wait_until(lambda: process.client.get("/health").status_code == 200)
            time.sleep(0.8)
        assert process.client.get("/metrics", headers={"x-api-key": BOSS}).status_code == 200
        for where in ("/stats", "/metrics", "/health", "/health/ready", "/", "/openapi.json"):
            told = process.client.get(where, headers={"x-api-key": BOSS}).text
            assert not any(secret in told for secret in [*secrets, BOSS])
        process.popen.send_signal(signal.SIGTERM)
        process.wait()
        said = process.said
    for secret in [*secrets, BOSS]:
        part = secret[: MIN_SECRET_CHARS - 4]
        assert part not in said, next(line for line in said.splitlines() if part in line)
    assert said.count('"GET /voices HTTP/1.1" 401') > 20, "the access log was there"
    assert said.count("Until then it stays as it was.") == 3
    assert "keys: 6; nobody else is served" in said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "no keys: this machine alone is served"),
        ({"open_to_everybody": "true"}, "WARNING mira.server.run: no keys: open_to_everybody"),
        ({"api_keys": "one-0123456789abcdef"}, "keys: 1; nobody else is served"),
    ],
)
def test_a_start_says_who_may_ask(given: dict[str, str], words: str) -> None:
    with toy("", **given) as process:
        process.client.get("/health")
        process.popen.send_signal(signal.SIGTERM)
        process.wait()
        assert words in process.said


@pytest.mark.parametrize(
    "given",
    [
        {"host": "0.0.0.0"},
        {"host": "0.0.0.0", "api_keys": "short"},
        {"api_keys_file": "/nonexistent/keys.toml"},
    ],
)
def test_a_start_without_usable_keys_ends_with_a_line(given: dict[str, str]) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    environment |= {f"MIRA_{name.upper()}": value for name, value in {"port": "0", **given}.items()}
    command = [sys.executable, "-m", "mira", "serve"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("mira: ") and "key" in line and "short" not in line


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_are_not_listened_to_without_keys(host: str) -> None:
    with pytest.raises(InvalidSettings, match=r"Other machines reach .*open_to_everybody"):
        listen(Settings(host=host, port=0))
    with (
        listen(Settings(host="localhost", port=0)),
        listen(Settings(host="0.0.0.0", port=0, open_to_everybody=True)),
    ):
        pass


def test_errors_of_the_server_itself_are_not_left_out() -> None:
    try:
        raise GeneratorExit
    except GeneratorExit:
        record = logging.LogRecord(
            "", logging.ERROR, "", 0, "Exception in ASGI", (), sys.exc_info()
        )
    assert PlainLines().filter(record)


def test_bytes_of_strangers_are_not_logged() -> None:
    line = "Invalid UTF-8 sequence received from client."
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, line, (), None)
    assert not PlainLines().filter(record)
