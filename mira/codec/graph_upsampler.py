"""FlashSR's network as a PyTorch module in, the same as an OpenVINO graph out.

Knows nothing about speech or files. Source: mira.codec.upsampler.
"""

from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from mira.codec.graph import Node, convolution, floats, ints, snake
from mira.codec.upsampler import Upsampler

_REACH = 3  # samples on each side that a sample of either phase is a sum of
_TAPS = 4 * _REACH  # of the filter that halves the rate


def upsampler_graph(network: Upsampler) -> ov.Model:
    """[1, num_samples] -> [1, 3 * num_samples]"""
    samples = op.parameter([1, -1], np.float32, name="samples")
    x = _interpolate(convolution(op.unsqueeze(samples, ints(1)), network.first))
    first, second = network.blocks
    x = (_block(x, first) + _block(x, second)) * floats(0.5)
    x = op.tanh(convolution(_activation(x, network.activation), network.last))
    return ov.Model([op.squeeze(x, ints(1))], [samples], "upsampler")


def _block(x: Node, block: Any) -> Node:
    layers = zip(block.wide_activations, block.wide, block.activations, block.narrow, strict=True)
    for before, wide, between, narrow in layers:
        y = convolution(_activation(x, before), wide)
        x = x + convolution(_activation(y, between), narrow)
    return x


def _activation(x: Node, layer: Any) -> Node:
    """`x + sin²(αx) / β` at twice the rate, the two samples of a step apart all the way.

    Apart, the filters that double and halve the rate are two convolutions of each channel with
    itself, and no sample has to be moved between them.
    """
    up, down = layer.up.detach().numpy(), layer.down.detach().numpy()
    channels = len(layer.alpha)
    x = op.pad(x, ints(0, 0, _REACH), ints(0, 0, _REACH), "edge")
    even, odd = (
        snake(_filtered(x, up[: 2 * _REACH + 1, phase], channels), layer) for phase in (0, 1)
    )
    first, last = _held(even, 0, 1), _held(odd, -1, 2**31)
    before, after = _REACH - 1, _REACH
    even = op.concat([first] * before + [even] + [last] * after, 2)
    odd = op.concat([first] * after + [odd] + [last] * before, 2)
    taps = down[:_TAPS, 0]
    return _filtered(even, taps[1::2], channels) + _filtered(odd, taps[::2], channels)


def _filtered(x: Node, taps: Any, channels: int) -> Node:
    weight = np.tile(np.asarray(taps, np.float32), (channels, 1, 1, 1))
    return op.group_convolution(x, op.constant(weight), [1], [0], [0], [1])


def _interpolate(x: Node) -> Node:
    """[1, channels, length] -> [1, channels, 3 * length]: see `mira.codec.upsampler`."""
    held = op.pad(x, ints(0, 0, 1), ints(0, 0, 1), "edge")
    before = op.slice(held, ints(0), ints(-2), ints(1), ints(2))
    after = op.slice(held, ints(2), ints(2**31), ints(1), ints(2))
    double, third = x * floats(2), floats(1 / 3)
    parts = [(before + double) * third, x, (double + after) * third]
    stacked = op.concat([op.unsqueeze(part, ints(3)) for part in parts], 3)
    return op.reshape(stacked, ints(0, 0, -1), True)


def _held(x: Node, start: int, stop: int) -> Node:
    return op.slice(x, ints(start), ints(stop), ints(1), ints(2))
