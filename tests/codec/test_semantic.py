"""The semantic encoder against the same written down plainly, and a recording all the way."""

import numpy as np
import pytest
import torch

from mira.codec.semantic import SemanticEncoder, SpeechTokenizer
from mira.errors import CheckpointError, InvalidRequest
from tests.codec import naive
from tests.codec.random_weights import LATENT, random_weights

TENSORS = random_weights(seed=5, semantic=True)


@torch.inference_mode()
def test_tokens() -> None:
    features = np.random.default_rng(0).standard_normal((30, LATENT))
    found = SemanticEncoder(TENSORS)(torch.tensor(features[None], dtype=torch.float32))
    expected = naive.semantic_tokens(TENSORS, features)
    assert len(set(expected)) > 20  # not one answer for all
    assert found[0].tolist() == expected


def test_missing_tensor_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"encoder.encoder.embed.weight: .* found none"):
        SemanticEncoder(random_weights())


@pytest.fixture(scope="module")
def tokenizer() -> SpeechTokenizer:
    transformers = pytest.importorskip("transformers")
    config = transformers.Wav2Vec2Config(
        hidden_size=LATENT,
        num_hidden_layers=17,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
        conv_bias=True,
    )
    torch.manual_seed(0)
    return SpeechTokenizer(transformers.Wav2Vec2Model(config).eval(), SemanticEncoder(TENSORS))


def test_recording_has_fifty_tokens_a_second(tokenizer: SpeechTokenizer) -> None:
    recording = 0.1 * np.random.default_rng(0).standard_normal(24000).astype(np.float32)
    tokens = tokenizer.encode(recording, 24000)
    assert len(tokens) == (16000 - 400) // 320 + 1
    assert all(0 <= token < 8192 for token in tokens)


def test_volume_does_not_count(tokenizer: SpeechTokenizer) -> None:
    recording = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    assert tokenizer.encode(recording, 16000) == tokenizer.encode(recording / 2, 16000)


def test_less_than_a_frame_is_refused(tokenizer: SpeechTokenizer) -> None:
    with pytest.raises(InvalidRequest, match="shorter than one frame"):
        tokenizer.encode(np.ones(399, np.float32), 16000)
