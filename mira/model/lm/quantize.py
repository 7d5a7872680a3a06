"""Weights in, integers with their scales out, and the OpenVINO constant that reads them back.

Knows nothing about models. The grid of each group runs from its least to its greatest weight, so
nothing has to be calibrated. Source: "u4" and "u8" compressed weights as OpenVINO's CPU plugin
reads them: (integer - zero point) * scale.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as ops

from mira.model.checkpoint.tensors import to_bfloat16

Weights = Literal["int4", "int8", "bf16", "f32"]
"""How matrices are stored; bf16 is exact for weights that were published so, f32 for any."""
GROUP = 128  # weights that share a scale in int4; whole rows in int8

_LEAST_SCALE = 2.0**-14  # the least normal float16: rows of zeros divide by it


@dataclass(frozen=True, slots=True)
class Grid:
    """Weights as integers: `(values - zeros) * scales`, as the processor will see them."""

    values: npt.NDArray[np.uint8]  # [rows, groups, group]
    zeros: npt.NDArray[np.uint8]  # [rows, groups, 1]
    scales: npt.NDArray[np.float16]  # [rows, groups, 1]


def quantize(weights: npt.NDArray[np.float32], bits: int, group: int) -> Grid:
    """Round to `2 ** bits` levels between the least and the greatest of each group, and zero.

    Args:
        weights: [rows, columns].
        bits: At most 8.
        group: Columns that share a scale; a divisor of their number.
    """
    grouped = weights.reshape(len(weights), -1, group)
    top = 2**bits - 1
    low = np.minimum(grouped.min(2, keepdims=True), 0)
    high = np.maximum(grouped.max(2, keepdims=True), 0)
    scales = np.maximum((high - low) / top, _LEAST_SCALE).astype(np.float16)
    # With the scale that will be used, not the one that was wanted.
    steps = scales.astype(np.float32)
    zeros = np.clip(np.round(-low / steps), 0, top)
    values = np.clip(np.round(grouped / steps) + zeros, 0, top)
    return Grid(values.astype(np.uint8), zeros.astype(np.uint8), scales)


def constant(weights: npt.NDArray[np.float32], kind: Weights) -> Any:
    """Make an OpenVINO node of float32 [rows, columns], stored as `kind`."""
    if kind == "f32":
        return ops.constant(weights, shared_memory=True)  # it is large, and not changed by anybody
    if kind == "bf16":
        bits = ov.Tensor(to_bfloat16(weights), ov.Shape(weights.shape), ov.Type.bf16)
        return ops.convert(ov.op.Constant(bits, False), np.float32)
    columns = weights.shape[1]
    if kind == "int8" or columns % 2:
        return _compressed(quantize(weights, 8, columns), ov.Type.u8)
    group = GROUP if columns % GROUP == 0 else columns
    return _compressed(quantize(weights, 4, group), ov.Type.u4)


def _compressed(grid: Grid, dtype: ov.Type) -> Any:
    # In float16 up to the end: the pattern that the plugin recognises and never unfolds.
    shifted = ops.subtract(
        ops.convert(_integers(grid.values, dtype), np.float16),
        ops.convert(_integers(grid.zeros, dtype), np.float16),
    )
    scaled = ops.multiply(shifted, ops.constant(grid.scales))
    rows = grid.values.shape[0]
    flat = ops.reshape(scaled, ops.constant(np.array([rows, -1], np.int64)), False)
    return ops.convert(flat, np.float32)


def _integers(values: npt.NDArray[np.uint8], dtype: ov.Type) -> Any:
    if dtype == ov.Type.u8:
        return ops.constant(values)
    flat = values.reshape(-1)
    if len(flat) % 2:
        flat = np.append(flat, np.uint8(0))
    packed = np.ascontiguousarray(flat[0::2] | flat[1::2] << 4)  # the first one in the low half
    return ov.op.Constant(ov.Tensor(packed, ov.Shape(values.shape), dtype), False)
