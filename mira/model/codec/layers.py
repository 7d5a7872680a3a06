"""What a network is made of: the tensors of a checkpoint, and the steps that compute with them.

`decoder.py`, `encoder.py` and `upsampler.py` write each network down once, in these steps;
`torch_layers.py` computes them in PyTorch, `openvino_layers.py` makes OpenVINO graphs of them.

Knows nothing about files. Names of tensors are those of Spark-TTS' `BiCodec/model.safetensors`
and of FlashSR's `upsampler.pth`, weight norm fused; `mira.model.checkpoint.schema` has checked
that they are there and fit.
"""

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


class Layers:
    """The tensors below one name, and every step that a network of the codec takes.

    Sequences are [batch, length, channels] for `linear`, `over_time` and `attention`, and [batch,
    channels, length] for `convolution`, `transposed`, `snake`, `activation` and what moves samples.

    Args:
        tensors: By name.
    """

    # What a subclass brings.
    constant: Callable[[str, Callable[[], Floats]], Node]  # by name; made once, in float32
    number: Callable[[float], Node]  # to add or to multiply by
    product: Callable[..., Node]  # x [..., in], weight [out, in], bias [out] or None -> [..., out]
    attention: Callable[[Node, Node, Node, int], Node]  # query, key, value, number of heads

    relu: Callable[[Node], Node]
    gelu: Callable[[Node], Node]
    tanh: Callable[[Node], Node]
    sigmoid: Callable[[Node], Node]
    rounded: Callable[[Node], Node]  # halves to the even number
    norm: Callable[[Node], Node]  # the last dimension to a mean of 0 and a variance of 1
    normalized: Callable[[Node], Node]  # the last dimension to a length of 1
    mean: Callable[[Node], Node]  # of the last dimension, which is dropped

    rows: Callable[[Node, Node], Node]  # [rows, channels] by indices [batch, length]
    row: Callable[[Node, int], Node]  # [batch, rows, channels] -> [batch, 1, channels]
    swapped: Callable[[Node], Node]  # [batch, a, b] -> [batch, b, a]
    reshaped: Callable[..., Node]  # to sizes, -1 for what is left
    unsqueezed: Callable[..., Node]  # with another dimension of one, there
    squeezed: Callable[..., Node]  # without that dimension of one
    joined: Callable[[list[Node], int], Node]  # along a dimension
    split: Callable[[Node, int, int], Sequence[Node]]  # into so many, along a dimension
    held: Callable[[Node, int, int], Node]  # the first and the last sample repeated so often
    cut: Callable[[Node, int, int], Node]  # without so many at the start and at the end
    interleaved: Callable[[list[Node]], Node]  # samples of each by turns

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = dict(tensors)
        self._names = frozenset(tensors)
        self._path = ""
        self._parts: dict[tuple[str | int, ...], Self] = {}

    def at(self, *path: str | int) -> Self:
        """Return the layers below another name."""
        if path not in self._parts:
            self._parts[path] = part = copy(self)
            part._path = self._path + "".join(f"{name}." for name in path)
            part._parts = {}
        return self._parts[path]

    def each(self, name: str, having: str) -> Iterator[Self]:
        """Yield the layers below `name.0`, `name.1` and so on, as far as these have `having`."""
        number = 0
        while f"{self._path}{name}.{number}.{having}" in self._names:
            yield self.at(name, number)
            number += 1

    def take(self, name: str) -> Array:
        """Copy one tensor, as float32."""
        return np.array(self._tensors[self._path + name], np.float32, order="C")

    def tensor(self, name: str) -> Node:
        """Return one tensor, as a constant."""
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

    def convolution(
        self, x: Node, name: str, dilation: int = 1, *, bias: bool = True, depthwise: bool = False
    ) -> Node:
        """Keep the length; zeros are beyond the ends."""
        raise NotImplementedError

    def transposed(self, x: Node, name: str, stride: int) -> Node:
        """Multiply the length by `stride`, with a transposed convolution."""
        raise NotImplementedError

    def with_squared_sine(self, x: Node, alpha: Node, inverse: Node) -> Node:
        """x + sin²(αx) * inverse; alpha and inverse are [channels, 1]."""
        raise NotImplementedError

    def activation(self, x: Node, alpha: Node, inverse: Node) -> Node:
        """`with_squared_sine` at twice the rate, so that its overtones don't alias.

        `upsample.filter` doubles the rate, `downsample.lowpass.filter` halves it; both have
        UPSAMPLER_TAPS. The first and the last sample go on beyond the ends.
        """
        raise NotImplementedError
