"""Dimensions in, random codec and upsampler weights that make a finite, audible noise out.

Knows nothing about files. Values depend on the seed and the tensor's name alone, so every layout
of one seed holds the same codec.
"""

import re
import zlib

import numpy as np

from mira.model.checkpoint.schema import CodecDims, Shape, codec_shapes
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

_KERNELS = (3, 7, 11)
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


def codec_noise(dims: CodecDims, seed: int, semantic: bool = True) -> dict[str, Array]:
    """Random weights by canonical name."""
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
    """How many numbers each output adds up."""
    if re.fullmatch(r"decoder\.model\.[1-4]\.block\.1\.weight", name):
        return shape[0] * 2.0  # transposed: about two of the kernel's taps meet
    return float(np.prod(shape[1:]))


def upsampler_noise(channels: int, seed: int) -> dict[str, Array]:
    """Random weights around "pass it through", in the names and shapes of upsampler.pth."""
    random = np.random.default_rng([seed, channels])
    half = np.asarray(_HALF_FILTER, dtype=np.float32)
    taps = np.concatenate([half, half[::-1]])[None, None]
    weights: dict[str, Array] = {}

    def draw(deviation: float, *shape: int) -> Array:
        return np.asarray(deviation * random.standard_normal(shape), dtype=np.float32)

    def normed(name: str, weight: Array) -> None:
        weights[f"{name}.bias"] = draw(0.001, weight.shape[0])
        weights[f"{name}.weight_g"] = np.sqrt(np.square(weight).sum((1, 2), keepdims=True))
        weights[f"{name}.weight_v"] = weight

    def activation(name: str) -> None:
        weights[f"{name}.act.alpha"] = draw(0.1, channels)
        weights[f"{name}.act.beta"] = draw(0.1, channels)
        weights[f"{name}.upsample.filter"] = taps
        weights[f"{name}.downsample.lowpass.filter"] = taps

    signs = np.where(np.arange(channels) % 2, -1, 1)[:, None].astype(np.float32)
    first = draw(0.05, channels, 1, 7)
    first[:, :, 3] += signs
    normed("dec.conv_pre", first)
    for block, kernel in enumerate(_KERNELS):
        deviation = 0.2 / float(np.sqrt(channels * kernel))
        for stage in ("convs1", "convs2"):
            for index in range(3):
                name = f"dec.resblocks.{block}.{stage}.{index}"
                normed(name, draw(deviation, channels, channels, kernel))
        for index in range(6):
            activation(f"dec.resblocks.{block}.activations.{index}")
    activation("dec.activation_post")
    last = draw(0.02 / channels, 1, channels, 7)
    last[:, :, 3] += signs.T / channels
    weights["dec.conv_post.weight"] = last
    return weights
