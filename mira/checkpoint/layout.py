"""A directory in, a checkpoint with every file found and its language model checked out.

Knows the two published layouts, MiraTTS' and Spark-TTS', and nothing of what the files compute.
The codec's weights are checked when they are read: weights.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mira.checkpoint.language import LanguageDims, find_language_model
from mira.checkpoint.tokens import TokenMap, read_tokens
from mira.errors import CheckpointError

Layout = Literal["mira", "spark"]
Role = Literal[
    "codec",  # Spark: all of BiCodec
    "wave_generator",  # Mira: these four are BiCodec
    "prenet",
    "speaker_encoder",
    "semantic_encoder",
    "upsampler",
]


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file of a layout, beside the language model's."""

    role: Role
    places: tuple[str, ...]  # relative to the checkpoint; the first that exists is taken
    title: str
    required: bool = True


def _decoder_file(name: str) -> tuple[str, ...]:
    return f"decoders/{name}", name  # an older repository kept them in its root


_UPSAMPLER = FileSpec(
    "upsampler", _decoder_file("upsampler.pth"), "upsampler, 16 to 48 kHz", required=False
)
CODEC_FILES: dict[Layout, tuple[FileSpec, ...]] = {
    "mira": (
        FileSpec("prenet", _decoder_file("processer.onnx"), "codebook, speaker vector, prenet"),
        FileSpec(
            "wave_generator", _decoder_file("detokenizer.safetensors"), "wave generator, 16 kHz"
        ),
        FileSpec("speaker_encoder", _decoder_file("s_encoder.onnx"), "speaker encoder"),
        FileSpec(
            "semantic_encoder", _decoder_file("q_encoder.onnx"), "semantic encoder", required=False
        ),
        _UPSAMPLER,
    ),
    "spark": (FileSpec("codec", ("BiCodec/model.safetensors",), "BiCodec"), _UPSAMPLER),
}
LANGUAGE_DIRECTORY: dict[Layout, str] = {"mira": ".", "spark": "LLM"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model on disk: what was found where, and what its language model's files say."""

    directory: Path
    layout: Layout
    language: Path  # the directory of the language model, as transformers loads it
    language_weights: tuple[Path, ...]
    files: Mapping[Role, Path]  # the codec's, as far as they are there
    tokens: TokenMap
    dims: LanguageDims

    def file(self, role: Role) -> Path:
        """The file with this role.

        Raises:
            CheckpointError: It was not found, or this layout has none.
        """
        if role in self.files:
            return self.files[role]
        for spec in CODEC_FILES[self.layout]:
            if spec.role == role:
                raise _missing(self.directory, spec)
        raise CheckpointError(f"{self.directory}: a {self.layout} checkpoint has no {role} file")


def open_checkpoint(directory: Path) -> Checkpoint:
    """Find a checkpoint's files and check its configuration, tokens and language model.

    Takes well under a second: of the weights only the tables of contents are read.

    Raises:
        CheckpointError: A file is missing or damaged, or does not fit the others.
    """
    layout = _detect(directory)
    language = directory / LANGUAGE_DIRECTORY[layout]
    found = find_language_model(language)
    files: dict[Role, Path] = {}
    for spec in CODEC_FILES[layout]:
        places = [directory / place for place in spec.places]
        path = next((place for place in places if place.is_file()), None)
        if path:
            files[spec.role] = path
        elif spec.required:
            raise _missing(directory, spec)
    return Checkpoint(
        directory=directory,
        layout=layout,
        language=language,
        language_weights=found.weights,
        files=files,
        tokens=read_tokens(language, found.dims.vocab_rows, found.declared_ends),
        dims=found.dims,
    )


def _missing(directory: Path, spec: FileSpec) -> CheckpointError:
    places = " nor ".join(spec.places)
    return CheckpointError(f"{directory}: {spec.title}: no {places}")


def _detect(directory: Path) -> Layout:
    if not directory.is_dir():
        raise CheckpointError(f"{directory}: no such directory")
    if (directory / "LLM").is_dir() or (directory / "BiCodec").is_dir():
        return "spark"
    if (directory / "config.json").is_file():
        return "mira"
    raise CheckpointError(
        f"{directory}: expected a MiraTTS checkpoint (config.json, model.safetensors, decoders/) "
        "or a Spark-TTS one (LLM/, BiCodec/); found neither"
    )
