"""Dimensions in, a random Qwen2 that speaks and sometimes stops out.

Knows nothing about the codec. The weights are noise, but for one channel: it carries the same
number at every step, and only the end token's embedding listens to it. So ending is as likely at
one step as at another, and how likely is set by that embedding.
"""

import json
import zlib
from pathlib import Path

import numpy as np

from mira.model.checkpoint.language import EMBEDDING, LanguageDims, language_shapes
from mira.model.checkpoint.schema import Shape
from mira.model.checkpoint.tensors import Array

# The end token's weight for that channel, against speech logits of mean 0 and deviation 1. Measured
# with the default sampling: a stream of 2.5 s on average at either size, as long as a sentence. The
# wide model needs a higher one, since its logits vary less about their means.
_END_WEIGHT, _WIDE_END_WEIGHT, _WIDE = 3.1, 3.4, 512

_PUBLISHED = {"attention_dropout": 0.0, "hidden_act": "silu", "initializer_range": 0.02}


def true_dims(vocab_rows: int = 166_000) -> LanguageDims:
    """Make the published dimensions: 506,634,112 parameters."""
    return LanguageDims(vocab_rows, 896, 24, 14, 2, 64, 4864, tied=True)


def tiny_dims(num_tokens: int) -> LanguageDims:
    """Make two narrow layers; as in the published model there are more rows than tokens."""
    return LanguageDims((num_tokens // 64 + 2) * 64, 64, 2, 4, 2, 16, 128, tied=True)


def write_language_model(
    directory: Path, dims: LanguageDims, end_ids: tuple[int, ...], dtype: str, seed: int
) -> None:
    """Write config.json, generation_config.json and model.safetensors.

    Args:
        directory: Where to.
        dims: Of the model.
        end_ids: The first is the token that ends speech; the others are declared, never said.
        dtype: "BF16" or "F32".
        seed: Of the noise.
    """
    import torch
    from safetensors.torch import save_file

    torch_dtype = {"BF16": "bfloat16", "F32": "float32"}[dtype]
    config = _PUBLISHED | {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": dims.vocab_rows,
        "hidden_size": dims.hidden,
        "intermediate_size": dims.intermediate,
        "num_hidden_layers": dims.layers,
        "num_attention_heads": dims.heads,
        "num_key_value_heads": dims.kv_heads,
        "max_position_embeddings": 32768,
        "max_window_layers": dims.layers,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "tie_word_embeddings": dims.tied,
        "torch_dtype": torch_dtype,
        "use_cache": True,
        "use_sliding_window": False,
        "bos_token_id": end_ids[-1],
        "eos_token_id": end_ids[0],
    }
    generation = {"bos_token_id": end_ids[-1], "eos_token_id": list(end_ids), "do_sample": True}
    for name, content in (("config", config), ("generation_config", generation)):
        (directory / f"{name}.json").write_text(json.dumps(content, indent=2), "utf-8")
    stored = getattr(torch, torch_dtype)
    tensors = {
        name: torch.from_numpy(_noise(name, shape, dims, end_ids, seed)).to(stored)
        for name, shape in language_shapes(dims).items()
    }
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})


def _noise(name: str, shape: Shape, dims: LanguageDims, ends: tuple[int, ...], seed: int) -> Array:
    random = np.random.default_rng([seed, zlib.crc32(name.encode()), 0])
    if name.endswith("norm.weight"):
        return np.ones(shape, np.float32)
    values = _gain(name, shape, dims) * random.standard_normal(shape, dtype=np.float32)
    last = f"model.layers.{dims.layers - 1}.self_attn."
    if name == EMBEDDING:
        values[:, 0] = 0
        values[list(ends)] = 0
        values[ends[0], 0] = _WIDE_END_WEIGHT if dims.hidden > _WIDE else _END_WEIGHT
    elif name.endswith(("o_proj.weight", "down_proj.weight")):
        # Channel 0 is written by the last layer's first value alone, which is its bias: 1.
        values[0] = 0
        values[0, 0] = 1 if name == f"{last}o_proj.weight" else 0
    elif name.startswith(f"{last}v_proj"):
        values[0] = 1 if name.endswith("bias") else 0
    return values


def _gain(name: str, shape: Shape, dims: LanguageDims) -> float:
    """Deviation of the values: about 1 after each layer, and for the logits of speech."""
    if name.endswith("bias"):
        return 0.1
    gain = 1 / float(np.sqrt(shape[1]))
    if name.endswith(("q_proj.weight", "k_proj.weight")):
        return 2 * gain  # attend to some tokens more than to others
    if name.endswith(("o_proj.weight", "down_proj.weight")):
        # What the layers add drowns the embedding, or the tied head would repeat its input.
        return 2 * gain / float(np.sqrt(2 * dims.layers))
    return gain
