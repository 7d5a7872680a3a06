"""Dimensions in, random codec and upsampler weights that make a finite, audible noise out.

Knows nothing about files. Values depend on the seed and the tensor's name alone, so every layout
of one seed holds the same codec.
"""

import re
import zlib

import numpy as np

from mira.model.checkpoint.schema import CodecDims, Shape, codec_shapes, upsampler_shapes
from mira.model.checkpoint.tensors import Array

TINY = CodecDims(
    latent=32,
    width=24,
    hidden=48,
    layers=12,
    wave=64,
    features=32,
    speaker=32,
    squeeze=8,
    speaker_features=48,
    perceiver=16,
    perceiver_inner=64,
    perceiver_hidden=21,
)
TINY_UPSAMPLER = 4  # channels; the published one has 32
TRUE_UPSAMPLER = 32

# Kaiser-windowed sinc of twelve taps, cutoff 0.25, half-width 0.3: the published one's filters.
_HALF_FILTER = (0.00202896, 0.00938947, -0.02554346, -0.05765738, 0.12857258, 0.4432098)

# (mean, deviation) by name, the first that matches. All others keep the variance of what they
# read, times a gain.
_RULES: tuple[tuple[str, float, float], ...] = (
    (r".*codebook\.weight", 0, 1),
    (r".*\.alpha", 1, 0.2),
    (r".*\.convnext\.\d+\.gamma", 0.3, 0.05),
    (r".*\.norm\.gamma", 1, 0.1),
    (r".*\.latents", 0, 1),
    (r".*\.running_mean", 0, 0.1),
    (r".*\.running_var", 1, 0.1),
    (r".*\.norm\.scale\.bias", 1, 0.1),
    (r".*(bns\.\d+|bn|norm|final_layer_norm)\.weight", 1, 0.1),
    (r".*\.bias", 0, 0.05),
)
_GAINS: tuple[tuple[str, float], ...] = (
    (r".*\.norm\.(scale|shift)\.weight", 0.2),
    (r".*speaker_encoder\.layer1\.conv\.weight", 20),  # mel magnitudes are small
    (r".*quantizer\.project_in\.weight", 1.5),
    (r"speaker_encoder\.project\.weight", 2),  # what it reads has a deviation of about a half
    (r"decoder\.model\.\d\.block\.[234]\.block\.[13]\.weight", 0.5),
    (r"decoder\.model\.6\.weight", 0.04),
)

_UPSAMPLER = (  # deviations; those of weights are divided by the root of what an output adds up
    (r"dec\.conv_pre\.weight", 0.13),
    (r"dec\.conv_post\.weight", 0.05),
    (r".*\.bias", 0.001),
    (r".*\.act\.(alpha|beta)", 0.1),
)


def codec_noise(dims: CodecDims, seed: int, semantic: bool = True) -> dict[str, Array]:
    """Draw random weights, by canonical name."""
    weights = {}
    for name, shape in codec_shapes(dims, semantic).items():
        values = _draw(name, shape, seed)
        if name == "decoder.model.6.weight":
            values -= values.mean(axis=2, keepdims=True)  # Snake drifts upwards: stop the offset
        if name.endswith(".alpha"):
            values = np.abs(values)
        weights[name] = values
    return weights


def _draw(name: str, shape: Shape, seed: int) -> Array:
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    values = random.standard_normal(shape, dtype=np.float32)
    for pattern, mean, deviation in _RULES:
        if re.fullmatch(pattern, name):
            return np.asarray(mean + deviation * values, dtype=np.float32)
    gain = next((gain for pattern, gain in _GAINS if re.fullmatch(pattern, name)), 1.0)
    return np.asarray(gain / np.sqrt(_inputs(name, shape)) * values, dtype=np.float32)


def _inputs(name: str, shape: Shape) -> float:
    """Count the numbers that each output adds up."""
    if re.fullmatch(r"decoder\.model\.[1-4]\.block\.1\.weight", name):
        return shape[0] * 2.0  # transposed: about two of the kernel's taps meet
    return float(np.prod(shape[1:]))


def upsampler_noise(channels: int, seed: int) -> dict[str, Array]:
    """Draw weights around "pass it through", in the names and shapes of upsampler.pth."""
    random = np.random.default_rng([seed, channels])
    half = np.asarray(_HALF_FILTER, dtype=np.float32)
    signs = np.where(np.arange(channels) % 2, -1, 1).astype(np.float32)
    weights: dict[str, Array] = {}
    for name, shape in upsampler_shapes(channels).items():
        deviation = next((d for pattern, d in _UPSAMPLER if re.fullmatch(pattern, name)), 0.2)
        if name.endswith(".weight"):
            deviation /= float(np.sqrt(np.prod(shape[1:])))
        values = np.asarray(deviation * random.standard_normal(shape), np.float32)
        if name == "dec.conv_pre.weight":
            values[:, 0, 3] += signs
        elif name == "dec.conv_post.weight":
            values[0, :, 3] += signs / channels
        elif name.endswith(".filter"):
            values[0, 0] = [*half, *half[::-1]]
        if name.endswith(".weight") and name != "dec.conv_post.weight":
            weights[f"{name}_g"] = np.sqrt(np.square(values).sum((1, 2), keepdims=True))
            weights[f"{name}_v"] = values
        else:
            weights[name] = values
    return weights
