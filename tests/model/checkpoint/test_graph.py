"""Weights of exported graphs: named by what they do, not by the number that they were given."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from mira.errors import CheckpointError
from mira.model.checkpoint.graph import read_graph, read_graph_header
from tools.tiny.onnx_builder import GraphBuilder

WEIGHTS = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a.bias": np.ones(2, np.float32),
    "b.weight": np.arange(8, dtype=np.float32).reshape(4, 2) + 10,
    "b.bias": np.zeros(4, np.float32),
    "free.weight": np.arange(16, dtype=np.float32).reshape(4, 4) + 20,
    "c.gamma": np.full(4, 7, np.float32),
}


def build(path: Path, serial: int = 100) -> Path:
    """x [batch, 3] -> a, b, a matrix without a bias, a scale."""
    graph = GraphBuilder(WEIGHTS, serial)
    x = graph.linear(graph.linear("x", "a"), "b")
    x = graph.node("Mul", graph.matmul(x, "free"), graph.weight("c.gamma"))
    info = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
        for name, width in (("x", 3), ("y", 4))
    ]
    graph.save(path, info[:1], x, info[1])
    return path


def edit(path: Path, change) -> Path:
    model = onnx.load(path)
    change(model.graph)
    onnx.save(model, path)
    return path


def test_matrices_are_named_by_the_bias_after_them(tmp_path: Path) -> None:
    read = read_graph(build(tmp_path / "x.onnx"))
    expected = {name: values for name, values in WEIGHTS.items() if name != "free.weight"}
    assert read.named.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(read.named[name], values)
    assert len(read.matrices) == 1
    np.testing.assert_array_equal(read.matrices[0], WEIGHTS["free.weight"])
    assert not read.expanded
    assert not read.tables


def test_numbers_and_order_mean_nothing(tmp_path: Path) -> None:
    def shuffle(graph) -> None:
        kept = sorted(graph.initializer, key=lambda tensor: tensor.name, reverse=True)
        del graph.initializer[:]
        graph.initializer.extend(kept)

    plain = read_graph(build(tmp_path / "a.onnx", 100)).named
    other = read_graph(edit(build(tmp_path / "b.onnx", 9), shuffle)).named
    assert plain.keys() == other.keys()
    assert all(np.array_equal(plain[name], other[name]) for name in plain)


def test_pytorchs_own_exporter_has_these_habits(tmp_path: Path) -> None:
    """What the builder imitates: anonymous transposed matrices, bias first, equal weights once."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 5)
            self.norms = nn.ModuleList(nn.LayerNorm(5) for _ in range(2))
            self.latents = nn.Parameter(torch.rand(2, 5))

        def forward(self, x):
            x = self.norms[1](self.norms[0](self.second(self.first(x))))
            return x + self.latents[None].expand(x.shape[0], -1, -1)

    module = Twice().eval()
    path = tmp_path / "x.onnx"
    with pytest.warns(DeprecationWarning):  # the exporter that the published files came from
        torch.onnx.export(
            module,
            (torch.rand(1, 2, 3),),
            path,
            dynamo=False,
            opset_version=17,
            input_names=["x"],
            dynamic_axes={"x": {0: "batch"}},
        )
    read = read_graph(path)
    expected = module.state_dict()
    latents = expected.pop("latents").numpy()
    assert read.named.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(read.named[name], values.numpy())
    np.testing.assert_array_equal(np.squeeze(read.expanded[0]), latents)


def test_float16_is_widened(tmp_path: Path) -> None:
    def halve(graph) -> None:
        for tensor in graph.initializer:
            half = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))

    path = edit(build(tmp_path / "x.onnx"), halve)
    assert {info.dtype for info in read_graph_header(path)} == {"F16"}
    read = read_graph(path)
    assert all(values.dtype == np.float32 for values in read.named.values())


def test_constants_that_no_product_reads_are_set_apart(tmp_path: Path) -> None:
    def add(graph) -> None:
        graph.initializer.append(numpy_helper.from_array(np.ones(3, np.float32), "onnx::Mul_7"))
        graph.initializer.append(numpy_helper.from_array(np.ones(3, np.int64), "onnx::Reshape_8"))

    read = read_graph(edit(build(tmp_path / "x.onnx"), add))
    assert read.tables.keys() == {"onnx::Mul_7"}


def test_a_second_weight_of_one_name_is_refused(tmp_path: Path) -> None:
    def add(graph) -> None:
        twin = numpy_helper.from_array(WEIGHTS["a.weight"], "a.weight")
        graph.initializer.append(twin)

    with pytest.raises(CheckpointError, match=r"a\.weight: expected one such weight"):
        read_graph(edit(build(tmp_path / "x.onnx"), add))


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    def poison(graph) -> None:
        for tensor in graph.initializer:
            if tensor.name.startswith("onnx::"):
                values = numpy_helper.to_array(tensor).copy()
                values[0, 0] = np.nan
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    with pytest.raises(CheckpointError, match="expected finite values"):
        read_graph(edit(build(tmp_path / "x.onnx"), poison))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = build(tmp_path / "x.onnx")
    whole = path.read_bytes()
    for length in (len(whole) - 3, len(whole) // 2, 5):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"x\.onnx: damaged or incomplete"):
            read_graph(path)
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="expected an ONNX graph with weights; found none"):
        read_graph(path)
    with pytest.raises(CheckpointError, match="no such file"):
        read_graph(tmp_path / "absent.onnx")
