"""A directory or a Hugging Face repository id in, a directory on this machine out.

Knows nothing about what the files hold. Nothing is downloaded unless an id was given.
"""

import re
from pathlib import Path
from typing import Literal

from mira.errors import CheckpointError, NotDownloaded

_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")

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


def directory_of(name: str) -> Path | None:
    """Find the directory that `name` is; None if it is a repository id instead.

    Raises:
        CheckpointError: It is neither.
    """
    try:
        path = Path(name).expanduser()
        if path.is_dir():
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
    revision: str | None = None,
    cache_directory: Path | None = None,
    offline: bool = False,
    part: Part = "model",
) -> Path:
    """Find a checkpoint, downloading it if a repository id is given; a broken download resumes.

    Args:
        name: A directory, or a repository id such as `YatharthS/MiraTTS`. A directory wins.
        revision: Branch, tag or commit of the repository; pin a commit to get the same files
            each time.
        cache_directory: Where downloads are kept; the hub's own cache unless given.
        offline: Use only what was downloaded before.
        part: What is wanted of a repository: all of a model, its codec alone, or a wav2vec2.

    Raises:
        CheckpointError: No such directory.
        NotDownloaded: The repository can't be had; one line that says what to copy where.
    """
    if directory := directory_of(name):
        return directory
    from huggingface_hub import snapshot_download

    try:
        snapshot = snapshot_download(
            name,
            revision=revision,
            cache_dir=cache_directory,
            local_files_only=offline,
            allow_patterns=_WANTED[part],
            ignore_patterns=_UNWANTED,
        )
    except Exception as error:  # its own, the operating system's, its HTTP library's of the day
        reason = " ".join(str(error).split()).partition(". ")[0]
        raise NotDownloaded(
            f"{name}: can't be had from the Hugging Face hub ({reason}). Without a network, copy "
            f"its files from https://huggingface.co/{name}/tree/{revision or 'main'} to a "
            "directory here and give that directory instead"
        ) from error
    return Path(snapshot)
