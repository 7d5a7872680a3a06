"""A service as a process of its own, which signals reach."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx

from tests.server.serving import wait_until

TOY = """
import sys, threading
from mira.cli import main as cli
from mira.engine import Engine
from mira.server import run, state, utterance
from tests.toys import ToySynthesizer

toy = ToySynthesizer()
run.load_engine = lambda settings, report: Engine(toy, settings.lead_s)
never = threading.Event().wait
{change}
sys.argv = ["mira", "serve", "--set", "default_voice=anna"]
cli.main()
"""
STREAM = "/v1/audio/speech-stream"


class Process:
    """A service as a process of its own.

    Args:
        popen: The process.
        url: Where it listens.
        said: What it said on standard error so far.
    """

    def __init__(self, popen: "subprocess.Popen[str]", url: str, said: str) -> None:
        self.popen, self.url, self.said = popen, url, said
        self.client = httpx.Client(base_url=url, trust_env=False, verify=False, timeout=60)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def wait_ready(self) -> None:
        """Return once it can speak."""
        wait_until(lambda: self.client.get("/health/ready").status_code == 200, 60)

    def wait(self, timeout_s: float = 60) -> int:
        """Its exit status, once it has ended; all that it said is in `said` then."""
        status = self.popen.wait(timeout_s)
        assert self.popen.stderr is not None
        self.said += self.popen.stderr.read()
        return status


@contextmanager
def started(*arguments: str, **settings: str) -> Iterator[Process]:
    """`python` with these arguments and Mira's settings, listening."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    for name, value in {"port": "0", "shutdown_timeout_s": "1", **settings}.items():
        environment[f"MIRA_{name.upper()}"] = value
    with subprocess.Popen(
        [sys.executable, *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stderr is not None
            said = ""
            while not (found := re.search(r"listening on (http://127.0.0.1:\d+)\n", said)):
                line = process.stderr.readline()
                assert line, said
                said += line
            one = Process(process, found[1], said)
            with one.client:
                yield one
        finally:
            process.kill()


def toy(change: str, **settings: str) -> AbstractContextManager[Process]:
    """One that speaks with a toy, after some change."""
    return started("-c", TOY.format(change=change), **settings)
