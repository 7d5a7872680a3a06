"""A published checkpoint in, its conversion for a CPU in a folder of ours out; converted once.

The folder is named by what the checkpoint's files are, so that one that changes is converted anew.
Of processes that start together one converts, and the others wait for it.
"""

import fcntl
import logging
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mira.checkpoint import Checkpoint
from mira.checkpoint.converted import Converted, identity, is_complete, open_converted
from mira.errors import CheckpointError, InvalidSettings
from mira.facts import short
from mira.progress import Report, quiet

log = logging.getLogger(__name__)

LOOK_S = 0.5  # between two looks at whether another process is done
_DIGITS = 16  # of the checkpoint's identity, in the folder's name


def prepared(checkpoint: Checkpoint, name: str, cache: Path, report: Report = quiet) -> Converted:
    """Find a checkpoint's conversion, or make it.

    Args:
        checkpoint: With a codec.
        name: Of the model, as the settings have it.
        cache: Holds conversions, of which each may be deleted at any time.
        report: Told how far it is.

    Raises:
        CheckpointError: It can't be converted; what was finished stays for the next time.
        InvalidSettings: This machine can't do it, or the cache can't be written.
    """
    source = identity(checkpoint)
    folder = _folder(source, name, cache)
    if (found := _whole(folder, source)) is not None:
        return found
    from mira.convert import convert

    with _alone(folder, name, report):
        if (found := _whole(folder, source)) is None:
            weights, agreement = convert(checkpoint, folder, "auto", report, short(name))
            log.info("%s: weights in %s: %s", short(name), weights, agreement)
            found = open_converted(folder, whole=False)
        return found


def is_prepared(checkpoint: Checkpoint, name: str, cache: Path) -> bool:
    """Whether an earlier start made the conversion; arguments as for `prepared`."""
    source = identity(checkpoint)
    return is_complete(_folder(source, name, cache), source)


def _folder(source: str, name: str, cache: Path) -> Path:
    return cache.absolute() / "converted" / f"{_plain(short(name))}-{source[:_DIGITS]}"


def _whole(folder: Path, source: str) -> Converted | None:
    """What an earlier start made, unless it is damaged; then it is removed."""
    if not is_complete(folder, source):
        return None
    try:
        return open_converted(folder)
    except CheckpointError as error:
        log.warning("%s", error)
        shutil.rmtree(folder, ignore_errors=True)
        return None


@contextmanager
def _alone(folder: Path, name: str, report: Report) -> Iterator[None]:
    """Hold a lock that ends with the process, however that ends."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f"{folder.name}.lock").open("w")
    except OSError as error:
        raise InvalidSettings(
            f"cache_dir: {folder.parent} can't be written ({error.strerror}). Set it to a folder "
            "that can: a converted model is kept there."
        ) from error
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                report(f"waiting for another process, which is converting {short(name)}", 0, 0)
                time.sleep(LOOK_S)
        yield


def _plain(name: str) -> str:
    """A folder's name of an id, which has a slash."""
    return re.sub(r"[^\w.]+", "-", name).strip("-.")[:64] or "model"
