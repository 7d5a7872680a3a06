"""An exported ONNX graph in, its weights by the names they had before the export out.

Knows the habits of PyTorch's exporter, and nothing about any one model. The exporter folds the
transpose of every matrix that a MatMul reads and calls the result `onnx::MatMul_978` or the like;
the number is a serial number of that export and means nothing. So a matrix is named after what
its product flows into, and its name is never looked at.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mira.errors import CheckpointError
from mira.model.checkpoint.tensors import Array, TensorInfo, reading, require_plausible

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

ANONYMOUS = re.compile(r"^(onnx::|/|_|val_)|^\d+$")
"""Names that an exporter makes up."""

_FLOATS = {1: "F32", 10: "F16", 16: "BF16"}  # by the numbers of ONNX' TensorProto


@dataclass(slots=True)
class GraphWeights:
    """The float weights of one graph, each in exactly one of these."""

    named: dict[str, Array] = field(default_factory=dict)
    matrices: list[Array] = field(default_factory=list)
    """[out, in] of the products that no bias is added to, in the order of their computation."""
    expanded: list[Array] = field(default_factory=list)
    """Constants repeated over the batch, as learned latents are."""
    tables: dict[str, Array] = field(default_factory=dict)
    """Anonymous constants that no MatMul reads, by the name they have: folded arithmetic."""


def read_graph(path: Path) -> GraphWeights:
    """Collect a graph's float weights as float32; integers are shape arithmetic and left out.

    Raises:
        CheckpointError: The file is missing or damaged, or a weight is not finite.
    """
    with reading(path):
        return _read(_Reader(path))


def _read(reader: "_Reader") -> GraphWeights:
    for node in reader.nodes:  # ONNX keeps them in the order of computation
        if node.op_type == "Identity" and node.input[0] in reader.constants:
            reader.copied(node)
        elif node.op_type == "MatMul" and reader.is_anonymous(node.input[1]):
            reader.multiplied(node)
        elif node.op_type == "Expand" and reader.is_anonymous(node.input[0]):
            reader.weights.expanded.append(reader.take(node.input[0]))
    for name in reader.constants.keys() - reader.taken:
        if ANONYMOUS.match(name):
            reader.weights.tables[name] = reader.take(name)
        else:
            reader.name(name, reader.take(name))
    return reader.weights


class _Reader:
    """One graph while it is being read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        graph = _load(path)
        self.nodes = list(graph.node)
        self.constants = {
            tensor.name: tensor for tensor in graph.initializer if tensor.data_type in _FLOATS
        }
        if not self.constants:
            raise CheckpointError(f"{path}: expected an ONNX graph with weights; found none")
        self._consumers: dict[str, list[NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self._consumers[name].append(node)
        self.weights = GraphWeights()
        self.taken: set[str] = set()

    def is_anonymous(self, name: str) -> bool:
        return name in self.constants and bool(ANONYMOUS.match(name))

    def take(self, name: str) -> Array:
        from onnx import numpy_helper

        values = np.array(numpy_helper.to_array(self.constants[name]), dtype=np.float32)
        require_plausible(self._path, {name: values})
        self.taken.add(name)
        return values

    def name(self, name: str, values: Array) -> None:
        if name in self.weights.named:
            raise CheckpointError(f"{self._path}: {name}: expected one such weight; found several")
        self.weights.named[name] = values

    def copied(self, node: "NodeProto") -> None:
        """The exporter stores equal weights once and gives the others as copies of it."""
        if not ANONYMOUS.match(node.output[0]):
            self.name(node.output[0], self.take(node.input[0]))
            self.taken.discard(node.input[0])  # it is still a weight of its own

    def multiplied(self, node: "NodeProto") -> None:
        matrix = self.take(node.input[1]).T
        if bias := self._bias_after(node.output[0]):
            self.name(bias.removesuffix("bias") + "weight", matrix)
        else:
            self.weights.matrices.append(matrix)

    def _bias_after(self, product: str) -> str | None:
        """The bias added to a product, if there is one: it kept the name of its layer."""
        for node in self._consumers[product]:
            if node.op_type == "Add":
                for name in map(str, node.input):
                    if name in self.constants and name.endswith(".bias"):
                        return name
        return None


def _load(path: Path) -> "GraphProto":
    import onnx

    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    return onnx.load(path).graph


def read_graph_header(path: Path) -> list[TensorInfo]:
    """The shape and dtype of a graph's float weights, without their values.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    with reading(path):
        return [
            TensorInfo(tuple(tensor.dims), _FLOATS[tensor.data_type])
            for tensor in _load(path).initializer
            if tensor.data_type in _FLOATS
        ]
