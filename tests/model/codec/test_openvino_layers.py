"""Steps that take another form than in PyTorch, and every network as a graph."""

from collections.abc import Callable

import numpy as np
import openvino as ov
import pytest
import torch
from openvino import opset13 as op

from mira.model.codec.encoder import speaker_encoder
from mira.model.codec.layers import Layers, Node, Tensors
from mira.model.codec.openvino_layers import OpenVINOLayers
from mira.model.codec.torch_layers import TorchLayers
from mira.model.codec.upsampler import upsampler
from tests.model.codec.random_weights import random_upsampler, random_weights

RNG = np.random.default_rng(0)


def both(
    definition: Callable[[Layers, Node], Node], tensors: Tensors, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the graph computes, and what PyTorch does."""
    x = op.parameter([1, *[-1] * (values.ndim - 1)], np.float32)
    if values.ndim == 3:
        x = op.parameter([1, -1, values.shape[2]], np.float32)
    graph = ov.Model([definition(OpenVINOLayers(tensors), x)], [x])
    found = run(graph, values)
    with torch.inference_mode():
        return found, definition(TorchLayers(tensors), torch.from_numpy(values)).numpy()


def run(graph: ov.Model, *inputs: np.ndarray) -> np.ndarray:
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return ov.Core().compile_model(graph, "CPU", exact)(list(inputs))[0]


def test_a_squared_sine_whatever_alpha() -> None:
    alphas = np.array([0.01, 0.1, 1.0, 3.0, 20.0], np.float32)[:, None]
    x = op.parameter([1, 5, -1], np.float32)
    values = np.tile(np.linspace(-15, 15, 4001, dtype=np.float32), (1, 5, 1))
    y = OpenVINOLayers({}).with_squared_sine(x, op.constant(alphas), op.constant(1 / alphas))
    found = run(ov.Model([y], [x]), values)
    exact = values + np.sin(alphas.astype(np.float64) * values) ** 2 / alphas.astype(np.float64)
    error = np.abs(found - exact).max(axis=(0, 2))
    # 1.5e-5 / alpha, and what rounding the phase of a large argument costs.
    assert (error < 2e-5 / alphas[:, 0] + 3e-5).all()
    small = np.abs(values) < 0.1
    assert np.abs(found - exact)[small].max() < 2e-6  # in proportion to the value, not to alpha


@pytest.mark.parametrize(("kernel", "stride"), [(16, 8), (11, 5), (8, 4), (4, 2)])
@pytest.mark.parametrize("length", [1, 2, 9])
def test_transposed_convolution(kernel: int, stride: int, length: int) -> None:
    shapes = {"x.weight": (6, 4, kernel), "x.bias": (4,)}
    tensors = {name: RNG.standard_normal(shape, np.float32) for name, shape in shapes.items()}

    def raised(nn: Layers, x: Node) -> Node:
        return nn.transposed(nn.swapped(x), "x", stride)

    found, expected = both(raised, tensors, RNG.standard_normal((1, length, 6), np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("num_frames", [20, 301])
def test_the_speaker_encoder(num_frames: int) -> None:
    mel = np.abs(RNG.standard_normal((1, num_frames, 128), np.float32))
    found, expected = both(speaker_encoder, random_weights(), mel)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 5


@pytest.mark.parametrize("num_samples", [1, 5, 100, 333])
def test_the_upsampler_edges_and_all(num_samples: int) -> None:
    samples = RNG.standard_normal((1, num_samples), np.float32)
    found, expected = both(upsampler, random_upsampler(), samples)
    assert found.shape == (1, 3 * num_samples)
    np.testing.assert_allclose(found, expected, atol=3e-5)
