"""The decoder's networks against the same written down plainly, and their receptive fields."""

import numpy as np
import pytest
import torch

from mira.model.codec.base import CONTEXT, PRENET_CONTEXT, UPSAMPLER_CONTEXT, WAVE_CONTEXT
from mira.model.codec.decoder import backbone
from mira.model.codec.pytorch import load_networks
from mira.model.codec.torch_layers import TorchLayers
from tests.model.codec import naive
from tests.model.codec.conftest import GLOBAL_TOKENS
from tests.model.codec.random_weights import DIM, VOICE, random_weights

TENSORS = random_weights(seed=7)
FRAMES = np.random.default_rng(0).standard_normal((DIM, 30))


@pytest.mark.parametrize("level", [1, 1e-3])  # at the lower one the norm's epsilon counts
def test_a_backbone_with_norms_of_its_own(level: float) -> None:
    name = "prenet.downsample.1.1"
    embed = [f"{name}.embed.weight", f"{name}.embed.bias"]
    tensors = TENSORS | {part: np.float32(level) * TENSORS[part] for part in embed}
    found = backbone(TorchLayers(tensors).at(name), torch.tensor(FRAMES.T[None]).float())
    np.testing.assert_allclose(found[0], naive.backbone(tensors, name, FRAMES).T, atol=1e-5)


def test_prenet_and_speaker_vector() -> None:
    networks = load_networks(TENSORS)
    tokens = np.random.default_rng(0).integers(0, 8192, 90).tolist()
    vectors = networks["speaker"](torch.tensor([GLOBAL_TOKENS]))
    voice = naive.speaker_vector(TENSORS, GLOBAL_TOKENS)
    np.testing.assert_allclose(vectors[0][0], voice, atol=1e-6)
    found = networks["prenet"](torch.tensor([tokens]), *vectors)[0]
    expected = naive.prenet(TENSORS, tokens, voice)
    assert 0.3 < expected.std() < 3  # neither blown up nor vanished, so the test tests
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_wave_generator() -> None:
    latent = np.random.default_rng(0).standard_normal((VOICE, 9))
    found = load_networks(TENSORS)["wave_generator"](torch.tensor(latent[None]).float())[0]
    expected = naive.wave_generator(TENSORS, latent)
    assert expected.shape == (9 * 320,)
    assert 0.1 < expected.std() < 0.9
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_receptive_fields_are_exactly_the_constants() -> None:
    """A value that isn't a number spoils all that depends on it, and nothing else."""
    codebook = TENSORS["quantizer.codebook.weight"].copy()
    codebook[1] = np.nan
    networks = load_networks(TENSORS | {"quantizer.codebook.weight": codebook})
    vectors = networks["speaker"](torch.tensor([GLOBAL_TOKENS]))
    tokens = torch.zeros(1, 200, dtype=torch.int64)
    tokens[0, 100] = 1
    spoilt = networks["prenet"](tokens, *vectors)[0].isnan().any(0).nonzero()
    assert (spoilt.min(), spoilt.max()) == (100 - PRENET_CONTEXT, 100 + PRENET_CONTEXT)

    latent = torch.zeros(1, VOICE, 40)
    latent[..., 20] = torch.nan
    spoilt = networks["wave_generator"](latent)[0].isnan().nonzero() - 20 * 320
    assert -(spoilt.min() // 320) == WAVE_CONTEXT == spoilt.max() // 320
    # A frame's outermost samples need one frame less on the far side. So the upsampler, which
    # looks a little over a chunk's edge, needs no frames beyond those of the chunk.
    assert spoilt.min() >= -WAVE_CONTEXT * 320 + UPSAMPLER_CONTEXT
    assert spoilt.max() < (WAVE_CONTEXT + 1) * 320 - UPSAMPLER_CONTEXT
    assert PRENET_CONTEXT + WAVE_CONTEXT == CONTEXT


def test_batch_items_do_not_mix() -> None:
    networks = load_networks(TENSORS)
    random = torch.Generator().manual_seed(0)
    tokens = torch.randint(8192, (3, 20), generator=random)
    voices = torch.randint(4096, (3, 32), generator=random)
    vectors = [networks["speaker"](voice[None]) for voice in voices]
    together = networks["prenet"](tokens, *(torch.cat(parts) for parts in zip(*vectors)))
    for i, voice in enumerate(vectors):
        alone = networks["prenet"](tokens[i : i + 1], *voice)[0]
        torch.testing.assert_close(together[i], alone, atol=1e-5, rtol=0)
