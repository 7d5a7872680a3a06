"""Tensors of FlashSR in, the network as an OpenVINO graph out; needs no PyTorch.

Knows nothing about speech or files. Source: mira.model.codec.upsampler.
"""

import numpy as np
import openvino as ov
from openvino import opset13 as op

from mira.model.codec.graph import Node, convolution, floats, ints, snake
from mira.model.codec.weights import (
    UPSAMPLER_BLOCKS,
    UPSAMPLER_DILATIONS,
    UPSAMPLER_TAPS,
    Array,
    Weights,
)

_REACH = 3  # samples on each side that a sample of either phase is a sum of


def upsampler_graph(weights: Weights) -> ov.Model:
    """[1, num_samples] -> [1, 3 * num_samples]"""
    dec = weights.at("dec")
    samples = op.parameter([1, -1], np.float32, name="samples")
    x = _interpolate(convolution(op.unsqueeze(samples, ints(1)), dec.at("conv_pre")))
    first, second = (_block(x, dec.at("resblocks", i)) for i in UPSAMPLER_BLOCKS)
    x = _activation((first + second) * floats(0.5), dec.at("activation_post"))
    x = op.tanh(convolution(x, dec.at("conv_post"), bias=False))
    return ov.Model([op.squeeze(x, ints(1))], [samples], "upsampler")


def _block(x: Node, weights: Weights) -> Node:
    for i, dilation in enumerate(UPSAMPLER_DILATIONS):
        y = _activation(x, weights.at("activations", 2 * i))
        y = convolution(y, weights.at("convs1", i), dilation=dilation)
        y = _activation(y, weights.at("activations", 2 * i + 1))
        x = x + convolution(y, weights.at("convs2", i))
    return x


def _activation(x: Node, weights: Weights) -> Node:
    """`x + sin²(αx) / β` at twice the rate, the two samples of a step apart all the way.

    Apart, the filters that double and halve the rate are two convolutions of each channel with
    itself, and no sample has to be moved between them.
    """
    alpha, beta = (np.exp(weights.take(f"act.{name}", None))[:, None] for name in ("alpha", "beta"))
    inverse = (1 / (beta + 1e-9)).astype(np.float32)
    up = weights.take("upsample.filter", 1, 1, UPSAMPLER_TAPS)[0, 0]
    down = weights.take("downsample.lowpass.filter", 1, 1, UPSAMPLER_TAPS)[0, 0]
    channels = len(alpha)
    x = op.pad(x, ints(0, 0, _REACH), ints(0, 0, _REACH), "edge")
    even, odd = (snake(_filtered(x, taps, channels), alpha, inverse) for taps in _phases(up))
    first, last = _held(even, 0, 1), _held(odd, -1, 2**31)
    before, after = _REACH - 1, _REACH
    even = op.concat([first] * before + [even] + [last] * after, 2)
    odd = op.concat([first] * after + [odd] + [last] * before, 2)
    return _filtered(even, down[1::2], channels) + _filtered(odd, down[::2], channels)


def _phases(up: Array) -> tuple[Array, Array]:
    """The filter that doubles the rate, for the even samples and for the odd ones, twice as loud.

    Each is [2 * _REACH + 1]: half of the filter, latest first, with a zero at the end that the
    other one begins with.
    """
    latest_first = 2 * up[::-1]
    return np.append(latest_first[::2], np.float32(0)), np.append(np.float32(0), latest_first[1::2])


def _filtered(x: Node, taps: Array, channels: int) -> Node:
    weight = np.tile(taps, (channels, 1, 1, 1))
    return op.group_convolution(x, op.constant(weight), [1], [0], [0], [1])


def _interpolate(x: Node) -> Node:
    """[1, channels, length] -> [1, channels, 3 * length]: see `mira.model.codec.upsampler`."""
    held = op.pad(x, ints(0, 0, 1), ints(0, 0, 1), "edge")
    before = op.slice(held, ints(0), ints(-2), ints(1), ints(2))
    after = op.slice(held, ints(2), ints(2**31), ints(1), ints(2))
    double, third = x * floats(2), floats(1 / 3)
    parts = [(before + double) * third, x, (double + after) * third]
    stacked = op.concat([op.unsqueeze(part, ints(3)) for part in parts], 3)
    return op.reshape(stacked, ints(0, 0, -1), True)


def _held(x: Node, start: int, stop: int) -> Node:
    return op.slice(x, ints(start), ints(stop), ints(1), ints(2))
