"""Every layer of the builder computes what PyTorch's does."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper
from onnxruntime import InferenceSession

from tools.tiny.onnx_builder import GraphBuilder

RANDOM = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape, dtype=np.float32)


WEIGHTS = {
    "linear.weight": noise(5, 4),
    "linear.bias": noise(5),
    "conv.weight": noise(6, 4, 3),
    "conv.bias": noise(6),
    "depthwise.weight": noise(4, 1, 7),
    "depthwise.bias": noise(4),
    "norm.weight": noise(4),
    "norm.bias": noise(4),
    "norm.running_mean": noise(4),
    "norm.running_var": np.abs(noise(4)),
}
T = {name: torch.from_numpy(values) for name, values in WEIGHTS.items()}
NORM = T["norm.weight"], T["norm.bias"]
FRAMES, CHANNELS, ROWS = (2, 9, 4), (2, 4, 9), (3, 4)

CASES = {
    "linear": (
        FRAMES,
        lambda g: g.linear("x", "linear"),
        lambda x: F.linear(x, T["linear.weight"], T["linear.bias"]),
    ),
    "matmul": (
        FRAMES,
        lambda g: g.matmul("x", "linear"),
        lambda x: F.linear(x, T["linear.weight"]),
    ),
    "gemm": (
        ROWS,
        lambda g: g.gemm("x", "linear"),
        lambda x: F.linear(x, T["linear.weight"], T["linear.bias"]),
    ),
    "conv": (
        CHANNELS,
        lambda g: g.conv("x", "conv", dilation=2),
        lambda x: F.conv1d(x, T["conv.weight"], T["conv.bias"], padding=2, dilation=2),
    ),
    "depthwise": (
        CHANNELS,
        lambda g: g.conv("x", "depthwise", group=4),
        lambda x: F.conv1d(x, T["depthwise.weight"], T["depthwise.bias"], padding=3, groups=4),
    ),
    "layer_norm": (
        FRAMES,
        lambda g: g.layer_norm("x", "norm", 4),
        lambda x: F.layer_norm(x, (4,), *NORM, eps=1e-6),
    ),
    "plain_norm": (
        FRAMES,
        lambda g: g.layer_norm("x", None, 4),
        lambda x: F.layer_norm(x, (4,), eps=1e-6),
    ),
    "batch_norm": (
        CHANNELS,
        lambda g: g.batch_norm("x", "norm"),
        lambda x: F.batch_norm(x, T["norm.running_mean"], T["norm.running_var"], *NORM, eps=1e-5),
    ),
    "gelu": (FRAMES, lambda g: g.gelu("x"), F.gelu),
    "transpose": (FRAMES, lambda g: g.transpose("x"), lambda x: x.mT),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_torch(tmp_path: Path, name: str) -> None:
    shape, build, compute = CASES[name]
    x = noise(*shape)
    expected = compute(torch.from_numpy(x)).numpy()
    graph = GraphBuilder(WEIGHTS, 1)
    path = tmp_path / "x.onnx"
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * len(shape))]
    result = build(graph)
    graph.save(
        path,
        inputs,
        result,
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * expected.ndim),
    )
    found = InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(["y"], {"x": x})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
