"""The encoders against the same written down plainly; the quantizer by its inverse."""

import numpy as np
import torch

from mira.model.codec.encoder import quantized, speaker_latents
from mira.model.codec.pytorch import load_networks
from mira.model.codec.semantic import semantic_network
from mira.model.codec.torch_layers import TorchLayers
from tests.model.codec import naive
from tests.model.codec.random_weights import LATENT, random_weights

TENSORS = random_weights(seed=3, semantic=True)


def test_latents_and_tokens() -> None:
    mel = np.abs(np.random.default_rng(0).standard_normal((40, 128))).astype(np.float32)
    expected = naive.speaker_latents(TENSORS, mel.astype(np.float64))
    assert 0.3 < expected.std() < 3
    found = speaker_latents(TorchLayers(TENSORS), torch.from_numpy(mel)[None])[0]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    encoder = load_networks(TENSORS)["speaker_encoder"]
    for num_frames in (40, 25):
        tokens = encoder(torch.from_numpy(mel[:num_frames])[None]).flatten().tolist()
        assert tokens == naive.fsq(naive.speaker_latents(TENSORS, mel[:num_frames]))


def quantize(latents: np.ndarray) -> list[int]:
    found = quantized(TorchLayers({}), torch.from_numpy(latents.astype(np.float32)))
    return found.flatten().int().tolist()


def test_every_code_is_its_own_quantization() -> None:
    """Latents in the middle of each code's cell, through the inverse of the bound."""
    tokens = np.arange(4096)
    digits = tokens[:, None] // 4 ** np.arange(6) % 4
    half = 1.5 * 1.001
    latents = np.arctanh((digits - 2 + 0.5) / half) - np.arctanh(0.5 / half)
    assert quantize(latents) == tokens.tolist()


def test_quantization_of_a_spread_of_latents() -> None:
    latents = np.random.default_rng(1).standard_normal((500, 6)) * 2
    assert quantize(latents) == naive.fsq(latents)


def test_speech_tokens() -> None:
    features = np.random.default_rng(0).standard_normal((30, LATENT))
    scores = semantic_network(TENSORS)(torch.tensor(features[None]).float())
    expected = naive.semantic_tokens(TENSORS, features)
    assert len(set(expected)) > 20  # not one answer for all
    assert scores[0].argmax(-1).tolist() == expected
