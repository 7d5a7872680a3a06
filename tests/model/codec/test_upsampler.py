"""FlashSR against the same written down plainly, and against its author's export."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from mira.model.codec.base import UPSAMPLER_CONTEXT
from mira.model.codec.torch_layers import TorchNetwork
from mira.model.codec.upsampler import upsampler
from tests.model.codec import naive
from tests.model.codec.random_weights import random_upsampler

TENSORS = random_upsampler(seed=2)
RNG = np.random.default_rng(0)
PUBLISHED = Path(
    os.environ.get(
        "MIRA_TEST_FLASHSR", Path(__file__).parents[3].parent / "shared" / "data" / "flashsr"
    )
)


def network(
    tensors: dict[str, np.ndarray] = TENSORS, dtype: torch.dtype = torch.float32
) -> TorchNetwork:
    return TorchNetwork(upsampler, tensors, [torch.zeros(1, 1)]).to(torch.device("cpu"), dtype)


@pytest.mark.parametrize("num_samples", [1, 15, 16, 17, 100])
def test_it_is_the_plain_one(num_samples: int) -> None:
    samples = 0.3 * RNG.standard_normal(num_samples)
    found = network()(torch.tensor(samples[None]).float())[0]
    np.testing.assert_allclose(found, naive.upsampler(TENSORS, samples), atol=2e-6)


def test_no_error_grows_with_time() -> None:
    """A second in, as exact as at the start; a place worked out in float32 would not be."""
    samples = torch.tensor(0.3 * RNG.standard_normal((1, 16000)))
    exact = network(dtype=torch.float64)(samples)
    np.testing.assert_allclose(network()(samples.float()), exact, atol=2e-6)


def test_window_with_its_context_is_the_whole() -> None:
    raised = network(dtype=torch.float64)
    samples = torch.tensor(0.3 * RNG.standard_normal((1, 1000)))
    whole = raised(samples)
    start, stop = 401, 480
    window = raised(samples[:, start - UPSAMPLER_CONTEXT : stop + UPSAMPLER_CONTEXT])
    found = window[:, 3 * UPSAMPLER_CONTEXT : -3 * UPSAMPLER_CONTEXT]
    np.testing.assert_allclose(found, whole[:, 3 * start : 3 * stop], atol=1e-12)


def test_silence_stays_finite() -> None:
    """It does not in the published wrapper, which scales each call to its peak."""
    assert torch.isfinite(network()(torch.zeros(1, 500))).all()


def published(names: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Fuse weight norm: a direction v of length g."""
    tensors = {}
    for name, value in names.items():
        if name.endswith("_v"):
            length = names[name[:-1] + "g"]
            value = value * length / value.flatten(1).norm(dim=1)[:, None, None]
        if not name.endswith("_g"):
            tensors[name.removesuffix("_v")] = value.numpy()
    return tensors


@pytest.mark.skipif(
    not (PUBLISHED / "model.onnx").exists(),
    reason=f"no published FlashSR in {PUBLISHED}: point MIRA_TEST_FLASHSR at a folder with "
    "upsampler.pth and model.onnx of github.com/ysharma3501/FlashSR",
)
def test_published_weights_give_the_published_output() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    state = torch.load(PUBLISHED / "upsampler.pth", weights_only=True, map_location="cpu")
    raised = network(published(state["model"]))
    session = onnxruntime.InferenceSession(str(PUBLISHED / "model.onnx"))
    # The export interpolates at places worked out in float32, so its own error grows with time.
    for num_samples, tolerance in ((200, 5e-6), (16000, 1e-3)):
        walk = np.cumsum(RNG.standard_normal(num_samples))
        samples = np.asarray(0.7 * walk / np.abs(walk).max(), np.float32)
        (expected,) = session.run(None, {"x": samples[None, None]})
        found = raised(torch.from_numpy(samples)[None])
        np.testing.assert_allclose(found, expected[0], atol=tolerance)
