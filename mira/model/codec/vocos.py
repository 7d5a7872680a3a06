"""Frames of channels in, as many out: the ConvNeXt stack that prenet and encoder share.

Knows nothing about tokens or speakers. Source: Vocos (arXiv:2306.00814) as BiCodec uses it,
Spark-TTS, arXiv:2503.01710.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mira.model.codec.torch_layers import conv, linear, parameter, tensor
from mira.model.codec.weights import Weights, norm_paths

_KERNEL = 7
_EPS = 1e-6


class AdaptiveBackbone(nn.Module):
    """An embedding, ConvNeXt blocks and a norm; the inner norms' scales and shifts are inputs.

    Args:
        dim: Channels, if the caller knows them.
    """

    def __init__(self, weights: Weights, dim: int | None = None) -> None:
        super().__init__()
        self.embed = conv(weights.at("embed"), dim, dim, _KERNEL)
        self.dim = self.embed.out_channels
        self.blocks = nn.ModuleList(
            _ConvNeXt(weights.at("convnext", i), self.dim) for i in range(weights.count("convnext"))
        )
        self.final_scale = parameter(weights, "final_layer_norm.weight", self.dim)
        self.final_shift = parameter(weights, "final_layer_norm.bias", self.dim)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """[batch, channels, frames] -> [batch, frames, channels].

        Args:
            scale: [batch, norms, channels], the embedding's norm first.
            shift: The same.
        """
        x = _norm(self.embed(x).transpose(1, 2), scale[:, :1], shift[:, :1]).transpose(1, 2)
        for i, block in enumerate(self.blocks, start=1):
            x = block(x, scale[:, i : i + 1], shift[:, i : i + 1])
        return _norm(x.transpose(1, 2), self.final_scale, self.final_shift)


class Backbone(nn.Module):
    """The same with norms of its own."""

    def __init__(self, weights: Weights, dim: int | None = None) -> None:
        super().__init__()
        self.adaptive = AdaptiveBackbone(weights, dim)
        dim = self.adaptive.dim
        norms = [weights.at(*path) for path in norm_paths(weights)]
        self.scale, self.shift = (
            nn.Parameter(torch.stack([tensor(norm, name, dim) for norm in norms])[None], False)
            for name in ("weight", "bias")
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, frames] -> [batch, frames, channels]."""
        y: Tensor = self.adaptive(x, self.scale, self.shift)
        return y


class _ConvNeXt(nn.Module):
    def __init__(self, weights: Weights, dim: int) -> None:
        super().__init__()
        self.depthwise = conv(weights.at("dwconv"), dim, 1, _KERNEL, groups=dim)
        self.widen = linear(weights.at("pwconv1"), None, dim)
        self.narrow = linear(weights.at("pwconv2"), dim, self.widen.out_features)
        self.gamma = parameter(weights, "gamma", dim)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        y = _norm(self.depthwise(x).transpose(1, 2), scale, shift)
        y = self.gamma * self.narrow(F.gelu(self.widen(y)))
        z: Tensor = x + y.transpose(1, 2)
        return z


def _norm(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=_EPS) * scale + shift
