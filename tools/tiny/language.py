"""Dimensions in, a random Qwen2 that speaks and sometimes stops out, streamed to disk.

Knows nothing about the codec. The weights are noise, but for one channel: it carries the same
number at every step, and only the end token's embedding listens to it. So ending is as likely at
one step as at another, and how likely is set by that embedding.
"""

import json
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mira.model.checkpoint.language import EMBEDDING, LanguageDims, language_shapes
from mira.model.checkpoint.schema import Shape
from mira.model.checkpoint.tensors import Array, write_tensors

# The end token's weight for that channel, against speech logits of mean 0 and deviation 1. Measured
# with the default sampling: a stream of 2.5 s on average at either size, as long as a sentence. The
# wide model needs a higher one, since its logits vary less about their means.
_END_WEIGHT, _WIDE_END_WEIGHT, _WIDE = 3.1, 3.4, 512

_PUBLISHED = {"attention_dropout": 0.0, "hidden_act": "silu", "initializer_range": 0.02}


def true_dims(vocab_rows: int = 166_000) -> LanguageDims:
    """The published model's: 506,634,112 parameters."""
    return LanguageDims(vocab_rows, 896, 24, 14, 2, 64, 4864, tied=True)


def tiny_dims(num_tokens: int) -> LanguageDims:
    """Two narrow layers; as in the published model there are more rows than tokens."""
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
    noise = _Noise(dims, end_ids, seed)
    write_tensors(directory / "model.safetensors", noise.shapes, noise.rows, dtype)


class _Noise:
    """The rows of every tensor, made in blocks as the writer asks for them."""

    def __init__(self, dims: LanguageDims, end_ids: Iterable[int], seed: int) -> None:
        self._dims, self._end_ids, self._seed = dims, tuple(end_ids), seed
        self.shapes = language_shapes(dims)
        self._end_weight = _WIDE_END_WEIGHT if dims.hidden > _WIDE else _END_WEIGHT
        self._last = f"model.layers.{dims.layers - 1}.self_attn."

    def rows(self, name: str, start: int, stop: int) -> Array:
        shape: Shape = (stop - start, *self.shapes[name][1:])
        # Its own generator for each block: the same numbers whatever is written before it.
        random = np.random.default_rng([self._seed, zlib.crc32(name.encode()), start])
        if name.endswith("norm.weight"):
            return np.ones(shape, np.float32)
        values = self._gain(name) * random.standard_normal(shape, dtype=np.float32)
        if name == EMBEDDING:
            values[:, 0] = 0
            self._end_rows(values, start)
        elif start == 0:
            self._constant_channel(name, values)
        return values

    def _gain(self, name: str) -> float:
        """Deviation of the values: about 1 after each layer, and for the logits of speech."""
        if name.endswith("bias"):
            return 0.1
        gain = 1 / float(np.sqrt(self.shapes[name][1]))
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            return 2 * gain  # attend to some tokens more than to others
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            # What the layers add drowns the embedding, or the tied head would repeat its input.
            return 2 * gain / float(np.sqrt(2 * self._dims.layers))
        return gain

    def _end_rows(self, values: Array, start: int) -> None:
        for order, end in enumerate(self._end_ids):
            if start <= end < start + len(values):
                values[end - start] = 0
                values[end - start, 0] = self._end_weight if order == 0 else 0

    def _constant_channel(self, name: str, values: Array) -> None:
        """Channel 0 is written by the last layer's first value alone, which is its bias: 1."""
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            values[0] = 0
            if name == self._last + "o_proj.weight":
                values[0, 0] = 1
        elif name.startswith(self._last + "v_proj"):
            values[0] = 1 if name.endswith("bias") else 0
