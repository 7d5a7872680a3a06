"""A service in a process of its own, and the clients that measure it."""

import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import psutil

from mira.errors import NotReady


@dataclass(frozen=True, slots=True)
class Service:
    """Where it listens, which process it is, and how long it took to be ready."""

    host: str
    port: int
    process: psutil.Process
    ready_s: float

    @property
    def url(self) -> str:
        """Of its root."""
        return f"http://{self.host}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def rss_mb(self) -> float:
        """Resident memory of the process."""
        return float(self.process.memory_info().rss) / 2**20

    def cpu_s(self) -> float:
        """Seconds that its threads have computed, all together."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def stats(self) -> dict[str, object]:
        """What the service says of itself."""
        connection = self.connect()
        connection.request("GET", "/stats")
        answer: dict[str, object] = json.load(connection.getresponse())
        connection.close()
        return answer


@contextmanager
def running(*arguments: str) -> Iterator[Service]:
    """`mira serve` on a free loopback port, ready; stopped at the end.

    Args:
        arguments: Of `mira serve`.

    Raises:
        NotReady: It ended before it was ready, and why.
    """
    began = time.perf_counter()
    command = [sys.executable, "-m", "mira", "serve", "--port", "0", *arguments]
    # The log goes to a file: nobody reads it to its end, and a pipe would fill and stop the
    # service. Appended, because both processes share one position in it.
    with (
        tempfile.TemporaryFile("a+", encoding="utf-8") as log,
        subprocess.Popen(command, stderr=log) as process,
    ):
        try:
            host, port = _until_ready(process, log)
            ready_s = time.perf_counter() - began
            yield Service(host, port, psutil.Process(process.pid), ready_s)
        finally:
            process.terminate()
            process.wait(30)


def _until_ready(process: subprocess.Popen[bytes], log: IO[str]) -> tuple[str, int]:
    while True:
        ended = process.poll() is not None
        log.seek(0)
        said = log.read()
        if ended:
            last = said.splitlines()[-1].removeprefix("mira: ") if said else "it said nothing"
            raise NotReady(f"The service ended before it was ready: {last}")
        found = re.search(r"listening on http://([\d.]+):(\d+)\n", said)
        if found and _is_ready(found[1], int(found[2])):
            return found[1], int(found[2])
        time.sleep(0.01)


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def speech_request(text: str, **fields: object) -> tuple[str, dict[str, str]]:
    """Body and headers of a request for 24 kHz PCM, unless `fields` say otherwise."""
    body = {"model": "mira", "voice": "heart", "response_format": "pcm", "input": text, **fields}
    return json.dumps(body), {"content-type": "application/json"}
