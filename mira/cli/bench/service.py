"""`mira serve` in a process of its own."""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import psutil

from mira.errors import NotReady


@dataclass(frozen=True, slots=True)
class Service:
    """Where it listens, which process it is, and how long it took to be ready."""

    host: str
    port: int
    process: psutil.Process
    ready_s: float = 0.0

    @property
    def url(self) -> str:
        """Address of its root."""
        return f"http://{self.host}:{self.port}"

    def connect(self) -> HTTPConnection:
        """Make a new connection."""
        return HTTPConnection(self.host, self.port, timeout=60)

    def get(self, path: str) -> dict[str, Any]:
        """Read what the service says of itself; empty if it can't answer yet."""
        with closing(self.connect()) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return dict(json.load(answer)) if answer.status == 200 else {}
            except OSError:
                return {}


@contextmanager
def running(*arguments: str) -> Iterator[Service]:
    """Run `mira serve` with these arguments on a free loopback port; stop it at the end.

    Raises:
        NotReady: It ended before it was ready, and why.
    """
    began = time.perf_counter()
    listens = ("--host", "127.0.0.1", "--port", "0")
    without_keys = ("--set", "api_keys=", "--set", "api_keys_file=")  # whoever set some has them
    # Every sentence is computed, however often it comes.
    without_phrases = ("--set", "phrases_mb=0")
    more = (*listens, *without_keys, *without_phrases, *arguments)
    command = [sys.executable, "-m", "mira", "serve", *more]
    # The log goes to a file: nobody reads it to its end, and a pipe would fill and stop the
    # service. Appended, because both processes share one position in it.
    with (
        tempfile.TemporaryFile("a+", encoding="utf-8") as log,
        subprocess.Popen(command, stderr=log) as process,
    ):
        service = None
        try:
            while not (service and service.get("/health/ready")):
                time.sleep(0.01)
                ended = process.poll() is not None
                log.seek(0)
                said = log.read()
                if ended:
                    last = said.splitlines()[-1].removeprefix("mira: ") if said else "no reason"
                    raise NotReady(f"The service ended before it was ready: {last}")
                if found := re.search(r"listening on http://([\d.]+):(\d+)\n", said):
                    took_s = time.perf_counter() - began
                    there = psutil.Process(process.pid)
                    service = Service(found[1], int(found[2]), there, took_s)
            yield service
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()  # nothing happens to one that has ended
