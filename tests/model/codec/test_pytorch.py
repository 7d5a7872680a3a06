"""The codec in PyTorch against one written down as plainly as can be."""

import numpy as np

from mira.model.codec.base import Span, Speaker
from mira.model.codec.pytorch import TorchCodec
from tests.model.codec import naive
from tests.model.codec.conftest import GLOBAL_TOKENS
from tests.model.codec.random_weights import random_weights

TOKENS = np.random.default_rng(0).integers(0, 8192, 12).tolist()


def test_decoding_is_the_plain_decoding(codec: TorchCodec, speaker: Speaker) -> None:
    tensors = random_weights()
    voice = naive.speaker_vector(tensors, GLOBAL_TOKENS)
    expected = naive.wave_generator(tensors, naive.prenet(tensors, TOKENS, voice))
    (found,) = codec.decode([Span(TOKENS, speaker, 0, 12)])
    np.testing.assert_allclose(found, expected, atol=3e-5)


def test_half_ways_can_be_compared_with_other_implementations(codec: TorchCodec) -> None:
    tensors = random_weights()
    voice = naive.speaker_vector(tensors, GLOBAL_TOKENS)
    found = codec.prenet(np.array(TOKENS), np.array(GLOBAL_TOKENS))
    np.testing.assert_allclose(found, naive.prenet(tensors, TOKENS, voice), atol=2e-5)
    mel = np.abs(np.random.default_rng(0).standard_normal((20, 128))).astype(np.float32)
    latents = naive.speaker_latents(tensors, mel.astype(np.float64))
    assert codec.encode_mel(mel).tolist() == naive.fsq(latents)
