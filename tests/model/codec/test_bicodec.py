"""The decoder's networks against the same written down plainly, and their receptive fields."""

import numpy as np
import pytest
import torch

from mira.model.codec.base import CONTEXT, PRENET_CONTEXT, UPSAMPLER_CONTEXT, WAVE_CONTEXT
from mira.model.codec.pytorch import load_networks
from tests.model.codec import naive
from tests.model.codec.conftest import GLOBAL_TOKENS
from tests.model.codec.random_weights import CHANNELS, LATENT, VOICE, random_weights

TENSORS = random_weights(seed=7)


@torch.inference_mode()
def test_prenet_and_speaker_vector() -> None:
    _, speaker_vector, prenet, _ = load_networks(TENSORS)
    tokens = np.random.default_rng(0).integers(0, 8192, 90).tolist()
    vectors = speaker_vector(torch.tensor([GLOBAL_TOKENS]))
    voice = naive.speaker_vector(TENSORS, GLOBAL_TOKENS)
    np.testing.assert_allclose(vectors[0][0], voice, atol=1e-6)
    found = prenet(torch.tensor([tokens]), *vectors)[0]
    expected = naive.prenet(TENSORS, tokens, voice)
    assert 0.3 < expected.std() < 3  # neither blown up nor vanished, so the test tests
    np.testing.assert_allclose(found, expected, atol=2e-5)


@torch.inference_mode()
def test_wave_generator() -> None:
    wave_generator = load_networks(TENSORS)[3]
    latent = np.random.default_rng(0).standard_normal((VOICE, 9))
    found = wave_generator(torch.tensor(latent[None], dtype=torch.float32))[0]
    expected = naive.wave_generator(TENSORS, latent)
    assert expected.shape == (9 * 320,)
    assert 0.1 < expected.std() < 0.9
    np.testing.assert_allclose(found, expected, atol=2e-5)


@torch.inference_mode()
def test_receptive_fields_are_exactly_the_constants() -> None:
    """A value that isn't a number spoils all that depends on it, and nothing else."""
    _, speaker_vector, prenet, wave_generator = load_networks(TENSORS)
    vectors = speaker_vector(torch.tensor([GLOBAL_TOKENS]))
    prenet.codebook[1] = torch.nan
    tokens = torch.zeros(1, 200, dtype=torch.int64)
    tokens[0, 100] = 1
    spoilt = prenet(tokens, *vectors)[0].isnan().any(0).nonzero()
    assert (spoilt.min(), spoilt.max()) == (100 - PRENET_CONTEXT, 100 + PRENET_CONTEXT)

    latent = torch.zeros(1, VOICE, 40)
    latent[..., 20] = torch.nan
    spoilt = wave_generator(latent)[0].isnan().nonzero() - 20 * 320
    assert -(spoilt.min() // 320) == WAVE_CONTEXT == spoilt.max() // 320
    # A frame's outermost samples need one frame less on the far side. So the upsampler, which
    # looks a little over a chunk's edge, needs no frames beyond those of the chunk.
    assert spoilt.min() >= -WAVE_CONTEXT * 320 + UPSAMPLER_CONTEXT
    assert spoilt.max() < (WAVE_CONTEXT + 1) * 320 - UPSAMPLER_CONTEXT
    assert PRENET_CONTEXT + WAVE_CONTEXT == CONTEXT


def test_sizes_come_from_the_tensors() -> None:
    _, speaker_vector, prenet, wave_generator = load_networks(TENSORS)
    assert wave_generator.samples_per_frame == 320
    assert [block.channels for block in wave_generator.blocks] == list(CHANNELS[1:])
    assert prenet.linear_pre.in_features == LATENT
    assert speaker_vector.project.out_features == VOICE


@pytest.mark.parametrize("batch", [1, 3])
@torch.inference_mode()
def test_batch_items_do_not_mix(batch: int) -> None:
    _, speaker_vector, prenet, _ = load_networks(TENSORS)
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(8192, (batch, 20), generator=rng)
    voices = torch.randint(4096, (batch, 32), generator=rng)
    together = prenet(tokens, *speaker_vector(voices))
    for i in range(batch):
        alone = prenet(tokens[i : i + 1], *speaker_vector(voices[i : i + 1]))[0]
        torch.testing.assert_close(together[i], alone, atol=1e-5, rtol=0)
