"""The ONNX files: the published inputs and outputs, any batch and length, the published names."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession

from mira.model.checkpoint.graph import ANONYMOUS
from mira.model.checkpoint.weights import codec_weights
from mira.model.codec.semantic import semantic_network
from tools.tiny.codec import TINY

RANDOM = np.random.default_rng(0)
SIGNATURES = {
    "processer": (
        {"context_tokens": "tensor(int32)", "speech_tokens": "tensor(int64)"},
        {"preprocessed_output": "tensor(float16)"},
    ),
    "s_encoder": ({"mel_spectrogram": "tensor(float)"}, {"global_tokens": "tensor(int32)"}),
    "q_encoder": ({"features": "tensor(float)"}, {"semantic_tokens": "tensor(int64)"}),
}


def session(directory: Path, name: str) -> InferenceSession:
    path = str(directory / "decoders" / f"{name}.onnx")
    return InferenceSession(path, providers=["CPUExecutionProvider"])


def speakers(batch: int) -> np.ndarray:
    return RANDOM.integers(0, 4096, (batch, 1, 32)).astype(np.int32)


@pytest.mark.parametrize("name", SIGNATURES)
def test_inputs_and_outputs(mira_directory: Path, name: str) -> None:
    graph = session(mira_directory, name)
    found = (
        {i.name: i.type for i in graph.get_inputs()},
        {o.name: o.type for o in graph.get_outputs()},
    )
    assert found == SIGNATURES[name]


@pytest.mark.parametrize("name", SIGNATURES)
def test_matrices_are_anonymous_and_all_else_has_its_name(mira_directory: Path, name: str) -> None:
    graph = onnx.load(mira_directory / "decoders" / f"{name}.onnx").graph
    onnx.checker.check_model(onnx.load(mira_directory / "decoders" / f"{name}.onnx"))
    anonymous = [tensor.name for tensor in graph.initializer if ANONYMOUS.match(tensor.name)]
    named = {tensor.name for tensor in graph.initializer} - set(anonymous)
    counts = {"processer": 1 + 1 + 8 + 24 + 1, "s_encoder": 1 + 1 + 10 + 1, "q_encoder": 24 + 8 + 2}
    assert len(anonymous) == counts[name]
    assert not any("pwconv" in n and n.endswith("weight") for n in named)


def test_streams_of_a_batch_do_not_mix(mira_directory: Path) -> None:
    graph = session(mira_directory, "processer")
    context, speech = speakers(3), RANDOM.integers(0, 8192, (3, 17))
    together = graph.run(None, {"context_tokens": context, "speech_tokens": speech})[0]
    assert together.shape == (3, 32, 17)
    for i in range(3):
        inputs = {"context_tokens": context[i : i + 1], "speech_tokens": speech[i : i + 1]}
        np.testing.assert_allclose(graph.run(None, inputs)[0][0], together[i], atol=5e-3)


@pytest.mark.parametrize("frames", [1, 50, 301])
def test_any_recording_gives_one_row_of_tokens(mira_directory: Path, frames: int) -> None:
    mel = np.abs(RANDOM.standard_normal((1, frames, 128), dtype=np.float32))
    tokens = session(mira_directory, "s_encoder").run(None, {"mel_spectrogram": mel})[0]
    assert tokens.shape == (1, 1, 32)
    assert tokens.min() >= 0
    assert tokens.max() < 4096


def test_the_semantic_encoder_computes_what_the_codecs_does(mira_directory: Path, mira) -> None:
    features = RANDOM.standard_normal((1, 70, TINY.features), dtype=np.float32)
    found = session(mira_directory, "q_encoder").run(None, {"features": features})[0]
    scores = semantic_network(codec_weights(mira, semantic=True))(torch.from_numpy(features))
    expected = scores.argmax(-1).numpy()
    assert len(set(expected[0])) > 20
    np.testing.assert_array_equal(found, expected)
