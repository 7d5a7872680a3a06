"""Networks of the codec as OpenVINO graphs; needs no PyTorch.

A step can take another form here than in PyTorch where the processor gains by it. Tests hold one
against the other.

Knows nothing about what the networks compute or how many bits a weight has.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from openvino import opset13 as op

from mira.model.codec.layers import Array, Floats, Layers, Node

_EPS = 1e-6  # of every norm over channels
_REACH = 3  # samples on each side that a sample of either phase is a sum of
_END = 2**31


class OpenVINOLayers(Layers):
    """Steps that become nodes of a graph, of one item."""

    relu, tanh = staticmethod(op.relu), staticmethod(op.tanh)
    sigmoid, joined = staticmethod(op.sigmoid), staticmethod(op.concat)

    def constant(self, name: str, make: Callable[[], Floats]) -> Node:
        return _floats(make())

    def number(self, value: float) -> Node:
        return _floats(value)

    def product(self, x: Node, weight: Node, bias: Node | None = None) -> Node:
        y = op.matmul(x, weight, False, True)
        return y if bias is None else y + bias

    def convolution(
        self, x: Node, name: str, dilation: int = 1, *, bias: bool = True, depthwise: bool = False
    ) -> Node:
        weight = self.take(f"{name}.weight")
        pad = [dilation * (weight.shape[2] - 1) // 2]
        convolve = op.group_convolution if depthwise else op.convolution
        kernel = _floats(weight[:, None] if depthwise else weight)
        y = convolve(x, kernel, [1], pad, pad, [dilation])
        return y + _floats(self.take(f"{name}.bias")[:, None]) if bias else y

    def transposed(self, x: Node, name: str, stride: int) -> Node:
        """See `Layers`: a plain convolution that computes all samples of a step as channels.

        OpenVINO has no fast transposed convolution in one dimension.
        """
        weight = self.take(f"{name}.weight")
        inputs, outputs, kernel = weight.shape
        pad, taps = (kernel - stride) // 2, -(-kernel // stride)
        weight = np.pad(weight, ((0, 0), (0, 0), (0, taps * stride - kernel)))
        # [inputs, outputs, taps, stride] -> [stride, outputs, inputs, taps], the latest tap first
        weight = weight.reshape(inputs, outputs, taps, stride).transpose(3, 1, 0, 2)[..., ::-1]
        margin = [taps - 1]
        flat = _floats(weight.reshape(stride * outputs, inputs, taps))
        y = op.convolution(x, flat, [1], margin, margin, [1])
        y = y + _floats(np.tile(self.take(f"{name}.bias"), stride)[:, None])
        y = op.depth_to_space(y, "blocks_first", stride)
        return self.cut(y, pad, (taps - 1) * stride - pad)

    def with_squared_sine(self, x: Node, alpha: Node, inverse: Node) -> Node:
        """See `Layers`.

        OpenVINO computes a sine one value at a time, which takes as long as all convolutions. This
        is a chain of steps that it makes one vectorised loop of: the phase of sin², whose period is
        π, an eighth of its cosine's argument by a parabola, and three times cos 2θ = 2 cos²θ - 1.
        It is off by 1e-5 / α at most.
        """
        phase = op.floor_mod(x * (alpha * _floats(1 / np.pi)), _floats(1))
        y = _square(_square(phase + _floats(-0.5)) * _floats((np.pi / 8) ** 2) + _floats(_SHIFT))
        y = _square(y * _floats(2 * _SCALE) + _floats(2 * _OFFSET - 1))
        for _ in range(2):
            y = _square(y * _floats(2) + _floats(-1))
        return y * inverse + x

    def activation(self, x: Node, alpha: Node, inverse: Node) -> Node:
        """See `Layers`: the two samples of a step are apart all the way.

        Apart, the filters that double and halve the rate are two convolutions of each channel with
        itself, and no sample has to be moved between them.
        """
        up, down = (
            self.take(f"{name}.filter")[0, 0] for name in ("upsample", "downsample.lowpass")
        )
        channels = len(self.take("act.alpha"))
        x = self.held(x, _REACH, _REACH)
        even, odd = (
            self.with_squared_sine(_filtered(x, taps, channels), alpha, inverse)
            for taps in _phases(up)
        )
        first, last = _slice(even, 0, 1), _slice(odd, -1, _END)
        before, after = _REACH - 1, _REACH
        even = op.concat([first] * before + [even] + [last] * after, 2)
        odd = op.concat([first] * after + [odd] + [last] * before, 2)
        return _filtered(even, down[1::2], channels) + _filtered(odd, down[::2], channels)

    def attention(self, query: Node, key: Node, value: Node, heads: int) -> Node:
        width = query.get_output_partial_shape(0)[2].get_length()
        query, key, value = (
            op.transpose(self.reshaped(x, 1, -1, heads, width // heads), _ints(0, 2, 1, 3))
            for x in (query, key, value)
        )
        scale = _floats((width // heads) ** -0.5)
        scores = op.softmax(op.matmul(query * scale, key, False, True), 3)
        heard = op.matmul(scores, value, False, False)
        return self.reshaped(op.transpose(heard, _ints(0, 2, 1, 3)), 1, -1, width)

    def norm(self, x: Node) -> Node:
        return op.mvn(x, _ints(-1), True, _EPS, "inside_sqrt")

    def normalized(self, x: Node) -> Node:
        return op.normalize_l2(x, _ints(-1), 1e-12, "max")

    def rows(self, table: Node, indices: Node) -> Node:
        return op.gather(table, indices, _ints(0))

    def row(self, x: Node, index: int) -> Node:
        return op.gather(x, _ints(index), _ints(1))

    def swapped(self, x: Node) -> Node:
        return op.transpose(x, _ints(0, 2, 1))

    def reshaped(self, x: Node, *sizes: int) -> Node:
        return op.reshape(x, _ints(*sizes), False)

    def split(self, x: Node, count: int, axis: int) -> list[Node]:
        width = x.get_output_partial_shape(0)[axis].get_length() // count
        return [_slice(x, width * i, width * (i + 1), axis) for i in range(count)]

    def unsqueezed(self, x: Node, axis: int) -> Node:
        return op.unsqueeze(x, _ints(axis))

    def squeezed(self, x: Node, axis: int) -> Node:
        return op.squeeze(x, _ints(axis))

    def held(self, x: Node, left: int, right: int) -> Node:
        return op.pad(x, _ints(0, 0, left), _ints(0, 0, right), "edge")

    def cut(self, x: Node, start: int, end: int) -> Node:
        return _slice(x, start, -end or _END)

    def interleaved(self, parts: list[Node]) -> Node:
        stacked = op.concat([op.unsqueeze(part, _ints(3)) for part in parts], 3)
        return op.reshape(stacked, _ints(0, 0, -1), True)

    def mean(self, x: Node) -> Node:
        return op.reduce_mean(x, _ints(-1))

    def rounded(self, x: Node) -> Node:
        return op.round(x, "half_to_even")

    def gelu(self, x: Node) -> Node:
        return op.gelu(x, "erf")


def _parabola() -> tuple[float, float, float]:
    """Find (a, b, c) such that a (s + b)² + c is cos²√s within 1e-7, up to the s that is needed."""
    largest = (np.pi / 16) ** 2
    s = (1 + np.cos(np.pi * np.array([1, 3, 5]) / 6)) / 2 * largest  # Chebyshev's nodes
    second, first, constant_term = np.polyfit(s, np.cos(np.sqrt(s)) ** 2, 2)
    shift = first / (2 * second)
    return float(second), float(shift), float(constant_term - second * shift**2)


_SCALE, _SHIFT, _OFFSET = _parabola()


def _square(x: Node) -> Node:
    return op.power(x, _floats(2))


def _phases(up: Array) -> tuple[Array, Array]:
    """Split the filter that doubles the rate into even and odd samples', twice as loud.

    Each is [2 * _REACH + 1]: half of the filter, latest first, with a zero at the end that the
    other one begins with.
    """
    latest_first = 2 * up[::-1]
    return np.append(latest_first[::2], np.float32(0)), np.append(np.float32(0), latest_first[1::2])


def _filtered(x: Node, taps: Array, channels: int) -> Node:
    weight = np.tile(taps, (channels, 1, 1, 1))
    return op.group_convolution(x, op.constant(weight), [1], [0], [0], [1])


def _slice(x: Node, start: int, stop: int, axis: int = 2) -> Node:
    return op.slice(x, _ints(start), _ints(stop), _ints(1), _ints(axis))


def _floats(value: npt.ArrayLike) -> Node:
    return op.constant(np.ascontiguousarray(value, np.float32))


def _ints(*values: int) -> Node:
    return op.constant(np.asarray(values, np.int64))
