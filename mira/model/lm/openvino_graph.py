"""A Qwen2's tensors in, an OpenVINO graph out.

Its only outputs are the logits of speech and its ends: a head of 8192 rows and a few instead of
166,000, which is over a quarter of what a step reads. Knows nothing about files or streams.
Source: Qwen2, arXiv:2407.10671, as transformers computes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as ops
from openvino.op import util

from mira.model.lm.quantize import Weights, constant

Tensors = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Qwen2:
    """What the tensors alone don't tell."""

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    rope_theta: float
    norm_epsilon: float


def build(tensors: Tensors, shape: Qwen2, rows: Sequence[int], weights: Weights) -> ov.Model:
    """Build the graph.

    Its inputs are those that transformers' exports have (`input_ids` and `position_ids` [batch,
    tokens], `attention_mask`, `beam_idx`), so that OpenVINO can turn its attention into one over
    a paged cache, and `last` [streams]: of which rows of the batch the logits are wanted. Its
    output is `logits` [streams, tokens, rows].

    Args:
        tensors: By the names that transformers gives them.
        shape: The rest of its configuration.
        rows: Vocabulary ids that can be said, in the order of the logits.
        weights: How matrices are stored. The embedding and the head are int8 in int4's place:
            they are a fraction of a step, and what is said hangs on them most.
    """
    return _Builder(tensors, shape, weights).model(rows)


class _Builder:
    def __init__(self, tensors: Tensors, shape: Qwen2, weights: Weights) -> None:
        self._tensors = tensors
        self._shape = shape
        self._weights = weights
        self._assigns: list[Any] = []

    def model(self, rows: Sequence[int]) -> ov.Model:
        ids = _parameter("input_ids", [-1, -1], np.int64)
        mask = _parameter("attention_mask", [-1, -1], np.int64)
        positions = _parameter("position_ids", [-1, -1], np.int64)
        beam = _parameter("beam_idx", [-1], np.int32)
        last = _parameter("last", [-1], np.int64)

        embedding = self._tensors["model.embed_tokens.weight"]
        x = ops.gather(constant(embedding, self._outer), ids, _ints(0))
        rotation = self._rotation(positions)
        attention = _Attention(self._shape, rotation, _mask(mask), beam, _batch(ids), self._assigns)
        for layer in range(self._shape.layers):
            x = self._layer(layer, x, attention)
        x = self._norm(ops.gather(x, last, _ints(0)), "model.norm.weight")
        head = self._tensors.get("lm_head.weight", embedding)
        logits = ops.result(ops.matmul(x, constant(head[list(rows)], self._outer), False, True))
        logits.output(0).set_names({"logits"})
        model = ov.Model([logits], self._assigns, [ids, mask, positions, beam, last], "qwen2")
        model.set_rt_info(len(embedding), ["mira", "vocab_rows"])
        return model

    @property
    def _outer(self) -> Weights:
        return "int8" if self._weights == "int4" else self._weights

    def _layer(self, layer: int, x: Any, attention: "_Attention") -> Any:
        # Matrices that read the same input are one: fewer, larger products.
        at, shape = f"model.layers.{layer}.self_attn", self._shape
        h = self._norm(x, f"model.layers.{layer}.input_layernorm.weight")
        qkv = self._linear(h, [f"{at}.{name}_proj" for name in "qkv"], bias=True)
        query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        q, k, v = ops.variadic_split(qkv, _int(-1), _ints(query, key, key)).outputs()
        x = ops.add(x, self._linear(attention(layer, q, k, v), [f"{at}.o_proj"]))

        at = f"model.layers.{layer}.mlp"
        h = self._norm(x, f"model.layers.{layer}.post_attention_layernorm.weight")
        gate, up = ops.split(
            self._linear(h, [f"{at}.gate_proj", f"{at}.up_proj"]), _int(-1), 2
        ).outputs()
        return ops.add(x, self._linear(ops.multiply(ops.swish(gate), up), [f"{at}.down_proj"]))

    def _linear(self, x: Any, names: Sequence[str], bias: bool = False) -> Any:
        joined = np.concatenate([self._tensors[f"{name}.weight"] for name in names])
        y = ops.matmul(x, constant(joined, self._weights), False, True)
        if not bias:
            return y
        return ops.add(y, _floats(np.concatenate([self._tensors[f"{n}.bias"] for n in names])))

    def _norm(self, x: Any, name: str) -> Any:
        mean = ops.reduce_mean(ops.power(x, _floats([2.0])), _ints(-1), True)
        root = ops.sqrt(ops.add(mean, _floats([self._shape.norm_epsilon])))
        normed = ops.multiply(x, ops.divide(_floats([1.0]), root))
        return ops.multiply(_floats(self._tensors[name]), normed)

    def _rotation(self, positions: Any) -> tuple[Any, Any]:
        """Cosines and sines of rotary positions, each [batch, 1, tokens, head_dim]."""
        dim = self._shape.head_dim
        frequencies = self._shape.rope_theta ** -(np.arange(0, dim, 2) / dim)
        column = ops.convert(ops.unsqueeze(positions, _ints(2)), np.float32)
        angles = ops.matmul(column, _floats(frequencies), False, False)
        angles = ops.concat([angles, angles], -1)
        return ops.unsqueeze(ops.cos(angles), _ints(1)), ops.unsqueeze(ops.sin(angles), _ints(1))


