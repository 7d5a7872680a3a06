"""The ConvNeXt stack that prenet and semantic encoder share."""

import numpy as np
import pytest
import torch

from mira.model.codec.vocos import AdaptiveBackbone, Backbone
from mira.model.codec.weights import Weights
from tests.model.codec import naive
from tests.model.codec.random_weights import DIM, VOICE, random_weights

TENSORS = random_weights(seed=4)
FRAMES = np.random.default_rng(0).standard_normal((DIM, 30))
INPUT = torch.tensor(FRAMES[None], dtype=torch.float32)


@pytest.mark.parametrize("level", [1, 1e-3])  # at the lower one the norm's epsilon counts
@torch.inference_mode()
def test_norms_of_its_own(level: float) -> None:
    name = "prenet.downsample.1.1"
    embed = [f"{name}.embed.weight", f"{name}.embed.bias"]
    tensors = TENSORS | {part: np.float32(level) * TENSORS[part] for part in embed}
    backbone = Backbone(Weights(tensors).at(name))
    expected = naive.backbone(tensors, name, FRAMES).T
    np.testing.assert_allclose(backbone(INPUT)[0], expected, atol=1e-5)


@torch.inference_mode()
def test_norms_of_the_voice() -> None:
    name = "prenet.vocos_backbone"
    voice = np.random.default_rng(1).standard_normal(VOICE)
    norms = [name, *(f"{name}.convnext.{i}" for i in range(12))]
    scale, shift = (
        torch.tensor(
            np.stack([naive.linear(TENSORS, f"{norm}.norm.{part}", voice) for norm in norms])[None],
            dtype=torch.float32,
        )
        for part in ("scale", "shift")
    )
    backbone = AdaptiveBackbone(Weights(TENSORS).at(name))
    expected = naive.backbone(TENSORS, name, FRAMES, voice).T
    np.testing.assert_allclose(backbone(INPUT, scale, shift)[0], expected, atol=1e-5)
