"""A published checkpoint in, its conversion for a CPU in a folder of ours out; converted once.

The folder is named by what the checkpoint's files are, so that one that changes is converted anew.
Of processes that start together one converts, and the others wait for it.
"""

import logging
import os
import re
from contextlib import suppress
from pathlib import Path

from mira.errors import CheckpointError, InvalidSettings
from mira.load.facts import short
from mira.model.checkpoint import Checkpoint
from mira.model.checkpoint.converted import Converted, identity, is_complete, open_converted
from mira.progress import Report, quiet

log = logging.getLogger(__name__)

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
    if is_complete(folder, source):
        with suppress(CheckpointError):  # damaged: made again, and said there
            return open_converted(folder)
    require_cache(cache)
    from mira.model.convert import convert

    weights, agreement = convert(checkpoint, folder, "auto", report, short(name), replace=True)
    log.info("%s: weights in %s: %s", short(name), weights, agreement)
    return open_converted(folder, whole=False)


def is_prepared(checkpoint: Checkpoint, name: str, cache: Path) -> bool:
    """Whether an earlier start made the conversion; arguments as for `prepared`."""
    source = identity(checkpoint)
    return is_complete(_folder(source, name, cache), source)


def require_cache(cache: Path) -> None:
    """Raise InvalidSettings if no conversion can be written to a cache."""
    folder = _conversions(cache)
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return
    raise InvalidSettings(
        f"cache_dir: {folder} can't be written. Set it to a folder that can: a "
        "converted model is kept there."
    )


def _conversions(cache: Path) -> Path:
    return cache.absolute() / "converted"


def folder_of(checkpoint: Checkpoint, name: str, cache: Path) -> Path:
    """Where a conversion is, or will be; arguments as for `prepared`."""
    return _folder(identity(checkpoint), name, cache)


def _folder(source: str, name: str, cache: Path) -> Path:
    return _conversions(cache) / f"{_plain(short(name))}-{source[:_DIGITS]}"


def _plain(name: str) -> str:
    """A folder's name of an id, which has a slash."""
    return re.sub(r"[^\w.]+", "-", name).strip("-.")[:64] or "model"
