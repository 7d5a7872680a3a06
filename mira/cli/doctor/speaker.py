"""What would speak with these settings, and whether it can.

Of weights only the tables of contents are read, and no recording is opened.
"""

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mira.cli.doctor.report import Row, State, gib
from mira.errors import CheckpointError, InvalidRequest, NotDownloaded
from mira.load.plan import Plan, extra_of, install
from mira.settings import Settings

if TYPE_CHECKING:
    from mira.model.checkpoint import Checkpoint

NAMES = {
    "transformers": "PyTorch, a stream at a time,",
    "torch": "PyTorch",
    "lmdeploy": "LMDeploy and PyTorch",
    "lmdeploy-pytorch": "LMDeploy and PyTorch",
}
WORKING_BYTES = {  # beside the weights, and about; on a GPU with the cache of all streams
    "builtin": 350 << 20,
    "openvino": 768 << 20,
    "transformers": 1 << 30,
    "torch": 2 << 30,
    "lmdeploy": 3 << 30,
    "lmdeploy-pytorch": 3 << 30,
}


LITTLE_DISK_BYTES = 100 << 20


def mira_rows(
    settings: Settings, planned: Plan, left_bytes: int | None, wrong: Sequence[Row] = ()
) -> Iterator[Row]:
    """What would speak, and whether it can.

    Args:
        settings: Ask for it.
        planned: Made of them.
        left_bytes: Of memory where it is to compute; None: not known.
        wrong: What was found of names that are no model's; they aren't looked into.
    """
    yield _speaker(planned)
    for refusal in planned.refusals:
        yield Row(refusal.setting, refusal.reason, "problem")
    weights = 0
    if planned.engine != "builtin" and not wrong:
        try:
            for row, num_bytes in _model(settings, planned):
                weights += num_bytes
                yield row
        except ImportError as error:
            advice = install(extra_of(planned.engine))
            yield Row("model", f"can't be looked into without {error.name}", "problem", advice)
    if weights or planned.engine == "builtin":
        yield _memory_needed(planned, weights, left_bytes)
    yield from _voices(settings, planned.engine)
    yield _disk(settings)


def _speaker(planned: Plan) -> Row:
    if planned.engine == "builtin":
        return Row("speaks", "the built-in voice, on the processor")
    if planned.engine == "openvino":
        return Row("speaks", "a converted model, in OpenVINO on the processor")
    value = f"a model as published, in {NAMES[planned.engine]} on {planned.device}"
    if planned.device != "cpu":
        return Row("speaks", value)
    slow = f"far slower than real time: set lm_engine=auto, {install('cpu')}"
    return Row("speaks", value, "note", slow)


def _model(settings: Settings, planned: Plan) -> Iterator[tuple[Row, int]]:
    """What is found of it, with the bytes that its weights will take."""
    directory = _directory(settings)
    if directory and planned.engine == "openvino" and not planned.converts:
        yield _converted(directory)
    else:
        yield from _published(settings, planned)


def _converted(directory: Path) -> tuple[Row, int]:
    from mira.model.checkpoint.converted import open_converted

    try:
        converted = open_converted(directory, whole=False)
        files = [path.stat().st_size for path in directory.rglob("*") if path.is_file()]
    except (CheckpointError, OSError) as error:
        return Row("model", str(error), "problem"), 0
    return Row("model", f"{directory}, converted, weights in {converted.weights}"), sum(files)


def _published(settings: Settings, planned: Plan) -> Iterator[tuple[Row, int]]:
    from mira.model.checkpoint import open_checkpoint
    from mira.model.checkpoint.tensors import read_header

    model = _located("model", settings.model, settings.model_revision)
    codec = _located("codec_model", settings.codec_model) if settings.codec_model else None
    semantic: Path | Row | None = None
    if name := settings.semantic_model:
        inside = isinstance(model, Path) and _is_folder(model / name)
        semantic = None if inside else _located("semantic_model", name)
    for row in (model, codec, semantic):
        if isinstance(row, Row):
            yield row, 0
    if isinstance(model, Row) or isinstance(codec, Row):
        return
    try:
        found = open_checkpoint(model, codec)
        tensors = [info for path in found.language_weights for info in read_header(path).values()]
        codec_bytes = sum(path.stat().st_size for path in found.files.values())
    except (CheckpointError, OSError) as error:
        hint = "" if _directory(settings) else "a broken download is resumed at the start"
        yield Row("model", str(error), "problem", hint), 0
        return
    dtype = settings.model_dtype
    two_bytes = dtype == "bfloat16" or (dtype == "auto" and planned.gpu is not None)
    width = 1 if planned.converts else 2 if two_bytes else 4
    language_bytes = sum(math.prod(info.shape) for info in tensors) * width
    yield Row("model", f"{model}, {found.layout} layout"), language_bytes + codec_bytes
    if planned.converts:
        yield _conversion(settings, found), 0


