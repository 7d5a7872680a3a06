"""The speaker encoder against the same written down plainly; its quantizer by its inverse."""

import numpy as np
import torch

from mira.model.codec.pytorch import load_networks
from mira.model.codec.speaker import quantize
from tests.model.codec import naive
from tests.model.codec.random_weights import random_weights

TENSORS = random_weights(seed=3)


@torch.inference_mode()
def test_latents_and_tokens() -> None:
    encoder = load_networks(TENSORS)[0]
    mel = np.abs(np.random.default_rng(0).standard_normal((40, 128))).astype(np.float32)
    expected = naive.speaker_latents(TENSORS, mel.astype(np.float64))
    assert 0.3 < expected.std() < 3
    found = encoder.latents(torch.from_numpy(mel)[None])[0]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert encoder(torch.from_numpy(mel)[None])[0].tolist() == naive.fsq(expected)


@torch.inference_mode()
def test_any_number_of_frames_and_each_recording_alone() -> None:
    encoder = load_networks(TENSORS)[0]
    mels = torch.rand(3, 25, 128, generator=torch.Generator().manual_seed(0))
    together = encoder.latents(mels)
    assert together.shape == (3, 32, 6)
    for mel, found in zip(mels, together, strict=True):
        torch.testing.assert_close(encoder.latents(mel[None])[0], found, atol=1e-5, rtol=0)


def test_every_code_is_its_own_quantization() -> None:
    """Latents in the middle of each code's cell, through the inverse of the bound."""
    tokens = np.arange(4096)
    digits = tokens[:, None] // 4 ** np.arange(6) % 4
    half = 1.5 * 1.001
    latents = np.arctanh((digits - 2 + 0.5) / half) - np.arctanh(0.5 / half)
    assert quantize(torch.from_numpy(latents)).tolist() == tokens.tolist()


def test_quantization_of_a_spread_of_latents() -> None:
    latents = np.random.default_rng(1).standard_normal((500, 6)) * 2
    assert quantize(torch.from_numpy(latents)).tolist() == naive.fsq(latents)
