"""What would speak with these settings, and whether it can.

Of weights only the tables of contents are read, and no recording is opened.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mira.cli.doctor.report import Row, State, gib
from mira.errors import CheckpointError, InvalidSettings, NotDownloaded
from mira.load.facts import MODELS, located
from mira.load.plan import Plan, extra_of, install
from mira.settings import Settings
from mira.text import dictionary_of

PUBLISHED = "a model as published, in"
# What speaks, and about how many bytes it takes beside its weights; on a GPU with the cache of all
# streams.
SPEAKERS = {
    "builtin": ("the built-in voice, on the processor", 350 << 20),
    "openvino": ("a converted model, in OpenVINO on the processor", 768 << 20),
    "torch": (f"{PUBLISHED} PyTorch on", 2 << 30),
    "lmdeploy": (f"{PUBLISHED} LMDeploy and PyTorch on", 3 << 30),
    "lmdeploy-pytorch": (f"{PUBLISHED} LMDeploy and PyTorch on", 3 << 30),
}
LITTLE_DISK_BYTES = 100 << 20


def mira_rows(
    settings: Settings, planned: Plan, left_bytes: int | None, wrong: Sequence[Row] = ()
) -> Iterator[Row]:
    """Say what would speak, and whether it can.

    Args:
        settings: Ask for it.
        planned: Made of them.
        left_bytes: Of memory where it is to compute; None: not known.
        wrong: What was found of names that are no model's; they aren't looked into.
    """
    speaks, working_bytes = SPEAKERS[planned.engine]
    speaks += f" {planned.device}" if planned.published else ""
    if planned.published and planned.device == "cpu":
        instead = f"set lm_engine=auto, {install('cpu')}"
        if settings.semantic_model:
            instead = "leave out semantic_model"
        yield Row("speaks", speaks, "note", f"far slower than real time: {instead}")
    else:
        yield Row("speaks", speaks)
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
        yield _memory_needed(planned, weights, weights + working_bytes, left_bytes)
    yield from _voices(settings.voices_dir, planned.engine)
    yield from _dictionary(settings, planned)
    yield _keys(settings)
    yield _disk(settings)


def _model(settings: Settings, planned: Plan) -> Iterator[tuple[Row, int]]:
    """Look at the model, and return the bytes that its weights will take beside what was found."""
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
    if planned.converts and found.is_prepared:
        yield Row("converted", f"by an earlier start, in {settings.cache_dir}"), 0
    elif planned.converts:
        lack, value = found.lack, f"not yet, in {settings.cache_dir}"
        if not _can_write(settings.cache_dir):
            lack, value = "set cache_dir to a folder that can be", f"{value}: can't be written"
        later = "the first start converts it, which takes minutes"
        yield Row("converted", value, "problem" if lack else "note", lack or later), 0


def _missing(setting: str, settings: Settings) -> Row | None:
    """Say what is known of a model that is not on this machine."""
    from huggingface_hub.constants import HF_HUB_OFFLINE

    value = f"{getattr(settings, setting)}: not on this machine"
    try:
        located(setting, settings, offline=True)
    except NotDownloaded:
        if HF_HUB_OFFLINE:
            return Row(setting, value, "problem", "HF_HUB_OFFLINE is set")
        return Row(setting, f"{value} yet", "note", "the first start downloads it")
    except CheckpointError as error:  # neither a directory nor an id
        return Row(setting, str(error), "problem")
    return None


def _memory_needed(planned: Plan, weights: int, needed: int, left_bytes: int | None) -> Row:
    where = "memory" if planned.gpu is None else f"memory of {planned.device}"
    if left_bytes is None:
        return Row(where, f"about {gib(needed)} needed")
    value = f"about {gib(needed)} needed, {gib(left_bytes)} free"
    if left_bytes >= needed:
        return Row(where, value)
    state: State = "problem" if left_bytes < weights else "note"
    return Row(where, value, state, "end what else runs there, or take another machine")


def _dictionary(settings: Settings, planned: Plan) -> Iterator[Row]:
    if settings.dictionary is None:
        return
    try:
        words = dictionary_of(settings.dictionary, reads_phonemes=planned.engine == "builtin")
    except InvalidSettings as error:
        yield Row("dictionary", str(error).removeprefix("dictionary: "), "problem")
    else:
        yield Row("dictionary", f"{len(words)} entries in {settings.dictionary}")


def _keys(settings: Settings) -> Row:
    """Say whether a start would find keys, or stop for want of them."""
    from mira.server.auth import check_reach
    from mira.server.keys import Keys

    try:
        keys = Keys(settings)
        with suppress(ValueError):  # a name: where it leads is found out by a start alone
            check_reach(settings.host, settings)
    except InvalidSettings as error:
        return Row("keys", str(error), "problem")
    if keys.needed:
        return Row("keys", f"{len(keys)}; nobody is served without one")
    if settings.open_to_everybody:
        return Row("keys", "none: whoever reaches it can do everything", "note", "set api_keys")
    return Row("keys", "none: this machine alone is served")


def _voices(folder: Path, engine: str) -> Iterator[Row]:
    from mira.voices.archive import RECORDING_SUFFIXES, SUFFIX

    count = 0
    try:
        there = [path for path in folder.iterdir() if not path.name.startswith(".")]
        count = sum(path.suffix.lower() in (SUFFIX, *RECORDING_SUFFIXES) for path in there)
        value = f"{count} recording{'' if count == 1 else 's'}; mira voices list says how good"
    except FileNotFoundError:
        value = "not there until the first voice is added"
    except OSError as error:
        why = f"{folder}: can't be looked into ({error.strerror})"
        yield Row("voices", why, "problem", "set voices_dir to another")
        return
    if _can_write(folder):
        yield Row("voices", f"{folder}: {value}")
    else:
        closed = "give whoever runs Mira the right to write there, or set voices_dir"
        yield Row("voices", f"{folder}: {value}; can't be written", "note", closed)
    if count and engine == "builtin":
        yield Row("", "none of them speaks", "note", "that takes a Mira model: set model")


def _disk(settings: Settings) -> Row:
    places = {"voices": settings.voices_dir}
    if directory := _directory(settings):
        places["the model"] = directory
    elif settings.model:
        with suppress(ImportError):
            from huggingface_hub.constants import HF_HUB_CACHE

            places["the model"] = Path(HF_HUB_CACHE)
    free = {what: shutil.disk_usage(_nearest(path)).free for what, path in places.items()}
    value = ", ".join(f"{gib(left)} free for {what}" for what, left in free.items())
    if min(free.values()) >= LITTLE_DISK_BYTES:
        return Row("disk", value)
    return Row("disk", value, "note", "what is uploaded or downloaded may not fit: free some")


def _directory(settings: Settings) -> Path | None:
    """Return the model's, if it is one on this machine."""
    with suppress(RuntimeError):  # the home of nobody
        path = Path(settings.model).expanduser()
        return path if settings.model and _nearest(path) == path and path.is_dir() else None
    return None


def _can_write(folder: Path) -> bool:
    """Tell whether files can be put there, or it can be made."""
    there = _nearest(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _nearest(path: Path) -> Path:
    """Return the path itself if it can be seen, else the nearest folder that it would be in."""
    places = (path, *path.absolute().parents)
    return next(place for place in places if os.access(place, os.F_OK))
