"""The codec's networks as PyTorch modules in, the same as OpenVINO graphs out.

Written down operation by operation: this takes a second where tracing the modules takes minutes,
and a graph can take another form than its module where the processor gains by it.

Knows nothing about files or how many bits a weight has. Source: BiCodec, Spark-TTS,
arXiv:2503.01710.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op
from torch import nn

from mira.codec.base import GLOBAL_CODES, GLOBAL_TOKENS
from mira.codec.bicodec import FSQ_LEVELS, Prenet, SpeakerVector, WaveGenerator

_EPS = 1e-6  # of every norm over channels

Node = Any  # OpenVINO comes without types


def speaker_graph(network: SpeakerVector) -> ov.Model:
    """tokens [1, GLOBAL_TOKENS] int64 -> d_vector, scale and shift as `SpeakerVector`."""
    tokens = op.parameter([1, GLOBAL_TOKENS], np.int64, name="tokens")
    digits = np.arange(GLOBAL_CODES)[:, None] // network.place.numpy() % FSQ_LEVELS
    half = FSQ_LEVELS // 2
    codes = op.gather(floats((digits - half) / half), tokens, ints(0))
    latent = op.transpose(linear(codes, network.project_out), ints(0, 2, 1))
    d_vector = linear(op.reshape(latent, ints(1, -1), False), network.project)
    norms = [_stacked(d_vector, layers) for layers in (network.scales, network.shifts)]
    return ov.Model([d_vector, *norms], [tokens], "speaker")


def prenet_graph(network: Prenet) -> ov.Model:
    """tokens [1, frames] int64, d_vector, scale, shift -> [1, channels, frames]."""
    tokens = op.parameter([1, -1], np.int64, name="tokens")
    norms, dim = len(network.backbone.blocks) + 1, network.backbone.dim
    d_vector, scale, shift = (
        op.parameter(shape, np.float32, name=name)
        for name, shape in (
            ("d_vector", [1, network.linear.out_features]),
            ("scale", [1, norms, dim]),
            ("shift", [1, norms, dim]),
        )
    )
    # All that comes before the first look at a neighbour depends on the token alone.
    rows = network.linear_pre(network.out_project(network.codebook.T[None]).transpose(1, 2))
    x = op.gather(constant(rows[0]), tokens, ints(0))
    samplers: Any = network.samplers
    for sampler in samplers:
        x = backbone(
            x * floats(3), sampler.adaptive, constant(sampler.scale), constant(sampler.shift)
        )
    x = linear(backbone(x, network.backbone, scale, shift), network.linear)
    x = op.transpose(x + op.unsqueeze(d_vector, ints(1)), ints(0, 2, 1))
    return ov.Model([x], [tokens, d_vector, scale, shift], "prenet")


def wave_graph(network: WaveGenerator) -> ov.Model:
    """[1, channels, frames] -> [1, frames * samples_per_frame]."""
    frames = op.parameter([1, network.first.in_channels, -1], np.float32, name="frames")
    x = convolution(frames, network.first)
    blocks: Any = network.blocks
    for block in blocks:
        x = _transposed(snake(x, block.snake), block.upsample)
        for unit in block.units:
            y = convolution(snake(x, unit.snake), unit.wide)
            x = x + convolution(snake(y, unit.inner_snake), unit.pointwise)
    x = op.tanh(convolution(snake(x, network.snake), network.last))
    return ov.Model([op.squeeze(x, ints(1))], [frames], "wave_generator")


def backbone(x: Node, network: Any, scale: Node, shift: Node) -> Node:
    """[1, frames, channels] -> the same: `AdaptiveBackbone`, with the channels last throughout."""
    x = norm(_over_time(x, network.embed), _row(scale, 0), _row(shift, 0))
    for i, block in enumerate(network.blocks, start=1):
        y: Node = norm(_over_time(x, block.depthwise), _row(scale, i), _row(shift, i))
        y = linear(op.gelu(linear(y, block.widen), "erf"), block.narrow)
        x = x + y * constant(block.gamma)
    return norm(x, constant(network.final_scale), constant(network.final_shift))


def norm(x: Node, scale: Node, shift: Node) -> Node:
    """Over the last dimension."""
    return op.mvn(x, ints(-1), True, _EPS, "inside_sqrt") * scale + shift


def linear(x: Node, layer: Any) -> Node:
    """[..., in] -> [..., out]"""
    y = op.matmul(x, constant(layer.weight), False, True)
    return y if layer.bias is None else y + constant(layer.bias)


def convolution(x: Node, layer: Any) -> Node:
    """[1, channels, length] -> [1, out, length], as `mira.codec.weights.conv` makes them."""
    pad, dilation = list(layer.padding), list(layer.dilation)
    if layer.groups == 1:
        y = op.convolution(x, constant(layer.weight), [1], pad, pad, dilation)
    else:
        y = op.group_convolution(x, constant(layer.weight[:, None]), [1], pad, pad, dilation)
    return y if layer.bias is None else y + constant(layer.bias[:, None])


def snake(x: Node, layer: Any) -> Node:
    """x + sin²(αx) / α; [1, channels, length].

    OpenVINO computes a sine one value at a time, which takes as long as all convolutions. This is
    a chain of steps that it makes one vectorised loop of: the phase of sin², whose period is π,
    an eighth of its cosine's argument by a parabola, and three times cos 2θ = 2 cos²θ - 1. It is
    off by 1e-5 / α at most.
    """
    phase = op.floor_mod(x * constant(layer.alpha / np.pi), floats(1))
    y = _square(_square(phase + floats(-0.5)) * floats((np.pi / 8) ** 2) + floats(_SHIFT))
    y = _square(y * floats(2 * _SCALE) + floats(2 * _OFFSET - 1))
    for _ in range(2):
        y = _square(y * floats(2) + floats(-1))
    return y * constant(layer.inverse) + x


def _parabola() -> tuple[float, float, float]:
    """(a, b, c) such that a (s + b)² + c is cos²√s within 1e-7, up to the s that `snake` needs."""
    largest = (np.pi / 16) ** 2
    s = (1 + np.cos(np.pi * np.array([1, 3, 5]) / 6)) / 2 * largest  # Chebyshev's nodes
    second, first, constant_term = np.polyfit(s, np.cos(np.sqrt(s)) ** 2, 2)
    shift = first / (2 * second)
    return float(second), float(shift), float(constant_term - second * shift**2)


_SCALE, _SHIFT, _OFFSET = _parabola()


def _square(x: Node) -> Node:
    return op.power(x, floats(2))


def _transposed(x: Node, layer: Any) -> Node:
    """A transposed convolution as a plain one that computes all samples of a step as channels.

    OpenVINO has no fast transposed convolution in one dimension.
    """
    (stride,), (pad,) = layer.stride, layer.padding
    weight, bias = layer.weight.detach(), layer.bias.detach()
    kernel = weight.shape[2]
    taps = -(-kernel // stride)
    weight = nn.functional.pad(weight, (0, taps * stride - kernel))
    # [inputs, outputs, taps, stride] -> [stride, outputs, inputs, taps], the latest tap first
    weight = weight.reshape(*weight.shape[:2], taps, stride).permute(3, 1, 0, 2).flip(3)
    margin = [taps - 1]
    y = op.convolution(x, constant(weight.flatten(0, 1)), [1], margin, margin, [1])
    y = y + constant(bias.repeat(stride)[:, None])
    y = op.depth_to_space(y, "blocks_first", stride)
    beyond = (taps - 1) * stride - pad
    return op.slice(y, ints(pad), ints(-beyond), ints(1), ints(2))


def _stacked(x: Node, layers: Any) -> Node:
    """[1, in] -> [1, layers, out]: several linear layers as one."""
    weight = np.concatenate([array(layer.weight) for layer in layers])
    bias = np.concatenate([array(layer.bias) for layer in layers])
    y = op.matmul(x, op.constant(weight), False, True) + op.constant(bias)
    return op.reshape(y, ints(1, len(layers), -1), False)


def _over_time(x: Node, layer: Any) -> Node:
    """A convolution of [1, frames, channels]."""
    return op.transpose(convolution(op.transpose(x, ints(0, 2, 1)), layer), ints(0, 2, 1))


def _row(x: Node, index: int) -> Node:
    """[1, rows, channels] -> [1, 1, channels]"""
    return op.gather(x, ints(index), ints(1))


def constant(tensor: Any) -> Node:
    """A module's tensor as float32."""
    return op.constant(array(tensor))


def array(tensor: Any) -> npt.NDArray[np.float32]:
    """A module's tensor as a NumPy array of its own."""
    return np.array(tensor.detach().numpy(), np.float32, order="C")


def floats(value: npt.ArrayLike) -> Node:
    """A float32 constant."""
    return op.constant(np.asarray(value, np.float32))


def ints(*values: int) -> Node:
    """A list of int64 constants, such as axes and shapes are made of."""
    return op.constant(np.asarray(values, np.int64))
