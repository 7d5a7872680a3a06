"""A language model's directory in, its files and dimensions out, checked without reading weights.

Knows the Qwen2 architecture and nothing about speech. Source: Qwen2 as published in transformers.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mira.errors import CheckpointError
from mira.model.checkpoint.schema import Shape, require_shapes
from mira.model.checkpoint.tensors import READABLE, TensorInfo, read_header

EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
ARCHITECTURE = "Qwen2ForCausalLM"
FIXED = {"model_type": "qwen2", "hidden_act": "silu"}
"""What a configuration has to say where it says anything: this is all that is computed."""
MOST = 1 << 24  # of anything that a configuration counts
MOST_LAYERS = 1000
MOST_NUMBER = 1e30


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
    config_path = directory / "config.json"
    config = read_json(config_path)
    _require_qwen2(config_path, config)
    weights = _weight_files(directory)
    tensors: dict[str, TensorInfo] = {}
    where: dict[str, str] = {}
    for path in weights:
        for name, info in read_header(path).items():
            tensors[name], where[name] = info, str(path)
    if EMBEDDING not in tensors:
        files = ", ".join(map(str, weights))
        raise CheckpointError(f"{files}: {EMBEDDING}: expected an embedding; found none")
    if len(tensors[EMBEDDING].shape) != 2:
        raise CheckpointError(
            f"{where[EMBEDDING]}: {EMBEDDING}: expected a matrix; found {tensors[EMBEDDING].shape}"
        )
    dims = _dims(config_path, config, tensors[EMBEDDING].shape[0])
    found = {name: info.shape for name, info in tensors.items()}
    if dims.tied and found.get(HEAD) == found[EMBEDDING]:
        del found[HEAD]  # some fine-tunes save the tied head a second time
    require_shapes(language_shapes(dims), found, where)
    for name, info in tensors.items():
        if info.dtype not in READABLE:
            raise CheckpointError(
                f"{where[name]}: {name}: expected dtype {', '.join(READABLE)}; found {info.dtype}"
            )
    return LanguageFiles(weights, dims, _declared_ends(directory, config))


def language_shapes(dims: LanguageDims) -> dict[str, Shape]:
    """Every tensor of a Qwen2 of these dimensions."""
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
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file") from error
    except (ValueError, OSError, RecursionError) as error:  # the last: brackets in brackets in ...
        raise CheckpointError(f"{path}: damaged or incomplete ({error})") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a JSON object; found {type(content).__name__}")
    return content


def _require_qwen2(path: Path, config: dict[str, Any]) -> None:
    architectures = config.get("architectures")
    if architectures != [ARCHITECTURE]:
        raise CheckpointError(
            f"{path}: architectures: expected [{ARCHITECTURE!r}]; found {_short(architectures)}"
        )
    for key, value in FIXED.items():
        if config.get(key, value) != value:
            raise CheckpointError(f"{path}: {key}: expected {value!r}; found {_short(config[key])}")


def _weight_files(directory: Path) -> tuple[Path, ...]:
    whole, index = directory / "model.safetensors", directory / "model.safetensors.index.json"
    if whole.is_file():
        return (whole,)
    if index.is_file():
        weight_map = read_json(index).get("weight_map")
        names = list(weight_map.values()) if isinstance(weight_map, dict) else []
        if not names or not all(
            isinstance(name, str) and Path(name).name == name for name in names
        ):
            raise CheckpointError(
                f"{index}: weight_map: expected names of files beside it; found "
                f"{_short(weight_map)}"
            )
        return tuple(directory / name for name in sorted(set(names)))
    raise CheckpointError(
        f"{whole}: no such file, nor {index.name}; other formats, such as pytorch_model.bin, "
        "are not read"
    )


def _dims(path: Path, config: dict[str, Any], vocab_rows: int) -> LanguageDims:
    def number(key: str, most: int = MOST) -> int:
        value = config.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
            raise CheckpointError(
                f"{path}: {key}: expected a positive integer up to {most}; found {_short(value)}"
            )
        return value

    if number("vocab_size") != vocab_rows:
        raise CheckpointError(
            f"{path}: vocab_size: expected {vocab_rows}, the rows of the embedding; found "
            f"{config['vocab_size']}"
        )
    heads = number("num_attention_heads")
    tied = config.get("tie_word_embeddings", False)
    if not isinstance(tied, bool):
        raise CheckpointError(
            f"{path}: tie_word_embeddings: expected true or false; found {_short(tied)}"
        )
    return LanguageDims(
        vocab_rows=vocab_rows,
        hidden=number("hidden_size"),
        layers=number("num_hidden_layers", MOST_LAYERS),
        heads=heads,
        kv_heads=number("num_key_value_heads"),
        head_dim=number("head_dim") if "head_dim" in config else number("hidden_size") // heads,
        intermediate=number("intermediate_size"),
        tied=tied,
        rope_theta=_rope_theta(path, config),
        norm_epsilon=_positive(path, "rms_norm_eps", config.get("rms_norm_eps", 1e-6)),
    )


def _rope_theta(path: Path, config: dict[str, Any]) -> float:
    """Newer files of transformers have a section of it."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if (
        not isinstance(rope, dict)
        or rope.get("rope_type", rope.get("type", "default")) != "default"
    ):
        raise CheckpointError(
            f"{path}: expected rotary positions that aren't scaled; found {_short(rope)}"
        )
    theta = rope.get("rope_theta", config.get("rope_theta", 10_000.0))
    return _positive(path, "rope_theta", theta)


def _declared_ends(directory: Path, config: dict[str, Any]) -> tuple[int, ...]:
    path = directory / "generation_config.json"
    generation = read_json(path) if path.is_file() else {}
    ends: list[int] = []
    for file, content in ((path, generation), (directory / "config.json", config)):
        declared = content.get("eos_token_id")
        found = declared if isinstance(declared, list) else [] if declared is None else [declared]
        if not all(isinstance(end, int) and not isinstance(end, bool) for end in found):
            raise CheckpointError(
                f"{file}: eos_token_id: expected one or more ids; found {_short(declared)}"
            )
        ends += found
    return tuple(dict.fromkeys(ends))


def _positive(path: Path, key: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < MOST_NUMBER:
        return float(value)
    raise CheckpointError(f"{path}: {key}: expected a positive number; found {_short(value)}")


def _short(value: object) -> str:
    """A value in a message: it may be anything, of any length."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]} ..."
