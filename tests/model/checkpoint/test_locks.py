"""One process has a lock at a time, and the others are told that they wait."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from mira.model.checkpoint.locks import wait_for

HOLD = """
import sys
from mira.model.checkpoint.locks import wait_for
with open(sys.argv[1], "ab") as file:
    wait_for(file, lambda *said: None, "")
    print("held", flush=True)
    sys.stdin.read()
"""


class Waited(Exception):
    """Of a report that has seen enough."""


def refuse(what: str, done: int, total: int) -> None:
    raise Waited(what, done, total)


def test_a_process_that_ends_however_gives_its_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with path.open("ab") as lock:
        with pytest.raises(Waited) as caught:
            wait_for(lock, refuse, "waiting for it")
        assert caught.value.args == ("waiting for it", 0, 0)
        other.kill()
        other.communicate()
        wait_for(lock, refuse, "waiting for it")


def test_where_there_are_no_locks_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with (tmp_path / "lock").open("ab") as lock:
        wait_for(lock, refuse, "waiting for it")
