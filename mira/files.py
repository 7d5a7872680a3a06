"""Files that are whole or absent, whatever happens while they are written.

Knows nothing about what is in them.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mira.errors import StorageFailed

_ABANDONED_S = 3600.0  # no writer takes so long: whoever began it is gone


@contextmanager
def storing(failure: str) -> Iterator[None]:
    """Raise StorageFailed, which begins with `failure`, for what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{failure}: {error.strerror}.") from error


def write_whole(
    path: Path, data: bytes, *, durable: bool = True, private: bool = False
) -> os.stat_result:
    """Put a file in its place at once, instead of the one that was there.

    Args:
        path: In a folder that exists.
        data: All of it.
        durable: Return when it would survive a power cut, too.
        private: For this user alone; otherwise for all whom the process' mask lets.

    Raises:
        OSError: It can't be written; then there is what was there before.
    """
    # Hidden, so that nobody takes an unfinished file for one.
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            if private:
                os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
            status = os.fstat(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):  # it is there only if something went wrong
            part.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)
    return status


def sync_folder(folder: Path) -> None:
    """Have the disk remember which files the folder has, as well as it can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left unfinished."""
    with suppress(OSError):
        for part in folder.glob(".*.part"):
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_S:
                    part.unlink()
