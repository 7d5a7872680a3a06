"""Tensors of the codec in, its networks as OpenVINO graphs out; needs no PyTorch.

Written down operation by operation, beside PyTorch's modules: a graph can take another form than
its module where the processor gains by it. Tests hold one against the other.

Knows nothing about files or how many bits a weight has. Source: BiCodec, Spark-TTS,
arXiv:2503.01710.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from mira.model.codec.base import GLOBAL_CODES, GLOBAL_TOKENS, SPEECH_CODES
from mira.model.codec.weights import (
    FSQ_LEVELS,
    UNIT_DILATIONS,
    Array,
    Weights,
    norm_paths,
    stride_of,
)

_EPS = 1e-6  # of every norm over channels

Node = Any  # OpenVINO comes without types


def speaker_graph(weights: Weights) -> ov.Model:
    """tokens [1, GLOBAL_TOKENS] int64 -> d_vector, scale and shift as `SpeakerVector`."""
    voice, inner = weights.at("speaker_encoder"), weights.at("prenet", "vocos_backbone")
    tokens = op.parameter([1, GLOBAL_TOKENS], np.int64, name="tokens")
    project_out = voice.at("quantizer", "project_out")
    places = FSQ_LEVELS ** np.arange(project_out.shape("weight", 2)[1])
    digits = np.arange(GLOBAL_CODES)[:, None] // places % FSQ_LEVELS
    half = FSQ_LEVELS // 2
    codes = op.gather(floats((digits - half) / half), tokens, ints(0))
    latent = op.transpose(linear(codes, project_out), ints(0, 2, 1))
    d_vector = linear(op.reshape(latent, ints(1, -1), False), voice.at("project"))
    norms = [inner.at(*path) for path in norm_paths(inner)]
    scale, shift = (
        _stacked(d_vector, [norm.at(name) for norm in norms]) for name in ("scale", "shift")
    )
    return ov.Model([d_vector, scale, shift], [tokens], "speaker")


def prenet_graph(weights: Weights) -> ov.Model:
    """tokens [1, frames] int64, d_vector, scale, shift -> [1, channels, frames]."""
    prenet = weights.at("prenet")
    inner = prenet.at("vocos_backbone")
    dim, *_ = inner.at("embed").shape("weight", 3)
    channels, _ = prenet.at("linear").shape("weight", 2)
    tokens = op.parameter([1, -1], np.int64, name="tokens")
    d_vector, scale, shift = (
        op.parameter(shape, np.float32, name=name)
        for name, shape in (
            ("d_vector", [1, channels]),
            ("scale", [1, len(norm_paths(inner)), dim]),
            ("shift", [1, len(norm_paths(inner)), dim]),
        )
    )
    x = op.gather(op.constant(_rows_of_tokens(weights)), tokens, ints(0))
    for i in range(prenet.count("downsample")):
        sampler = prenet.at("downsample", i, 1)
        norms = [sampler.at(*path) for path in norm_paths(sampler)]
        own = (np.stack([norm.take(name, dim) for norm in norms]) for name in ("weight", "bias"))
        x = backbone(x * floats(3), sampler, *(op.constant(rows[None]) for rows in own))
    x = linear(backbone(x, inner, scale, shift), prenet.at("linear"))
    x = op.transpose(x + op.unsqueeze(d_vector, ints(1)), ints(0, 2, 1))
    return ov.Model([x], [tokens, d_vector, scale, shift], "prenet")


def _rows_of_tokens(weights: Weights) -> Array:
    """[SPEECH_CODES, channels]: all that comes before the first look at a neighbour."""
    quantizer, before = weights.at("quantizer"), weights.at("prenet", "linear_pre")
    rows = quantizer.take("codebook.weight", SPEECH_CODES, None)
    project = quantizer.at("out_project")
    rows = rows @ project.take("weight", None, rows.shape[1], 1)[..., 0].T
    rows += project.take("bias", rows.shape[1])
    rows = rows @ before.take("weight", None, rows.shape[1]).T
    return rows + before.take("bias", rows.shape[1])


def wave_graph(weights: Weights) -> ov.Model:
    """[1, channels, frames] -> [1, frames * samples_per_frame]."""
    model = weights.at("decoder", "model")
    blocks = wave_blocks(weights)
    channels = model.at(0).shape("weight", 3)[1]
    frames = op.parameter([1, channels, -1], np.float32, name="frames")
    x = convolution(frames, model.at(0))
    for i in range(1, blocks + 1):
        block = model.at(i, "block")
        x = _transposed(_snake(x, block.at(0)), block.at(1))
        for number, dilation in enumerate(UNIT_DILATIONS, start=2):
            unit = block.at(number, "block")
            y = convolution(_snake(x, unit.at(0)), unit.at(1), dilation=dilation)
            x = x + convolution(_snake(y, unit.at(2)), unit.at(3))
    x = op.tanh(convolution(_snake(x, model.at(blocks + 1)), model.at(blocks + 2)))
    return ov.Model([op.squeeze(x, ints(1))], [frames], "wave_generator")


def wave_blocks(weights: Weights) -> int:
    """How many times the wave generator raises the rate.

    Beside these there are its first convolution, its last Snake and its last convolution.
    """
    return weights.at("decoder", "model").count() - 3


def backbone(x: Node, weights: Weights, scale: Node, shift: Node) -> Node:
    """[1, frames, channels] -> the same: `AdaptiveBackbone`, with the channels last throughout."""
    dim = weights.at("embed").shape("weight", 3)[0]
    x = norm(_over_time(x, weights.at("embed")), _row(scale, 0), _row(shift, 0))
    for i in range(weights.count("convnext")):
        block = weights.at("convnext", i)
        y: Node = _over_time(x, block.at("dwconv"), groups=dim)
        y = norm(y, _row(scale, i + 1), _row(shift, i + 1))
        y = linear(op.gelu(linear(y, block.at("pwconv1")), "erf"), block.at("pwconv2"))
        x = x + y * op.constant(block.take("gamma", dim))
    final = weights.at("final_layer_norm")
    return norm(x, *(op.constant(final.take(name, dim)) for name in ("weight", "bias")))


def norm(x: Node, scale: Node, shift: Node) -> Node:
    """Over the last dimension."""
    return op.mvn(x, ints(-1), True, _EPS, "inside_sqrt") * scale + shift


def linear(x: Node, weights: Weights, *, bias: bool = True) -> Node:
    """[..., in] -> [..., out]"""
    weight = weights.take("weight", None, None)
    y = op.matmul(x, op.constant(weight), False, True)
    return y + op.constant(weights.take("bias", len(weight))) if bias else y


def convolution(
    x: Node, weights: Weights, *, dilation: int = 1, groups: int = 1, bias: bool = True
) -> Node:
    """[1, channels, length] -> [1, out, length], padded with zeros."""
    weight = weights.take("weight", None, None, None)
    pad = [dilation * (weight.shape[2] - 1) // 2]
    if groups == 1:
        y = op.convolution(x, op.constant(weight), [1], pad, pad, [dilation])
    else:
        grouped = op.constant(weight[:, None])
        y = op.group_convolution(x, grouped, [1], pad, pad, [dilation])
    return y + op.constant(weights.take("bias", len(weight))[:, None]) if bias else y


def _snake(x: Node, weights: Weights) -> Node:
    (alpha,) = weights.take("alpha", 1, None, 1)
    return snake(x, alpha, 1 / (alpha + np.float32(1e-9)))


def snake(x: Node, alpha: Array, inverse: Array) -> Node:
    """x + sin²(αx) / α; [1, channels, length].

    Args:
        alpha: [channels, 1].
        inverse: What a sine's square is multiplied by; the same shape.

    OpenVINO computes a sine one value at a time, which takes as long as all convolutions. This is
    a chain of steps that it makes one vectorised loop of: the phase of sin², whose period is π,
    an eighth of its cosine's argument by a parabola, and three times cos 2θ = 2 cos²θ - 1. It is
    off by 1e-5 / α at most.
    """
    phase = op.floor_mod(x * floats(alpha / np.pi), floats(1))
    y = _square(_square(phase + floats(-0.5)) * floats((np.pi / 8) ** 2) + floats(_SHIFT))
    y = _square(y * floats(2 * _SCALE) + floats(2 * _OFFSET - 1))
    for _ in range(2):
        y = _square(y * floats(2) + floats(-1))
    return y * floats(inverse) + x


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


def _transposed(x: Node, weights: Weights) -> Node:
    """A transposed convolution as a plain one that computes all samples of a step as channels.

    OpenVINO has no fast transposed convolution in one dimension.
    """
    weight = weights.take("weight", None, None, None)
    inputs, outputs, kernel = weight.shape
    stride = stride_of(kernel)
    pad, taps = (kernel - stride) // 2, -(-kernel // stride)
    weight = np.pad(weight, ((0, 0), (0, 0), (0, taps * stride - kernel)))
    # [inputs, outputs, taps, stride] -> [stride, outputs, inputs, taps], the latest tap first
    weight = weight.reshape(inputs, outputs, taps, stride).transpose(3, 1, 0, 2)[..., ::-1]
    margin = [taps - 1]
    flat = floats(weight.reshape(stride * outputs, inputs, taps))
    y = op.convolution(x, flat, [1], margin, margin, [1])
    y = y + floats(np.tile(weights.take("bias", outputs), stride)[:, None])
    y = op.depth_to_space(y, "blocks_first", stride)
    beyond = (taps - 1) * stride - pad
    return op.slice(y, ints(pad), ints(-beyond), ints(1), ints(2))


def _stacked(x: Node, layers: Sequence[Weights]) -> Node:
    """[1, in] -> [1, layers, out]: several linear layers as one."""
    weight = np.concatenate([layer.take("weight", None, None) for layer in layers])
    bias = np.concatenate([layer.take("bias", None) for layer in layers])
    y = op.matmul(x, op.constant(weight), False, True) + op.constant(bias)
    return op.reshape(y, ints(1, len(layers), -1), False)


def _over_time(x: Node, weights: Weights, groups: int = 1) -> Node:
    """A convolution of [1, frames, channels]."""
    y = convolution(op.transpose(x, ints(0, 2, 1)), weights, groups=groups)
    return op.transpose(y, ints(0, 2, 1))


def _row(x: Node, index: int) -> Node:
    """[1, rows, channels] -> [1, 1, channels]"""
    return op.gather(x, ints(index), ints(1))


def floats(value: npt.ArrayLike) -> Node:
    """A float32 constant."""
    return op.constant(np.ascontiguousarray(value, np.float32))


def ints(*values: int) -> Node:
    """A list of int64 constants, such as axes and shapes are made of."""
    return op.constant(np.asarray(values, np.int64))
