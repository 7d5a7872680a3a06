"""Runs a Mira service as a stranger does, with Python's own library alone.

What the scripts beside this file share: they run before anything is installed.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_S = 60  # from the start of the process
END_S = 10  # from the signal


class Failed(Exception):
    """Something is not as it is promised; the message says what."""


@dataclass(frozen=True)
class Service:
    """A running service."""

    port: int
    log: Path
    ready_s: float

    def ask(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Make one request; return its status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {} if body is None else {"content-type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def speak(self, text: str, **fields: object) -> tuple[int, Mapping[str, str], bytes]:
        """Make one request to OpenAI's speech endpoint."""
        body = {"model": "mira", "input": text, "voice": "heart", **fields}
        return self.ask("POST", "/v1/audio/speech", body)

    def active(self) -> int:
        """Count the streams that speak now."""
        return int(json.loads(self.ask("GET", "/health")[2])["active_streams"])


@contextmanager
def running(
    command: Sequence[str], cwd: Path, log: Path, install_s: float = 0, **variables: str
) -> Iterator[Service]:
    """Run a service on a free port until the block ends; SIGTERM has to end it cleanly.

    Args:
        command: What starts it. `mira` itself has to end with status 0; make has a status of its
            own.
        cwd: Folder to start it in.
        log: File for what it says.
        install_s: How long the command may install before it starts.
        variables: Of the environment, beside those of this process.
    """
    port = _free_port()
    environment = {**os.environ, **variables, "MIRA_PORT": str(port)}
    environment.pop("PYTHONPATH", None)  # nothing but what is installed
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a signal to all of it, as Ctrl-C in a terminal is
        )
    try:
        _wait(process, log, "listening on", install_s + READY_S)
        began = time.monotonic()
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() - began > READY_S:
                raise Failed(f"{' '.join(command)} is not ready:\n{log.read_text()}")
            time.sleep(0.05)
        yield Service(port, log, time.monotonic() - began)
        os.killpg(process.pid, signal.SIGTERM)
        try:
            status = process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise Failed(f"SIGTERM did not end it within {END_S} s") from None
        if status and Path(command[0]).name == "mira":
            raise Failed(f"SIGTERM ended it with status {status}:\n{log.read_text()}")
        if "Traceback" in (said := log.read_text()):
            raise Failed(f"a traceback in what the service printed:\n{said}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", log: Path, words: str, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while words not in log.read_text():
        if process.poll() is not None:
            raise Failed(f"it ended with status {process.returncode}:\n{log.read_text()}")
        if time.monotonic() > deadline:
            raise Failed(f"it did not start within {limit_s:.0f} s:\n{log.read_text()}")
        time.sleep(0.05)


def _is_ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def blocks(page: str, *languages: str) -> list[str]:
    """Find the examples of a Markdown page in some languages, in order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [code for language, code in found if language in languages]
