"""Codec weights in, the three ONNX files of a MiraTTS checkpoint out.

Knows the published networks, inputs and outputs; nothing about tokenizers or language models.
Source: BiCodec, Spark-TTS, arXiv:2503.01710 and its published code.
"""

from collections.abc import Callable, Mapping
from math import atanh, sqrt
from pathlib import Path

import numpy as np

from mira.model.checkpoint.schema import (
    DOWNSAMPLE_BLOCKS,
    DOWNSAMPLE_LAYERS,
    FSQ_DIGITS,
    RES2_BRANCHES,
    SPEAKER_BLOCKS,
    CodecDims,
)
from mira.model.checkpoint.tensors import Array
from mira.model.codec.base import GLOBAL_TOKENS
from mira.model.codec.decoder import fsq_codebook
from tools.tiny.onnx_builder import GraphBuilder

_HEADS = 8
_Norm = Callable[[str, str], str]


def write_prenet(path: Path, weights: Mapping[str, Array], dims: CodecDims) -> None:
    """Write processer.onnx: global and speech tokens to the wave generator's float16 input."""
    from onnx import TensorProto, helper

    graph = GraphBuilder(weights, 978)
    tokens = graph.node("Squeeze", "context_tokens", graph.constant([1]))
    codes = graph.node("Gather", graph.constant(fsq_codebook()), tokens)
    latents = graph.transpose(graph.linear(codes, "speaker_encoder.quantizer.project_out"))
    flat = graph.node("Reshape", latents, graph.constant([0, -1]))
    speaker = graph.gemm(flat, "speaker_encoder.project")

    rows = graph.node("Gather", graph.weight("quantizer.codebook.weight"), "speech_tokens")
    frames = graph.conv(graph.transpose(rows), "quantizer.out_project")
    x = graph.linear(graph.transpose(frames), "prenet.linear_pre")
    x = _downsample(graph, x, "prenet.downsample", dims)

    def adaptive(x: str, name: str) -> str:
        axis = graph.constant([1])
        scale = graph.node("Unsqueeze", graph.gemm(speaker, f"{name}.scale"), axis)
        shift = graph.node("Unsqueeze", graph.gemm(speaker, f"{name}.shift"), axis)
        plain = graph.layer_norm(x, None, dims.width)
        return graph.node("Add", graph.node("Mul", plain, scale), shift)

    x = _vocos(graph, graph.transpose(x), "prenet.vocos_backbone", dims, dims.layers, adaptive)
    x = graph.transpose(graph.linear(x, "prenet.linear"))
    x = graph.node("Add", x, graph.node("Unsqueeze", speaker, graph.constant([2])))
    graph.save(
        path,
        [
            helper.make_tensor_value_info("context_tokens", TensorProto.INT32, ["batch", 1, 32]),
            helper.make_tensor_value_info("speech_tokens", TensorProto.INT64, ["batch", "time"]),
        ],
        graph.node("Cast", x, to=TensorProto.FLOAT16),
        helper.make_tensor_value_info(
            "preprocessed_output", TensorProto.FLOAT16, ["batch", dims.latent, "time"]
        ),
    )


def write_semantic_encoder(path: Path, weights: Mapping[str, Array], dims: CodecDims) -> None:
    """Write q_encoder.onnx: wav2vec2 features to speech tokens, by cosines of codebook rows."""
    from onnx import TensorProto, helper

    graph = GraphBuilder(weights, 1208)
    x = graph.transpose("features")
    x = _vocos(graph, x, "encoder.encoder", dims, dims.layers, _plain(graph, dims))
    x = _downsample(graph, x, "encoder.downsample", dims)
    x = graph.transpose(graph.linear(x, "encoder.project"))
    x = graph.transpose(graph.conv(x, "quantizer.in_project"))
    codebook = weights["quantizer.codebook.weight"]
    directions = codebook / np.linalg.norm(codebook, axis=1, keepdims=True)
    # The length of x scales all of its cosines alike, so it can't change which is the largest.
    cosines = graph.node("MatMul", x, graph.anonymous("MatMul", directions.T))
    graph.save(
        path,
        [
            helper.make_tensor_value_info(
                "features", TensorProto.FLOAT, ["batch", "time", dims.features]
            )
        ],
        graph.node("ArgMax", cosines, axis=2, keepdims=0),
        helper.make_tensor_value_info("semantic_tokens", TensorProto.INT64, ["batch", "time"]),
    )


