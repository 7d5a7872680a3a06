"""Files that are whole or absent, whatever happens while they are written; read with a bound.

Knows nothing about what is in them.
"""

import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mira.errors import InvalidRequest, StorageFailed
from mira.progress import amount

_PART = ".part-"  # hidden, so that nobody takes an unfinished file for one
_ABANDONED_S = 3600.0  # no writer takes so long: whoever began it is gone


class Unreadable(InvalidRequest):
    """A file can't be read now; another time it may be."""


Stamp = tuple[int, int, int]
"""Size, time of change and inode: another one means other contents."""


def stamp_of(status: os.stat_result) -> Stamp:
    """What tells a file's contents from those it had before, without reading them."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def write_whole(path: Path, data: bytes, durable: bool = True) -> Stamp:
    """Put a file in its place at once.

    Args:
        durable: Return when it would survive a power cut, too.

    Raises:
        StorageFailed: It can't be written; then there is what was there before.
    """
    part = path.with_name(f"{_PART}{secrets.token_hex(8)}")
    try:
        with part.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)  # whoever speaks in it is nobody else's business
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
            stamp = stamp_of(os.fstat(file.fileno()))
        part.replace(path)
    except OSError as error:
        raise StorageFailed(f"The folder can't be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):  # it is there only if something went wrong
            part.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)
    return stamp


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        StorageFailed: It can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"The folder can't be made: {error.strerror}.") from error


def remove_file(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        StorageFailed: It can't be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageFailed(f"{path.name!r} can't be removed: {error.strerror}.") from error


def move_file(path: Path, target: Path) -> None:
    """Move a file, if it is there, to where nothing is on the same disk.

    Raises:
        StorageFailed: It can't be moved.
    """
    try:
        path.rename(target)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageFailed(f"{path.name!r} can't be moved: {error.strerror}.") from error


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
        for part in folder.glob(f"{_PART}*"):
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_S:
                    part.unlink()


def path_within(folder: Path, filename: str) -> Path:
    """Where a file in `folder` is; a link in there is followed, if it doesn't lead out.

    Raises:
        InvalidRequest: It does.
    """
    path = folder / filename
    try:
        if path.is_symlink() or Path(filename).name != filename:
            path = path.resolve(strict=True)
            if not path.is_relative_to(folder.resolve(strict=True)):
                raise InvalidRequest("It is a link to a file outside of its folder.", "audio")
    except OSError as error:
        raise Unreadable(f"It can't be read: {error.strerror}.", "audio") from error
    except RuntimeError as error:  # pathlib's, until Python 3.13
        raise InvalidRequest("It can't be read: it is a link to itself.", "audio") from error
    return path


@contextmanager
def open_within(folder: Path, filename: str) -> Iterator[BinaryIO]:
    """Open a file that really is in `folder`: an ordinary one, or a link to one in there.

    Raises:
        InvalidRequest: It can't be read, there or in the block, or is none of the above.
    """
    path = path_within(folder, filename)
    try:
        # Without O_NONBLOCK, a pipe that nobody writes to would be waited for for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidRequest("It is no ordinary file.", "audio")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                yield file
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unreadable(f"It can't be read: {error.strerror}.", "audio") from error


def read_within(folder: Path, filename: str, max_bytes: int) -> bytes:
    """Read a file of at most `max_bytes`.

    Raises:
        InvalidRequest: It is larger, or see `open_within`.
    """
    with open_within(folder, filename) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise InvalidRequest(f"It has more than {amount(max_bytes)}.", "audio")
    return data
