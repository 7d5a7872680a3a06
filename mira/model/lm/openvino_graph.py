"""A Qwen2's tensors in, an OpenVINO graph out.

Its only outputs are the logits of speech and its ends: a head of 8192 rows and a few instead of
166,000, which is over a quarter of what a step reads. Knows nothing about files or streams.
Source: Qwen2, arXiv:2407.10671, as transformers computes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops
from openvino.op import util

from mira.model.checkpoint.language import EMBEDDING, HEAD, LanguageDims
from mira.model.checkpoint.tensors import Array
from mira.model.lm.quantize import Weights, constant

Tensors = Mapping[str, Array]


def build(tensors: Tensors, dims: LanguageDims, rows: Sequence[int], weights: Weights) -> ov.Model:
    """Build the graph.

    Its inputs are those that transformers' exports have (`input_ids` and `position_ids` [batch,
    tokens], `attention_mask`, `beam_idx`), so that OpenVINO can turn its attention into one over
    a paged cache, and `last` [streams]: of which rows of the batch the logits are wanted. Its
    output is `logits` [streams, tokens, rows].

    Args:
        tensors: By the names that transformers gives them.
        dims: Their dimensions.
        rows: Vocabulary ids that can be said, in the order of the logits.
        weights: How matrices are stored. The embedding and the head are int8 in int4's place:
            they are a fraction of a step, and what is said hangs on them most.
    """
    return _Builder(tensors, dims, weights).model(rows)


class _Builder:
    def __init__(self, tensors: Tensors, dims: LanguageDims, weights: Weights) -> None:
        self._tensors, self._dims, self._weights = tensors, dims, weights
        self._ids = _parameter("input_ids", [-1, -1], np.int64)
        self._attends = _parameter("attention_mask", [-1, -1], np.int64)
        self._positions = _parameter("position_ids", [-1, -1], np.int64)
        self._beam = _parameter("beam_idx", [-1], np.int32)
        self._last = _parameter("last", [-1], np.int64)
        self._cos, self._sin = self._rotation()
        wide = ops.unsqueeze(self._attends, _ints(1, 2))
        hidden = ops.convert(ops.subtract(_int(1), wide), np.float32)
        self._mask = ops.multiply(hidden, _floats([-65504.0]))
        self._assigns: list[Any] = []

    def model(self, rows: Sequence[int]) -> ov.Model:
        outer: Weights = "int8" if self._weights == "int4" else self._weights
        embedding = self._tensors[EMBEDDING]
        x = ops.gather(constant(embedding, outer), self._ids, _ints(0))
        for layer in range(self._dims.layers):
            x = self._layer(f"model.layers.{layer}", x)
        x = self._norm(ops.gather(x, self._last, _ints(0)), "model.norm.weight")
        head = embedding if self._dims.tied else self._tensors[HEAD]
        logits = ops.result(ops.matmul(x, constant(head[list(rows)], outer), False, True))
        logits.output(0).set_names({"logits"})
        inputs = [self._ids, self._attends, self._positions, self._beam, self._last]
        model = ov.Model([logits], self._assigns, inputs, "qwen2")
        model.set_rt_info(len(embedding), ["mira", "vocab_rows"])
        return model

    def _layer(self, name: str, x: Any) -> Any:
        # Matrices that read the same input are one: fewer, larger products.
        at, dims = f"{name}.self_attn", self._dims
        h = self._norm(x, f"{name}.input_layernorm.weight")
        qkv = self._linear(h, [f"{at}.{part}_proj" for part in "qkv"], bias=True)
        query, key = dims.heads * dims.head_dim, dims.kv_heads * dims.head_dim
        split = ops.variadic_split(qkv, _int(-1), _ints(query, key, key)).outputs()
        x = ops.add(x, self._linear(self._attention(name, *split), [f"{at}.o_proj"]))

        at = f"{name}.mlp"
        h = self._norm(x, f"{name}.post_attention_layernorm.weight")
        both = self._linear(h, [f"{at}.gate_proj", f"{at}.up_proj"])
        gate, up = ops.split(both, _int(-1), 2).outputs()
        return ops.add(x, self._linear(ops.multiply(ops.swish(gate), up), [f"{at}.down_proj"]))

    def _linear(self, x: Any, names: Sequence[str], bias: bool = False) -> Any:
        joined = np.concatenate([self._tensors[f"{name}.weight"] for name in names])
        y = ops.matmul(x, constant(joined, self._weights), False, True)
        if not bias:
            return y
        return ops.add(y, _floats(np.concatenate([self._tensors[f"{n}.bias"] for n in names])))

    def _norm(self, x: Any, name: str) -> Any:
        mean = ops.reduce_mean(ops.power(x, _floats([2.0])), _ints(-1), True)
        root = ops.sqrt(ops.add(mean, _floats([self._dims.norm_epsilon])))
        normed = ops.multiply(x, ops.divide(_floats([1.0]), root))
        return ops.multiply(_floats(self._tensors[name]), normed)

    def _rotation(self) -> tuple[Any, Any]:
        """Cosines and sines of rotary positions, each [batch, 1, tokens, head_dim]."""
        dim = self._dims.head_dim
        frequencies = self._dims.rope_theta ** -(np.arange(0, dim, 2) / dim)
        column = ops.convert(ops.unsqueeze(self._positions, _ints(2)), np.float32)
        angles = ops.matmul(column, _floats(frequencies), False, False)
        angles = ops.unsqueeze(ops.concat([angles, angles], -1), _ints(1))
        return ops.cos(angles), ops.sin(angles)

    def _attention(self, name: str, q: Any, k: Any, v: Any) -> Any:
        """Grouped-query attention with a cache, in the form that becomes paged attention.

        The transformation recognises a stateful cache that is gathered by beam, grown and repeated
        for each group of heads; mask, state and beam are gone after it.
        """
        heads, kv_heads = self._dims.heads, self._dims.kv_heads
        query = self._rotated(self._heads(q, heads))
        key = self._cached(self._rotated(self._heads(k, kv_heads)), f"{name}.key")
        value = self._cached(self._heads(v, kv_heads), f"{name}.value")
        mixed = ops.scaled_dot_product_attention(
            query, self._repeated(key), self._repeated(value), self._mask, causal=False
        )
        width = heads * self._dims.head_dim
        return ops.reshape(ops.transpose(mixed, _ints(0, 2, 1, 3)), _ints(0, 0, width), True)

    def _heads(self, x: Any, count: int) -> Any:
        split = ops.reshape(x, _ints(0, 0, count, self._dims.head_dim), True)
        return ops.transpose(split, _ints(0, 2, 1, 3))

    def _rotated(self, x: Any) -> Any:
        half = self._dims.head_dim // 2
        first = ops.slice(x, _ints(0), _ints(half), _ints(1), _ints(3))
        second = ops.slice(x, _ints(half), _ints(2 * half), _ints(1), _ints(3))
        turned = ops.concat([ops.multiply(second, _floats([-1.0])), first], -1)
        return ops.add(ops.multiply(x, self._cos), ops.multiply(turned, self._sin))

    def _cached(self, new: Any, name: str) -> Any:
        kv_heads, dim = self._dims.kv_heads, self._dims.head_dim
        info = util.VariableInfo()
        info.data_shape = ov.PartialShape([-1, kv_heads, -1, dim])
        info.data_type = ov.Type.f32
        info.variable_id = name
        variable = util.Variable(info)
        batch = ops.gather(ops.shape_of(self._ids), _ints(0), _ints(0))
        nothing = ops.broadcast(
            ops.constant(np.float32(0)), ops.concat([batch, _ints(kv_heads, 0, dim)], 0)
        )
        past = ops.gather(ops.read_value(nothing, variable), self._beam, _ints(0))
        whole = ops.concat([past, new], 2)
        self._assigns.append(ops.assign(whole, variable))
        return whole

    def _repeated(self, x: Any) -> Any:
        """Each of the cache's heads once for each query head that shares it."""
        heads, kv_heads, dim = self._dims.heads, self._dims.kv_heads, self._dims.head_dim
        shape = ops.shape_of(x)
        before = ops.gather(shape, _ints(0, 1), _ints(0))
        after = ops.gather(shape, _ints(2, 3), _ints(0))
        target = ops.concat([before, _ints(heads // kv_heads), after], 0)
        wide = ops.broadcast(ops.unsqueeze(x, _ints(2)), target, "BIDIRECTIONAL")
        return ops.reshape(wide, _ints(0, heads, -1, dim), True)


def _parameter(name: str, shape: list[int], dtype: Any) -> Any:
    parameter = ops.parameter(shape, dtype)
    parameter.set_friendly_name(name)  # by which the transformation finds it
    parameter.output(0).set_names({name})
    return parameter


def _int(value: int) -> Any:
    return ops.constant(np.int64(value))


def _ints(*values: int) -> Any:
    return ops.constant(np.array(values, np.int64))


def _floats(values: Any) -> Any:
    """Broadcast over [batch, tokens, ...]."""
    return ops.constant(np.asarray(values, np.float32).reshape(1, 1, -1))
