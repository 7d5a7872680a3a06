"""Both layouts give one codec, by canonical names; whatever does not fit is named."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

from mira.errors import CheckpointError
from mira.model.checkpoint.layout import open_checkpoint
from mira.model.checkpoint.schema import codec_shapes
from mira.model.checkpoint.weights import codec_weights, upsampler_weights
from mira.model.codec.decoder import fsq_codebook
from tools.tiny.codec import TINY, codec_noise

QUERY = "speaker_encoder.perceiver_sampler.layers.0.0.to_q.weight"


def edit_graph(path: Path, change) -> None:
    model = onnx.load(path)
    change(model.graph)
    onnx.save(model, path)


def edit_tensors(path: Path, change) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def weight(graph, name: str):
    return next(tensor for tensor in graph.initializer if tensor.name == name)


@pytest.mark.parametrize("semantic", [False, True])
@pytest.mark.parametrize("layout", ["mira", "spark"])
def test_the_weights_are_those_that_were_written(layout, semantic, request) -> None:
    weights = codec_weights(request.getfixturevalue(layout), semantic)
    written = codec_noise(TINY, seed=0)
    assert {name: values.shape for name, values in weights.items()} == codec_shapes(TINY, semantic)
    for name, values in weights.items():
        assert values.dtype == np.float32
        assert values.flags.c_contiguous
        np.testing.assert_allclose(values, written[name], rtol=1e-5, atol=1e-7, err_msg=name)


def test_serial_numbers_mean_nothing(mira_directory: Path, copy) -> None:
    """The matrices get each other's numbers, and the file another order."""
    directory = copy(mira_directory)

    def shuffle(graph) -> None:
        names = [t.name for t in graph.initializer if t.name.startswith("onnx::")]
        renamed = dict(zip(names, reversed(names), strict=True))
        for tensor in graph.initializer:
            tensor.name = renamed.get(tensor.name, tensor.name)
        for node in graph.node:
            for index, name in enumerate(node.input):
                node.input[index] = renamed.get(name, name)
        kept = sorted(graph.initializer, key=lambda tensor: tensor.name)
        del graph.initializer[:]
        graph.initializer.extend(kept)

    for name in ("processer", "s_encoder", "q_encoder"):
        edit_graph(directory / "decoders" / f"{name}.onnx", shuffle)
    weights = codec_weights(open_checkpoint(directory), semantic=True)
    for name, values in codec_weights(open_checkpoint(mira_directory), semantic=True).items():
        np.testing.assert_array_equal(weights[name], values, err_msg=name)


def test_a_query_after_its_keys_is_told_by_its_shape(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)

    def swap(graph) -> None:
        nodes = list(graph.node)
        query = next(i for i, node in enumerate(nodes) if is_query(graph, node))
        moved = nodes.pop(query)
        keys = next(i for i in range(query, len(nodes)) if nodes[i].op_type == "MatMul")
        nodes.insert(keys + 1, moved)
        del graph.node[:]
        graph.node.extend(nodes)

    def is_query(graph, node) -> bool:
        return node.op_type == "MatMul" and list(weight(graph, node.input[1]).dims) == [
            TINY.perceiver,
            TINY.perceiver_inner,
        ]

    edit_graph(directory / "decoders" / "s_encoder.onnx", swap)
    expected = codec_weights(open_checkpoint(mira_directory))[QUERY]
    np.testing.assert_array_equal(codec_weights(open_checkpoint(directory))[QUERY], expected)


def test_a_missing_tensor_is_named(spark_directory: Path, copy) -> None:
    directory = copy(spark_directory)
    path = directory / "BiCodec" / "model.safetensors"
    edit_tensors(path, lambda tensors: tensors.pop("prenet.linear.bias"))
    with pytest.raises(CheckpointError, match=r"1 tensors missing, expected prenet\.linear\.bias"):
        codec_weights(open_checkpoint(directory))


def test_a_tensor_of_no_use_is_named(spark_directory: Path, mira_directory: Path, copy) -> None:
    directory = copy(spark_directory)
    path = directory / "BiCodec" / "model.safetensors"
    edit_tensors(path, lambda tensors: tensors.update(extra=np.ones(3, np.float32)))
    with pytest.raises(CheckpointError, match=r"extra: no use for this tensor of shape \(3,\)"):
        codec_weights(open_checkpoint(directory))


@pytest.mark.parametrize("name", ["onnx::Mul_4000", "prenet.extra.weight"])
def test_an_initialiser_of_no_use_is_named(mira_directory: Path, copy, name: str) -> None:
    directory = copy(mira_directory)
    tensor = numpy_helper.from_array(np.arange(5, dtype=np.float32), name)
    edit_graph(
        directory / "decoders/processer.onnx", lambda graph: graph.initializer.append(tensor)
    )
    with pytest.raises(CheckpointError, match=f"processer.onnx: {name}: no use"):
        codec_weights(open_checkpoint(directory))


