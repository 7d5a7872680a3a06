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
from mira.model.checkpoint.tensors import Array, TensorInfo, reading, require_plausible, unexpected

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
        return _Reader(path).read()


class _Reader:
    """One graph while it is being read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        graph = _load(path)
        self._nodes = list(graph.node)
        self._constants = {
            tensor.name: tensor for tensor in graph.initializer if tensor.data_type in _FLOATS
        }
        if not self._constants:
            raise CheckpointError(f"{path}: expected an ONNX graph with weights; found none")
        self._consumers: dict[str, list[NodeProto]] = defaultdict(list)
        for node in self._nodes:
            for name in node.input:
                self._consumers[name].append(node)
        self._weights = GraphWeights()
        self._taken: set[str] = set()

    def read(self) -> GraphWeights:
        for node in self._nodes:  # ONNX keeps them in the order of computation
            if node.op_type == "Identity" and node.input[0] in self._constants:
                if not ANONYMOUS.match(node.output[0]):
                    # The exporter stores equal weights once and gives the others as copies of it.
                    self._name(node.output[0], self._take(node.input[0]))
                    self._taken.discard(node.input[0])  # it is still a weight of its own
            elif node.op_type == "MatMul" and self._is_anonymous(node.input[1]):
                self._multiplied(node)
            elif node.op_type == "Expand" and self._is_anonymous(node.input[0]):
                self._weights.expanded.append(self._take(node.input[0]))
        for name in self._constants.keys() - self._taken:
            if ANONYMOUS.match(name):
                self._weights.tables[name] = self._take(name)
            else:
                self._name(name, self._take(name))
        return self._weights

    def _is_anonymous(self, name: str) -> bool:
        return name in self._constants and bool(ANONYMOUS.match(name))

    def _take(self, name: str) -> Array:
        from onnx import numpy_helper

        values = np.array(numpy_helper.to_array(self._constants[name]), dtype=np.float32)
        require_plausible(self._path, {name: values})
        self._taken.add(name)
        return values

    def _name(self, name: str, values: Array) -> None:
        if name in self._weights.named:
            raise unexpected(self._path, name, "one such weight", "several")
        self._weights.named[name] = values

    def _multiplied(self, node: "NodeProto") -> None:
        """Name a matrix after the bias that is added to its product: it kept its layer's name."""
        matrix = self._take(node.input[1]).T
        for consumer in self._consumers[node.output[0]]:
            for name in map(str, consumer.input if consumer.op_type == "Add" else ()):
                if name in self._constants and name.endswith(".bias"):
                    self._name(name.removesuffix("bias") + "weight", matrix)
                    return
        self._weights.matrices.append(matrix)


def _load(path: Path) -> "GraphProto":
    import onnx

    return onnx.load(path).graph


def read_graph_header(path: Path) -> list[TensorInfo]:
    """List the shape and dtype of a graph's float weights.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    with reading(path):
        return [
            TensorInfo(tuple(tensor.dims), _FLOATS[tensor.data_type])
            for tensor in _load(path).initializer
            if tensor.data_type in _FLOATS
        ]
