"""Integers: exact where they must be, as many as the required exactness allows, or none."""

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

from mira.model.codec.quantize import _with_exact_zero, quantize

RNG = np.random.default_rng(0)
LAYERS = 4


def chain() -> ov.Model:
    """Four convolutions in a row, the second one's weights far from any grid."""
    x = first = op.parameter([1, 16, -1], np.float32)
    for _ in range(LAYERS):
        weight = RNG.standard_normal((16, 16, 3)).astype(np.float32) / 7
        x = op.tanh(op.convolution(x, op.constant(weight), [1], [1], [1], [1]))
    return ov.Model([x], [first])


def inputs(count: int) -> list[np.ndarray]:
    return [RNG.standard_normal((1, 16, 40)).astype(np.float32) for _ in range(count)]


GRAPH, SEEN, UNSEEN = chain(), inputs(2), inputs(2)


def integers(graph: ov.Model) -> list[bool]:
    layers = [node for node in graph.get_ordered_ops() if node.get_type_name() == "Convolution"]
    kinds = [layer.input_value(0).get_node().get_type_name() for layer in layers]
    return [kind == "FakeQuantize" for kind in kinds]


def test_all_where_little_is_required() -> None:
    found = quantize(GRAPH, range(LAYERS), SEEN, UNSEEN, 10)
    assert found is not None
    assert found.layers == LAYERS and 25 < found.snr_db < 45
    assert integers(found.graph) == [True] * LAYERS
    assert integers(GRAPH) == [False] * LAYERS  # not changed


def test_none_where_too_much_is_required() -> None:
    assert quantize(GRAPH, range(LAYERS), SEEN, UNSEEN, 90) is None


def test_the_worthiest_first_and_as_many_as_are_exact_enough() -> None:
    order = [2, 0, 3, 1]
    alone = [quantize(GRAPH, order[:n], SEEN, UNSEEN, 0) for n in range(1, LAYERS + 1)]
    exactness = [found.snr_db for found in alone if found]
    assert exactness == sorted(exactness, reverse=True)
    found = quantize(GRAPH, order, SEEN, UNSEEN, (exactness[1] + exactness[2]) / 2)
    assert found is not None
    assert found.layers == 2 and found.snr_db == pytest.approx(exactness[1])
    assert integers(found.graph) == [True, False, True, False]


def test_exactness_is_that_of_the_worst() -> None:
    loud = [UNSEEN[0], 20 * UNSEEN[0]]  # beyond the range that was seen
    found = quantize(GRAPH, [0], SEEN, loud, 0)
    usual = quantize(GRAPH, [0], SEEN, UNSEEN, 0)
    assert found is not None and usual is not None
    assert found.snr_db < usual.snr_db - 10


@pytest.mark.parametrize("bounds", [(-7.24, 7.96), (0.0, 3.0), (-2.0, 0.0), (-0.01, 5.0)])
def test_zero_stays_zero(bounds: tuple[float, float]) -> None:
    low, high = _with_exact_zero(*bounds)
    step = (high - low) / 255
    assert step == pytest.approx((bounds[1] - bounds[0]) / 255)
    assert low / step == pytest.approx(round(low / step), abs=1e-9)
    assert low <= 0 <= high
