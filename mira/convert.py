"""A published checkpoint in, a directory that OpenVINO speaks from on a CPU out.

With load.py the only importer of concrete backends. Needs PyTorch; what it writes does not.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import psutil

from mira.checkpoint import Checkpoint
from mira.checkpoint.converted import CODEC, TOKENIZER, Manifest, fingerprint
from mira.checkpoint.language import LanguageDims
from mira.errors import CheckpointError, InvalidSettings
from mira.lm.prompt import PromptBuilder
from mira.lm.quantize import Weights
from mira.load import sample_recording
from mira.types import Sampling

if TYPE_CHECKING:
    from mira.codec.export import Exported, Utterance
    from mira.codec.weights import Tensors
    from mira.lm.openvino import OpenVINORunner

CHECKED_TOKENS = 48  # that both backends are asked about
CHECKED_TEXT = "Thank you for waiting. I have found your booking, and it can be changed today."
SAID_TEXTS = (CHECKED_TEXT, "Hello there! How may I help you? The line is quite bad, I am afraid.")
SAID_TOKENS = 100  # two seconds of each

_BYTES: dict[Weights, float] = {"int4": 0.55, "int8": 1.01, "bf16": 2.0}  # of a weight
_CODEC_BYTES = 700 << 20  # on disk, at true size
_SPARE = 1.2


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a converted language model says what the original would."""

    tokens: int  # compared, each after the same beginning
    same: int  # of them, the likeliest is the same
    snr_db: float  # of the logits


def convert(
    checkpoint: Checkpoint,
    directory: Path,
    weights: Weights,
    progress: Callable[[str], None] = lambda step: None,
) -> Agreement:
    """Write a directory; goes on where an interrupted run stopped.

    Args:
        checkpoint: With a codec.
        directory: New, empty, or what an earlier run with the same arguments left.
        weights: How the language model's are stored.
        progress: Called with what is being done.

    Raises:
        CheckpointError: A file can't be used, the directory holds something else, or the disk is
            full; what was finished stays, and the next run goes on from there.
        InvalidSettings: This machine can't do it: memory, disk or processor.
    """
    from mira.lm.openvino import check_processor

    check_processor()
    _check_room(checkpoint.dims, directory, weights)
    progress("reading the checkpoint")
    files = [*checkpoint.language_weights, *checkpoint.files.values()]
    files += [checkpoint.language / name for name in ("config.json", TOKENIZER)]
    source = fingerprint(files)
    with _disk_errors(directory):
        manifest = Manifest.begin(directory, source, weights, checkpoint.tokens)
        if not manifest.has("language"):
            progress("converting the language model")
            convert_language(checkpoint, directory, weights)
            manifest.finished("language")
        if not manifest.has("codec"):
            progress("converting the codec")
            manifest.finished("codec", integers=asdict(_convert_codec(checkpoint, directory)))
        if not manifest.has("check"):
            progress("comparing it with the original")
            manifest.finished("check", agreement=asdict(_agreement(checkpoint, directory)))
        shutil.copyfile(checkpoint.language / TOKENIZER, directory / TOKENIZER)
        manifest.complete()
    return Agreement(**manifest.content["agreement"])


@contextmanager
def _disk_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # OpenVINO raises the latter for a full disk
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{directory}: can't be converted to ({reason}). What was finished stays: the same "
            "command goes on from there"
        ) from error


def _check_room(dims: LanguageDims, directory: Path, weights: Weights) -> None:
    parameters = _parameters(dims)
    where = next(path for path in (directory, *directory.absolute().parents) if path.is_dir())
    disk = parameters * _BYTES[weights] * _SPARE + (_CODEC_BYTES if parameters > 1e8 else 0)
    # What an interrupted run left there is not written again.
    left = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    _require("disk space", shutil.disk_usage(where).free + left, disk, f"in {where}")
    # The original is held in float32, twice over while it is being compared.
    _require("memory", psutil.virtual_memory().available, parameters * 4 * 2, "here")


def _require(what: str, there: float, needed: float, where: str) -> None:
    if there < needed:
        raise InvalidSettings(
            f"Converting needs about {needed / 1e9:.1f} GB of {what}; there are "
            f"{there / 1e9:.1f} GB {where}."
        )


def _parameters(dims: LanguageDims) -> int:
    attention = dims.hidden * dims.head_dim * (2 * dims.heads + 2 * dims.kv_heads)
    layer = attention + 3 * dims.hidden * dims.intermediate
    return dims.layers * layer + dims.vocab_rows * dims.hidden * (1 if dims.tied else 2)


