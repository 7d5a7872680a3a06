"""Speech tokens and a speaker in, a waveform at 16 kHz out: BiCodec's decoder as PyTorch modules.

Three networks of very different cost: `SpeakerVector` runs once for each voice, `Prenet` is
cheap and looks far, `WaveGenerator` is nineteen times dearer and looks 10 frames.

Knows nothing about windows, batches of streams or devices. Source: BiCodec, Spark-TTS,
arXiv:2503.01710.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mira.model.codec.base import GLOBAL_TOKENS, SPEECH_CODES
from mira.model.codec.torch_layers import conv, conv_transpose, linear, parameter
from mira.model.codec.vocos import AdaptiveBackbone, Backbone
from mira.model.codec.weights import FSQ_LEVELS, UNIT_DILATIONS, Weights, norm_paths, stride_of


class SpeakerVector(nn.Module):
    """Global tokens to the decoder's speaker vector and to the prenet's adaptive norms."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        voice = weights.at("speaker_encoder")
        self.project_out = linear(voice.at("quantizer", "project_out"), None, None)
        self.project = linear(
            voice.at("project"), None, GLOBAL_TOKENS * self.project_out.out_features
        )
        backbone = weights.at("prenet", "vocos_backbone")
        norms = [backbone.at(*path) for path in norm_paths(backbone)]
        dim = self.project.out_features
        self.scales = nn.ModuleList(linear(norm.at("scale"), None, dim) for norm in norms)
        self.shifts = nn.ModuleList(linear(norm.at("shift"), None, dim) for norm in norms)
        place = FSQ_LEVELS ** torch.arange(self.project_out.in_features)
        self.register_buffer("place", place)  # the first dimension is the least significant
        self.place: Tensor

    def forward(self, global_tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute what depends on the voice alone.

        Args:
            global_tokens: [batch, GLOBAL_TOKENS] int64.

        Returns:
            The speaker vector [batch, channels]; the norms' scale and shift, each [batch, norms,
            prenet channels].
        """
        half = FSQ_LEVELS // 2
        digits = global_tokens[..., None] // self.place % FSQ_LEVELS
        codes = (digits - half).to(self.project.weight.dtype) / half
        latent = self.project_out(codes).transpose(1, 2)  # flattened with the channels outermost
        d_vector = self.project(latent.flatten(1))
        scale = torch.stack([layer(d_vector) for layer in self.scales], dim=1)
        shift = torch.stack([layer(d_vector) for layer in self.shifts], dim=1)
        return d_vector, scale, shift


class Prenet(nn.Module):
    """Speech tokens to what the wave generator reads; 57 frames of context on each side."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        quantizer, prenet = weights.at("quantizer"), weights.at("prenet")
        self.codebook = parameter(quantizer, "codebook.weight", SPEECH_CODES, None)
        self.out_project = conv(quantizer.at("out_project"), None, self.codebook.shape[1], 1)
        self.linear_pre = linear(prenet.at("linear_pre"), None, self.out_project.out_channels)
        dim = self.linear_pre.out_features
        self.samplers = nn.ModuleList(
            Backbone(prenet.at("downsample", i, 1), dim) for i in range(prenet.count("downsample"))
        )
        self.backbone = AdaptiveBackbone(prenet.at("vocos_backbone"), dim)
        self.linear = linear(prenet.at("linear"), None, dim)

    def forward(self, tokens: Tensor, d_vector: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """[batch, frames] -> [batch, channels, frames].

        Args:
            tokens: [batch, frames] int64, each in [0, SPEECH_CODES).
            d_vector, scale, shift: Of `SpeakerVector`.
        """
        x = self.out_project(F.embedding(tokens, self.codebook).transpose(1, 2)).transpose(1, 2)
        x = self.linear_pre(x)
        for sampler in self.samplers:
            # A sampling block of ratio 1 adds its input, its skip and its output: three times x.
            x = sampler(3 * x.transpose(1, 2))
        y: Tensor = self.linear(self.backbone(x.transpose(1, 2), scale, shift))
        return (y + d_vector[:, None]).transpose(1, 2)


class WaveGenerator(nn.Module):
    """The prenet's frames to samples in [-1, 1]; 10 frames of context on each side."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        model = weights.at("decoder", "model")
        blocks = model.count() - 3  # all but the first convolution, the last Snake and its own
        self.first = conv(model.at(0), None, None, 7)
        channels = self.first.out_channels
        self.blocks = nn.ModuleList()
        self.samples_per_frame = 1
        for i in range(1, blocks + 1):
            block = _UpsamplingBlock(model.at(i, "block"), channels)
            self.blocks.append(block)
            self.samples_per_frame *= block.stride
            channels = block.channels
        self.snake = _Snake(model.at(blocks + 1), channels)
        self.last = conv(model.at(blocks + 2), 1, channels, 7)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, frames] -> [batch, frames * samples_per_frame]."""
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return torch.tanh(self.last(self.snake(x))).squeeze(1)


class _UpsamplingBlock(nn.Module):
    def __init__(self, weights: Weights, channels: int) -> None:
        super().__init__()
        self.snake = _Snake(weights.at(0), channels)
        kernel = weights.at(1).shape("weight", 3)[2]
        self.stride = stride_of(kernel)
        self.upsample = conv_transpose(weights.at(1), channels, None, kernel, self.stride)
        self.channels = self.upsample.out_channels
        self.units = nn.ModuleList(
            _ResidualUnit(weights.at(2 + i, "block"), self.channels, dilation)
            for i, dilation in enumerate(UNIT_DILATIONS)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.upsample(self.snake(x))
        for unit in self.units:
            x = unit(x)
        return x


class _ResidualUnit(nn.Module):
    def __init__(self, weights: Weights, channels: int, dilation: int) -> None:
        super().__init__()
        self.snake = _Snake(weights.at(0), channels)
        self.wide = conv(weights.at(1), channels, channels, 7, dilation=dilation)
        self.inner_snake = _Snake(weights.at(2), channels)
        self.pointwise = conv(weights.at(3), channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.pointwise(self.inner_snake(self.wide(self.snake(x))))
        return x + y


class _Snake(nn.Module):
    """x + sin²(αx) / α, with an α for each channel (arXiv:2006.08195)."""

    def __init__(self, weights: Weights, channels: int) -> None:
        super().__init__()
        self.alpha = parameter(weights, "alpha", 1, channels, 1)
        self.inverse = nn.Parameter(1 / (self.alpha + 1e-9), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        # In place: memory fresh from the system costs more than the arithmetic.
        return torch.sin(self.alpha * x).square_().mul_(self.inverse).add_(x)
