"""What can be done with a model beside speaking: `mira model`, and what `mira doctor` looks at."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mira.errors import InvalidRequest
from mira.load.facts import facts_here, located, place_of, short
from mira.load.parts import Parts, load_parts, require
from mira.load.plan import Plan
from mira.model.checkpoint.converted import is_converted, open_converted
from mira.model.checkpoint.hub import Part, directory_of, locate
from mira.model.checkpoint.inspect import FileRow, describe
from mira.model.checkpoint.layout import Checkpoint, Layout, open_checkpoint
from mira.model.room import Asked, lacks
from mira.progress import Report, quiet
from mira.settings import Settings
from mira.types import Sampling

if TYPE_CHECKING:
    from mira.model.codec.look_ahead import LookAheadError
    from mira.model.convert import Agreement
    from mira.model.lm.quantize import Weights

LOOK_AHEAD_ATTEMPTS = 5  # at an utterance that is long enough to measure on


def download(model: str, revision: str, part: Part, report: Report) -> Path:
    """Download a model, or what has changed of it since.

    Args:
        model: A Hugging Face id.
        revision: A branch, tag or commit of it; `main` if empty.
        part: What of it.
        report: Told how far it is.

    Raises:
        CheckpointError: It can't be had.
        InvalidRequest: The name is a directory's.
        InvalidSettings: A library is missing.
    """
    if directory_of(model):
        raise InvalidRequest(f"{model}: is a directory here, which is what speaks. Move it away.")
    require("cpu", "huggingface_hub", "httpx2")
    return locate(model, revision, part=part, report=report, anew=True)


def inspect(model: str, codec_model: str, report: Report) -> tuple[Layout, list[FileRow]]:
    """List what a checkpoint holds.

    Args:
        model: A directory or Hugging Face id.
        codec_model: Another one, whose codec is meant; empty: its own.
        report: Told how far a download is.

    Raises:
        CheckpointError: A file is missing or damaged.
        InvalidRequest: It is a converted one.
        InvalidSettings: A library is missing.
    """
    checkpoint = _opened(model, codec_model, report, "safetensors", "tokenizers")
    return checkpoint.layout, describe(checkpoint)


def convert(
    model: str, output: Path, weights: Asked, codec_model: str, report: Report
) -> "tuple[Weights, Agreement]":
    """Make a directory that a CPU speaks from; further arguments and errors as for `inspect`.

    Args:
        output: A new directory, or what an earlier run made.
        weights: How those of the language model are to be stored.

    Returns:
        How they are stored, and how far that agrees with the original.
    """
    require("cpu", "openvino", "tokenizers")
    from mira.model.convert import convert
    from mira.model.lm.openvino import check_processor

    check_processor()
    checkpoint = _opened(model, codec_model, report, "safetensors")
    return convert(checkpoint, output, weights, report, short(model))


def _opened(model: str, codec_model: str, report: Report, *libraries: str) -> Checkpoint:
    is_id = [directory_of(name) is None for name in (model, codec_model) if name]
    require("cpu", *libraries, *(("huggingface_hub", "httpx2") if any(is_id) else ()))
    codec = locate(codec_model, part="codec", report=report) if codec_model else None
    directory = locate(model, report=report)
    if is_converted(directory):
        raise InvalidRequest(
            f"{model}: is converted and speaks as it is. Name what it was made of."
        )
    return open_checkpoint(directory, codec)


def measure_look_ahead(
    model: str, text: str, seed: int, codec_model: str = "", report: Report = quiet
) -> list["LookAheadError"]:
    """Let a checkpoint say `text`, and render that with every look-ahead.

    Args:
        model: A directory or Hugging Face id.
        text: Long enough to measure on.
        seed: Of the sampling.
        codec_model: Another one, whose codec is to be measured.
        report: Told of downloads and of what else takes time.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidRequest: It said too little to measure on.
    """
    settings = Settings(model=model, codec_model=codec_model, codec_dtype="float32")
    facts = facts_here(settings)
    if facts.model != "converted" and "torch" in facts.libraries:
        settings = settings.model_copy(update={"lm_engine": "torch"})  # nothing to convert
    with closing(load_parts(settings, report)) as loaded:
        return _measured_look_ahead(loaded, text, seed)


def _measured_look_ahead(loaded: Parts, text: str, seed: int) -> list["LookAheadError"]:
    from mira.model.codec.look_ahead import look_ahead_error
    from mira.voices.sample import sample_recording

    voice = loaded.codec.encode(*sample_recording())
    prompt = loaded.prompts.build(text, voice)
    speaker = loaded.codec.speaker(voice)
    for attempt in range(seed, seed + LOOK_AHEAD_ATTEMPTS):
        tokens = list(loaded.language_model.generate(prompt, Sampling(seed=attempt)))
        try:
            return look_ahead_error(loaded.codec, tokens, speaker)
        except ValueError as error:
            too_short = str(error)
    raise InvalidRequest(f"{too_short}. Give a longer --text.")


@dataclass(frozen=True, slots=True)
class Look:
    """What can be said of a model on this machine without reading its weights."""

    what: str  # its directory, and what form it has
    weight_bytes: int  # that its weights will take in memory
    is_prepared: bool = True  # nothing is left to convert
    lack: str = ""  # what this machine lacks for the conversion


def look_at(settings: Settings, planned: Plan) -> Look:
    """Look at the model that the settings name, which is on this machine.

    Raises:
        CheckpointError: It isn't, or can't be used.
    """
    directory = located("model", settings, offline=True)
    assert directory is not None
    if place_of("model", settings) == "converted":
        files = (path.stat().st_size for path in directory.rglob("*") if path.is_file())
        weights = open_converted(directory, whole=False).weights
        return Look(f"{directory}, converted, weights in {weights}", sum(files))
    checkpoint = open_checkpoint(directory, located("codec_model", settings, offline=True))
    dtype = settings.model_dtype
    two_bytes = dtype == "bfloat16" or (dtype == "auto" and planned.gpu is not None)
    width = 1 if planned.converts else 2 if two_bytes else 4
    codec_bytes = sum(path.stat().st_size for path in checkpoint.files.values())
    what = f"{directory}, {checkpoint.layout} layout"
    num_bytes = checkpoint.dims.parameters * width + codec_bytes
    if not planned.converts:
        return Look(what, num_bytes)
    from mira.load.converted import folder_of, is_prepared

    lack = " ".join(lacks(checkpoint.dims, folder_of(checkpoint, settings)))
    return Look(what, num_bytes, is_prepared(checkpoint, settings), lack)
