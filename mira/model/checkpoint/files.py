"""A lock on files that several processes write to: one at a time."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mira.progress import Report

LOOK_AGAIN_S = 0.2  # while another process has the lock


@contextmanager
def alone(path: Path, report: Report, waiting: str) -> Iterator[None]:
    """Hold a lock until the block ends, or the process, however it ends; wait for one that does.

    Where a file system has no locks, it is taken to be free: whoever uses this writes the same
    bytes as another would, and gives a file its name when it is whole.

    Args:
        path: Of the lock; it and its folder are made.
        report: Told that another process is waited for, if so.
        waiting: What it is told.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as lock:
        while not _taken(lock.fileno()):
            report(waiting, 0, 0)
            time.sleep(LOOK_AGAIN_S)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return True
