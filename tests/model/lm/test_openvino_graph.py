"""The graph computes what the reference does, on the very weights that it stores."""

import shutil
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from safetensors.numpy import save_file

from mira.model.checkpoint.layout import Checkpoint
from mira.model.checkpoint.tensors import read_tensors
from mira.model.lm.base import sayable
from mira.model.lm.batching import Row
from mira.model.lm.openvino import GRAPH, OpenVINORunner
from mira.model.lm.openvino_graph import Tensors, build
from mira.model.lm.quantize import GROUP, Weights, quantize
from tests.model.lm.reference import Reference
from tests.model.lm.test_quantize import dequantized

IDS = range(2000, 2040, 3)


@pytest.fixture(scope="module")
def tensors(mira: Checkpoint) -> Tensors:
    return read_tensors(mira.language_weights[0])


def runner(
    mira: Checkpoint, tensors: Tensors, kind: Weights, directory: Path, exact: bool = False
) -> OpenVINORunner:
    model = build(tensors, mira.dims, sayable(mira.tokens), kind)
    ov.save_model(model, directory / GRAPH, compress_to_fp16=False)
    return OpenVINORunner(directory / GRAPH, threads=1, exact=exact)


def stored(tensors: Tensors, kind: Weights) -> Tensors:
    """The weights after they were rounded."""

    def rounded(name: str, values: np.ndarray) -> np.ndarray:
        if values.ndim == 1:
            return values
        if kind == "int8" or "embed" in name:
            return dequantized(quantize(values, 8, values.shape[1]))
        group = GROUP if values.shape[1] % GROUP == 0 else values.shape[1]
        return dequantized(quantize(values, 4, group))

    return {name: rounded(name, values) for name, values in tensors.items()}


@pytest.mark.parametrize("kind", ["f32", "bf16", "int8", "int4"])
def test_equals_the_reference_on_its_own_weights(
    mira, tensors, prompt, kind: Weights, tmp_path: Path
) -> None:
    """Step by step through the cache, against the whole at once. Activations stay float32 here."""
    directory = Path(shutil.copytree(mira.language, tmp_path / "stored"))
    if kind in ("int8", "int4"):
        save_file(stored(tensors, kind), directory / "model.safetensors", {"format": "pt"})
    expected = Reference(directory, mira.tokens).logits(prompt, IDS)
    found = steps(runner(mira, tensors, kind, tmp_path, exact=True), prompt, [[i] for i in IDS])
    assert np.abs(found - expected).max() < 2e-4 * np.abs(expected).max()


def steps(runner: OpenVINORunner, prompt: list[int], parts: list[list[int]]) -> np.ndarray:
    pages = [7, 2, 9, 4, 5]  # in no order
    past, found = 0, []
    for part in [prompt, *parts]:
        found.append(runner.step([Row(part, past, pages)]))
        past += len(part)
    return np.concatenate(found)


def test_a_prompt_in_parts_is_a_prompt(mira, tensors, prompt, tmp_path: Path) -> None:
    model = runner(mira, tensors, "bf16", tmp_path)
    whole = steps(model, prompt, [])
    for cut in (1, 31, 32, 33, len(prompt) - 1):
        parts = steps(model, prompt[:cut], [prompt[cut:]])
        assert np.allclose(parts[-1], whole[-1], atol=1e-4)


def test_quantised_activations_cost_little(mira, tensors, prompt, tmp_path: Path) -> None:
    """As it runs: int8 weights and int8 activations, 20 dB above their error."""
    expected = Reference(mira.language, mira.tokens).logits(prompt, IDS)
    found = steps(runner(mira, tensors, "int8", tmp_path), prompt, [[i] for i in IDS])
    error = ((found - expected) ** 2).mean()
    assert 10 * np.log10(expected.var() / error) > 20
