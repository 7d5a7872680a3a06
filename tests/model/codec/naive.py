"""BiCodec written down a second time, as plainly as can be: NumPy, float64, one item, loops.

Shares no line with the package, so that both can't be wrong in the same way.
"""

from collections.abc import Mapping, Sequence
from math import atanh, erf

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Tensors = Mapping[str, npt.NDArray[np.float32]]


def conv(t: Tensors, name: str, x: Array, dilation: int = 1, groups: int = 1) -> Array:
    """[channels, length] -> [out, length]; zeros beyond the ends."""
    weight, length = t[f"{name}.weight"], x.shape[1]
    out, inputs, kernel = weight.shape
    pad = dilation * (kernel - 1) // 2
    padded = np.pad(x, ((0, 0), (pad, pad)))
    y = np.repeat(t[f"{name}.bias"][:, None].astype(np.float64), length, axis=1)
    for o in range(out):
        group = o // (out // groups)
        for i in range(inputs):
            for k in range(kernel):
                row = padded[group * inputs + i]
                y[o] += weight[o, i, k] * row[k * dilation : k * dilation + length]
    return y


def conv_transpose(t: Tensors, name: str, x: Array, stride: int) -> Array:
    weight = t[f"{name}.weight"]
    kernel, length = weight.shape[2], x.shape[1]
    y = np.zeros((weight.shape[1], (length - 1) * stride + kernel))
    for n in range(length):
        y[:, n * stride : n * stride + kernel] += np.tensordot(x[:, n], weight, axes=1)
    pad = (kernel - stride) // 2
    return y[:, pad : pad + length * stride] + t[f"{name}.bias"][:, None]


def linear(t: Tensors, name: str, x: Array) -> Array:
    """[..., in] -> [..., out]"""
    y = x @ t[f"{name}.weight"].T.astype(np.float64)
    return y + t[f"{name}.bias"] if f"{name}.bias" in t else y


def norm(x: Array, scale: Array, shift: Array) -> Array:
    """Over the channels of [channels, frames]."""
    mean, variance = x.mean(0), x.var(0)
    return (x - mean) / np.sqrt(variance + 1e-6) * scale[:, None] + shift[:, None]


def gelu(x: Array) -> Array:
    return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def backbone(t: Tensors, name: str, x: Array, voice: Array | None = None) -> Array:
    def inner_norm(where: str, x: Array) -> Array:
        if voice is None:
            return norm(x, t[f"{where}.norm.weight"], t[f"{where}.norm.bias"])
        scale, shift = (linear(t, f"{where}.norm.{part}", voice) for part in ("scale", "shift"))
        return norm(x, scale, shift)

    x = inner_norm(name, conv(t, f"{name}.embed", x))
    i = 0
    while (block := f"{name}.convnext.{i}") + ".gamma" in t:
        y = inner_norm(block, conv(t, f"{block}.dwconv", x, groups=len(x))).T
        y = linear(t, f"{block}.pwconv2", gelu(linear(t, f"{block}.pwconv1", y)))
        x = x + (t[f"{block}.gamma"] * y).T
        i += 1
    final = f"{name}.final_layer_norm"
    return norm(x, t[f"{final}.weight"], t[f"{final}.bias"])


