"""One process has a lock at a time, and the others are told that they wait."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from mira.model.checkpoint.files import alone

HOLD = """
import sys
from pathlib import Path
from mira.model.checkpoint.files import alone
with alone(Path(sys.argv[1]), lambda *said: None, ""):
    print("held", flush=True)
    sys.stdin.read()
"""


class Waited(Exception):
    """Of a report that has seen enough."""


def refuse(*said: object) -> None:
    raise Waited(*said)


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
    with pytest.raises(Waited) as caught, alone(path, refuse, "waiting for it"):
        pass
    assert caught.value.args == ("waiting for it", 0, 0)
    other.kill()
    other.communicate()
    with alone(path, refuse, "waiting for it"):
        pass


def test_where_there_are_no_locks_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    path = tmp_path / "new" / "lock"
    with alone(path, refuse, ""), alone(path, refuse, ""):
        pass
