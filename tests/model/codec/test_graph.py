"""The pieces that take another form than their modules; the whole is in the contract."""

import numpy as np
import openvino as ov
import pytest
import torch
from openvino import opset13 as op

from mira.model.codec.graph import _transposed, snake
from mira.model.codec.torch_layers import conv_transpose
from mira.model.codec.weights import Weights, stride_of

RNG = np.random.default_rng(0)


def run(graph: ov.Model, *inputs: np.ndarray) -> np.ndarray:
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return ov.Core().compile_model(graph, "CPU", exact)(list(inputs))[0]


def test_snake_is_a_sine_squared_whatever_alpha() -> None:
    alphas = np.array([0.01, 0.1, 1.0, 3.0, 20.0], np.float32)[:, None]
    x = op.parameter([1, 5, -1], np.float32)
    values = np.tile(np.linspace(-15, 15, 4001, dtype=np.float32), (1, 5, 1))
    found = run(ov.Model([snake(x, alphas, 1 / alphas)], [x]), values)
    exact = values + np.sin(alphas.astype(np.float64) * values) ** 2 / alphas.astype(np.float64)
    error = np.abs(found - exact).max(axis=(0, 2))
    # 1.5e-5 / alpha, and what rounding the phase of a large argument costs.
    assert (error < 2e-5 / alphas[:, 0] + 3e-5).all()
    small = np.abs(values) < 0.1
    assert np.abs(found - exact)[small].max() < 2e-6  # in proportion to the value, not to alpha


@pytest.mark.parametrize("kernel", [16, 11, 8, 4])
def test_transposed_convolution(kernel: int) -> None:
    shapes = {"weight": (6, 4, kernel), "bias": (4,)}
    tensors = {name: RNG.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    layer = conv_transpose(Weights(tensors), 6, 4, kernel, stride_of(kernel))
    x = op.parameter([1, 6, -1], np.float32)
    graph = ov.Model([_transposed(x, Weights(tensors))], [x])
    for length in (1, 2, 9):
        values = RNG.standard_normal((1, 6, length)).astype(np.float32)
        with torch.no_grad():
            expected = layer(torch.from_numpy(values)).numpy()
        np.testing.assert_allclose(run(graph, values), expected, atol=1e-5)
