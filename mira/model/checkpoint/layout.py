"""A directory in, a checkpoint with every file found and its language model checked out.

Knows the two published layouts, MiraTTS' and Spark-TTS', and nothing of what the files compute.
The codec's weights are checked when they are read: weights.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mira.errors import CheckpointError
from mira.model.checkpoint.language import LanguageDims, find_language_model
from mira.model.checkpoint.tokens import TokenMap, read_tokens

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
_ANOTHER_CODEC = (
    ". If this is a language model alone, set codec_model to a model whose codec it can speak "
    "with, such as YatharthS/MiraTTS"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model on disk: what was found where, and what its language model's files say."""

    directory: Path
    layout: Layout
    language: Path  # the directory of the language model, as transformers loads it
    language_weights: tuple[Path, ...]
    codec_directory: Path  # the same, unless the codec is another model's
    codec_layout: Layout
    files: Mapping[Role, Path]  # the codec's, as far as they are there
    tokens: TokenMap
    dims: LanguageDims

    def file(self, role: Role) -> Path:
        """Return the file with a role of this layout.

        Raises:
            CheckpointError: It was not found.
        """
        if role not in self.files:
            (spec,) = (spec for spec in CODEC_FILES[self.codec_layout] if spec.role == role)
            raise CheckpointError(_missing(self.codec_directory, spec))
        return self.files[role]


def open_checkpoint(directory: Path, codec_directory: Path | None = None) -> Checkpoint:
    """Find a checkpoint's files and check its configuration, tokens and language model.

    Takes well under a second: of the weights only the tables of contents are read.

    Args:
        directory: Of either layout.
        codec_directory: Has the codec's files, of either layout, if `directory` is to do without
            its own. Speech tokens and global tokens are the same in all of them.

    Raises:
        CheckpointError: A file is missing or damaged, or does not fit the others.
    """
    layout: Layout = "spark" if _is_spark(directory) else "mira"
    if not directory.is_dir():
        raise CheckpointError(f"{directory}: no such directory")
    if layout == "mira" and not (directory / "config.json").is_file():
        raise CheckpointError(
            f"{directory}: expected a MiraTTS checkpoint (config.json, model.safetensors, "
            "decoders/) or a Spark-TTS one (LLM/, BiCodec/); found neither"
        )
    language = directory / "LLM" if layout == "spark" else directory
    found = find_language_model(language)
    codec_directory = codec_directory or directory
    codec_layout: Layout = "spark" if _is_spark(codec_directory) else "mira"
    return Checkpoint(
        directory=directory,
        layout=layout,
        language=language,
        language_weights=found.weights,
        codec_directory=codec_directory,
        codec_layout=codec_layout,
        files=_find_codec(codec_directory, codec_layout),
        tokens=read_tokens(language, found.dims.vocab_rows, found.declared_ends),
        dims=found.dims,
    )


def _find_codec(directory: Path, layout: Layout) -> dict[Role, Path]:
    files: dict[Role, Path] = {}
    missing: list[FileSpec] = []
    for spec in CODEC_FILES[layout]:
        places = [directory / place for place in spec.places]
        if path := next((place for place in places if place.is_file()), None):
            files[spec.role] = path
        elif spec.required:
            missing.append(spec)
    if missing:
        # Fine-tunes are often published as a language model alone.
        raise CheckpointError(_missing(directory, missing[0]) + ("" if files else _ANOTHER_CODEC))
    return files


def _missing(directory: Path, spec: FileSpec) -> str:
    return f"{directory}: {spec.title}: no {' nor '.join(spec.places)}"


def _is_spark(directory: Path) -> bool:
    return (directory / "LLM").is_dir() or (directory / "BiCodec").is_dir()
