"""The speaker encoder as a PyTorch module in, the same as an OpenVINO graph out.

Knows nothing about recordings or files. Source: ECAPA-TDNN, arXiv:2005.07143; BiCodec, Spark-TTS,
arXiv:2503.01710.
"""

from math import atanh, sqrt
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from mira.codec.bicodec import FSQ_LEVELS
from mira.codec.graph import Node, constant, convolution, floats, ints, linear
from mira.codec.speaker import HEADS as HEADS
from mira.codec.speaker import SpeakerEncoder


def encoder_graph(network: SpeakerEncoder) -> ov.Model:
    """mel [1, frames, mels] -> [1, GLOBAL_TOKENS] int64."""
    mels = network.ecapa.first.conv.in_channels
    mel = op.parameter([1, -1, mels], np.float32, name="mel")
    features = _ecapa(op.transpose(mel, ints(0, 2, 1)), network.ecapa)
    latents = _perceiver(op.transpose(features, ints(0, 2, 1)), network.perceiver)
    tokens = _quantize(linear(latents, network.project_in), network.project_in.out_features)
    return ov.Model([tokens], [mel], "speaker_encoder")


def _quantize(latents: Node, digits: int) -> Node:
    """[1, tokens, digits] -> [1, tokens] int64: `mira.codec.speaker.quantize`."""
    half = (FSQ_LEVELS - 1) * (1 + 1e-3) / 2
    bounded = op.tanh(latents + floats(atanh(0.5 / half))) * floats(half) + floats(-0.5)
    values = op.round(bounded, "half_to_even") + floats(FSQ_LEVELS // 2)
    places = floats(FSQ_LEVELS ** np.arange(digits))
    # The sums are whole numbers below 2^24: float32 has them exactly.
    return op.convert(op.reduce_sum(values * places, ints(2)), "i64")


def _ecapa(x: Node, network: Any) -> Node:
    """[1, mels, frames] -> [1, channels, frames]"""
    x = _conv_relu_norm(x, network.first)
    outputs = []
    for block in network.blocks:
        x = _res2_block(x, block)
        outputs.append(x)
    return op.relu(convolution(op.concat(outputs, 1), network.last))


def _res2_block(x: Node, block: Any) -> Node:
    groups = op.split(_conv_relu_norm(x, block.first), op.constant(1), len(block.convs) + 1)
    *groups, passed = groups.outputs()
    outputs: list[Node] = []
    for group, layer, norm in zip(groups, block.convs, block.norms, strict=True):
        heard = op.add(outputs[-1], group) if outputs else group
        outputs.append(_batch_norm(op.relu(convolution(heard, layer)), norm))
    y = _conv_relu_norm(op.concat([*outputs, passed], 1), block.last)
    mean = op.reduce_mean(y, ints(2))
    gain = op.sigmoid(linear(op.relu(linear(mean, block.squeeze)), block.excite))
    return x + y * op.unsqueeze(gain, ints(2))


def _conv_relu_norm(x: Node, layer: Any) -> Node:
    return _batch_norm(op.relu(convolution(x, layer.conv)), layer.norm)


def _batch_norm(x: Node, layer: Any) -> Node:
    scale = layer.weight / (layer.running_var + layer.eps).sqrt()
    shift = layer.bias - layer.running_mean * scale
    return x * constant(scale[:, None]) + constant(shift[:, None])


def _perceiver(features: Node, network: Any) -> Node:
    """[1, frames, channels] -> [1, GLOBAL_TOKENS, dim]"""
    context = linear(features, network.project)
    x: Node = constant(network.latents[None])
    layers = zip(network.attentions, network.widen, network.narrow, strict=True)
    for attention, widen, narrow in layers:
        x = x + _attention(x, op.concat([x, context], 1), attention)
        value, gate = op.split(linear(x, widen), op.constant(2), 2).outputs()
        x = x + linear(op.multiply(op.gelu(gate, "erf"), value), narrow)
    x = op.normalize_l2(x, ints(2), 1e-12, "max")
    return x * constant(network.gamma * sqrt(network.dim))


def _attention(x: Node, context: Node, layer: Any) -> Node:
    key, value = op.split(linear(context, layer.to_kv), op.constant(2), 2).outputs()
    query, key, value = (_heads(part) for part in (linear(x, layer.to_q), key, value))
    head = layer.to_q.out_features // HEADS
    scores = op.matmul(query * floats(head**-0.5), key, False, True)
    heard = op.matmul(op.softmax(scores, 3), value, False, False)
    return linear(
        op.reshape(op.transpose(heard, ints(0, 2, 1, 3)), ints(1, -1, HEADS * head), False),
        layer.to_out,
    )


def _heads(x: Node) -> Node:
    """[1, length, heads * dim] -> [1, heads, length, dim]"""
    return op.transpose(op.reshape(x, ints(0, 0, HEADS, -1), True), ints(0, 2, 1, 3))