def speaker_vector(t: Tensors, global_tokens: Sequence[int]) -> Array:
    root = "speaker_encoder.quantizer.project_out"
    codes = [[token // 4**i % 4 / 2 - 1 for i in range(6)] for token in global_tokens]
    return linear(t, "speaker_encoder.project", linear(t, root, np.array(codes)).T.flatten())


def prenet(t: Tensors, tokens: Sequence[int], voice: Array) -> Array:
    """-> [channels, frames]"""
    x = conv(t, "quantizer.out_project", t["quantizer.codebook.weight"][list(tokens)].T)
    x = linear(t, "prenet.linear_pre", x.T).T
    for i in (0, 1):
        x = backbone(t, f"prenet.downsample.{i}.1", x + x + x)
    x = backbone(t, "prenet.vocos_backbone", x, voice)
    return linear(t, "prenet.linear", x.T).T + voice[:, None]


def wave_generator(t: Tensors, x: Array) -> Array:
    """[channels, frames] -> [frames * 320]"""

    def snake(name: str, x: Array) -> Array:
        alpha = t[f"{name}.alpha"][0].astype(np.float64)
        return x + np.sin(alpha * x) ** 2 / (alpha + 1e-9)

    model = "decoder.model"
    x = conv(t, f"{model}.0", x)
    for i, stride in enumerate((8, 5, 4, 2), start=1):
        block = f"{model}.{i}.block"
        x = conv_transpose(t, f"{block}.1", snake(f"{block}.0", x), stride)
        for j, dilation in ((2, 1), (3, 3), (4, 9)):
            unit = f"{block}.{j}.block"
            y = conv(t, f"{unit}.1", snake(f"{unit}.0", x), dilation)
            x = x + conv(t, f"{unit}.3", snake(f"{unit}.2", y))
    return np.tanh(conv(t, f"{model}.6", snake(f"{model}.5", x)))[0]


def speaker_latents(t: Tensors, mel: Array) -> Array:
    """[frames, mels] -> [32, 6]"""
    features = _ecapa(t, "speaker_encoder.speaker_encoder", mel.T)
    root = "speaker_encoder.perceiver_sampler"
    context = linear(t, f"{root}.proj_context", features.T)
    x = t[f"{root}.latents"].astype(np.float64)
    for i in (0, 1):
        layer = f"{root}.layers.{i}"
        q = linear(t, f"{layer}.0.to_q", x)
        kv = linear(t, f"{layer}.0.to_kv", np.concatenate([x, context]))
        k, v = kv[:, : q.shape[1]], kv[:, q.shape[1] :]
        heads = []
        for head in np.split(np.arange(q.shape[1]), 8):
            scores = q[:, head] @ k[:, head].T / np.sqrt(len(head))
            scores = np.exp(scores - scores.max(1, keepdims=True))
            heads.append(scores / scores.sum(1, keepdims=True) @ v[:, head])
        x = x + linear(t, f"{layer}.0.to_out", np.concatenate(heads, axis=1))
        value, gate = np.split(linear(t, f"{layer}.1.0", x), 2, axis=1)
        x = x + linear(t, f"{layer}.1.2", gelu(gate) * value)
    x = x / np.linalg.norm(x, axis=1, keepdims=True) * np.sqrt(x.shape[1])
    return linear(t, "speaker_encoder.quantizer.project_in", x * t[f"{root}.norm.gamma"])


def _ecapa(t: Tensors, root: str, x: Array) -> Array:
    def batch_norm(name: str, x: Array) -> Array:
        mean, variance, scale, shift = (
            t[f"{name}.{part}"][:, None].astype(np.float64)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (np.maximum(x, 0) - mean) / np.sqrt(variance + 1e-5) * scale + shift

    x = batch_norm(f"{root}.layer1.bn", conv(t, f"{root}.layer1.conv", x))
    outputs = []
    for dilation in (2, 3, 4):
        block = f"{root}.layer{dilation}.se_res2block"
        y = batch_norm(f"{block}.0.bn", conv(t, f"{block}.0.conv", x))
        groups = np.split(y, 8)
        heard = [conv(t, f"{block}.1.convs.0", groups[0], dilation)]
        heard[0] = batch_norm(f"{block}.1.bns.0", heard[0])
        for i in range(1, 7):
            z = conv(t, f"{block}.1.convs.{i}", heard[-1] + groups[i], dilation)
            heard.append(batch_norm(f"{block}.1.bns.{i}", z))
        y = batch_norm(
            f"{block}.2.bn", conv(t, f"{block}.2.conv", np.concatenate([*heard, groups[7]]))
        )
        gain = linear(
            t, f"{block}.3.linear2", np.maximum(0, linear(t, f"{block}.3.linear1", y.mean(1)))
        )
        x = x + y / (1 + np.exp(-gain[:, None]))
        outputs.append(x)
    return np.maximum(0, conv(t, f"{root}.conv", np.concatenate(outputs)))


def fsq(latents: Array) -> list[int]:
    """[tokens, digits] -> ids"""
    half = 1.5 * 1.001
    bounded = np.tanh(latents + atanh(0.5 / half)) * half - 0.5
    return [sum(int(np.rint(v) + 2) * 4**i for i, v in enumerate(row)) for row in bounded]


def semantic_tokens(t: Tensors, features: Array) -> list[int]:
    """[frames, channels] -> ids"""
    x = backbone(t, "encoder.encoder", features.T)
    for i in (0, 1):
        x = backbone(t, f"encoder.downsample.{i}.1", x + x + x)
    codes = conv(t, "quantizer.in_project", linear(t, "encoder.project", x.T).T).T
    book = t["quantizer.codebook.weight"].astype(np.float64)
    book = book / np.linalg.norm(book, axis=1, keepdims=True)
    codes = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    distances = ((codes[:, None] - book[None]) ** 2).sum(-1)
    return [int(i) for i in distances.argmin(1)]


def upsampler(t: Tensors, samples: Array) -> Array:
    """[num_samples] at 16 kHz -> [3 * num_samples]"""

    def activation(name: str, x: Array) -> Array:
        up, down = (t[f"{name}.{p}.filter"][0, 0] for p in ("upsample", "downsample.lowpass"))
        padded = np.pad(x, ((0, 0), (5, 5)), mode="edge")
        spread = np.zeros((len(x), 2 * padded.shape[1] - 1))
        spread[:, ::2] = padded
        y = np.stack([2 * np.convolve(row, up) for row in spread])[:, 15:-15]
        alpha, beta = (np.exp(t[f"{name}.act.{p}"])[:, None] for p in ("alpha", "beta"))
        y = y + np.sin(alpha * y) ** 2 / (beta + 1e-9)
        padded = np.pad(y, ((0, 0), (5, 6)), mode="edge")
        return np.stack([np.convolve(row, down[::-1], "valid")[::2] for row in padded])

    def block(i: int, x: Array) -> Array:
        for j, dilation in enumerate((1, 3, 5)):
            root = f"dec.resblocks.{i}"
            y = conv(
                t, f"{root}.convs1.{j}", activation(f"{root}.activations.{2 * j}", x), dilation
            )
            x = x + conv(t, f"{root}.convs2.{j}", activation(f"{root}.activations.{2 * j + 1}", y))
        return x

    x = conv(t, "dec.conv_pre", samples[None])
    places = (np.arange(3 * len(samples)) + 0.5) / 3 - 0.5
    x = np.stack([np.interp(places, np.arange(len(samples)), row) for row in x])
    x = activation("dec.activation_post", (block(2, x) + block(0, x)) / 2)
    zero = {"last.weight": t["dec.conv_post.weight"], "last.bias": np.zeros(1, np.float32)}
    return np.tanh(conv(zero, "last", x))[0]
