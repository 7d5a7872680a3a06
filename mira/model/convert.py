"""A published checkpoint in, a directory that OpenVINO speaks from on a CPU out; needs no PyTorch.

With load/ the only importer of concrete backends.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov

from mira.errors import CheckpointError, InvalidSettings, one_line
from mira.model.checkpoint.converted import CODEC, LOCK, TOKENIZER, Manifest, identity
from mira.model.checkpoint.files import alone
from mira.model.checkpoint.layout import Checkpoint
from mira.model.checkpoint.selfcheck import check_codec
from mira.model.checkpoint.tensors import Array
from mira.model.checkpoint.weights import codec_weights, language_weights, upsampler_weights
from mira.model.codec.export import Utterance, export_codec, export_measured
from mira.model.codec.openvino import OpenVINOCodec
from mira.model.lm.base import sayable
from mira.model.lm.batching import BatchingLM, Row
from mira.model.lm.openvino import GRAPH, OpenVINORunner, check_processor
from mira.model.lm.openvino_graph import build
from mira.model.lm.prompt import PromptBuilder
from mira.model.lm.quantize import Weights
from mira.model.room import Asked, lacks
from mira.model.snr import snr_db
from mira.progress import Report, quiet
from mira.types import Sampling
from mira.voices.sample import sample_recording

log = logging.getLogger(__name__)

SMALLEST_FIRST: tuple[Weights, ...] = ("int4", "int8", "bf16")
LEAST_SAME = 0.8  # of the original's first choices that `auto` wants of fewer bits
CHECKED_TOKENS = 48  # that both are asked about
CHECKED_TEXT = "Thank you for waiting. I have found your booking, and it can be changed today."
SAID_TEXTS = (CHECKED_TEXT, "Hello there! How may I help you? The line is quite bad, I am afraid.")
SAID_TOKENS = 100  # two seconds of each

_REPORT_EVERY_S = 0.2

Did = Callable[[float], None]
"""Told of bytes of the checkpoint that were worked through."""


def _nothing(num_bytes: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a converted language model says what the original would."""

    tokens: int  # compared, each after the same beginning
    same: int  # of them, the likeliest is the same
    snr_db: float  # of the logits

    @property
    def good(self) -> bool:
        """Whether that will do."""
        return self.same >= LEAST_SAME * self.tokens

    def __str__(self) -> str:
        """Say so after words like "weights in int4"."""
        return (
            f"of {self.tokens} speech tokens after the same beginning, {self.same} are the "
            f"original's first choice; logits {self.snr_db} dB above their error"
        )


def convert(
    checkpoint: Checkpoint,
    directory: Path,
    asked: Asked = "auto",
    report: Report = quiet,
    name: str = "",
    origin: str = "",
) -> tuple[Weights, Agreement]:
    """Write a directory; goes on where an interrupted run stopped, and repairs what is damaged.

    Of processes that convert into one directory one does, and the others wait for it.

    Args:
        checkpoint: With a codec.
        directory: New, empty, or what an earlier run with the same arguments left.
        asked: How the language model's weights are stored; `auto`: in the fewest bits that agree
            with the original.
        report: Told of the checkpoint's bytes that were worked through: twice all of them, and
            more if `auto` has to try again.
        name: Of the model, for the report; its directory's otherwise.
        origin: Names where the checkpoint comes from, for `origin_of`. If it is given, the
            directory is ours, and whatever else it holds is replaced.

    Returns:
        How they are stored, and how far that agrees with the original.

    Raises:
        CheckpointError: A file can't be used, the directory holds something else, or the disk is
            full; what was finished stays, and the next run goes on from there.
        InvalidSettings: This machine can't do it: memory, disk or processor.
    """
    check_processor()
    name = name or str(checkpoint.directory)
    waiting = f"waiting for another process, which is converting {name}"
    with _disk_errors(directory), alone(directory / LOCK, report, waiting):
        source = identity(checkpoint)
        manifest = Manifest.find(directory, source, asked, checkpoint.tokens, replace=bool(origin))
        if not manifest.is_complete:
            reads = not manifest.has("language")
            if lack := next(lacks(checkpoint.dims, directory, asked, reads), None):
                raise InvalidSettings(lack)
            manifest.begin(origin)
            work = _Work(report, f"converting {name} to {directory}", checkpoint)
            _convert(checkpoint, manifest, asked, work)
    return manifest.content["weights"], Agreement(**manifest.content["agreement"])


