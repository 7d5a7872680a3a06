"""What every codec owes its callers, asked of the one in PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import composite, integers, lists

from mira.codec.base import CONTEXT, Codec, Span, Speaker
from mira.codec.pytorch import TorchCodec
from mira.errors import InvalidRequest, SynthesisFailed
from tests.codec import naive
from tests.codec.conftest import GLOBAL_TOKENS
from tests.codec.random_weights import random_weights

TOKENS = np.random.default_rng(0).integers(0, 8192, 60).tolist()


@composite
def spans(draw, voices: int) -> tuple[int, int, int, int]:  # type: ignore[no-untyped-def]
    """(num_tokens, start, stop, voice)"""
    num_tokens = draw(integers(1, 60))
    start = draw(integers(0, num_tokens - 1))
    return num_tokens, start, draw(integers(start + 1, num_tokens)), draw(integers(0, voices - 1))


@settings(max_examples=12, deadline=None)
@given(asked=lists(spans(voices=3), min_size=2, max_size=6), upsampled=integers(0, 1))
def test_together_each_is_as_if_alone(
    codec: TorchCodec,
    upsampling_codec: TorchCodec,
    asked: list[tuple[int, int, int, int]],
    upsampled: int,
) -> None:
    either = upsampling_codec if upsampled else codec
    voices = [either.speaker([seed * 100 + i for i in range(32)]) for seed in range(3)]
    batch = [Span(TOKENS[:n], voices[voice], start, stop) for n, start, stop, voice in asked]
    for span, found in zip(batch, either.decode(batch), strict=True):
        assert found.shape == ((span.stop - span.start) * either.samples_per_frame,)
        assert found.dtype == np.float32
        (alone,) = either.decode([span])
        # Not 1e-5: over a batch the convolutions add up in another order.
        np.testing.assert_allclose(found, alone, atol=5e-5, rtol=0)


@pytest.mark.parametrize("start", [0, 80])
def test_span_is_a_part_of_the_whole(
    codec: TorchCodec, upsampling_codec: TorchCodec, speaker: Speaker, start: int
) -> None:
    tokens = (TOKENS * 4)[:200]
    for either in (codec, upsampling_codec):
        (whole,) = either.decode([Span(tokens, speaker, 0, 200)])
        first, last = max(0, start - CONTEXT), start + 10 + CONTEXT
        (part,) = either.decode(
            [Span(tokens[first:last], speaker, start - first, start + 10 - first)]
        )
        hop = either.samples_per_frame
        np.testing.assert_allclose(part, whole[start * hop : (start + 10) * hop], atol=1e-5)


def test_decoding_is_the_plain_decoding(codec: TorchCodec, speaker: Speaker) -> None:
    tensors = random_weights()
    voice = naive.speaker_vector(tensors, GLOBAL_TOKENS)
    expected = naive.wave_generator(tensors, naive.prenet(tensors, TOKENS[:12], voice))
    (found,) = codec.decode([Span(TOKENS[:12], speaker, 0, 12)])
    np.testing.assert_allclose(found, expected, atol=3e-5)


def test_half_ways_can_be_compared_with_other_implementations(codec: TorchCodec) -> None:
    tensors = random_weights()
    voice = naive.speaker_vector(tensors, GLOBAL_TOKENS)
    found = codec.prenet(np.array(TOKENS[:12]), np.array(GLOBAL_TOKENS))
    np.testing.assert_allclose(found, naive.prenet(tensors, TOKENS[:12], voice), atol=2e-5)
    mel = np.abs(np.random.default_rng(0).standard_normal((20, 128))).astype(np.float32)
    latents = naive.speaker_latents(tensors, mel.astype(np.float64))
    assert codec.encode_mel(mel).tolist() == naive.fsq(latents)


def test_encoding_names_a_speaker(codec: TorchCodec) -> None:
    recording = np.random.default_rng(0).standard_normal(48000).astype(np.float32) * 0.1
    tokens = codec.encode(recording, 24000)
    assert len(tokens) == 32
    assert all(type(token) is int and 0 <= token < 4096 for token in tokens)
    assert tokens == codec.encode(recording, 24000)
    codec.speaker(tokens)


def test_encoding_hears_the_same_at_another_volume(codec: TorchCodec) -> None:
    recording = np.random.default_rng(0).standard_normal(48000).astype(np.float32) * 0.1
    quieter = codec.encode(0.5 * recording, 16000)
    assert sum(a == b for a, b in zip(quieter, codec.encode(recording, 16000))) >= 28


def test_rates(codec: TorchCodec, upsampling_codec: TorchCodec) -> None:
    codecs: list[Codec] = [codec, upsampling_codec]  # mypy: both are what they say
    assert [c.sample_rate for c in codecs] == [16000, 48000]
    assert [c.samples_per_frame for c in codecs] == [320, 960]


def test_no_spans_no_samples(codec: TorchCodec) -> None:
    assert codec.decode([]) == []


def test_wrong_tokens_are_refused(codec: TorchCodec, speaker: Speaker) -> None:
    with pytest.raises(SynthesisFailed, match="8192"):
        codec.decode([Span([1, 8192], speaker, 0, 1)])
    with pytest.raises(InvalidRequest, match="32 global tokens, found 3"):
        codec.speaker([1, 2, 3])


def test_broken_computation_is_a_synthesis_failure(codec: TorchCodec, speaker: Speaker) -> None:
    other = Speaker(speaker.d_vector[:3], speaker.scale, speaker.shift)
    with pytest.raises(SynthesisFailed, match="the codec broke"):
        codec.decode([Span([1, 2], other, 0, 1)])
