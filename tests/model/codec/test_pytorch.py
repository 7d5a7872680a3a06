"""The codec in PyTorch against a plain one; on a card, beyond the contract: 16 bits, few passes."""

import logging
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from mira.errors import InvalidSettings, SynthesisFailed
from mira.model.codec import pytorch
from mira.model.codec.base import CONTEXT, Span, Speaker
from mira.model.codec.pytorch import TorchCodec
from mira.model.codec.torch_layers import TorchNetwork
from mira.model.snr import snr_db
from tests.card import on_card
from tests.model.codec import naive
from tests.model.codec.conftest import GLOBAL_TOKENS
from tests.model.codec.random_weights import random_upsampler, random_weights

TOKENS = np.random.default_rng(0).integers(0, 8192, 160).tolist()
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB. GPU 0 has ...")


def card(upsample: bool = True, device: str = "cpu", **weights: np.ndarray) -> TorchCodec:
    upsampler = random_upsampler() if upsample else None
    return TorchCodec(random_weights() | weights, upsampler, device)


@pytest.fixture(scope="module")
def prepared() -> TorchCodec:
    """Its passes are shorter than the longest windows, which are rendered as they are."""
    codec = card()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytorch, "PRENET_FRAMES", (24, 48, 128))
        patch.setattr(pytorch, "WAVE_FRAMES", (12, 24, 48))
        codec.prepare(torch.float32)
    return codec


def spans(codec: TorchCodec) -> list[Span]:
    """First, later, large and last chunks of several streams and voices."""
    voices = [codec.speaker([seed * 100 + i for i in range(32)]) for seed in range(3)]
    return [
        Span(TOKENS[:20], voices[0], 0, 8),
        Span(TOKENS[5:25], voices[1], 0, 8),
        Span(TOKENS[:40], voices[2], 8, 28),
        Span(TOKENS[: CONTEXT + 40], voices[0], CONTEXT, CONTEXT + 28),
        Span(TOKENS[: CONTEXT + 87], voices[1], CONTEXT, CONTEXT + 75),
        Span(TOKENS[: CONTEXT + 21], voices[2], CONTEXT, CONTEXT + 21),
    ]


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


def test_prepared_it_renders_what_the_reference_does(
    prepared: TorchCodec, upsampling_codec: TorchCodec
) -> None:
    expected = upsampling_codec.decode(spans(upsampling_codec))
    for found, one in zip(prepared.decode(spans(prepared)), expected, strict=True):
        np.testing.assert_allclose(found, one, atol=5e-5, rtol=0)


def test_streams_share_passes(prepared: TorchCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six chunks of five lengths; and the end of an utterance is upsampled alone."""
    asked = spans(prepared)
    names = {id(network): name for name, network in prepared._networks.items()}
    passes: list[str] = []
    compute = TorchNetwork.__call__

    def counted(network: TorchNetwork, *inputs: Tensor, beyond: Tensor | None = None) -> Tensor:
        passes.append(names[id(network)])
        return compute(network, *inputs, beyond=beyond)

    monkeypatch.setattr(TorchNetwork, "__call__", counted)
    prepared.decode(asked)
    assert Counter(passes) == {"prenet": 4, "wave_generator": 3, "upsampler": 5}


@pytest.mark.parametrize(("dtype", "least_db"), [(torch.float16, 38), (torch.bfloat16, 20)])
def test_sixteen_bits_are_near_enough(
    codec: TorchCodec, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, least_db: float
) -> None:
    """With weights as loud as these; 48 and 30 dB with quieter ones of true size."""
    monkeypatch.setattr("mira.model.codec.pytorch.LEAST_SNR_DB", 0)
    narrow = card(upsample=False)
    narrow.prepare(dtype)
    (found,) = narrow.decode([Span(TOKENS[:60], narrow.speaker(GLOBAL_TOKENS), 0, 60)])
    (exact,) = codec.decode([Span(TOKENS[:60], codec.speaker(GLOBAL_TOKENS), 0, 60)])
    assert least_db < snr_db(exact, found) < 60
    assert found.dtype == np.float32


def test_what_overflows_in_sixteen_bits_stays_in_more(caplog: pytest.LogCaptureFixture) -> None:
    """A snake whose alpha is tiny divides by it."""
    alpha = np.full((1, 24, 1), 1e-6, np.float32)
    codec = card(upsample=False, **{"decoder.model.2.block.0.alpha": alpha})
    span = Span(TOKENS[:20], codec.speaker(GLOBAL_TOKENS), 0, 20)
    (exact,) = codec.decode([span])
    codec.prepare(torch.float16)
    assert "it stays in float32: torch.float16 would leave -inf dB" in caplog.text
    (found,) = codec.decode([span])
    np.testing.assert_allclose(found, exact, atol=5e-5, rtol=0)


def test_a_speaker_is_recognised_as_exactly_as_ever(
    prepared: TorchCodec, codec: TorchCodec
) -> None:
    recording = np.random.default_rng(0).standard_normal(24000).astype(np.float32) * 0.1
    assert prepared.encode(recording, 16000) == codec.encode(recording, 16000)


def test_a_voice_is_taken_along_once(prepared: TorchCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    speaker = prepared.speaker(GLOBAL_TOKENS)
    prepared.decode([Span(TOKENS[:5], speaker, 0, 5)])
    monkeypatch.setattr("torch.from_numpy", None)  # it is not taken along again
    prepared.decode([Span(TOKENS[:9], speaker, 0, 9)] * 2)


def test_it_says_what_it_recorded(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytorch, "RECORDING_S", 0)
    with caplog.at_level(logging.INFO):
        codec = card(upsample=False)
        codec.prepare(torch.float32)
    assert "codec: 0 passes recorded in 0.0 s" in caplog.text
    (samples,) = codec.decode([Span(TOKENS[:9], codec.speaker(GLOBAL_TOKENS), 0, 9)])
    assert np.isfinite(samples).all()


def test_too_small_a_card_names_the_setting(
    prepared: TorchCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FULL

    codec = card(upsample=False)
    monkeypatch.setattr("mira.model.codec.torch_padded.Batch.__init__", fail)
    with pytest.raises(InvalidSettings, match=r"set max_streams lower.*\(CUDA out of memory\)"):
        codec.prepare(torch.float32)
    monkeypatch.undo()
    span = Span(TOKENS[:9], prepared.speaker(GLOBAL_TOKENS), 0, 9)
    monkeypatch.setattr("mira.model.codec.torch_padded.Batch.fill", fail)
    with pytest.raises(SynthesisFailed, match="set max_streams lower"):
        prepared.decode([span])
    monkeypatch.undo()
    prepared.decode([span])


@on_card
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_on_a_card_recorded_passes_render_what_the_reference_does(
    upsampling_codec: TorchCodec, dtype: torch.dtype
) -> None:
    codec = card(device="cuda")
    codec.prepare(dtype)
    expected = upsampling_codec.decode(spans(upsampling_codec))
    for _ in range(2):  # what a pass leaves behind is not in the next
        for found, one in zip(codec.decode(spans(codec)), expected, strict=True):
            assert snr_db(one, found) > (80 if dtype == torch.float32 else 35)
