"""A checkpoint in, one row for each of its files out: what it is and how large.

Knows nothing about how rows are shown. Reads tables of contents, save for the ONNX files and the
upsampler, whose weights are small.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mira.model.checkpoint.graph import read_graph_header
from mira.model.checkpoint.layout import CODEC_FILES, Checkpoint
from mira.model.checkpoint.pickles import read_pickle
from mira.model.checkpoint.tensors import TensorInfo, read_header


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a checkpoint; a file without tensors has none, no parameters and no dtype."""

    file: str  # relative to the checkpoint, or to that of the codec
    title: str
    tensors: int
    parameters: int
    dtype: str  # all of them, joined by commas
    num_bytes: int


def describe(checkpoint: Checkpoint) -> list[FileRow]:
    """List the files that are used, the language model's first.

    Raises:
        CheckpointError: A file is damaged.
    """
    return list(_rows(checkpoint))


def _rows(checkpoint: Checkpoint) -> Iterator[FileRow]:
    dims, language = checkpoint.dims, checkpoint.language
    title = f"language model, Qwen2: {dims.layers} layers of {dims.hidden}"
    for path in checkpoint.language_weights:
        yield _row(checkpoint.directory, path, title, read_header(path).values())
    tokenizer = f"tokenizer, {checkpoint.tokens.naming} names, {dims.vocab_rows} embedding rows"
    yield _row(checkpoint.directory, language / "tokenizer.json", tokenizer, ())
    for spec in CODEC_FILES[checkpoint.codec_layout]:
        if spec.role in checkpoint.files:
            path = checkpoint.files[spec.role]
            yield _row(checkpoint.codec_directory, path, spec.title, _tensors(path))


def _tensors(path: Path) -> Iterable[TensorInfo]:
    if path.suffix == ".onnx":
        return read_graph_header(path)
    if path.suffix == ".pth":
        return [TensorInfo(values.shape, "F32") for values in read_pickle(path, "model").values()]
    return read_header(path).values()


def _row(directory: Path, path: Path, title: str, infos: Iterable[TensorInfo]) -> FileRow:
    tensors = list(infos)
    return FileRow(
        file=path.relative_to(directory).as_posix(),
        title=title,
        tensors=len(tensors),
        parameters=sum(int(np.prod(info.shape)) for info in tensors),
        dtype=", ".join(sorted({info.dtype for info in tensors})),
        num_bytes=path.stat().st_size,
    )
