"""Tensors by name in, layers filled with them out; each tensor is used once, or it is an error.

Names are those of Spark-TTS' `BiCodec/model.safetensors`, weight norm fused. A layer's sizes are
the sizes of its tensors, so a tiny checkpoint takes the same way as the published one.

Knows nothing about files or about the networks that the layers make up.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mira.errors import CheckpointError

Tensors = Mapping[str, npt.NDArray[np.generic]]


class Weights:
    """A mapping of tensors that keeps account of what was taken from it."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._left = set(tensors)
        self._path = ""

    def at(self, *path: str | int) -> "Weights":
        """The tensors whose names begin with `path`, taken from the same account."""
        inner = Weights({})
        inner._tensors, inner._left = self._tensors, self._left
        inner._path = self._path + "".join(f"{part}." for part in path)
        return inner

    def take(self, name: str, *shape: int | None) -> Tensor:
        """A float32 copy of one tensor.

        Args:
            shape: The size of each dimension; None accepts any.

        Raises:
            CheckpointError: The tensor is missing, was taken before or has another shape.
        """
        name = self._path + name
        expected = f"[{', '.join('any' if size is None else str(size) for size in shape)}]"
        if name not in self._tensors:
            raise CheckpointError(f"{name}: expected shape {expected}; found none")
        if name not in self._left:
            raise CheckpointError(f"{name}: expected to be used once; found a second use")
        found = self._tensors[name].shape
        if len(found) != len(shape) or any(
            want not in (None, have) for want, have in zip(shape, found, strict=True)
        ):
            raise CheckpointError(f"{name}: expected shape {expected}; found {list(found)}")
        self._left.remove(name)
        return torch.tensor(np.asarray(self._tensors[name], dtype=np.float32))

    def shape(self, name: str, dimensions: int) -> tuple[int, ...]:
        """The sizes of a tensor that is yet to be taken.

        Raises:
            CheckpointError: It is missing or has another number of dimensions.
        """
        name = self._path + name
        found = self._tensors[name].shape if name in self._tensors else ()
        if len(found) != dimensions:
            raise CheckpointError(
                f"{name}: expected {dimensions} dimensions; found {list(found) or 'none'}"
            )
        return found

    def parameter(self, name: str, *shape: int | None) -> nn.Parameter:
        """`take`, as a parameter that isn't trained."""
        return nn.Parameter(self.take(name, *shape), requires_grad=False)

    def count(self, *path: str | int) -> int:
        """How many children of `path` are numbered 0, 1, 2, …"""
        prefix = self.at(*path)._path
        names = (name[len(prefix) :] for name in self._tensors if name.startswith(prefix))
        children = {name.partition(".")[0] for name in names}
        return next(i for i in range(len(children) + 1) if str(i) not in children)

    def skip(self, *starts: str) -> None:
        """Give up the tensors whose names begin so: published, but of no use here."""
        beginnings = tuple(self._path + start for start in starts)
        self._left -= {name for name in self._left if name.startswith(beginnings)}

    def finish(self) -> None:
        """Raise CheckpointError if a tensor was neither taken nor skipped."""
        if self._left:
            shapes = [f"{name} {list(self._tensors[name].shape)}" for name in sorted(self._left)]
            more = f" and {len(shapes) - 5} more" if len(shapes) > 5 else ""
            raise CheckpointError(
                f"expected no further tensors; found {', '.join(shapes[:5])}{more}"
            )


def linear(weights: Weights, out: int | None, in_: int | None, *, bias: bool = True) -> nn.Linear:
    """`weight` [out, in], `bias` [out]."""
    weight = weights.parameter("weight", out, in_)
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias, device="meta")
    layer.weight = weight
    if bias:
        layer.bias = weights.parameter("bias", weight.shape[0])
    return layer


def conv(
    weights: Weights,
    out: int | None,
    in_: int | None,
    kernel: int | None,
    *,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
) -> nn.Conv1d:
    """`weight` [out, in / groups, kernel], `bias` [out]; padded with zeros to keep the length."""
    weight = weights.parameter("weight", out, in_, kernel)
    width = weight.shape[2]
    layer = nn.Conv1d(
        weight.shape[1] * groups,
        weight.shape[0],
        width,
        dilation=dilation,
        groups=groups,
        padding=dilation * (width - 1) // 2,
        bias=bias,
        device="meta",
    )
    layer.weight = weight
    if bias:
        layer.bias = weights.parameter("bias", weight.shape[0])
    return layer


def conv_transpose(
    weights: Weights, in_: int | None, out: int | None, kernel: int | None, stride: int
) -> nn.ConvTranspose1d:
    """`weight` [in, out, kernel], `bias` [out]; the length grows by exactly `stride`."""
    weight = weights.parameter("weight", in_, out, kernel)
    width = weight.shape[2]
    layer = nn.ConvTranspose1d(
        weight.shape[0], weight.shape[1], width, stride, (width - stride) // 2, device="meta"
    )
    layer.weight = weight
    layer.bias = weights.parameter("bias", weight.shape[1])
    return layer
