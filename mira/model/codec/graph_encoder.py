"""Tensors of the speaker encoder in, the network as an OpenVINO graph out; needs no PyTorch.

Knows nothing about recordings or files. Source: ECAPA-TDNN, arXiv:2005.07143; BiCodec, Spark-TTS,
arXiv:2503.01710.
"""

from math import atanh, sqrt
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from mira.model.codec.base import GLOBAL_TOKENS
from mira.model.codec.graph import Node, convolution, floats, ints, linear
from mira.model.codec.weights import FSQ_LEVELS, SPEAKER_DILATIONS, SPEAKER_HEADS, Weights

_BATCH_NORM_EPS = 1e-5


def encoder_graph(weights: Weights) -> ov.Model:
    """mel [1, frames, mels] -> [1, GLOBAL_TOKENS] int64."""
    weights = weights.at("speaker_encoder")
    ecapa = weights.at("speaker_encoder")
    mels = ecapa.at("layer1", "conv").shape("weight", 3)[1]
    mel = op.parameter([1, -1, mels], np.float32, name="mel")
    features = _ecapa(op.transpose(mel, ints(0, 2, 1)), ecapa)
    latents = _perceiver(op.transpose(features, ints(0, 2, 1)), weights.at("perceiver_sampler"))
    project_in = weights.at("quantizer", "project_in")
    digits = project_in.shape("weight", 2)[0]
    return ov.Model([_quantize(linear(latents, project_in), digits)], [mel], "speaker_encoder")


def _quantize(latents: Node, digits: int) -> Node:
    """[1, tokens, digits] -> [1, tokens] int64: `mira.model.codec.speaker.quantize`."""
    half = (FSQ_LEVELS - 1) * (1 + 1e-3) / 2
    bounded = op.tanh(latents + floats(atanh(0.5 / half))) * floats(half) + floats(-0.5)
    values = op.round(bounded, "half_to_even") + floats(FSQ_LEVELS // 2)
    places = floats(FSQ_LEVELS ** np.arange(digits))
    # The sums are whole numbers below 2^24: float32 has them exactly.
    return op.convert(op.reduce_sum(values * places, ints(2)), "i64")


def _ecapa(x: Node, weights: Weights) -> Node:
    """[1, mels, frames] -> [1, channels, frames]"""
    x = _conv_relu_norm(x, weights.at("layer1"))
    outputs = []
    for dilation in SPEAKER_DILATIONS:
        x = _res2_block(x, weights.at(f"layer{dilation}", "se_res2block"), dilation)
        outputs.append(x)
    return op.relu(convolution(op.concat(outputs, 1), weights.at("conv")))


def _res2_block(x: Node, weights: Weights, dilation: int) -> Node:
    inner = weights.at(1)
    count = inner.count("convs")
    groups = op.split(_conv_relu_norm(x, weights.at(0)), op.constant(1), count + 1)
    *groups, passed = groups.outputs()
    outputs: list[Node] = []
    for i, group in enumerate(groups):
        heard = op.add(outputs[-1], group) if outputs else group
        y = op.relu(convolution(heard, inner.at("convs", i), dilation=dilation))
        outputs.append(_batch_norm(y, inner.at("bns", i)))
    y = _conv_relu_norm(op.concat([*outputs, passed], 1), weights.at(2))
    mean = op.reduce_mean(y, ints(2))
    squeezed = op.relu(linear(mean, weights.at(3, "linear1")))
    gain = op.sigmoid(linear(squeezed, weights.at(3, "linear2")))
    return x + y * op.unsqueeze(gain, ints(2))


def _conv_relu_norm(x: Node, weights: Weights) -> Node:
    return _batch_norm(op.relu(convolution(x, weights.at("conv"))), weights.at("bn"))


def _batch_norm(x: Node, weights: Weights) -> Node:
    names = ("weight", "bias", "running_mean", "running_var")
    weight, bias, mean, variance = (weights.take(name, None) for name in names)
    scale = weight / np.sqrt(variance + np.float32(_BATCH_NORM_EPS))
    return x * floats(scale[:, None]) + floats((bias - mean * scale)[:, None])


def _perceiver(features: Node, weights: Weights) -> Node:
    """[1, frames, channels] -> [1, GLOBAL_TOKENS, dim]"""
    context = linear(features, weights.at("proj_context"))
    latents = weights.take("latents", GLOBAL_TOKENS, None)
    x: Node = op.constant(latents[None])
    for i in range(weights.count("layers")):
        layer = weights.at("layers", i)
        x = x + _attention(x, op.concat([x, context], 1), layer.at(0))
        value, gate = op.split(linear(x, layer.at(1, 0)), op.constant(2), 2).outputs()
        x = x + linear(op.multiply(op.gelu(gate, "erf"), value), layer.at(1, 2))
    x = op.normalize_l2(x, ints(2), 1e-12, "max")
    dim = latents.shape[1]
    return x * floats(weights.take("norm.gamma", dim) * np.float32(sqrt(dim)))


def _attention(x: Node, context: Node, weights: Weights) -> Node:
    inner = weights.at("to_q").shape("weight", 2)[0]
    key_value: Any = linear(context, weights.at("to_kv"), bias=False)
    key, value = op.split(key_value, op.constant(2), 2).outputs()
    query = linear(x, weights.at("to_q"), bias=False)
    query, key, value = (_heads(part) for part in (query, key, value))
    scale = (inner // SPEAKER_HEADS) ** -0.5
    scores = op.matmul(query * floats(scale), key, False, True)
    heard = op.matmul(op.softmax(scores, 3), value, False, False)
    joined = op.reshape(op.transpose(heard, ints(0, 2, 1, 3)), ints(1, -1, inner), False)
    return linear(joined, weights.at("to_out"), bias=False)


def _heads(x: Node) -> Node:
    """[1, length, heads * dim] -> [1, heads, length, dim]"""
    return op.transpose(op.reshape(x, ints(0, 0, SPEAKER_HEADS, -1), True), ints(0, 2, 1, 3))
