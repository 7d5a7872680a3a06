"""A service in a process of its own, and the clients that measure it."""

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

AUDIBLE = 104  # s16: -50 dB of full scale; softer than this is silence to a listener


@dataclass(frozen=True, slots=True)
class Service:
    """Where it listens, which process it is, and how long it took to be ready."""

    host: str
    port: int
    process: psutil.Process
    ready_s: float

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def rss_mb(self) -> float:
        """Resident memory of the process."""
        return float(self.process.memory_info().rss) / 2**20

    def stats(self) -> dict[str, object]:
        """What the service says of itself."""
        connection = self.connect()
        connection.request("GET", "/stats")
        answer: dict[str, object] = json.load(connection.getresponse())
        connection.close()
        return answer


@contextmanager
def running(*arguments: str) -> Iterator[Service]:
    """`mira serve` on a free loopback port, ready; stopped at the end."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "mira", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = None
        while found is None:
            found = re.search(r"listening on http://([\d.]+):(\d+)", process.stderr.readline())
        host, port = found[1], int(found[2])
        while not _is_ready(host, port):
            time.sleep(0.01)
        ready_s = time.perf_counter() - began
        # Nobody reads the rest of the log: it would fill the pipe and stop the service.
        with subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL):
            try:
                yield Service(host, port, psutil.Process(process.pid), ready_s)
            finally:
                process.terminate()
                process.wait(30)


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
