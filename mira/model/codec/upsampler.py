"""Samples at 16 kHz in, samples at 48 kHz out: FlashSR's network without its wrapper.

The published wrapper scales each call to its peak, which makes a stream pump and silence NaN;
the network itself only looks 28 samples far.

Knows nothing about speech or streams. Source: FlashSR (ysharma3501/FlashSR), the super-resolution
generator of HierSpeech++, arXiv:2311.12454; tensors by the names of its `upsampler.pth`, weight
norm fused.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mira.model.codec.torch_layers import conv, tensor
from mira.model.codec.weights import (
    UPSAMPLER_BLOCKS,
    UPSAMPLER_DILATIONS,
    UPSAMPLER_TAPS,
    Tensors,
    Weights,
    upsampler,
)

FACTOR = 3  # `_interpolate` is written for it
_BLOCK = 16  # samples that one row of a matrix product covers


class Upsampler(nn.Module):
    """Triples the sample rate.

    Raises:
        CheckpointError: A tensor is missing, left over or of another shape.
    """

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        weights = upsampler(tensors)
        dec = weights.at("dec")
        self.first = conv(dec.at("conv_pre"), None, 1, 7)
        dim = self.first.out_channels
        self.blocks = nn.ModuleList(_Block(dec.at("resblocks", i), dim) for i in UPSAMPLER_BLOCKS)
        self.activation = _Activation(dec.at("activation_post"), dim)
        self.last = conv(dec.at("conv_post"), 1, dim, 7, bias=False)
        weights.finish()

    def forward(self, samples: Tensor) -> Tensor:
        """[batch, num_samples] -> [batch, 3 * num_samples], in [-1, 1]."""
        x = self.first(samples[:, None])
        x = _interpolate(x)
        x = (self.blocks[0](x) + self.blocks[1](x)) / 2
        return torch.tanh(self.last(self.activation(x))).squeeze(1)


class _Block(nn.Module):
    def __init__(self, weights: Weights, dim: int) -> None:
        super().__init__()
        activations = [
            _Activation(weights.at("activations", i), dim)
            for i in range(2 * len(UPSAMPLER_DILATIONS))
        ]
        self.wide_activations = nn.ModuleList(activations[::2])
        self.activations = nn.ModuleList(activations[1::2])
        self.wide = nn.ModuleList(
            conv(weights.at("convs1", i), dim, dim, None, dilation=dilation)
            for i, dilation in enumerate(UPSAMPLER_DILATIONS)
        )
        self.narrow = nn.ModuleList(
            conv(weights.at("convs2", i), dim, dim, None) for i in range(len(UPSAMPLER_DILATIONS))
        )

    def forward(self, x: Tensor) -> Tensor:
        for before, wide, between, narrow in zip(
            self.wide_activations, self.wide, self.activations, self.narrow, strict=True
        ):
            x = x + narrow(between(wide(before(x))))
        return x


class _Activation(nn.Module):
    """x + sin²(e^α x) / e^β at twice the rate, so that its overtones don't alias.

    A short filter on one channel is a shape that convolution kernels are slow at. As a banded
    matrix over blocks of samples it does seven times the arithmetic in a tenth of the time.
    """

    def __init__(self, weights: Weights, dim: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(tensor(weights, "act.alpha", dim).exp()[:, None], False)
        beta = tensor(weights, "act.beta", dim).exp()[:, None]
        self.inverse = nn.Parameter(1 / (beta + 1e-9), False)
        up = tensor(weights, "upsample.filter", 1, 1, UPSAMPLER_TAPS)
        inputs = torch.eye(_BLOCK + UPSAMPLER_TAPS // 2)[:, None]
        response = 2 * F.conv_transpose1d(inputs, up, stride=2)[:, 0, UPSAMPLER_TAPS - 1 :]
        self.up = nn.Parameter(response[:, : 2 * _BLOCK].clone(), False)
        down = tensor(weights, "downsample.lowpass.filter", 1, 1, UPSAMPLER_TAPS)
        inputs = torch.eye(2 * _BLOCK + UPSAMPLER_TAPS - 2)[:, None]
        self.down = nn.Parameter(F.conv1d(inputs, down, stride=2)[:, 0], False)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        spare = -length % _BLOCK  # fill the last block; what comes of it is cut off
        x = _hold_edges(x, UPSAMPLER_TAPS // 4, UPSAMPLER_TAPS // 4 + spare)
        x = (x.unfold(-1, len(self.up), _BLOCK) @ self.up).flatten(-2)[..., : 2 * length]
        # In place: memory fresh from the system costs more than the arithmetic.
        x = torch.sin(self.alpha * x).square_().mul_(self.inverse).add_(x)
        x = _hold_edges(x, UPSAMPLER_TAPS // 2 - 1, UPSAMPLER_TAPS // 2 + 2 * spare)
        return (x.unfold(-1, len(self.down), 2 * _BLOCK) @ self.down).flatten(-2)[..., :length]


def _interpolate(x: Tensor) -> Tensor:
    """Three samples on the lines between neighbours for each one, the middle one itself.

    `F.interpolate` works out each sample's place in float32, which a second into the audio is
    wrong in the fourth decimal, and another error in a window than in the whole.
    """
    held = _hold_edges(x, 1, 1)
    before, after = (held[..., :-2] + 2 * x) / 3, (2 * x + held[..., 2:]) / 3
    return torch.stack([before, x, after], dim=-1).flatten(-2)


def _hold_edges(x: Tensor, left: int, right: int) -> Tensor:
    """Repeat the first and the last sample; `F.pad` does so several times slower."""
    return torch.cat(
        [x[..., :1].expand(-1, -1, left), x, x[..., -1:].expand(-1, -1, right)], dim=-1
    )