def _convert(checkpoint: Checkpoint, manifest: Manifest, asked: Asked, work: "_Work") -> None:
    directory = manifest.directory
    if not manifest.has("language"):
        weights, agreement = _language(checkpoint, directory, asked, work)
        manifest.finished("language", weights=weights, agreement=asdict(agreement))
    work.all_but(2 * work.codec)
    if not manifest.has("codec"):
        _codec(checkpoint, directory)
        manifest.finished("codec")
    work.all_but(work.codec)
    if not manifest.has("measured"):
        said = _utterances(checkpoint, directory)
        export_measured(directory / CODEC, said)
        manifest.finished("measured")
    shutil.copyfile(checkpoint.language / TOKENIZER, directory / TOKENIZER)
    manifest.complete()
    work.all_but(0)


class _Work:
    """Counts the bytes of a checkpoint that were worked through, and reports them now and then."""

    def __init__(self, report: Report, what: str, checkpoint: Checkpoint) -> None:
        self.language = _size(checkpoint.language_weights)
        self.codec = _size(tuple(checkpoint.files.values()))
        self._total = 2 * (self.language + self.codec)
        self._report, self._what = report, what
        self._done, self._told_at = 0.0, 0.0
        self.add(0)

    def again(self) -> None:
        """Count on converting the language model once more."""
        self._total += self.language

    def add(self, num_bytes: float) -> None:
        """Count bytes as worked through."""
        self._done = min(self._done + num_bytes, self._total)
        if time.monotonic() - self._told_at >= _REPORT_EVERY_S:
            self._tell()

    def all_but(self, left: int) -> None:
        """Count all bytes as worked through but the last `left`."""
        self._done = max(self._done, self._total - left)
        self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        self._report(self._what, int(self._done), self._total)


def _size(files: tuple[Path, ...]) -> int:
    return sum(path.stat().st_size for path in files)


class _Counted(dict[str, Array]):
    """Tensors whose first use counts as work done."""

    def __init__(self, tensors: Mapping[str, Array], did: Did, num_bytes: int):
        super().__init__(tensors)
        self._did, self._new = did, set(tensors)
        self._rate = num_bytes / sum(values.size for values in tensors.values())

    def __getitem__(self, name: str) -> Array:
        values = super().__getitem__(name)
        if name in self._new:
            self._new.remove(name)
            self._did(values.size * self._rate)
        return values


@contextmanager
def _disk_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # OpenVINO raises the latter for a full disk
        raise CheckpointError(
            f"{directory}: can't be converted to ({one_line(error)}). What was finished stays: the "
            "same command goes on from there"
        ) from error


def _language(
    checkpoint: Checkpoint, directory: Path, asked: Asked, work: _Work
) -> tuple[Weights, Agreement]:
    """Write the language model in what was asked for, or in the fewest bits that agree."""
    prompts = PromptBuilder(checkpoint.language / TOKENIZER, checkpoint.tokens)
    prompt = prompts.build(CHECKED_TEXT, range(0, 4096, 128))
    ids, expected = _original(checkpoint, prompt, work)
    kinds = SMALLEST_FIRST if asked == "auto" else (asked,)
    for kind in kinds:
        convert_language(checkpoint, directory, kind, work.add)
        found = _logits(OpenVINORunner(directory / GRAPH), prompt, ids)
        agreement = _agreement(expected, found)
        log.info("weights in %s: %s", kind, agreement)
        if agreement.good or kind == kinds[-1]:
            break
        work.again()
    return kind, agreement


