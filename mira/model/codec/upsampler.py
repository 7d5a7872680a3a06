"""Samples at 16 kHz in, samples at 48 kHz out: FlashSR's network without its wrapper.

The published wrapper scales each call to its peak, which makes a stream pump and silence NaN;
the network itself only looks 28 samples far.

Knows nothing about speech or streams. Source: FlashSR (ysharma3501/FlashSR), the super-resolution
generator of HierSpeech++, arXiv:2311.12454.
"""

import numpy as np

from mira.model.codec.layers import Layers, Node

FACTOR = 3

_DILATIONS = (1, 3, 5)
_BLOCKS = (0, 2)  # 1 was trained, then left out of the published forward pass


def upsampler(nn: Layers, samples: Node) -> Node:
    """[batch, num_samples] -> [batch, FACTOR * num_samples], in [-1, 1]."""
    dec = nn.at("dec")
    x = _interpolated(nn, dec.convolution(nn.unsqueezed(samples, 1), "conv_pre"))
    first, second = (_block(dec.at("resblocks", number), x) for number in _BLOCKS)
    x = _activation(dec.at("activation_post"), (first + second) * nn.number(0.5))
    return nn.squeezed(nn.tanh(dec.convolution(x, "conv_post", bias=False)), 1)


def _block(nn: Layers, x: Node) -> Node:
    for number, dilation in enumerate(_DILATIONS):
        y = _activation(nn.at("activations", 2 * number), x)
        y = nn.convolution(y, f"convs1.{number}", dilation)
        y = _activation(nn.at("activations", 2 * number + 1), y)
        x = x + nn.convolution(y, f"convs2.{number}")
    return x


def _activation(nn: Layers, x: Node) -> Node:
    """x + sin²(αx) / β at twice the rate; the tensors are logarithms."""
    alpha = nn.constant("alpha", lambda: np.exp(nn.take("act.alpha"))[:, None])
    inverse = nn.constant("inverse", lambda: 1 / (np.exp(nn.take("act.beta"))[:, None] + 1e-9))
    return nn.activation(x, alpha, inverse)


def _interpolated(nn: Layers, x: Node) -> Node:
    """Three samples on the lines between neighbours for each one, the middle one itself.

    Interpolation by places would work out each one in float32, which a second into the audio is
    wrong in the fourth decimal, and another error in a window than in the whole.
    """
    held, double, third = nn.held(x, 1, 1), x * nn.number(2), nn.number(1 / 3)
    before, after = (nn.cut(held, 0, 2) + double) * third, (double + nn.cut(held, 2, 0)) * third
    return nn.interleaved([before, x, after])
