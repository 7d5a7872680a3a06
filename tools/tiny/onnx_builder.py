"""Operations in, an ONNX file as PyTorch's exporter would have written it out.

Knows the exporter's habits, and nothing about the networks: weights keep their names, save the
matrices of MatMul, which are stored transposed under a serial number.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mira.model.checkpoint.tensors import Array

if TYPE_CHECKING:
    from onnx import ValueInfoProto

OPSET = 17

AnyArray = npt.NDArray[Any]


class GraphBuilder:
    """Grows a graph node by node; every method returns the name of its result.

    Args:
        weights: What layers may use, by canonical name.
        serial: The number of the first anonymous matrix.
    """

    def __init__(self, weights: Mapping[str, Array], serial: int) -> None:
        from onnx import helper

        self._helper = helper
        self._weights = weights
        self._serial = serial
        self._nodes: list[Any] = []
        self._initializers: dict[str, AnyArray] = {}

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation with one result."""
        return self._add(op, inputs, 1, attributes)[0]

    def split(self, x: str, parts: int, axis: int) -> list[str]:
        """Cut in equal parts."""
        return self._add("Split", (x,), parts, {"axis": axis})

    def _add(
        self, op: str, inputs: Sequence[str], outputs: int, attributes: dict[str, Any]
    ) -> list[str]:
        names = [f"/{op}_{len(self._nodes)}_output_{i}" for i in range(outputs)]
        self._nodes.append(self._helper.make_node(op, inputs, names, **attributes))
        return names

    def constant(self, values: AnyArray | float | Sequence[int]) -> str:
        """Add a Constant node; plain floats are float32, sequences int64."""
        from onnx import numpy_helper

        if not isinstance(values, np.ndarray):
            values = np.array(values, np.float32 if isinstance(values, float) else np.int64)
        return self.node("Constant", value=numpy_helper.from_array(values))

    def values(self, name: str) -> Array:
        """Look a weight's numbers up."""
        return self._weights[name]

    def weight(self, name: str) -> str:
        """Store a weight under its own name."""
        self._initializers[name] = self._weights[name]
        return name

    def anonymous(self, op: str, values: AnyArray) -> str:
        """Store a weight under a serial number."""
        name = f"onnx::{op}_{self._serial}"
        self._serial += 1
        self._initializers[name] = np.ascontiguousarray(values)
        return name

    def matmul(self, x: str, name: str) -> str:
        """Multiply by the transpose of `name`.weight."""
        matrix = self.anonymous("MatMul", self._weights[f"{name}.weight"].T)
        return self.node("MatMul", x, matrix)

    def linear(self, x: str, name: str) -> str:
        """Add a layer on [batch, time, channels]."""
        return self.node("Add", self.weight(f"{name}.bias"), self.matmul(x, name))

    def gemm(self, x: str, name: str) -> str:
        """Add a layer on [batch, channels]; here the exporter keeps the weight as it is."""
        weight, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("Gemm", x, weight, bias, transB=1)

    def conv(self, x: str, name: str, dilation: int = 1, group: int = 1) -> str:
        """Add a convolution on [batch, channels, time] that keeps the time."""
        kernel = self._weights[f"{name}.weight"].shape[2]
        pad = dilation * (kernel - 1) // 2
        return self.node(
            "Conv",
            x,
            self.weight(f"{name}.weight"),
            self.weight(f"{name}.bias"),
            kernel_shape=[kernel],
            dilations=[dilation],
            group=group,
            pads=[pad, pad],
        )

    def layer_norm(self, x: str, name: str | None, channels: int) -> str:
        """Normalise the last axis; without a name there are no weights."""
        if name:
            weights = [self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        else:
            weights = [self.constant(np.ones(channels, np.float32))]
        return self.node("LayerNormalization", x, *weights, axis=-1, epsilon=1e-6)

    def batch_norm(self, x: str, name: str) -> str:
        """Normalise by stored statistics."""
        parts = ("weight", "bias", "running_mean", "running_var")
        weights = [self.weight(f"{name}.{part}") for part in parts]
        return self.node("BatchNormalization", x, *weights, epsilon=1e-5)

    def gelu(self, x: str) -> str:
        """Add the exact one: x / 2 * (1 + erf(x / sqrt 2))."""
        erf = self.node("Erf", self.node("Div", x, self.constant(float(np.sqrt(2)))))
        doubled = self.node("Mul", x, self.node("Add", erf, self.constant(1.0)))
        return self.node("Mul", doubled, self.constant(0.5))

    def transpose(self, x: str, *order: int) -> str:
        """Reorder axes; the last two of three unless told."""
        return self.node("Transpose", x, perm=order or (0, 2, 1))

    def save(
        self, path: Path, inputs: Sequence["ValueInfoProto"], output: str, info: "ValueInfoProto"
    ) -> None:
        """Name the result after `info` and write the file."""
        from onnx import numpy_helper, save

        self._nodes.append(self._helper.make_node("Identity", [output], [info.name]))
        graph = self._helper.make_graph(
            self._nodes,
            "main_graph",
            list(inputs),
            [info],
            [numpy_helper.from_array(values, name) for name, values in self._initializers.items()],
        )
        opsets = [self._helper.make_opsetid("", OPSET)]
        save(self._helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