class _Attention:
    """Grouped-query attention with a cache, in the form that becomes paged attention.

    The transformation recognises a stateful cache that is gathered by beam, grown and repeated
    for each group of heads; mask, state and beam are gone after it.
    """

    def __init__(
        self,
        shape: Qwen2,
        rotation: tuple[Any, Any],
        mask: Any,
        beam: Any,
        batch: Any,
        assigns: list[Any],
    ) -> None:
        self._shape = shape
        self._cos, self._sin = rotation
        self._mask = mask
        self._beam = beam
        self._batch = batch
        self._assigns = assigns

    def __call__(self, layer: int, q: Any, k: Any, v: Any) -> Any:
        shape = self._shape
        query = self._rotated(self._heads(q, shape.heads))
        key = self._cached(self._rotated(self._heads(k, shape.kv_heads)), f"{layer}.key")
        value = self._cached(self._heads(v, shape.kv_heads), f"{layer}.value")
        mixed = ops.scaled_dot_product_attention(
            query, self._repeated(key), self._repeated(value), self._mask, causal=False
        )
        width = shape.heads * shape.head_dim
        return ops.reshape(ops.transpose(mixed, _ints(0, 2, 1, 3)), _ints(0, 0, width), True)

    def _heads(self, x: Any, count: int) -> Any:
        split = ops.reshape(x, _ints(0, 0, count, self._shape.head_dim), True)
        return ops.transpose(split, _ints(0, 2, 1, 3))

    def _rotated(self, x: Any) -> Any:
        half = self._shape.head_dim // 2
        first = ops.slice(x, _ints(0), _ints(half), _ints(1), _ints(3))
        second = ops.slice(x, _ints(half), _ints(2 * half), _ints(1), _ints(3))
        turned = ops.concat([ops.multiply(second, _floats([-1.0])), first], -1)
        return ops.add(ops.multiply(x, self._cos), ops.multiply(turned, self._sin))

    def _cached(self, new: Any, name: str) -> Any:
        kv_heads, dim = self._shape.kv_heads, self._shape.head_dim
        info = util.VariableInfo()
        info.data_shape = ov.PartialShape([-1, kv_heads, -1, dim])
        info.data_type = ov.Type.f32
        info.variable_id = f"past_key_values.{name}"
        variable = util.Variable(info)
        nothing = ops.broadcast(
            ops.constant(np.float32(0)), ops.concat([self._batch, _ints(kv_heads, 0, dim)], 0)
        )
        past = ops.gather(ops.read_value(nothing, variable), self._beam, _ints(0))
        whole = ops.concat([past, new], 2)
        self._assigns.append(ops.assign(whole, variable))
        return whole

    def _repeated(self, x: Any) -> Any:
        """Each of the cache's heads once for each query head that shares it."""
        shape = ops.shape_of(x)
        target = ops.concat(
            [
                ops.gather(shape, _ints(0, 1), _ints(0)),
                _ints(self._shape.heads // self._shape.kv_heads),
                ops.gather(shape, _ints(2, 3), _ints(0)),
            ],
            0,
        )
        wide = ops.broadcast(ops.unsqueeze(x, _ints(2)), target, "BIDIRECTIONAL")
        return ops.reshape(wide, _ints(0, self._shape.heads, -1, self._shape.head_dim), True)


def _parameter(name: str, shape: list[int], dtype: Any) -> Any:
    parameter = ops.parameter(shape, dtype)
    parameter.set_friendly_name(name)  # by which the transformation finds it
    parameter.output(0).set_names({name})
    return parameter


def _mask(mask: Any) -> Any:
    wide = ops.unsqueeze(ops.unsqueeze(mask, _ints(1)), _ints(1))
    return ops.multiply(ops.convert(ops.subtract(_int(1), wide), np.float32), _floats([-65504.0]))


def _batch(ids: Any) -> Any:
    return ops.gather(ops.shape_of(ids), _ints(0), _ints(0))


def _int(value: int) -> Any:
    return ops.constant(np.int64(value))


def _ints(*values: int) -> Any:
    return ops.constant(np.array(values, np.int64))


def _floats(values: Any) -> Any:
    """Broadcast over [batch, tokens, ...]."""
    return ops.constant(np.asarray(values, np.float32).reshape(1, 1, -1))
