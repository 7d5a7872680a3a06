"""What would speak with these settings, and whether it can.

Of weights only the tables of contents are read, and no recording is opened.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mira.cli.doctor.report import Row, State, gib
from mira.errors import CheckpointError, InvalidRequest, NotDownloaded
from mira.load.facts import MODELS, located
from mira.load.plan import Plan, extra_of, install
from mira.settings import Settings

if TYPE_CHECKING:
    from mira.load.models import Look

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
    from mira.load.models import look_at

    missing = {setting: row for setting in MODELS if (row := _missing(setting, settings))}
    yield from ((row, 0) for row in missing.values())
    if {"model", "codec_model"} & missing.keys():
        return
    try:
        found = look_at(settings, planned)
    except (CheckpointError, OSError) as error:
        hint = "" if _directory(settings) else "a broken download is resumed at the start"
        yield Row("model", str(error), "problem", hint), 0
        return
    yield Row("model", found.what), found.weight_bytes
    if planned.converts:
        yield _conversion(settings, found), 0


def _missing(setting: str, settings: Settings) -> Row | None:
    """What is to be said of a model that is not on this machine."""
    from huggingface_hub.constants import HF_HUB_OFFLINE

    name = getattr(settings, setting)
    try:
        located(setting, settings, offline=True)
    except NotDownloaded:
        if HF_HUB_OFFLINE:
            return Row(setting, f"{name}: not on this machine", "problem", "HF_HUB_OFFLINE is set")
        later = "the first start downloads it"
        return Row(setting, f"{name}: not on this machine yet", "note", later)
    except CheckpointError as error:  # neither a directory nor an id
        return Row(setting, str(error), "problem")
    return None


def _conversion(settings: Settings, found: "Look") -> Row:
    if found.is_prepared:
        return Row("converted", f"by an earlier start, in {settings.cache_dir}")
    if not _can_write(settings.cache_dir):
        closed = "it is converted at the first start: set cache_dir to a folder that can be written"
        return Row("converted", f"{settings.cache_dir} can't be written", "problem", closed)
    value = f"not yet, in {settings.cache_dir}"
    if found.lack:
        return Row("converted", value, "problem", found.lack)
    return Row("converted", value, "note", "the first start converts it, which takes minutes")


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
    with suppress(RuntimeError):  # the home of nobody
        path = Path(settings.model).expanduser()
        return path if settings.model and _is_folder(path) else None
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
