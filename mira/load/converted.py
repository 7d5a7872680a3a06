"""A published checkpoint in, its conversion for a CPU in a folder of ours out; converted once.

The folder is named by what the checkpoint's files are, so that one that changes is converted anew.
Of processes that start together one converts, and the others wait for it.
"""

import json
import logging
import os
import re
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Never

from mira.errors import CheckpointError, InvalidSettings
from mira.load.facts import short
from mira.load.parts import Parts, closed_on_failure, loading
from mira.model.checkpoint.converted import (
    CODEC,
    FORMAT,
    LOCK,
    Converted,
    identity,
    open_converted,
    origin_of,
)
from mira.model.checkpoint.files import alone
from mira.model.checkpoint.layout import Checkpoint
from mira.progress import Report, quiet
from mira.settings import Settings

log = logging.getLogger(__name__)

MOST_STREAMS = 16  # unless the settings say otherwise

_DIGITS = 16  # of the checkpoint's identity, in the folder's name
_OURS = re.compile(rf".+-[0-9a-f]{{{_DIGITS}}}")  # and not a copy that somebody made of one


def load_converted(settings: Settings, converted: Converted, report: Report) -> Parts:
    """Load it into OpenVINO; errors as for `load_parts`."""
    from mira.model.codec.openvino import OpenVINOCodec
    from mira.model.lm.batching import BatchingLM
    from mira.model.lm.openvino import GRAPH, OpenVINORunner
    from mira.model.lm.prompt import PromptBuilder

    language, codec_files = converted.directory / GRAPH, converted.directory / CODEC
    steps = codec_files.iterdir(), (language, language.with_suffix(".bin"))
    did = loading(report, settings, converted.directory, *steps)
    processors = threading.Lock()
    prompts = PromptBuilder(converted.tokenizer, converted.tokens)
    codec = OpenVINOCodec(
        codec_files,
        settings.cpu_threads,
        settings.upsample,
        exact=settings.codec_dtype == "float32",
    )
    did()
    # Last: it alone runs a thread, which nobody would stop if another part were missing.
    most = settings.max_streams or MOST_STREAMS
    runner = OpenVINORunner(language, settings.cpu_threads, most, processors)
    language_model = BatchingLM(runner, converted.tokens)
    hears = tuple(sorted(codec_files.glob("speaker_encoder.*")))
    # Two windows together take as long as one after the other.
    parts = Parts(language_model, codec, prompts, hears, spans_at_once=1, processors=processors)
    with closed_on_failure(parts):
        did()
    return parts


def prepared(checkpoint: Checkpoint, settings: Settings, report: Report = quiet) -> Converted:
    """Find a checkpoint's conversion, or make it.

    Args:
        checkpoint: With a codec.
        settings: Name the model, and `cache_dir`, which holds conversions: each may be deleted at
            any time, and those of what the same settings named before are, unless another version
            of Mira made them.
        report: Told how far it is.

    Raises:
        CheckpointError: It can't be converted; what was finished stays for the next time.
        InvalidSettings: This machine can't do it, or the cache can't be written.
    """
    folder = folder_of(checkpoint, settings)
    with suppress(CheckpointError):  # not there, or damaged: made again, and said there
        return open_converted(folder)
    require_cache(settings.cache_dir)
    from mira.model.convert import convert

    name, origin = short(settings.model), _origin(settings)
    weights, agreement = convert(checkpoint, folder, "auto", report, name, origin)
    log.info("%s: weights in %s: %s", name, weights, agreement)
    for other in folder.parent.iterdir():
        if other != folder and _OURS.fullmatch(other.name) and origin_of(other) == origin:
            with suppress(OSError), alone(other / LOCK, _in_use, ""):  # or it is not ours to write
                log.info("%s: removed: it was converted from what the model was before", other)
                shutil.rmtree(other, ignore_errors=True)
    return open_converted(folder, whole=False)


def _in_use(*said: object) -> Never:
    raise BlockingIOError  # another process converts there


def is_prepared(checkpoint: Checkpoint, settings: Settings) -> bool:
    """Tell whether an earlier start made the conversion; arguments as for `prepared`."""
    try:
        open_converted(folder_of(checkpoint, settings), whole=False)
    except CheckpointError:
        return False
    return True


def folder_of(checkpoint: Checkpoint, settings: Settings) -> Path:
    """Name the folder of a conversion, which may not be there; arguments as for `prepared`."""
    plain = re.sub(r"[^\w.]+", "-", short(settings.model)).strip("-.")[:64] or "model"
    return _conversions(settings.cache_dir) / f"{plain}-{identity(checkpoint)[:_DIGITS]}"


def _origin(settings: Settings) -> str:
    """Name where a checkpoint comes from, whatever it holds, and what kind of conversion it is."""
    names = [
        str(Path(name).expanduser().resolve())
        if name and Path(name).expanduser().is_dir()
        else name
        for name in (settings.model, settings.codec_model)
    ]
    return json.dumps([FORMAT, *names, settings.model_revision])


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
