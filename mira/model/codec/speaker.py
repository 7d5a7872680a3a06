"""A reference recording's mel spectrogram in, the 32 global tokens of its speaker out.

ECAPA-TDNN hears the recording, a perceiver sums it up in 32 latents, finite scalar quantization
makes a token of each.

Knows nothing about recordings or how tokens become sound. Source: BiCodec, Spark-TTS,
arXiv:2503.01710; ECAPA-TDNN, arXiv:2005.07143; FSQ, arXiv:2309.15505.
"""

from math import atanh, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mira.model.codec.base import GLOBAL_TOKENS
from mira.model.codec.torch_layers import conv, linear, parameter, tensor
from mira.model.codec.weights import FSQ_LEVELS, SPEAKER_DILATIONS, SPEAKER_HEADS, Weights


class SpeakerEncoder(nn.Module):
    """The whole way from mel spectrogram to tokens."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        weights = weights.at("speaker_encoder")
        self.ecapa = _Ecapa(weights.at("speaker_encoder"))
        self.perceiver = _Perceiver(weights.at("perceiver_sampler"), self.ecapa.channels)
        self.project_in = linear(weights.at("quantizer", "project_in"), None, self.perceiver.dim)

    def forward(self, mel: Tensor) -> Tensor:
        """[batch, frames, mels] magnitudes -> [batch, GLOBAL_TOKENS] int64."""
        return quantize(self.latents(mel))

    def latents(self, mel: Tensor) -> Tensor:
        """[batch, frames, mels] magnitudes -> [batch, GLOBAL_TOKENS, digits], before rounding."""
        features = self.ecapa(mel.transpose(1, 2)).transpose(1, 2)
        latents: Tensor = self.project_in(self.perceiver(features))
        return latents


def quantize(latents: Tensor) -> Tensor:
    """[..., digits] -> [...] int64: each value becomes one of four, the first the least weighty."""
    half = (
        (FSQ_LEVELS - 1) * (1 + 1e-3) / 2
    )  # a little more than the outer levels, so tanh gets there
    offset = 0.5  # an even number of levels has none at zero
    bounded = torch.tanh(latents + atanh(offset / half)) * half - offset
    digits = torch.round(bounded).long() + FSQ_LEVELS // 2
    places = FSQ_LEVELS ** torch.arange(digits.shape[-1], device=digits.device)
    return (digits * places).sum(-1)


class _Ecapa(nn.Module):
    """[batch, mels, frames] -> [batch, channels, frames]."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.first = _ConvReluNorm(weights.at("layer1"), None, 5)
        dim = self.first.conv.out_channels
        self.blocks = nn.ModuleList(
            _Res2Block(weights.at(f"layer{dilation}", "se_res2block"), dim, dilation)
            for dilation in SPEAKER_DILATIONS
        )
        self.last = conv(weights.at("conv"), None, 3 * dim, 1)
        self.channels = self.last.out_channels

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        return F.relu(self.last(torch.cat(outputs, dim=1)))


class _ConvReluNorm(nn.Module):
    """A convolution, then the rectifier, then batch normalization, in this unusual order."""

    def __init__(self, weights: Weights, in_: int | None, kernel: int) -> None:
        super().__init__()
        self.conv = conv(weights.at("conv"), None, in_, kernel)
        self.norm = _batch_norm(weights.at("bn"), self.conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(F.relu(self.conv(x)))
        return y


class _Res2Block(nn.Module):
    """Groups of channels that each hear the one before, then a gain for each channel."""

    def __init__(self, weights: Weights, dim: int, dilation: int) -> None:
        super().__init__()
        self.first = _ConvReluNorm(weights.at(0), dim, 1)
        groups = weights.count(1, "convs")
        self.width = dim // (groups + 1)  # the last group passes through
        self.convs = nn.ModuleList(
            conv(weights.at(1, "convs", i), self.width, self.width, 3, dilation=dilation)
            for i in range(groups)
        )
        self.norms = nn.ModuleList(
            _batch_norm(weights.at(1, "bns", i), self.width) for i in range(groups)
        )
        self.last = _ConvReluNorm(weights.at(2), dim, 1)
        self.squeeze = linear(weights.at(3, "linear1"), None, dim)
        self.excite = linear(weights.at(3, "linear2"), dim, self.squeeze.out_features)

    def forward(self, x: Tensor) -> Tensor:
        *groups, passed = self.first(x).split(self.width, dim=1)
        heard = torch.zeros_like(passed)
        outputs = []
        for group, convolve, norm in zip(groups, self.convs, self.norms, strict=True):
            heard = norm(F.relu(convolve(heard + group)))
            outputs.append(heard)
        y = self.last(torch.cat([*outputs, passed], dim=1))
        gain = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean(dim=2)))))
        z: Tensor = x + y * gain[..., None]
        return z


class _Perceiver(nn.Module):
    """[batch, frames, channels] -> [batch, GLOBAL_TOKENS, dim], whatever the number of frames."""

    def __init__(self, weights: Weights, channels: int) -> None:
        super().__init__()
        self.project = linear(weights.at("proj_context"), None, channels)
        self.dim = self.project.out_features
        self.latents = parameter(weights, "latents", GLOBAL_TOKENS, self.dim)
        layers = range(weights.count("layers"))
        self.attentions = nn.ModuleList(
            _Attention(weights.at("layers", i, 0), self.dim) for i in layers
        )
        self.widen = nn.ModuleList(
            linear(weights.at("layers", i, 1, 0), None, self.dim) for i in layers
        )
        self.narrow = nn.ModuleList(
            linear(weights.at("layers", i, 1, 2), self.dim, None) for i in layers
        )
        self.gamma = parameter(weights, "norm.gamma", self.dim)

    def forward(self, features: Tensor) -> Tensor:
        context = self.project(features)
        x = self.latents.expand(len(context), -1, -1)
        for attention, widen, narrow in zip(self.attentions, self.widen, self.narrow, strict=True):
            x = x + attention(x, torch.cat([x, context], dim=1))
            value, gate = widen(x).chunk(2, dim=-1)
            x = x + narrow(F.gelu(gate) * value)
        return F.normalize(x, dim=-1) * (sqrt(self.dim) * self.gamma)


class _Attention(nn.Module):
    """Latents [batch, latents, dim] ask, a context [batch, frames, dim] answers."""

    def __init__(self, weights: Weights, dim: int) -> None:
        super().__init__()
        self.to_q = linear(weights.at("to_q"), None, dim, bias=False)
        inner = self.to_q.out_features
        self.to_kv = linear(weights.at("to_kv"), 2 * inner, dim, bias=False)
        self.to_out = linear(weights.at("to_out"), dim, inner, bias=False)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        query = self.to_q(x)
        key, value = self.to_kv(context).chunk(2, dim=-1)
        heads = (
            part.unflatten(2, (SPEAKER_HEADS, -1)).transpose(1, 2) for part in (query, key, value)
        )
        heard = F.scaled_dot_product_attention(*heads)
        out: Tensor = self.to_out(heard.transpose(1, 2).flatten(2))
        return out


def _batch_norm(weights: Weights, channels: int) -> nn.BatchNorm1d:
    layer = nn.BatchNorm1d(channels, device="meta")
    for name in ("weight", "bias"):
        setattr(layer, name, parameter(weights, name, channels))
    for name in ("running_mean", "running_var"):
        setattr(layer, name, tensor(weights, name, channels))
    layer.num_batches_tracked = None
    return layer.eval()
