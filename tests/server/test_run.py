"""The server as a process, and the socket it listens on."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from mira.errors import InvalidSettings
from mira.server.app import create_app
from mira.server.run import IN_HAND_S, KEEP_ALIVE_S, SEND_BUFFER_BYTES, listen, make_server
from mira.settings import Settings


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
        listen(Settings(host="192.0.2.1", port=0))


def test_the_settings_reach_the_server() -> None:
    settings = Settings(port=0, shutdown_timeout_s=7)
    config = make_server(create_app(settings, lambda settings: None), settings).config  # type: ignore[arg-type, return-value]
    assert config.timeout_graceful_shutdown == 7
    assert config.timeout_keep_alive == KEEP_ALIVE_S > 120
    assert config.access_log is False


BREAKS = """
import sys
from mira import cli
from mira.engine import Engine
from mira.server import run
from tests.toys import ToySynthesizer

toy = ToySynthesizer()
run.load_engine = lambda settings: Engine(toy, settings.lead_s)
toy.before_block = lambda number: setattr(toy, "failure", "The card fell out.")
sys.argv = ["mira", "serve", "--set", "default_voice=anna"]
cli.main()
"""


def test_the_process_ends_when_its_model_is_beyond_repair() -> None:
    """With one line and a status that a supervisor starts it again for."""
    environment = {"PATH": os.environ["PATH"], "MIRA_PORT": "0", "MIRA_SHUTDOWN_TIMEOUT_S": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", BREAKS],
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            assert process.stderr is not None
            said = ""
            while not (found := re.search(r"listening on (http://127.0.0.1:\d+)\n", said)):
                line = process.stderr.readline()
                assert line, said
                said += line
            with httpx.Client(base_url=found[1], trust_env=False, verify=False) as client:
                deadline = time.monotonic() + 60
                while client.get("/health/ready").status_code != 200:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                assert client.post("/v1/audio/speech-stream", json={"input": "Hello."}).content
            rest = process.stderr.read()
            assert process.wait(60) == 1
            assert rest.splitlines()[-1] == "mira: The card fell out."
            assert "Traceback" not in said + rest
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_process_speaks_and_stops_when_told(stop: signal.Signals) -> None:
    environment = {"PATH": os.environ["PATH"], "MIRA_PORT": "0", "MIRA_SHUTDOWN_TIMEOUT_S": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "mira", "serve"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            said = ""
            while not (found := re.search(r"listening on (http://127.0.0.1:\d+)\n", said)):
                line = process.stderr.readline()
                assert line, said
                said += line
            with httpx.Client(base_url=found[1], trust_env=False, verify=False) as client:
                deadline = time.monotonic() + 60
                while client.get("/health/ready").status_code != 200:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                answer = client.post("/v1/audio/speech-stream", json={"input": "Hello there."})
                assert (answer.status_code, len(answer.content) > 16000) == (200, True)
                assert "server" not in answer.headers, "what runs it is nobody's business"
            process.send_signal(stop)
            rest = process.stderr.read()
            assert process.wait(20) in (0, 130, -stop)
            assert "Traceback" not in said + rest
            assert process.stdout.read() == ""
        finally:
            process.kill()
