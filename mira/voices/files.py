"""Files that people put into a folder: told apart without being read, and read with a bound.

Knows nothing about what is in them.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mira.errors import InvalidRequest
from mira.progress import amount

Stamp = tuple[int, int, int]
"""Size, time of change and inode: another one means other contents."""


class Unreadable(InvalidRequest):
    """A file can't be read now; another time it may be."""


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what tells a file's contents from those it had before, without reading them."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def _path_within(folder: Path, filename: str) -> Path:
    """Follow a link in `folder`, if it doesn't lead out."""
    path = folder / filename
    if path.is_symlink() or Path(filename).name != filename:
        try:
            path = path.resolve(strict=True)
        except RuntimeError as error:  # pathlib's, until Python 3.13
            raise InvalidRequest("It can't be read: it is a link to itself.", "audio") from error
        if not path.is_relative_to(folder.resolve(strict=True)):
            raise InvalidRequest("It is a link to a file outside of its folder.", "audio")
    return path


@contextmanager
def open_within(folder: Path, filename: str) -> Iterator[BinaryIO]:
    """Open a file that really is in `folder`: an ordinary one, or a link to one in there.

    Raises:
        InvalidRequest: It can't be read, there or in the block, or is none of the above.
    """
    # Without O_NONBLOCK, a pipe that nobody writes to would be waited for for ever.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        path = _path_within(folder, filename)
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidRequest("It is no ordinary file.", "audio")
            yield file
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
