"""A checkpoint in, the weights of its language model, codec and upsampler by name out.

Knows nothing of what the weights compute. Canonical names are those of the published
`BiCodec/model.safetensors` with weight norm fused; both layouts give the same ones. Every tensor
in a file is used exactly once, is named in IGNORED, or is named in the error.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path

import numpy as np

from mira.errors import CheckpointError
from mira.model.checkpoint.fusion import fuse_weight_norm
from mira.model.checkpoint.graph import GraphWeights, read_graph
from mira.model.checkpoint.layout import Checkpoint, Role
from mira.model.checkpoint.pickles import read_pickle
from mira.model.checkpoint.schema import (
    FSQ_DIGITS,
    Shape,
    codec_shapes,
    infer_dims,
    require_shapes,
    upsampler_shapes,
)
from mira.model.checkpoint.tensors import (
    Array,
    read_tensors,
    reading,
    require_plausible,
    unexpected,
)
from mira.model.codec.base import GLOBAL_CODES
from mira.model.codec.decoder import fsq_codebook

IGNORED = (
    r"postnet\.",  # predicts the semantic features again; a training loss alone reads it
    r"mel_transformer\.",  # window and filters, which are computed
    r"quantizer\.cluster_size$",  # counts how often a code was used in training
    r"speaker_encoder\.speaker_encoder\.(pool|bn|linear)\.",  # the x-vector, a training target
    r".*\.num_batches_tracked$",
)
SEMANTIC = (r"encoder\.", r"quantizer\.in_project\.")
"""What turns speech into speech tokens; synthesis does without."""

_PERCEIVER = "speaker_encoder.perceiver_sampler"


def language_weights(checkpoint: Checkpoint) -> dict[str, Array]:
    """Read the language model: float32, by the names that transformers uses.

    Raises:
        CheckpointError: A file is damaged, or holds a value that is not finite.
    """
    tensors: dict[str, Array] = {}
    for path in checkpoint.language_weights:
        tensors |= read_tensors(path)
    return tensors


def codec_weights(checkpoint: Checkpoint, semantic: bool = False) -> dict[str, Array]:
    """Read the codec.

    Args:
        checkpoint: Of either layout.
        semantic: Whether to read the semantic encoder as well, which only encodes.

    Returns:
        float32 by canonical name: `decoder.model.*`, `prenet.*`, `quantizer.*`,
        `speaker_encoder.*`, and with `semantic` `encoder.*`. Matrices are [out, in].

    Raises:
        CheckpointError: A file is missing or damaged, or a tensor is missing, has no use, has
            another shape or dtype, or holds a value that is not finite.
    """
    if checkpoint.codec_layout == "spark":
        path = checkpoint.file("codec")
        with reading(path):
            read = read_tensors(path, lambda name: _is_wanted(name, semantic))
            weights = fuse_weight_norm(read, str(path))
        where = dict.fromkeys(weights, str(path))
    else:
        weights, where = _mira_weights(checkpoint, semantic)
    found: dict[str, Shape] = {name: values.shape for name, values in weights.items()}
    files = ", ".join(sorted(set(where.values())))
    try:
        expected = codec_shapes(infer_dims(found), semantic)
    except CheckpointError as error:
        raise CheckpointError(f"{files}: {error}") from error
    require_shapes(expected, found, where)
    return {name: np.ascontiguousarray(weights[name]) for name in expected}


def upsampler_weights(checkpoint: Checkpoint) -> dict[str, Array] | None:
    """Read the 16 to 48 kHz upsampler: float32 `dec.*` names, weight norm fused.

    Returns:
        None if the checkpoint has none: Spark's own files don't.

    Raises:
        CheckpointError: As `codec_weights`.
    """
    if "upsampler" not in checkpoint.files:
        return None
    path = checkpoint.files["upsampler"]
    with reading(path):
        tensors = read_pickle(path, "model")
        require_plausible(path, tensors)
        weights = fuse_weight_norm(tensors, str(path))
    channels = len(weights.get("dec.conv_pre.bias", ()))
    found = {name: values.shape for name, values in weights.items()}
    require_shapes(upsampler_shapes(channels), found, str(path))
    return weights


def _is_wanted(name: str, semantic: bool) -> bool:
    unwanted = IGNORED if semantic else IGNORED + SEMANTIC
    return not any(re.match(pattern, name) for pattern in unwanted)


def _mira_weights(
    checkpoint: Checkpoint, semantic: bool
) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the weights of four files, and note the file of each."""
    weights: dict[str, Array] = {}
    where: dict[str, str] = {}

    def add(path: Path, named: Mapping[str, Array]) -> None:
        for name, values in named.items():
            if not _is_wanted(name, semantic=True):
                continue
            if name in weights and not np.array_equal(weights[name], values):
                raise unexpected(path, name, f"the values of {where[name]}", "others")
            weights[name], where[name] = values, str(path)

    wave = checkpoint.file("wave_generator")
    add(wave, {f"decoder.{name}": values for name, values in read_tensors(wave).items()})
    roles: tuple[Role, ...] = ("prenet", "speaker_encoder")
    for role in (*roles, "semantic_encoder") if semantic else roles:
        path = checkpoint.file(role)
        with reading(path):
            graph = read_graph(path)
            if role == "semantic_encoder":
                _drop_codebook(graph, weights["quantizer.codebook.weight"])
            add(path, dict(_named(path, graph)))
    return weights, where


