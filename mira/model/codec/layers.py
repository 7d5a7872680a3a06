"""What a network is made of: the tensors of a checkpoint, and the steps that compute with them.

`decoder.py`, `encoder.py` and `upsampler.py` write each network down once, in these steps;
`torch_layers.py` computes them in PyTorch, `openvino_layers.py` makes OpenVINO graphs of them.

Knows nothing about files. Names of tensors are those of Spark-TTS' `BiCodec/model.safetensors`
and of FlashSR's `upsampler.pth`, weight norm fused; `mira.model.checkpoint.schema` has checked
that they are there and fit.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import numpy.typing as npt

UPSAMPLER_TAPS = 12  # of the filters that double and halve the rate

Tensors = Mapping[str, npt.NDArray[np.generic]]
Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating[Any]]
Node = Any
"""A tensor of PyTorch, or a node of an OpenVINO graph: both can be added and multiplied."""


class Layers(ABC):
    """The tensors below one name, and every step that a network of the codec takes.

    Sequences are [batch, length, channels] for `linear` and `over_time`, and [batch, channels,
    length] for `convolution`, `transposed`, `snake` and `activation`.

    Args:
        tensors: By name.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = dict(tensors)
        self._names = frozenset(tensors)
        self._path = ""
        self._parts: dict[tuple[str | int, ...], Self] = {}

    def at(self, *path: str | int) -> Self:
        """Look below another name, from here on."""
        if path not in self._parts:
            self._parts[path] = part = copy(self)
            part._path = self._path + "".join(f"{name}." for name in path)
            part._parts = {}
        return self._parts[path]

    def each(self, name: str, having: str) -> Iterator[Self]:
        """Look below `name.0`, `name.1` and so on, as far as there is a tensor `having` there."""
        number = 0
        while f"{self._path}{name}.{number}.{having}" in self._names:
            yield self.at(name, number)
            number += 1

    def take(self, name: str) -> Array:
        """Copy one tensor, as float32."""
        return np.array(self._tensors[self._path + name], np.float32, order="C")

    def tensor(self, name: str) -> Node:
        """Have one tensor as it is."""
        return self.constant(name, lambda: self.take(name))

    def linear(self, x: Node, name: str, *, bias: bool = True) -> Node:
        """[..., in] -> [..., out]"""
        offset = self.tensor(f"{name}.bias") if bias else None
        return self.product(x, self.tensor(f"{name}.weight"), offset)

    def over_time(self, x: Node, name: str, *, depthwise: bool = False) -> Node:
        """[batch, length, in] -> [batch, length, out]: a convolution."""
        return self.swapped(self.convolution(self.swapped(x), name, depthwise=depthwise))

    def snake(self, x: Node, name: str) -> Node:
        """x + sin²(αx) / α, with an α for each channel (arXiv:2006.08195)."""
        alpha = self.constant(f"{name}.alpha", lambda: self.take(f"{name}.alpha")[0])
        inverse = self.constant(
            f"{name}.inverse", lambda: 1 / (self.take(f"{name}.alpha")[0] + np.float32(1e-9))
        )
        return self.with_squared_sine(x, alpha, inverse)

    @abstractmethod
    def constant(self, name: str, make: Callable[[], Floats]) -> Node:
        """Have a float32 constant; what is made of tensors is made once."""

    @abstractmethod
    def number(self, value: float) -> Node:
        """Have a number to add or to multiply by."""

    @abstractmethod
    def product(self, x: Node, weight: Node, bias: Node | None = None) -> Node:
        """[..., in], [out, in] -> [..., out]"""

    @abstractmethod
    def convolution(
        self, x: Node, name: str, dilation: int = 1, *, bias: bool = True, depthwise: bool = False
    ) -> Node:
        """Keep the length; zeros are beyond the ends."""

    @abstractmethod
    def transposed(self, x: Node, name: str, stride: int) -> Node:
        """Multiply the length by `stride`, with a transposed convolution."""

    @abstractmethod
    def with_squared_sine(self, x: Node, alpha: Node, inverse: Node) -> Node:
        """x + sin²(αx) * inverse; alpha and inverse are [channels, 1]."""

    @abstractmethod
    def activation(self, x: Node, alpha: Node, inverse: Node) -> Node:
        """`with_squared_sine` at twice the rate, so that its overtones don't alias.

        `upsample.filter` doubles the rate, `downsample.lowpass.filter` halves it; both have
        UPSAMPLER_TAPS. The first and the last sample go on beyond the ends.
        """

    @abstractmethod
    def attention(self, query: Node, key: Node, value: Node, heads: int) -> Node:
        """[1, asking, heads * dim], twice [1, asked, heads * dim] -> as the first."""

    @abstractmethod
    def norm(self, x: Node) -> Node:
        """Bring the last dimension to a mean of zero and a variance of one."""

    @abstractmethod
    def normalized(self, x: Node) -> Node:
        """Bring the last dimension to a length of one."""

    @abstractmethod
    def rows(self, table: Node, indices: Node) -> Node:
        """[rows, channels], [batch, length] -> [batch, length, channels]"""

    @abstractmethod
    def row(self, x: Node, index: int) -> Node:
        """[batch, rows, channels] -> [batch, 1, channels]"""

    @abstractmethod
    def swapped(self, x: Node) -> Node:
        """[batch, a, b] -> [batch, b, a]"""

    @abstractmethod
    def reshaped(self, x: Node, *sizes: int) -> Node:
        """Give it other dimensions; -1 is what is left."""

    @abstractmethod
    def joined(self, parts: Sequence[Node], axis: int) -> Node:
        """Put parts one after another."""

    @abstractmethod
    def split(self, x: Node, count: int, axis: int) -> list[Node]:
        """Take it apart into parts of equal size."""

    @abstractmethod
    def unsqueezed(self, x: Node, axis: int) -> Node:
        """Insert a dimension of one."""

    @abstractmethod
    def squeezed(self, x: Node, axis: int) -> Node:
        """Drop a dimension of one."""

    @abstractmethod
    def held(self, x: Node, left: int, right: int) -> Node:
        """Repeat the first and the last value of [batch, channels, length]."""

    @abstractmethod
    def cut(self, x: Node, start: int, end: int) -> Node:
        """[batch, channels, length] without `start` values at its start and `end` at its end."""

    @abstractmethod
    def interleaved(self, parts: Sequence[Node]) -> Node:
        """Values of each [batch, channels, length] by turns."""

    @abstractmethod
    def mean(self, x: Node) -> Node:
        """Drop the last dimension by its mean."""

    @abstractmethod
    def rounded(self, x: Node) -> Node:
        """Round to whole numbers, halves to the even one."""

    @abstractmethod
    def relu(self, x: Node) -> Node: ...

    @abstractmethod
    def gelu(self, x: Node) -> Node: ...

    @abstractmethod
    def tanh(self, x: Node) -> Node: ...

    @abstractmethod
    def sigmoid(self, x: Node) -> Node: ...