def _convert_codec(checkpoint: Checkpoint, directory: Path) -> "Exported":
    from mira.checkpoint import codec_weights, upsampler_weights
    from mira.codec.export import export_codec

    weights = codec_weights(checkpoint)
    upsampler = upsampler_weights(checkpoint) if "upsampler" in checkpoint.files else None
    utterances = _utterances(checkpoint, weights, directory)
    return export_codec(weights, upsampler, directory / CODEC, utterances)


def _utterances(
    checkpoint: Checkpoint, weights: "Tensors", directory: Path
) -> "list[Utterance] | None":
    """What the model itself says, in two voices: the codec is to be exact on that.

    The first half of them differs from the second in its words.
    """
    from mira.codec.pytorch import TorchCodec
    from mira.lm.openvino import OpenVINOLM

    codec = TorchCodec(weights)
    samples, rate = sample_recording()
    voices = [codec.encode(samples, rate), codec.encode(samples, rate * 3 // 4)]  # and a deeper one
    prompts = PromptBuilder(checkpoint.language / TOKENIZER, checkpoint.tokens)
    said: list[Utterance] = []
    with closing(OpenVINOLM(directory, checkpoint.tokens, max_streams=1)) as model:
        for text, voice in product(SAID_TEXTS, voices):
            sampling = Sampling(seed=len(said), max_new_tokens=SAID_TOKENS)
            said.append((list(model.generate(prompts.build(text, voice), sampling)), voice))
    # A model that says nothing is no measure.
    return said if all(len(speech) > 1 for speech, _ in said) else None


def convert_language(checkpoint: Checkpoint, directory: Path, weights: Weights) -> None:
    """Write the language model's graph; under its own name only once it is whole."""
    import openvino as ov

    from mira.checkpoint.tensors import read_tensors
    from mira.lm.base import sayable
    from mira.lm.openvino import GRAPH
    from mira.lm.openvino_graph import Qwen2, build

    dims, tokens = checkpoint.dims, checkpoint.tokens
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for path in checkpoint.language_weights:
        tensors |= read_tensors(path)
    shape = Qwen2(
        dims.layers, dims.heads, dims.kv_heads, dims.head_dim, dims.rope_theta, dims.norm_epsilon
    )
    graph = build(tensors, shape, sayable(tokens), weights)
    partial = directory / f"part-{GRAPH}"
    ov.save_model(graph, partial, compress_to_fp16=False)
    partial.with_suffix(".bin").replace((directory / GRAPH).with_suffix(".bin"))
    partial.replace(directory / GRAPH)


def _agreement(checkpoint: Checkpoint, directory: Path) -> Agreement:
    """Let both continue the same beginnings, greedily chosen by the original."""
    from mira.lm.openvino import GRAPH, OpenVINORunner
    from mira.lm.transformers import TransformersLM

    reference = TransformersLM.load(checkpoint.language, checkpoint.tokens, dtype="float32")
    prompts = PromptBuilder(checkpoint.language / TOKENIZER, checkpoint.tokens)
    prompt = prompts.build(CHECKED_TEXT, range(0, 4096, 128))
    greedy = Sampling(temperature=0, max_new_tokens=CHECKED_TOKENS)
    ids = [checkpoint.tokens.first_speech + code for code in reference.generate(prompt, greedy)]
    expected = reference.logits(prompt, ids)
    runner = OpenVINORunner(directory / GRAPH, threads=0, cache_tokens=len(prompt) + len(ids))
    found = _logits(runner, prompt, ids)
    error = ((found - expected) ** 2).mean()
    return Agreement(
        tokens=len(expected),
        same=int((found.argmax(1) == expected.argmax(1)).sum()),
        snr_db=round(float(10 * np.log10(expected.var() / max(error, 1e-20))), 1),
    )


def _logits(runner: "OpenVINORunner", prompt: list[int], ids: list[int]) -> npt.NDArray[np.float32]:
    """[ids + 1, columns]: what may come after the prompt and after each of the ids."""
    from mira.lm.batching import Row

    pages = range(runner.num_pages)
    steps = [runner.step([Row(prompt, 0, pages)])]
    for number, i in enumerate(ids):
        steps.append(runner.step([Row([i], len(prompt) + number, pages)]))
    return np.concatenate(steps)