def _named(path: Path, graph: GraphWeights) -> Iterator[tuple[str, Array]]:
    """Name what the exporter left without a name; refuse what has no use."""
    yield from graph.named.items()
    for latents in graph.expanded[:1]:
        yield f"{_PERCEIVER}.latents", latents[0] if latents.ndim == 3 else latents
    yield from _attention(path, graph)
    for name, values in graph.tables.items():
        if not _is_known_table(values):
            raise CheckpointError(f"{path}: {name}: no use for this tensor of shape {values.shape}")
    for extra in graph.expanded[1:]:
        raise CheckpointError(f"{path}: no use for a repeated constant of shape {extra.shape}")


def _attention(path: Path, graph: GraphWeights) -> Iterator[tuple[str, Array]]:
    """Name the only matrices without a bias: query, key with value, and output of each layer.

    They come in that order. Their shapes tell them apart even where an exporter swapped the first
    two, which do not depend on each other.
    """
    for layer, start in enumerate(range(0, len(graph.matrices), 3)):
        for q, kv, out in permutations(graph.matrices[start : start + 3], 3):
            inner, width = q.shape
            if kv.shape == (2 * inner, width) and out.shape == (width, inner):
                block = f"{_PERCEIVER}.layers.{layer}.0"
                yield f"{block}.to_q.weight", q
                yield f"{block}.to_kv.weight", kv
                yield f"{block}.to_out.weight", out
                break
        else:
            found = ", ".join(str(m.shape) for m in graph.matrices[start : start + 3])
            raise CheckpointError(
                f"{path}: matrices without bias: expected the query, key-value and output of an "
                f"attention layer; found [out, in] {found}"
            )


def _is_known_table(values: Array) -> bool:
    """Tell whether a constant is arithmetic, which can be checked, and no weights, which can't."""
    if values.size == 1 or np.ptp(values) == 0:
        return True  # an epsilon, a scale, the ones of a norm without weights
    return values.shape == (GLOBAL_CODES, FSQ_DIGITS) and np.array_equal(values, fsq_codebook())


def _drop_codebook(graph: GraphWeights, codebook: Array) -> None:
    """Take out the quantiser's search: the codebook again, each row scaled to length one."""
    directions = codebook / np.linalg.norm(codebook, axis=1, keepdims=True)

    def is_codebook(values: Array) -> bool:
        return values.shape == directions.shape and np.allclose(values, directions, atol=2e-3)

    graph.matrices = [matrix for matrix in graph.matrices if not is_codebook(matrix)]
    graph.tables = {
        name: values
        for name, values in graph.tables.items()
        if not is_codebook(values) and not np.allclose(values, 1, atol=2e-3)  # squared lengths
    }
