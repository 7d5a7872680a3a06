"""A directory or a Hugging Face repository id in, a directory on this machine out.

Knows nothing about what the files hold. Nothing is downloaded unless an id was given.
"""

import os
import re
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Literal

from mira.errors import CheckpointError
from mira.progress import Report, quiet

_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_REVISION = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")

Part = Literal["model", "codec", "wav2vec2"]

_CODEC = [
    "BiCodec/model.safetensors",
    "detokenizer.safetensors",
    "decoders/detokenizer.safetensors",
    *(f"*{name}.onnx" for name in ("processer", "s_encoder", "q_encoder")),
    "*upsampler.pth",
]
_LANGUAGE = ["*.json", "*.txt", "*.yaml", "model*.safetensors", "LLM/*.safetensors"]
_WANTED: dict[Part, list[str]] = {
    "model": _LANGUAGE + _CODEC,
    "codec": _CODEC,
    "wav2vec2": ["config.json", "model.safetensors", "pytorch_model.bin"],
}
# Left behind: the 1.27 GB wav2vec2 in Spark's repository, which is had from its own if it is asked
# for, and Mira's fixed-length decoder, which nothing reads.
_UNWANTED = ["wav2vec2*"]


def is_wanted(file: str, part: Part = "model") -> bool:
    """Tell whether a file of a repository belongs to a part of a model."""

    def is_one_of(patterns: list[str]) -> bool:
        return any(fnmatchcase(file, pattern) for pattern in patterns)

    return is_one_of(_WANTED[part]) and not is_one_of(_UNWANTED)


def directory_of(name: str) -> Path | None:
    """Find the directory that `name` is; None if it is a repository id instead.

    Raises:
        CheckpointError: It is neither.
    """
    try:
        path = Path(name).expanduser()
        if path.is_dir():
            if not os.access(path, os.R_OK | os.X_OK):
                raise CheckpointError(
                    f"{name}: can't be looked into. Give whoever runs Mira the right to read it."
                )
            return path
        if path.exists():
            raise CheckpointError(f"{name}: is a file. Give the directory of a model's files.")
    except (OSError, RuntimeError) as error:  # closed to us, too long, another one's ~home
        raise CheckpointError(f"{name}: can't be looked into ({error})") from error
    if _REPOSITORY.fullmatch(name):
        return None
    raise CheckpointError(f"{name}: no such directory, nor a Hugging Face id like owner/name.")


def locate(
    name: str,
    revision: str = "",
    cache_directory: Path | None = None,
    offline: bool = False,
    part: Part = "model",
    report: Report = quiet,
    anew: bool = False,
) -> Path:
    """Find a checkpoint, downloading what is missing if a repository id is given.

    Args:
        name: A directory, or a repository id such as `YatharthS/MiraTTS`. A directory wins.
        revision: Branch, tag or commit of the repository; `main` unless given. A branch stays what
            it was when it was downloaded: nothing is asked of the hub if all of it is here.
        cache_directory: Where downloads are kept; the hub's own cache unless given.
        offline: Use only what was downloaded before.
        part: What is wanted of a repository: all of a model, its codec alone, or a wav2vec2.
        report: Told how far a download is.
        anew: Ask the hub what the branch is now, and download what changed.

    Raises:
        CheckpointError: No such directory, or nothing in the repository is of a model.
        NotDownloaded: The repository can't be had; one line that says what to do.
    """
    if directory := directory_of(name):
        return directory
    revision = revision or "main"
    if not _REVISION.fullmatch(revision):
        raise CheckpointError(f"model_revision: {revision!r} is no branch, tag or commit.")
    from huggingface_hub import constants

    from mira.model.checkpoint.hub_cache import HubCache

    wanted = partial(is_wanted, part=part)
    cache = HubCache(name, cache_directory or Path(constants.HF_HUB_CACHE))
    if not anew and (found := cache.complete(revision, wanted)):
        return found
    if offline or constants.HF_HUB_OFFLINE:
        return cache.as_it_is(revision)
    from mira.model.checkpoint.hub_download import download

    return download(cache, revision, wanted, report, anew)


def check_known(name: str, report: Report = quiet) -> None:
    """Ask the hub for a repository, before another is downloaded that is of no use without it.

    A hub that is out of reach is left to the download to tell.

    Args:
        name: A repository id.
        report: Told that the hub is asked.

    Raises:
        NotDownloaded: The hub knows no such repository, or doesn't give it to us.
    """
    from huggingface_hub import constants

    from mira.model.checkpoint.hub_client import HubClient, Interrupted
    from mira.model.checkpoint.hub_download import ask

    if not constants.HF_HUB_OFFLINE:
        with HubClient(name) as hub, suppress(Interrupted):
            ask(hub, "main", report)
