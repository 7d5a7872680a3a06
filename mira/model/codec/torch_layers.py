"""Tensors of a checkpoint in, PyTorch layers filled with them out.

Knows nothing about the networks that the layers make up.
"""

import torch
from torch import Tensor, nn

from mira.model.codec.weights import Weights


def tensor(weights: Weights, name: str, *shape: int | None) -> Tensor:
    """`Weights.take`, for PyTorch."""
    return torch.from_numpy(weights.take(name, *shape))


def parameter(weights: Weights, name: str, *shape: int | None) -> nn.Parameter:
    """`tensor`, as a parameter that isn't trained."""
    return nn.Parameter(tensor(weights, name, *shape), requires_grad=False)


def linear(weights: Weights, out: int | None, in_: int | None, *, bias: bool = True) -> nn.Linear:
    """`weight` [out, in], `bias` [out]."""
    weight = parameter(weights, "weight", out, in_)
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias, device="meta")
    layer.weight = weight
    if bias:
        layer.bias = parameter(weights, "bias", weight.shape[0])
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
    weight = parameter(weights, "weight", out, in_, kernel)
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
        layer.bias = parameter(weights, "bias", weight.shape[0])
    return layer


def conv_transpose(
    weights: Weights, in_: int | None, out: int | None, kernel: int | None, stride: int
) -> nn.ConvTranspose1d:
    """`weight` [in, out, kernel], `bias` [out]; the length grows by exactly `stride`."""
    weight = parameter(weights, "weight", in_, out, kernel)
    width = weight.shape[2]
    layer = nn.ConvTranspose1d(
        weight.shape[0], weight.shape[1], width, stride, (width - stride) // 2, device="meta"
    )
    layer.weight = weight
    layer.bias = parameter(weights, "bias", weight.shape[1])
    return layer
