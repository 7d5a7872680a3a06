"""Contract: what every Codec does, whichever library computes it.

A backend joins by a function in BACKENDS. All of them render the same small random weights, so
each is also compared with those weights in plain PyTorch.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import composite, integers, lists

from mira.errors import InvalidRequest, SynthesisFailed
from mira.model.codec.base import (
    CONTEXT,
    Codec,
    Span,
    Speaker,
    check_global_tokens,
    check_speech_tokens,
)
from mira.model.codec.batch import BatchingCodec
from mira.model.codec.pytorch import TorchCodec
from tests.card import CARD
from tests.model.codec.conftest import GLOBAL_TOKENS
from tests.model.codec.random_weights import random_upsampler, random_weights

NOBODY = Speaker(*(np.zeros(shape, np.float32) for shape in (1, (1, 1), (1, 1))))
TOKENS = np.random.default_rng(0).integers(0, 8192, 60).tolist()
RECORDING = np.random.default_rng(0).standard_normal(48000).astype(np.float32) * 0.1


def pytorch(exported: Path, upsample: bool) -> Codec:
    return TorchCodec(random_weights(), random_upsampler() if upsample else None)


def batching(exported: Path, upsample: bool) -> Codec:
    return BatchingCodec(pytorch(exported, upsample), gather_s=0)


def openvino(exported: Path, upsample: bool) -> Codec:
    from mira.model.codec.openvino import OpenVINOCodec

    return OpenVINOCodec(exported, 1, upsample, exact=True)  # what rounds is in test_openvino.py


def card(exported: Path, upsample: bool, device: str = "cpu") -> Codec:
    import torch

    codec = TorchCodec(random_weights(), random_upsampler() if upsample else None, device)
    codec.prepare(torch.float32)
    return codec


def on_card(exported: Path, upsample: bool) -> Codec:
    return card(exported, upsample, "cuda")


BACKENDS: dict[str, Callable[[Path, bool], Codec]] = {
    "pytorch": pytorch,
    "batching": batching,
    "openvino": openvino,
    "card": card,
}
ON_CARD: dict[str, Callable[[Path, bool], Codec]] = {"on a card": on_card}


@pytest.fixture(
    scope="module",
    params=[
        *((name, False) for name in BACKENDS),
        *((name, True) for name in ("pytorch", "openvino")),
        *(pytest.param((name, up), marks=CARD) for name in ON_CARD for up in (False, True)),
    ],
    ids=lambda param: f"{param[0]}-{48 if param[1] else 16}kHz",
)
def any_codec(request: pytest.FixtureRequest) -> Iterator[Codec]:
    name, upsample = request.param
    # A machine with a card needs no OpenVINO to test it.
    exported = request.getfixturevalue("exported") if name == "openvino" else Path()
    with closing((BACKENDS | ON_CARD)[name](exported, upsample)) as codec:
        yield codec


def test_rates(any_codec: Codec) -> None:
    assert (any_codec.sample_rate, any_codec.samples_per_frame) in {(16000, 320), (48000, 960)}


def test_it_renders_what_the_reference_does(
    any_codec: Codec, codec: TorchCodec, upsampling_codec: TorchCodec
) -> None:
    expected = codec if any_codec.sample_rate == 16000 else upsampling_codec
    for tokens, start, stop in ((TOKENS, 0, 60), (TOKENS, 20, 33), (TOKENS[:1], 0, 1)):
        (found,) = any_codec.decode([Span(tokens, any_codec.speaker(GLOBAL_TOKENS), start, stop)])
        (rendered,) = expected.decode([Span(tokens, expected.speaker(GLOBAL_TOKENS), start, stop)])
        # 1e-5 for the published weights; these are drawn so loud that errors grow tenfold.
        np.testing.assert_allclose(found, rendered, atol=2e-4, rtol=0)


def test_it_hears_what_the_reference_does(any_codec: Codec, codec: TorchCodec) -> None:
    for recording, rate in ((RECORDING, 24000), (RECORDING[:9000], 16000)):
        assert any_codec.encode(recording, rate) == codec.encode(recording, rate)
    found, expected = any_codec.speaker(GLOBAL_TOKENS), codec.speaker(GLOBAL_TOKENS)
    for name in ("d_vector", "scale", "shift"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-5)


@composite
def spans(draw, voices: int) -> tuple[int, int, int, int]:  # type: ignore[no-untyped-def]
    """(num_tokens, start, stop, voice)"""
    num_tokens = draw(integers(1, 60))
    start = draw(integers(0, num_tokens - 1))
    return num_tokens, start, draw(integers(start + 1, num_tokens)), draw(integers(0, voices - 1))


# The codec has no state, so it may serve all examples.
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked=lists(spans(voices=3), min_size=2, max_size=6))
def test_together_each_is_as_if_alone(
    any_codec: Codec, asked: list[tuple[int, int, int, int]]
) -> None:
    voices = [any_codec.speaker([seed * 100 + i for i in range(32)]) for seed in range(3)]
    batch = [Span(TOKENS[:n], voices[voice], start, stop) for n, start, stop, voice in asked]
    for span, found in zip(batch, any_codec.decode(batch), strict=True):
        assert found.shape == ((span.stop - span.start) * any_codec.samples_per_frame,)
        assert found.dtype == np.float32
        (alone,) = any_codec.decode([span])
        # Not 1e-5: over a batch the convolutions add up in another order.
        np.testing.assert_allclose(found, alone, atol=5e-5, rtol=0)


@pytest.mark.parametrize("start", [0, 80])
def test_span_is_a_part_of_the_whole(any_codec: Codec, start: int) -> None:
    speaker, tokens = any_codec.speaker(GLOBAL_TOKENS), (TOKENS * 4)[:200]
    (whole,) = any_codec.decode([Span(tokens, speaker, 0, 200)])
    first, last = max(0, start - CONTEXT), start + 10 + CONTEXT
    (part,) = any_codec.decode(
        [Span(tokens[first:last], speaker, start - first, start + 10 - first)]
    )
    hop = any_codec.samples_per_frame
    # Not 1e-5: another length is added up in another order. A frame too few is 1e-2.
    np.testing.assert_allclose(part, whole[start * hop : (start + 10) * hop], atol=5e-5, rtol=0)


def test_several_threads_at_once(any_codec: Codec) -> None:
    voices = [any_codec.speaker([seed * 100 + i for i in range(32)]) for seed in range(4)]
    asked = [Span(TOKENS[: 10 + 3 * i], voices[i], i, 10 + 3 * i) for i in range(4)]
    alone = [any_codec.decode([span])[0] for span in asked]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            found = pool.map(lambda span: any_codec.decode([span])[0], asked)
            for samples, expected in zip(found, alone, strict=True):
                np.testing.assert_allclose(samples, expected, atol=5e-5, rtol=0)


def test_what_it_returns_stays(any_codec: Codec) -> None:
    """No later call writes into it."""
    speaker = any_codec.speaker(GLOBAL_TOKENS)
    (first,) = any_codec.decode([Span(TOKENS[:5], speaker, 0, 5)])
    before, voice_before = first.copy(), speaker.d_vector.copy()
    any_codec.speaker([1] * 32)
    any_codec.decode([Span(TOKENS[5:10], speaker, 0, 5)])
    np.testing.assert_array_equal(first, before)
    np.testing.assert_array_equal(speaker.d_vector, voice_before)


def test_encoding_names_a_speaker(any_codec: Codec) -> None:
    tokens = any_codec.encode(RECORDING, 24000)
    assert len(tokens) == 32
    assert all(type(token) is int and 0 <= token < 4096 for token in tokens)
    assert tokens == any_codec.encode(RECORDING, 24000)
    any_codec.speaker(tokens)


def test_encoding_hears_the_same_at_another_volume(any_codec: Codec) -> None:
    quieter = any_codec.encode(0.5 * RECORDING, 16000)
    assert sum(a == b for a, b in zip(quieter, any_codec.encode(RECORDING, 16000))) >= 28


def test_without_what_finds_them_there_are_no_speech_tokens(any_codec: Codec) -> None:
    assert any_codec.speech_tokens(RECORDING, 16000) == ()


def test_no_spans_no_samples(any_codec: Codec) -> None:
    assert any_codec.decode([]) == []


def test_wrong_input_is_refused(any_codec: Codec) -> None:
    speaker = any_codec.speaker(GLOBAL_TOKENS)
    with pytest.raises(SynthesisFailed, match="8192"):
        any_codec.decode([Span([1, 8192], speaker, 0, 1)])
    with pytest.raises(InvalidRequest, match="32 global tokens, found 3"):
        any_codec.speaker([1, 2, 3])
    with pytest.raises(InvalidRequest, match="empty"):
        any_codec.encode(np.zeros(0, np.float32), 16000)


def test_broken_computation_is_a_synthesis_failure_and_not_the_end(any_codec: Codec) -> None:
    speaker = any_codec.speaker(GLOBAL_TOKENS)
    other = Speaker(speaker.d_vector[:3], speaker.scale, speaker.shift)
    with pytest.raises(SynthesisFailed, match="the codec broke"):
        any_codec.decode([Span([1, 2], other, 0, 1)])
    (samples,) = any_codec.decode([Span([1, 2], speaker, 0, 1)])
    assert np.isfinite(samples).all()


@pytest.mark.parametrize(
    ("modules", "library"),
    [
        ("batch, export, look_ahead, openvino, stream", "torch"),
        ("batch, look_ahead, pytorch, semantic, stream", "openvino"),
    ],
)
def test_one_library_is_enough(modules: str, library: str) -> None:
    script = (
        f"from mira.model.codec import {modules}\nimport sys\nprint({library!r} in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 4), (2, 2), (2, 1), (3, 4)])
def test_span_outside_its_tokens(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="can't be rendered"):
        Span([1, 2, 3], NOBODY, start, stop)


def test_speech_tokens() -> None:
    check_speech_tokens([0, 8191])
    for wrong in (-1, 8192):
        with pytest.raises(SynthesisFailed, match=f"speech token {wrong} "):
            check_speech_tokens([5, wrong, 7])


def test_global_tokens() -> None:
    check_global_tokens([0, *[4095] * 31])
    for count in (0, 31, 33):
        with pytest.raises(InvalidRequest, match=f"32 global tokens, found {count}"):
            check_global_tokens([1] * count)
    for wrong in (-1, 4096):
        with pytest.raises(InvalidRequest, match=f"global token {wrong} ") as caught:
            check_global_tokens([*[1] * 31, wrong])
        assert caught.value.param == "global_tokens"
