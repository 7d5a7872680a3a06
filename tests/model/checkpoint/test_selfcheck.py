"""The graphs and the codec made from their weights agree; when they don't, it is found."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from mira.errors import CheckpointError
from mira.model.checkpoint.layout import open_checkpoint
from mira.model.checkpoint.selfcheck import check_codec
from mira.model.checkpoint.weights import codec_weights
from tests.model.checkpoint.codec_functions import codec_functions


@pytest.fixture(scope="module")
def functions(mira):
    return codec_functions(codec_weights(mira))


def test_the_codec_computes_what_the_graphs_do(mira, functions) -> None:
    for seed in range(3):
        error = check_codec(mira, *functions, seed=seed)
        assert error is not None
        assert error < 5e-4  # the rounding of a float16 output


@pytest.mark.parametrize(
    "name",
    [
        "prenet.vocos_backbone.convnext.7.gamma",
        "prenet.vocos_backbone.convnext.11.norm.shift.bias",
        "speaker_encoder.project.weight",
    ],
)
def test_one_wrong_tensor_of_the_prenet_is_found(mira, name: str) -> None:
    weights = codec_weights(mira)
    weights[name] = weights[name][::-1].copy()
    with pytest.raises(CheckpointError, match=r"processer\.onnx: the prenet differs"):
        check_codec(mira, *codec_functions(weights))


def test_swapped_attention_layers_are_found(mira) -> None:
    weights = codec_weights(mira)
    one, two = (f"speaker_encoder.perceiver_sampler.layers.{i}.0.to_q.weight" for i in (0, 1))
    weights[one], weights[two] = weights[two], weights[one]
    with pytest.raises(CheckpointError, match=r"s_encoder\.onnx: the speaker encoder differs"):
        check_codec(mira, *codec_functions(weights))


def test_bad_functions_are_found(mira, functions) -> None:
    prenet, encoder = functions
    with pytest.raises(CheckpointError, match="differs from this file by nan"):
        check_codec(mira, lambda speech, speaker: prenet(speech, speaker) * np.nan, encoder)
    with pytest.raises(CheckpointError, match=r"the prenet gives \(31, 40\); expected \(32, 40\)"):
        check_codec(mira, lambda speech, speaker: prenet(speech, speaker)[1:], encoder)


def test_a_graph_that_does_not_run_is_named(mira_directory: Path, copy, functions) -> None:
    directory = copy(mira_directory)
    path = directory / "decoders" / "s_encoder.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"s_encoder\.onnx: ONNX Runtime can't run it"):
        check_codec(open_checkpoint(directory), *functions)


def test_only_a_graph_in_float16_may_be_further_off(mira_directory: Path, copy, functions) -> None:
    prenet, encoder = functions
    off = (lambda speech, speaker: prenet(speech, speaker) * np.float32(1.005)), encoder
    directory = copy(mira_directory)
    with pytest.raises(CheckpointError, match="expected at most 2e-03"):
        check_codec(open_checkpoint(directory), *off)
    for name in ("processer", "s_encoder"):
        path = directory / "decoders" / f"{name}.onnx"
        model = onnx.load(path)
        half = numpy_helper.from_array(np.zeros(1, np.float16), "onnx::Mul_1")
        model.graph.initializer.append(half)
        onnx.save(model, path)
    assert check_codec(open_checkpoint(directory), *off) > 4e-3


def test_spark_has_nothing_to_compare_with(spark, functions) -> None:
    assert check_codec(spark, *functions) is None