def test_a_matrix_of_no_use_is_named(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)

    def add(graph) -> None:
        graph.initializer.append(
            numpy_helper.from_array(np.ones((128, 4), np.float32), "onnx::MatMul_1")
        )
        graph.node.append(
            onnx.helper.make_node("MatMul", ["mel_spectrogram", "onnx::MatMul_1"], ["z"])
        )

    edit_graph(directory / "decoders" / "s_encoder.onnx", add)
    with pytest.raises(CheckpointError, match=r"s_encoder\.onnx: matrices without bias"):
        codec_weights(open_checkpoint(directory))


def test_a_wrong_shape_is_named(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    path = directory / "decoders" / "detokenizer.safetensors"
    edit_tensors(path, lambda tensors: tensors.update({"model.5.alpha": np.ones((1, 9, 1), "f4")}))
    with pytest.raises(
        CheckpointError,
        match=r"detokenizer\.safetensors: decoder\.model\.5\.alpha: expected shape "
        r"\(1, 4, 1\); found \(1, 9, 1\)",
    ):
        codec_weights(open_checkpoint(directory))


def test_a_value_that_is_not_finite_is_named(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)

    def poison(graph) -> None:
        tensor = weight(graph, "quantizer.codebook.weight")
        values = numpy_helper.to_array(tensor).copy()
        values[17, 3] = np.inf
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    edit_graph(directory / "decoders" / "processer.onnx", poison)
    with pytest.raises(CheckpointError, match=r"processer\.onnx: quantizer\.codebook\.weight: exp"):
        codec_weights(open_checkpoint(directory))


def test_a_tensor_in_two_files_must_be_the_same(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    bias = codec_weights(open_checkpoint(mira_directory))["prenet.linear.bias"]
    path = directory / "decoders" / "s_encoder.onnx"
    twin = numpy_helper.from_array(bias, "prenet.linear.bias")
    edit_graph(path, lambda graph: graph.initializer.append(twin))
    codec_weights(open_checkpoint(directory))
    other = numpy_helper.from_array(bias + 1, "prenet.linear.bias")
    edit_graph(path, lambda graph: weight(graph, "prenet.linear.bias").CopyFrom(other))
    with pytest.raises(CheckpointError, match=r"prenet\.linear\.bias: expected the values of"):
        codec_weights(open_checkpoint(directory))


def test_the_exporters_own_tables_are_checked(mira_directory: Path, copy) -> None:
    """The codebook of global tokens is arithmetic: it may be stored, if it is right."""
    directory = copy(mira_directory)
    path = directory / "decoders" / "processer.onnx"
    table = numpy_helper.from_array(fsq_codebook(), "onnx::Gather_900")
    edit_graph(path, lambda graph: graph.initializer.append(table))
    codec_weights(open_checkpoint(directory))
    wrong = numpy_helper.from_array(fsq_codebook()[::-1].copy(), "onnx::Gather_900")
    edit_graph(path, lambda graph: weight(graph, "onnx::Gather_900").CopyFrom(wrong))
    with pytest.raises(CheckpointError, match="onnx::Gather_900: no use"):
        codec_weights(open_checkpoint(directory))


def test_global_codes_are_base_four() -> None:
    """Source of the example: 2807 = 3 + 1*4 + 3*16 + 3*64 + 2*256 + 2*1024 (dimension 0 first)."""
    code = 3 + 1 * 4 + 3 * 16 + 3 * 64 + 2 * 256 + 2 * 1024
    np.testing.assert_array_equal(fsq_codebook()[code], [0.5, -0.5, 0.5, 0.5, 0, 0])


def test_the_upsampler(mira, spark) -> None:
    weights = upsampler_weights(mira)
    assert all(name.startswith("dec.") for name in weights)
    assert not any(name.endswith(("weight_g", "weight_v")) for name in weights)
    assert len(weights) == 134 - 19  # nineteen convolutions had two tensors for one
    assert weights["dec.conv_pre.weight"].shape[1:] == (1, 7)
    assert upsampler_weights(spark) is None


def test_an_upsampler_with_other_tensors_is_named(mira_directory: Path, copy) -> None:
    directory = copy(mira_directory)
    path = directory / "decoders" / "upsampler.pth"
    content = torch.load(path, weights_only=True)
    content["model"].pop("dec.conv_post.weight")
    torch.save(content, path)
    with pytest.raises(
        CheckpointError, match=r"upsampler\.pth: 1 tensors missing, expected dec\.conv_post\.weight"
    ):
        upsampler_weights(open_checkpoint(directory))
