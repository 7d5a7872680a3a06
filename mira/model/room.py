"""A model's dimensions in, the memory and disk that its conversion lacks on this machine out.

Asked before a conversion begins, and by `mira doctor`; needs no OpenVINO.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mira.machine import free_memory, limits_here
from mira.model.checkpoint.language import LanguageDims

Asked = Literal["auto", "int4", "int8", "bf16"]
"""How a language model's weights are to be stored."""

_BYTES: dict[Asked, float] = {"auto": 0.55, "int4": 0.55, "int8": 1.01, "bf16": 2.0}  # of a weight
_CODEC_BYTES = 700 << 20  # on disk, at true size
_SPARE = 1.2


def lacks(
    dims: LanguageDims, directory: Path, asked: Asked = "auto", reads: bool = True
) -> Iterator[str]:
    """Say what there is too little of; nothing if there is enough.

    Args:
        dims: The language model's.
        directory: Where the conversion goes; it may have begun there, or not exist.
        asked: How weights are to be stored.
        reads: Whether the original is still to be read.
    """
    parameters = dims.parameters
    where = next(path for path in (directory, *directory.absolute().parents) if path.is_dir())
    disk = parameters * _BYTES[asked] * _SPARE + (_CODEC_BYTES if parameters > 1e8 else 0)
    # What an interrupted run left there is not written again.
    left = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    yield from _lack("disk space", shutil.disk_usage(where).free + left, disk, f"in {where}")
    if reads:
        # The original is held in float32, twice over while it computes: 5.1 GB were measured.
        yield from _lack("memory", free_memory(limits_here()), parameters * 4 * 2.5, "here")


def _lack(what: str, there: float, needed: float, where: str) -> Iterator[str]:
    if there < needed:
        yield (
            f"Converting needs about {needed / 1e9:.1f} GB of {what}; there are "
            f"{there / 1e9:.1f} GB {where}."
        )
