"""Networks of the codec in PyTorch, on any device.

Knows nothing about what the networks compute.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mira.model.codec.layers import UPSAMPLER_TAPS, Array, Floats, Layers, Tensors

_EPS = 1e-6  # of every norm over channels
_BLOCK = 16  # samples that one row of a matrix product covers


class TorchLayers(Layers):
    """Steps that are taken at once.

    What they need of the tensors is kept once it was needed: in float32 on the CPU, until it is
    brought elsewhere by `to`.
    """

    relu, gelu = staticmethod(F.relu), staticmethod(F.gelu)
    tanh, sigmoid = staticmethod(torch.tanh), staticmethod(torch.sigmoid)
    rounded, product = staticmethod(torch.round), staticmethod(F.linear)
    unsqueezed, squeezed = staticmethod(torch.unsqueeze), staticmethod(torch.squeeze)
    joined, split = staticmethod(torch.cat), staticmethod(torch.chunk)

    def __init__(self, tensors: Tensors) -> None:
        super().__init__(tensors)
        self._constants: dict[str, Tensor] = {}
        self._beyond: dict[int, Tensor] = {}  # by length, and so by rate; empty: no item has ended

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Self:
        """Compute elsewhere, or in another precision; these layers stay as they are."""
        other = copy(self)
        other._parts, other._beyond = {}, {}
        other._constants = {n: tensor.to(device, dtype) for n, tensor in self._constants.items()}
        return other

    def constant(self, name: str, make: Callable[[], Floats]) -> Tensor:
        name = self._path + name
        if name not in self._constants:
            self._constants[name] = torch.from_numpy(np.asarray(make(), np.float32))
        return self._constants[name]

    def number(self, value: float) -> float:
        return value

    def convolution(
        self, x: Tensor, name: str, dilation: int = 1, *, bias: bool = True, depthwise: bool = False
    ) -> Tensor:
        weight = self.tensor(f"{name}.weight")
        offset = self.tensor(f"{name}.bias") if bias else None
        pad = dilation * (weight.shape[2] - 1) // 2
        groups = len(weight) if depthwise else 1
        return F.conv1d(self._ended(x) if pad else x, weight, offset, 1, pad, dilation, groups)

    def transposed(self, x: Tensor, name: str, stride: int) -> Tensor:
        weight, offset = self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")
        pad = (weight.shape[2] - stride) // 2
        return F.conv_transpose1d(self._ended(x), weight, offset, stride, pad)

    def _ended(self, x: Tensor) -> Tensor:
        if not self._beyond:
            return x
        length = x.shape[-1]
        if length not in self._beyond:
            first = min(self._beyond)
            self._beyond[length] = self._beyond[first].repeat_interleave(length // first, -1)
        # Not times zero: what fills up may be infinite by now.
        return x.masked_fill(self._beyond[length], 0)

    def with_squared_sine(self, x: Tensor, alpha: Tensor, inverse: Tensor) -> Tensor:
        # In place: memory fresh from the system costs more than the arithmetic.
        return torch.sin(alpha * x).square_().mul_(inverse).add_(x)

    def activation(self, x: Tensor, alpha: Tensor, inverse: Tensor) -> Tensor:
        """See `Layers`.

        A short filter on one channel is a shape that convolution kernels are slow at. As a banded
        matrix over blocks of samples it does seven times the arithmetic in a tenth of the time.
        """
        up, down = self.constant("up", self._up), self.constant("down", self._down)
        length = x.shape[-1]
        spare = -length % _BLOCK  # fill the last block; what comes of it is cut off
        x = self.held(x, UPSAMPLER_TAPS // 4, UPSAMPLER_TAPS // 4 + spare)
        x = (x.unfold(-1, len(up), _BLOCK) @ up).flatten(-2)[..., : 2 * length]
        x = self.with_squared_sine(x, alpha, inverse)
        x = self.held(x, UPSAMPLER_TAPS // 2 - 1, UPSAMPLER_TAPS // 2 + 2 * spare)
        return (x.unfold(-1, len(down), 2 * _BLOCK) @ down).flatten(-2)[..., :length]

    def _up(self) -> Array:
        taps = torch.from_numpy(self.take("upsample.filter"))
        inputs = torch.eye(_BLOCK + UPSAMPLER_TAPS // 2)[:, None]
        response = 2 * F.conv_transpose1d(inputs, taps, stride=2)[:, 0, UPSAMPLER_TAPS - 1 :]
        return response[:, : 2 * _BLOCK].clone().numpy()

    def _down(self) -> Array:
        taps = torch.from_numpy(self.take("downsample.lowpass.filter"))
        inputs = torch.eye(2 * _BLOCK + UPSAMPLER_TAPS - 2)[:, None]
        return F.conv1d(inputs, taps, stride=2)[:, 0].numpy()

    def attention(self, query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
        query, key, value = (
            x.reshape(1, -1, heads, x.shape[2] // heads).transpose(1, 2)
            for x in (query, key, value)
        )
        return F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)

    def norm(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], eps=_EPS)

    def normalized(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=-1)

    def mean(self, x: Tensor) -> Tensor:
        return x.mean(-1)

    def rows(self, table: Tensor, indices: Tensor) -> Tensor:
        return F.embedding(indices, table)

    def row(self, x: Tensor, index: int) -> Tensor:
        return x[:, index : index + 1]

    def swapped(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)

    def reshaped(self, x: Tensor, *sizes: int) -> Tensor:
        return x.reshape(sizes)

    def held(self, x: Tensor, left: int, right: int) -> Tensor:
        # `F.pad` does so several times slower.
        first, last = x[..., :1].expand(-1, -1, left), x[..., -1:].expand(-1, -1, right)
        return torch.cat([first, x, last], -1)

    def cut(self, x: Tensor, start: int, end: int) -> Tensor:
        return x[..., start : x.shape[-1] - end]

    def interleaved(self, parts: list[Tensor]) -> Tensor:
        return torch.stack(parts, -1).flatten(-2)


class TorchNetwork(TorchLayers):
    """A network that computes.

    Args:
        definition: Such as `mira.model.codec.decoder.prenet`.
        tensors: Of a checkpoint; what the network needs of them, it copies.
        example: Any inputs, to see what that is.
    """

    def __init__(
        self, definition: Callable[..., Any], tensors: Tensors, example: Sequence[Tensor]
    ) -> None:
        super().__init__(tensors)
        self._definition = definition
        self(*example)
        self._tensors.clear()

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor, beyond: Tensor | None = None) -> Any:
        """Compute one batch.

        Args:
            inputs: Of the definition.
            beyond: [batch, 1, length], whether a frame of the first input only fills an item up. It
                counts as zero wherever its neighbours look at it. One thread at a time may ask so.
        """
        if beyond is None:
            return self._definition(self, *inputs)
        self._beyond[beyond.shape[-1]] = beyond
        try:
            return self._definition(self, *inputs)
        finally:
            self._beyond.clear()