def _conversion(settings: Settings, checkpoint: "Checkpoint") -> Row:
    from mira.load.prepare import folder_of, is_prepared
    from mira.model.room import lacks

    if is_prepared(checkpoint, settings.model, settings.cache_dir):
        return Row("converted", f"by an earlier start, in {settings.cache_dir}")
    if not _can_write(settings.cache_dir):
        closed = "it is converted at the first start: set cache_dir to a folder that can be written"
        return Row("converted", f"{settings.cache_dir} can't be written", "problem", closed)
    lack = " ".join(
        lacks(checkpoint.dims, folder_of(checkpoint, settings.model, settings.cache_dir))
    )
    if lack:
        return Row("converted", f"not yet, in {settings.cache_dir}", "problem", lack)
    later = "the first start converts it, which takes minutes"
    return Row("converted", f"not yet, in {settings.cache_dir}", "note", later)


def _located(setting: str, name: str, revision: str = "") -> Path | Row:
    """A directory, or where the download of a Hugging Face id is."""
    from huggingface_hub.constants import HF_HUB_OFFLINE

    from mira.model.checkpoint import locate
    from mira.model.checkpoint.hub import Part

    parts: dict[str, Part] = {"codec_model": "codec", "semantic_model": "wav2vec2"}
    try:
        return locate(name, revision or None, offline=True, part=parts.get(setting, "model"))
    except NotDownloaded:
        if HF_HUB_OFFLINE:
            return Row(setting, f"{name}: not on this machine", "problem", "HF_HUB_OFFLINE is set")
        later = "the first start downloads it"
        return Row(setting, f"{name}: not on this machine yet", "note", later)
    except CheckpointError as error:  # neither a directory nor an id
        return Row(setting, str(error), "problem")


def _memory_needed(planned: Plan, weights: int, left_bytes: int | None) -> Row:
    where = "memory" if planned.gpu is None else f"memory of {planned.device}"
    needed = weights + WORKING_BYTES[planned.engine]
    if left_bytes is None:
        return Row(where, f"about {gib(needed)} needed")
    value = f"about {gib(needed)} needed, {gib(left_bytes)} free"
    if left_bytes >= needed:
        return Row(where, value)
    state: State = "problem" if left_bytes < weights else "note"
    return Row(where, value, state, "end what else runs there, or take another machine")


def _voices(settings: Settings, engine: str) -> Iterator[Row]:
    folder = settings.voices_dir
    if not _is_folder(folder):
        if exists(folder):
            yield Row("voices", f"{folder}: is no folder", "problem", "set voices_dir to another")
        else:
            yield _writable(folder, "not there until the first voice is added")
        return
    try:
        good, bad = _recordings(folder)
    except (OSError, ImportError) as error:
        yield Row("voices", f"{folder}: can't be looked into ({error})", "problem")
        return
    value = f"{good} recording{'' if good == 1 else 's'}; mira voices list says how good"
    yield _writable(folder, value)
    if bad:
        yield Row("", f"{bad} can't be used for their names", "note", "mira voices list says why")
    if good and engine == "builtin":
        yield Row("", "none of them speaks", "note", "that takes a Mira model: set model")


def _writable(folder: Path, value: str) -> Row:
    if _can_write(folder):
        return Row("voices", f"{folder}: {value}")
    closed = "give whoever runs Mira the right to write there, or set voices_dir"
    return Row("voices", f"{folder}: {value}; can't be written", "note", closed)


def _recordings(folder: Path) -> tuple[int, int]:
    """How many names there are of recordings, and how many can't be one; none is opened."""
    from mira.voices.archive import RECORDING_SUFFIXES, SUFFIX
    from mira.voices.names import clean_name

    good, bad = set(), 0
    for path in folder.iterdir():
        if path.name.startswith(".") or path.suffix.lower() not in (SUFFIX, *RECORDING_SUFFIXES):
            continue
        try:
            name = clean_name(path.stem)
        except InvalidRequest:
            bad += 1
            continue
        bad += name in good
        good.add(name)
    return len(good), bad


def _disk(settings: Settings) -> Row:
    places = {"voices": settings.voices_dir}
    if directory := _directory(settings):
        places["the model"] = directory
    elif settings.model:
        with suppress(ImportError):
            from huggingface_hub.constants import HF_HUB_CACHE

            places["the model"] = Path(HF_HUB_CACHE)
    free = {what: shutil.disk_usage(_existing(path)).free for what, path in places.items()}
    value = ", ".join(f"{gib(left)} free for {what}" for what, left in free.items())
    if min(free.values()) >= LITTLE_DISK_BYTES:
        return Row("disk", value)
    return Row("disk", value, "note", "what is uploaded or downloaded may not fit: free some")


def _directory(settings: Settings) -> Path | None:
    """The model's, if it is one on this machine."""
    from mira.model.checkpoint import directory_of

    try:
        return directory_of(settings.model) if settings.model else None
    except CheckpointError:  # it is neither that nor an id
        return None


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.absolute().parents) if _is_folder(place))


def _can_write(folder: Path) -> bool:
    """Whether files can be put there, or it can be made."""
    there = next(place for place in (folder, *folder.absolute().parents) if exists(place))
    return _is_folder(there) and os.access(there, os.W_OK | os.X_OK)


def exists(path: Path) -> bool:
    """Whether it does, as far as can be seen."""
    return os.access(path, os.F_OK)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # in one that can't be entered
        return False
