"""A graph of convolutions in, the same computed in 8-bit integers out, as far as it stays exact.

A processor with VNNI multiplies 8-bit integers two to three times as fast as floats. What that
costs in exactness depends on the weights, so it is measured on them, and convolutions that cost
too much stay as they are.

Knows nothing about what the graph computes. Source of the scheme (one scale for an input, one for
each output channel of a weight): arXiv:1712.05877.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from mira.model.snr import snr_db

Array = npt.NDArray[np.float32]

_LEVELS = 256  # of an input
_LARGEST = 127  # of a weight; -128 has no opposite


@dataclass(frozen=True, slots=True)
class Quantized:
    """A graph, and what is left of the exactness."""

    graph: ov.Model
    layers: int  # convolutions that are computed in integers
    snr_db: float  # the worst of the inputs that it was measured on


def quantize(
    graph: ov.Model,
    order: Sequence[int],
    seen: Sequence[Array],
    unseen: Sequence[Array],
    at_least_db: float,
) -> Quantized | None:
    """Bring the most convolutions to integers that the required exactness allows.

    Args:
        graph: One input, one output; not changed.
        order: Which convolutions, counted from the input, the worthiest first. Others stay.
        seen: Inputs that the ranges of values are taken from.
        unseen: Inputs that the exactness is measured on.
        at_least_db: Signal over error, for each of `unseen`.

    Returns:
        The largest beginning of `order` that is exact enough; None if not even the first is.
    """
    ranges = _input_ranges(graph, seen)
    expected = _outputs(graph, unseen)

    def attempt(layers: int) -> Quantized:
        found = _with_integers(graph, {i: ranges[i] for i in order[:layers]})
        pairs = zip(expected, _outputs(found, unseen), strict=True)
        return Quantized(found, layers, min(snr_db(*pair) for pair in pairs))

    # Each convolution adds its own noise, so exactness falls along the order.
    best: Quantized | None = None
    good, bad = 0, len(order) + 1
    while bad - good > 1:
        middle = len(order) if bad > len(order) else (good + bad) // 2
        found = attempt(middle)
        if found.snr_db >= at_least_db:
            good, best = middle, found
        else:
            bad = middle
    return best


def _input_ranges(graph: ov.Model, inputs: Sequence[Array]) -> list[tuple[float, float]]:
    """Find the least and the largest value, zero among them, that each convolution reads."""
    watched = graph.clone()
    watched.add_outputs([layer.input_value(0) for layer in _convolutions(watched)])
    run = _compiled(watched)
    extremes = [[(v.min(), v.max()) for v in list(run([x]).values())[1:]] for x in inputs]
    lows, highs = np.array(extremes).transpose(2, 1, 0)  # [convolutions, inputs]
    return list(zip(lows.min(1, initial=0).tolist(), highs.max(1, initial=0).tolist(), strict=True))


def _with_integers(graph: ov.Model, ranges: dict[int, tuple[float, float]]) -> ov.Model:
    """Have these convolutions, by number, read inputs of these ranges in 8 bits."""
    graph = graph.clone()
    for i, layer in enumerate(_convolutions(graph)):
        if i in ranges:
            bounds = [
                op.constant(np.full((1, 1, 1), x, np.float32)) for x in _with_exact_zero(*ranges[i])
            ]
            read = op.fake_quantize(layer.input_value(0), *bounds, *bounds, _LEVELS)
            layer.input(0).replace_source_output(read.output(0))
            weight = _integer_weight(layer.input_value(1).get_node().data)
            layer.input(1).replace_source_output(weight.output(0))
    graph.validate_nodes_and_infer_types()
    return graph


def _with_exact_zero(low: float, high: float) -> tuple[float, float]:
    """Move a range until zero is one of its levels: what is padded must be nothing."""
    step = (high - low) / (_LEVELS - 1)
    low = round(low / step) * step
    return low, low + (_LEVELS - 1) * step


def _integer_weight(weight: Array) -> Any:
    """[out, in, kernel] as bytes and a scale for each output channel."""
    scale = np.maximum(np.abs(weight).max((1, 2), keepdims=True) / _LARGEST, 1e-12)
    rounded = np.round(weight / scale).astype(np.int8)
    return op.multiply(op.convert(op.constant(rounded), "f32"), op.constant(scale))


def _convolutions(graph: ov.Model) -> list[Any]:
    """List a graph's convolutions, in the order in which they compute."""
    return [node for node in graph.get_ordered_ops() if node.get_type_name() == "Convolution"]


def _outputs(graph: ov.Model, inputs: Sequence[Array]) -> list[Array]:
    run = _compiled(graph)
    return [run([x])[0] for x in inputs]


def _compiled(graph: ov.Model) -> Any:
    return ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
