"""Files that are whole or absent, whatever happens while they are written; and sorted ones, which
are searched where they lie.

Knows nothing about what is in them.
"""

import mmap
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mira.errors import CheckpointError, StorageFailed

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


class SortedLines:
    """Lines of a file of a package, found by halving; the file stays where it is. Safe on several
    threads.

    Args:
        path: Of the file.
        key: What it is sorted by, of a line.
        package: To be installed again if the file can't be read.

    Raises:
        CheckpointError: The file is missing or empty.
    """

    def __init__(self, path: Path, key: Callable[[bytes], bytes], package: str) -> None:
        self._key = key
        try:
            with path.open("rb") as file:
                self._lines = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # the latter is an empty file's
            raise CheckpointError(
                f"{path} can't be read: {error}. Install {package} again."
            ) from error

    def of(self, key: bytes) -> Iterator[bytes]:
        """Yield the lines with this key, in their order."""
        at = self._first(key)
        while (line := self._line(at)) and self._key(line) == key:
            at += len(line)
            yield line

    def __iter__(self) -> Iterator[bytes]:
        """Yield all lines."""
        at = 0
        while line := self._line(at):
            at += len(line)
            yield line

    def _line(self, start: int) -> bytes:
        stop = self._lines.find(b"\n", start) + 1
        return self._lines[start : stop or len(self._lines)]

    def _first(self, key: bytes) -> int:
        """Find where the first line begins whose key isn't before this one."""
        low, high = 0, len(self._lines)
        while low < high:
            start = self._lines.rfind(b"\n", low, (low + high) // 2) + 1 or low
            line = self._line(start)
            if self._key(line) < key:
                low = start + len(line)
            else:
                high = start
        return low
