"""A language model's directory in, its files and dimensions out, checked without reading weights.

Knows the Qwen2 architecture and nothing about speech. Source: Qwen2 as published in transformers.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, StrictBool, StrictInt, ValidationError

from mira.errors import CheckpointError
from mira.model.checkpoint.schema import Shape, require_shapes
from mira.model.checkpoint.tensors import (
    TensorInfo,
    read_header,
    reading,
    require_readable,
    short,
    unexpected,
)

_Model = TypeVar("_Model", bound=BaseModel)

EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"

Count = Annotated[int, Field(strict=True, gt=0, le=1 << 24)]
Number = Annotated[float, Field(strict=True, gt=0, lt=1e30)]


class _Generation(BaseModel):
    """What is read of a generation_config.json."""

    eos_token_id: StrictInt | list[StrictInt] | None = None

    @property
    def ends(self) -> list[int]:
        declared = self.eos_token_id
        return declared if isinstance(declared, list) else [] if declared is None else [declared]


class Rope(BaseModel):
    """Newer files of transformers have a section of it; scaled positions aren't computed."""

    rope_type: Literal["default"] = "default"
    type: Literal["default"] = "default"  # its name in older ones
    rope_theta: Number | None = None


class _Config(_Generation):
    """What is read of a config.json: all of it has to be what is computed."""

    architectures: tuple[Literal["Qwen2ForCausalLM"]]
    model_type: Literal["qwen2"] = "qwen2"
    hidden_act: Literal["silu"] = "silu"
    use_sliding_window: Literal[False] = False
    layer_types: list[Literal["full_attention"]] | None = None
    vocab_size: Count
    hidden_size: Count
    num_hidden_layers: Annotated[Count, Field(le=1000)]
    num_attention_heads: Count
    num_key_value_heads: Count
    head_dim: Count | None = None
    intermediate_size: Count
    tie_word_embeddings: StrictBool = False
    rms_norm_eps: Number = 1e-6
    rope_theta: Number = 10_000.0
    rope_parameters: Rope | None = None
    rope_scaling: Rope | None = None


@dataclass(frozen=True, slots=True)
class LanguageDims:
    """Dimensions of a Qwen2; `vocab_rows` is the embedding's, whatever the configuration says."""

    vocab_rows: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    tied: bool  # the output head is the embedding
    rope_theta: float = 1_000_000.0
    norm_epsilon: float = 1e-6

    @property
    def parameters(self) -> int:
        """Number of weights; without norms and biases, which are a thousandth."""
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        layer = attention + 3 * self.hidden * self.intermediate
        return self.layers * layer + self.vocab_rows * self.hidden * (1 if self.tied else 2)


@dataclass(frozen=True, slots=True)
class LanguageFiles:
    """A language model found and checked."""

    weights: tuple[Path, ...]  # one file, or the shards
    dims: LanguageDims
    declared_ends: tuple[int, ...]  # the end tokens that its configuration names


def find_language_model(directory: Path) -> LanguageFiles:
    """Find a Qwen2 and compare its tensors with its configuration.

    Raises:
        CheckpointError: A file is missing or damaged, the model is no Qwen2, or a tensor is
            missing, has no use, or has another shape or dtype than the configuration implies.
    """
    path = directory / "config.json"
    config = _read_model(_Config, path)
    weights = _weight_files(directory)
    tensors: dict[str, TensorInfo] = {}
    where: dict[str, str] = {}
    for file in weights:
        for name, info in read_header(file).items():
            tensors[name], where[name] = info, str(file)
            require_readable(file, name, info)
    found = {name: info.shape for name, info in tensors.items()}
    files = ", ".join(map(str, weights))
    embedding = found.get(EMBEDDING, ())
    if len(embedding) != 2:
        raise unexpected(files, EMBEDDING, "a matrix", embedding or "none")
    if config.vocab_size != embedding[0]:
        expected = f"{embedding[0]}, the rows of the embedding"
        raise unexpected(path, "vocab_size", expected, config.vocab_size)
    dims = _dims(config)
    if dims.tied and found.get(HEAD) == embedding:
        del found[HEAD]  # some fine-tunes save the tied head a second time
    require_shapes(language_shapes(dims), found, where)
    generation = directory / "generation_config.json"
    ends = _read_model(_Generation, generation).ends if generation.is_file() else []
    return LanguageFiles(weights, dims, tuple(dict.fromkeys(ends + config.ends)))


def _dims(config: _Config) -> LanguageDims:
    rope = config.rope_parameters or config.rope_scaling or Rope()
    return LanguageDims(
        vocab_rows=config.vocab_size,
        hidden=config.hidden_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=config.head_dim or config.hidden_size // config.num_attention_heads,
        intermediate=config.intermediate_size,
        tied=config.tie_word_embeddings,
        rope_theta=rope.rope_theta or config.rope_theta,
        norm_epsilon=config.rms_norm_eps,
    )


def language_shapes(dims: LanguageDims) -> dict[str, Shape]:
    """List every tensor of a Qwen2 of these dimensions."""
    query, key = dims.heads * dims.head_dim, dims.kv_heads * dims.head_dim
    shapes: dict[str, Shape] = {EMBEDDING: (dims.vocab_rows, dims.hidden)}
    for layer in range(dims.layers):
        block = f"model.layers.{layer}"
        shapes[f"{block}.input_layernorm.weight"] = (dims.hidden,)
        for name, rows in (("q", query), ("k", key), ("v", key)):
            shapes[f"{block}.self_attn.{name}_proj.weight"] = (rows, dims.hidden)
            shapes[f"{block}.self_attn.{name}_proj.bias"] = (rows,)
        shapes[f"{block}.self_attn.o_proj.weight"] = (dims.hidden, query)
        shapes[f"{block}.post_attention_layernorm.weight"] = (dims.hidden,)
        for name in ("gate", "up"):
            shapes[f"{block}.mlp.{name}_proj.weight"] = (dims.intermediate, dims.hidden)
        shapes[f"{block}.mlp.down_proj.weight"] = (dims.hidden, dims.intermediate)
    shapes["model.norm.weight"] = (dims.hidden,)
    if not dims.tied:
        shapes[HEAD] = (dims.vocab_rows, dims.hidden)
    return shapes


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    with reading(path):
        content = json.loads(path.read_text("utf-8"))
    if not isinstance(content, dict):
        raise unexpected(path, "content", "a JSON object", type(content).__name__)
    return content


def _read_model(kind: type[_Model], path: Path) -> _Model:
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key, said = ".".join(map(str, first["loc"])), first["msg"]
        found = "" if first["type"] == "missing" else f"; found {short(repr(first['input']))}"
        raise CheckpointError(f"{path}: {key}: {said}{found}") from error


def _weight_files(directory: Path) -> tuple[Path, ...]:
    whole, index = directory / "model.safetensors", directory / "model.safetensors.index.json"
    if whole.is_file():
        return (whole,)
    if index.is_file():
        weight_map = read_json(index).get("weight_map")
        names = list(weight_map.values()) if isinstance(weight_map, dict) else []
        if not names or not all(isinstance(n, str) and Path(n).name == n for n in names):
            raise unexpected(index, "weight_map", "names of files beside it", weight_map)
        return tuple(directory / name for name in sorted(set(names)))
    raise CheckpointError(
        f"{whole}: no such file, nor {index.name}; other formats, such as pytorch_model.bin, "
        "are not read"
    )
