"""The semantic encoder against the same written down plainly, and a recording all the way."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mira.errors import CheckpointError, InvalidRequest
from mira.model.checkpoint.wav2vec2 import load_wav2vec2
from mira.model.codec.pytorch import TorchCodec
from mira.model.codec.semantic import (
    WAV2VEC2_LAYERS,
    SpeechTokenizer,
)
from tests.model.codec.random_weights import LATENT, random_weights
from tests.wav2vec2 import write_wav2vec2

TENSORS = random_weights(seed=5, semantic=True)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> SpeechTokenizer:
    return SpeechTokenizer(wav2vec2(tmp_path_factory.mktemp("w"), LATENT), TENSORS)


def wav2vec2(directory: Path, channels: int) -> Any:
    write_wav2vec2(directory, channels)
    return load_wav2vec2(directory, WAV2VEC2_LAYERS)


def test_features_of_another_width_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"expected features of {LATENT} channels; found 48"):
        SpeechTokenizer(wav2vec2(tmp_path, 48), TENSORS)


def test_it_reads_no_layer_that_is_not_loaded(tmp_path: Path) -> None:
    """The last layer's output is normed or not, depending on the version of transformers."""
    write_wav2vec2(tmp_path, LATENT)
    recording = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    fewer, more = (
        SpeechTokenizer(load_wav2vec2(tmp_path, layers), TENSORS)
        for layers in (WAV2VEC2_LAYERS, WAV2VEC2_LAYERS + 1)
    )
    assert fewer.encode(recording, 16000) == more.encode(recording, 16000)


def test_a_codec_has_speech_tokens_if_it_was_loaded_with_them(tokenizer: SpeechTokenizer) -> None:
    recording = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    assert TorchCodec(TENSORS).speech_tokens(recording, 16000) == ()
    codec = TorchCodec(TENSORS, speech_tokenizer=tokenizer)
    assert codec.speech_tokens(recording, 16000) == tokenizer.encode(recording, 16000)


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