def _agreement(expected: Array, found: Array) -> Agreement:
    mean = expected.mean()  # what is common to all logits decides nothing
    return Agreement(
        tokens=len(expected),
        same=int((found.argmax(1) == expected.argmax(1)).sum()),
        snr_db=round(snr_db(expected - mean, found - mean), 1),
    )


def _original(
    checkpoint: Checkpoint, prompt: list[int], work: _Work
) -> tuple[list[int], npt.NDArray[np.float32]]:
    """Let the original speak greedily, in float32 in the same runtime; with logits on the way."""
    runner = original_runner(checkpoint, work.add)
    greedy = Sampling(temperature=0, max_new_tokens=CHECKED_TOKENS)
    with closing(BatchingLM(runner, checkpoint.tokens)) as model:
        codes = list(model.generate(prompt, greedy))
    ids = [checkpoint.tokens.first_speech + code for code in codes]
    return ids, _logits(runner, prompt, ids)


def original_runner(checkpoint: Checkpoint, did: Did = _nothing) -> OpenVINORunner:
    """Load the language model as published, in float32: the measure of a converted one."""
    graph = _graph(checkpoint, "f32", did)
    return OpenVINORunner(graph, exact=True)


def _graph(checkpoint: Checkpoint, weights: Weights, did: Did) -> ov.Model:
    counted = _Counted(language_weights(checkpoint), did, _size(checkpoint.language_weights))
    return build(counted, checkpoint.dims, sayable(checkpoint.tokens), weights)


def convert_language(
    checkpoint: Checkpoint, directory: Path, weights: Weights, did: Did = _nothing
) -> None:
    """Write the language model's graph; under its own name only once it is whole."""
    graph = _graph(checkpoint, weights, did)
    partial = directory / f"part-{GRAPH}"
    ov.save_model(graph, partial, compress_to_fp16=False)
    partial.with_suffix(".bin").replace((directory / GRAPH).with_suffix(".bin"))
    partial.replace(directory / GRAPH)


def _codec(checkpoint: Checkpoint, directory: Path) -> None:
    """Write the codec's graphs, and hold them against the checkpoint's own."""
    export_codec(codec_weights(checkpoint), upsampler_weights(checkpoint), directory / CODEC)
    codec = OpenVINOCodec(directory / CODEC, upsample=False, exact=True)
    check_codec(checkpoint, codec.prenet, codec.encode_mel)


def _utterances(checkpoint: Checkpoint, directory: Path) -> list[Utterance] | None:
    """Let the model itself speak in two voices: the codec is to be exact on that.

    The first half of them differs from the second in its words.
    """
    codec = OpenVINOCodec(directory / CODEC, upsample=False, exact=True)
    samples, rate = sample_recording()
    voices = [codec.encode(samples, rate), codec.encode(samples, rate * 3 // 4)]  # and a deeper one
    prompts = PromptBuilder(checkpoint.language / TOKENIZER, checkpoint.tokens)
    said: list[Utterance] = []
    runner = OpenVINORunner(directory / GRAPH)
    with closing(BatchingLM(runner, checkpoint.tokens)) as model:
        for text, voice in product(SAID_TEXTS, voices):
            sampling = Sampling(seed=len(said), max_new_tokens=SAID_TOKENS)
            said.append((list(model.generate(prompts.build(text, voice), sampling)), voice))
    # A model that says nothing is no measure.
    return said if all(len(speech) > 1 for speech, _ in said) else None


def _logits(runner: OpenVINORunner, prompt: list[int], ids: list[int]) -> npt.NDArray[np.float32]:
    """Compute the logits after the prompt and after each of the ids: [ids + 1, columns]."""
    pages = range(runner.num_pages)
    steps = [runner.step([Row(prompt, 0, pages)])]
    for number, i in enumerate(ids):
        steps.append(runner.step([Row([i], len(prompt) + number, pages)]))
    return np.concatenate(steps)
