"""A recording in, as a network hears it; tokens out: who speaks, and what is said how.

ECAPA-TDNN hears the recording's mel spectrogram, a perceiver sums it up in 32 latents, finite
scalar quantization makes a global token of each. Speech tokens come of wav2vec2's features.

Knows nothing about recordings or how tokens become sound. Source: BiCodec, Spark-TTS,
arXiv:2503.01710; ECAPA-TDNN, arXiv:2005.07143; FSQ, arXiv:2309.15505.
"""

from math import atanh

import numpy as np

from mira.model.checkpoint.schema import FSQ_DIGITS
from mira.model.codec.decoder import FSQ_LEVELS, backbone, sampled
from mira.model.codec.layers import Floats, Layers, Node

_DILATIONS = (2, 3, 4)  # of ECAPA's blocks
_GROUPS = 8  # of channels in each of them
_HEADS = 8  # of the perceiver
_BATCH_NORM_EPS = np.float32(1e-5)


def speaker_encoder(nn: Layers, mel: Node) -> Node:
    """[1, frames, mels] magnitudes -> [1, GLOBAL_TOKENS] whole numbers."""
    return quantized(nn, speaker_latents(nn, mel))


def speaker_latents(nn: Layers, mel: Node) -> Node:
    """[1, frames, mels] magnitudes -> [1, GLOBAL_TOKENS, FSQ_DIGITS], before rounding."""
    voice = nn.at("speaker_encoder")
    features = nn.swapped(_ecapa(voice.at("speaker_encoder"), nn.swapped(mel)))
    return voice.linear(_perceiver(voice.at("perceiver_sampler"), features), "quantizer.project_in")


def quantized(nn: Layers, latents: Node) -> Node:
    """[..., FSQ_DIGITS] -> [..., 1]: each value becomes one of four, the first the least weighty.

    The sums are whole numbers below 2^24, which float32 has exactly.
    """
    half = (FSQ_LEVELS - 1) * (1 + 1e-3) / 2  # a little more, so that tanh gets there
    offset = 0.5  # an even number of levels has none at zero
    bounded = nn.tanh(latents + nn.number(atanh(offset / half))) * nn.number(half)
    digits = nn.rounded(bounded + nn.number(-offset)) + nn.number(FSQ_LEVELS // 2)
    places = nn.constant("places", lambda: float(FSQ_LEVELS) ** np.arange(FSQ_DIGITS)[None])
    return nn.product(digits, places)


def semantic_scores(nn: Layers, features: Node) -> Node:
    """[batch, frames, channels] -> [batch, frames, SPEECH_CODES]: the highest is the token's.

    57 frames of context on each side count.
    """
    encoder, quantizer = nn.at("encoder"), nn.at("quantizer")
    x = sampled(encoder.at("downsample"), backbone(encoder.at("encoder"), features))
    project = quantizer.at("in_project")
    weight = project.constant("matrix", lambda: project.take("weight")[..., 0])
    codes = nn.product(encoder.linear(x, "project"), weight, project.tensor("bias"))

    def directions() -> Floats:
        codebook = quantizer.take("codebook.weight")
        lengths: Floats = np.linalg.norm(codebook, axis=1, keepdims=True)
        return codebook / lengths

    # A row's direction is all that counts, so the longest projection is the nearest row.
    return nn.product(codes, quantizer.constant("directions", directions))


def _ecapa(nn: Layers, x: Node) -> Node:
    """[1, mels, frames] -> [1, channels, frames]"""
    x = _conv_relu_norm(nn.at("layer1"), x)
    outputs = []
    for dilation in _DILATIONS:
        x = _res2_block(nn.at(f"layer{dilation}", "se_res2block"), x, dilation)
        outputs.append(x)
    return nn.relu(nn.convolution(nn.joined(outputs, 1), "conv"))


def _res2_block(nn: Layers, x: Node, dilation: int) -> Node:
    """Compute groups of channels that each hear the one before, then a gain for each channel."""
    *groups, passed = nn.split(_conv_relu_norm(nn.at(0), x), _GROUPS, 1)
    heard: list[Node] = []
    for number, group in enumerate(groups):
        y = nn.convolution(heard[-1] + group if heard else group, f"1.convs.{number}", dilation)
        heard.append(_batch_norm(nn.at(1, "bns", number), nn.relu(y)))
    y = _conv_relu_norm(nn.at(2), nn.joined([*heard, passed], 1))
    squeezed = nn.relu(nn.linear(nn.mean(y), "3.linear1"))
    gain = nn.sigmoid(nn.linear(squeezed, "3.linear2"))
    return x + y * nn.unsqueezed(gain, 2)


def _conv_relu_norm(nn: Layers, x: Node) -> Node:
    """Compute the three in this unusual order."""
    return _batch_norm(nn.at("bn"), nn.relu(nn.convolution(x, "conv")))


def _batch_norm(nn: Layers, x: Node) -> Node:
    def scale() -> Floats:
        deviation: Floats = np.sqrt(nn.take("running_var") + _BATCH_NORM_EPS)
        return (nn.take("weight") / deviation)[:, None]

    def shift() -> Floats:
        return nn.take("bias")[:, None] - nn.take("running_mean")[:, None] * scale()

    return x * nn.constant("scale", scale) + nn.constant("shift", shift)


def _perceiver(nn: Layers, features: Node) -> Node:
    """[1, frames, channels] -> [1, GLOBAL_TOKENS, dim]"""
    context = nn.linear(features, "proj_context")
    x = nn.constant("asking", lambda: nn.take("latents")[None])
    for layer in nn.each("layers", "1.0.weight"):
        attention = layer.at(0)
        query = attention.linear(x, "to_q", bias=False)
        key_value = attention.linear(nn.joined([x, context], 1), "to_kv", bias=False)
        key, value = nn.split(key_value, 2, 2)
        heard = nn.attention(query, key, value, _HEADS)
        x = x + attention.linear(heard, "to_out", bias=False)
        value, gate = nn.split(layer.linear(x, "1.0"), 2, 2)
        x = x + layer.linear(nn.gelu(gate) * value, "1.2")

    def gamma() -> Floats:
        of_each = nn.take("norm.gamma")
        return of_each * np.float32(len(of_each) ** 0.5)

    return nn.normalized(x) * nn.constant("gamma", gamma)
