"""An open file in, this process the only one that holds it, out; others wait, and say so.

Knows nothing of what the lock keeps apart.
"""

import fcntl
import time
from typing import IO

from mira.progress import Report

LOOK_AGAIN_S = 0.2  # while another process has the lock


def wait_for(lock: IO[bytes], report: Report, waiting: str) -> None:
    """Take a file's lock, until the file is closed or the process ends, however it ends.

    Where a file system has no locks, it is taken to be free.

    Args:
        lock: Open for writing.
        report: Told that another process is waited for, if so.
        waiting: What it is told.
    """
    while not _taken(lock.fileno()):
        report(waiting, 0, 0)
        time.sleep(LOOK_AGAIN_S)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return True
