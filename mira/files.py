"""Files that are whole or absent, whatever happens while they are written; files that are read
again when they change; and sorted ones, which are searched where they lie.

Knows nothing about what is in them.
"""

import logging
import mmap
import os
import secrets
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from mira.errors import CheckpointError, InvalidSettings, StorageFailed, one_line

T = TypeVar("T")
log = logging.getLogger(__name__)

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


def read_toml(path: Path, max_bytes: int, setting: str, advice: str) -> dict[str, Any]:
    """Read a TOML file that somebody wrote; nothing of it is quoted in an error.

    Args:
        path: Of an ordinary file.
        max_bytes: Larger ones are refused.
        setting: That names it.
        advice: A sentence for whoever wrote something else.

    Raises:
        InvalidSettings: It can't be read, or is something else; the message says in which line.
    """
    try:
        if not path.is_file():  # nor one that a read would wait for
            raise InvalidSettings(f"{setting}: {path} is no file. Write one, or unset it.")
        with path.open("rb") as file:
            found = file.read(max_bytes + 1)
        if len(found) > max_bytes:
            raise InvalidSettings(
                f"{setting}: {path} has more than {max_bytes >> 20} MiB. Make it shorter."
            )
        return tomllib.loads(found.decode("utf-8"))
    except OSError as error:
        raise InvalidSettings(f"{setting}: {path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise InvalidSettings(f"{setting}: {path}, line {line}: save it as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = one_line(error).partition(": ")[2] or "too deeply nested"
        raise InvalidSettings(f"{setting}: {path} is not valid TOML: {reason}. {advice}") from None


class Reread(Generic[T]):
    """What a file says; the last that could be used, if the file can't be.

    Args:
        path: Of the file.
        read: Reads it, or raises InvalidSettings, here too.
    """

    def __init__(self, path: Path, read: Callable[[], T]) -> None:
        self._path = path
        self._read = read
        self._state = self._look()
        self._wrong = ""
        self.value = read()

    def refresh(self) -> bool:
        """Read the file again if it has changed; tell whether it says something else now."""
        state = self._look()  # first: what is written meanwhile makes it another one
        if state == self._state:
            return False
        self._state = state
        try:
            self.value = self._read()
        except InvalidSettings as error:
            if str(error) != self._wrong:
                log.warning("%s Until then it stays as it was.", error)
            self._wrong = str(error)
            return False
        self._wrong = ""
        return True

    def _look(self) -> tuple[int, ...] | None:
        """Tell what changes when the file does; None if there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


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