def write_speaker_encoder(path: Path, weights: Mapping[str, Array], dims: CodecDims) -> None:
    """Write s_encoder.onnx: a mel spectrogram to global tokens."""
    from onnx import TensorProto, helper

    graph = GraphBuilder(weights, 874)
    features = graph.transpose(_ecapa(graph, graph.transpose("mel_spectrogram")))
    latents = _perceiver(graph, features, dims)
    graph.save(
        path,
        [
            helper.make_tensor_value_info(
                "mel_spectrogram",
                TensorProto.FLOAT,
                ["batch_size", "mel_time_steps", dims.mel],
            )
        ],
        _quantize(graph, graph.linear(latents, "speaker_encoder.quantizer.project_in")),
        helper.make_tensor_value_info(
            "global_tokens", TensorProto.INT32, ["batch_size", 1, GLOBAL_TOKENS]
        ),
    )


def _plain(graph: GraphBuilder, dims: CodecDims) -> _Norm:
    return lambda x, name: graph.layer_norm(x, name, dims.width)


def _downsample(graph: GraphBuilder, x: str, name: str, dims: CodecDims) -> str:
    """[batch, time, channels] on both sides."""
    for block in range(DOWNSAMPLE_BLOCKS):
        x = graph.transpose(x)
        # A sampling block of ratio one adds its input, its skip and its output.
        x = graph.node("Add", graph.node("Add", x, x), x)
        x = _vocos(graph, x, f"{name}.{block}.1", dims, DOWNSAMPLE_LAYERS, _plain(graph, dims))
    return x


def _vocos(
    graph: GraphBuilder, x: str, name: str, dims: CodecDims, layers: int, norm: _Norm
) -> str:
    """[batch, channels, time] to [batch, time, channels]."""
    x = graph.transpose(graph.conv(x, f"{name}.embed"))
    x = graph.transpose(norm(x, f"{name}.norm"))
    for layer in range(layers):
        block = f"{name}.convnext.{layer}"
        y = graph.transpose(graph.conv(x, f"{block}.dwconv", group=dims.width))
        y = graph.linear(norm(y, f"{block}.norm"), f"{block}.pwconv1")
        y = graph.linear(graph.gelu(y), f"{block}.pwconv2")
        y = graph.node("Mul", graph.weight(f"{block}.gamma"), y)
        x = graph.node("Add", x, graph.transpose(y))
    return graph.layer_norm(graph.transpose(x), f"{name}.final_layer_norm", dims.width)


def _ecapa(graph: GraphBuilder, x: str) -> str:
    """[batch, mel, time] to [batch, features, time]."""
    name = "speaker_encoder.speaker_encoder"

    def layer(x: str, conv: str, norm: str, dilation: int = 1) -> str:
        y = graph.node("Relu", graph.conv(x, f"{name}.{conv}", dilation))
        return graph.batch_norm(y, f"{name}.{norm}")

    x = layer(x, "layer1.conv", "layer1.bn")
    heard = []
    for dilation, block in enumerate(SPEAKER_BLOCKS, start=2):
        block = f"{block}.se_res2block"
        y = layer(x, f"{block}.0.conv", f"{block}.0.bn")
        *parts, passed = graph.split(y, RES2_BRANCHES + 1, 1)
        outputs: list[str] = []
        for i, part in enumerate(parts):
            part = graph.node("Add", outputs[-1], part) if outputs else part
            outputs.append(layer(part, f"{block}.1.convs.{i}", f"{block}.1.bns.{i}", dilation))
        y = graph.node("Concat", *outputs, passed, axis=1)
        y = layer(y, f"{block}.2.conv", f"{block}.2.bn")
        mean = graph.node("ReduceMean", y, axes=[2], keepdims=0)
        squeezed = graph.node("Relu", graph.gemm(mean, f"{name}.{block}.3.linear1"))
        gain = graph.node("Sigmoid", graph.gemm(squeezed, f"{name}.{block}.3.linear2"))
        gain = graph.node("Unsqueeze", gain, graph.constant([2]))
        x = graph.node("Add", x, graph.node("Mul", y, gain))
        heard.append(x)
    joined = graph.node("Concat", *heard, axis=1)
    return graph.node("Relu", graph.conv(joined, f"{name}.conv"))


def _perceiver(graph: GraphBuilder, features: str, dims: CodecDims) -> str:
    """[batch, time, features] to [batch, 32, perceiver]."""
    name = "speaker_encoder.perceiver_sampler"
    context = graph.linear(features, f"{name}.proj_context")
    shape = graph.node("Shape", "mel_spectrogram")
    batch = graph.node("Slice", shape, graph.constant([0]), graph.constant([1]))
    whole = graph.node("Concat", batch, graph.constant([GLOBAL_TOKENS, dims.perceiver]), axis=0)
    latents = graph.anonymous("Expand", graph.values(f"{name}.latents")[None])
    x = graph.node("Expand", latents, whole)
    for layer in range(dims.perceiver_layers):
        block = f"{name}.layers.{layer}"
        x = graph.node("Add", _attention(graph, x, context, f"{block}.0"), x)
        wide = graph.linear(x, f"{block}.1.0")
        value, gate = graph.split(wide, 2, -1)
        hidden = graph.node("Mul", graph.gelu(gate), value)
        x = graph.node("Add", graph.linear(hidden, f"{block}.1.2"), x)
    norm = graph.node("ReduceL2", x, axes=[-1], keepdims=1)
    norm = graph.node("Clip", norm, graph.constant(1e-12))
    unit = graph.node("Mul", graph.node("Div", x, norm), graph.constant(sqrt(dims.perceiver)))
    return graph.node("Mul", unit, graph.weight(f"{name}.norm.gamma"))


def _attention(graph: GraphBuilder, x: str, context: str, name: str) -> str:
    inner = graph.values(f"{name}.to_q.weight").shape[0]

    def heads(x: str, *order: int) -> str:
        split = graph.node("Reshape", x, graph.constant([0, -1, _HEADS, inner // _HEADS]))
        return graph.transpose(split, *order)

    query = graph.matmul(x, f"{name}.to_q")
    both = graph.matmul(graph.node("Concat", x, context, axis=1), f"{name}.to_kv")
    key, value = graph.split(both, 2, -1)
    scores = graph.node("MatMul", heads(query, 0, 2, 1, 3), heads(key, 0, 2, 3, 1))
    scores = graph.node("Mul", scores, graph.constant((inner / _HEADS) ** -0.5))
    heard = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), heads(value, 0, 2, 1, 3))
    joined = graph.node("Reshape", graph.transpose(heard, 0, 2, 1, 3), graph.constant([0, 0, -1]))
    return graph.matmul(joined, f"{name}.to_out")


def _quantize(graph: GraphBuilder, x: str) -> str:
    """Finite scalars: four levels in each of six digits, the first the least significant."""
    from onnx import TensorProto

    half, offset = 1.5 * (1 + 1e-3), 0.5
    bounded = graph.node("Tanh", graph.node("Add", x, graph.constant(atanh(offset / half))))
    bounded = graph.node("Mul", bounded, graph.constant(half))
    levels = graph.node("Round", graph.node("Sub", bounded, graph.constant(offset)))
    digits = graph.node("Add", levels, graph.constant(2.0))
    places = graph.constant((4.0 ** np.arange(FSQ_DIGITS)).astype(np.float32))
    codes = graph.node(
        "ReduceSum", graph.node("Mul", digits, places), graph.constant([2]), keepdims=0
    )
    tokens = graph.node("Cast", codes, to=TensorProto.INT32)
    return graph.node("Unsqueeze", tokens, graph.constant([1]))
