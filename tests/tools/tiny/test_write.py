"""Random checkpoints hold every file, are the same again from the same seed, and can speak."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from mira.errors import CheckpointError
from mira.model.checkpoint.weights import codec_weights, upsampler_weights
from mira.model.codec.base import Span
from mira.model.codec.pytorch import TorchCodec
from tools.tiny.write import write_tiny

LANGUAGE = {
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
}


def files(directory: Path) -> dict[str, Path]:
    return {p.relative_to(directory).as_posix(): p for p in directory.rglob("*") if p.is_file()}


def test_every_file_of_mira(mira_directory: Path) -> None:
    names = ("processer.onnx", "s_encoder.onnx", "q_encoder.onnx", "detokenizer.safetensors")
    decoders = {f"decoders/{name}" for name in (*names, "upsampler.pth")}
    assert files(mira_directory).keys() == LANGUAGE | decoders


def test_every_file_of_spark(spark_directory: Path) -> None:
    language = {f"LLM/{name}" for name in LANGUAGE}
    codec = {"BiCodec/model.safetensors", "config.yaml"}
    assert files(spark_directory).keys() == language | codec


@pytest.mark.parametrize("layout", ["mira", "spark"])
def test_it_is_small(layout, request) -> None:
    directory = request.getfixturevalue(f"{layout}_directory")
    assert sum(path.stat().st_size for path in files(directory).values()) < 15e6


def test_a_seed_is_a_checkpoint(mira_directory: Path, tmp_path: Path) -> None:
    def digests(directory: Path) -> dict[str, str]:
        return {n: sha256(p.read_bytes()).hexdigest() for n, p in files(directory).items()}

    first = digests(mira_directory)
    assert digests(write_tiny(tmp_path / "same")) == first
    other = digests(write_tiny(tmp_path / "other", seed=1))
    changed = {name for name in first if first[name] != other[name]}
    assert changed == {n for n in first if n.startswith("decoders/")} | {"model.safetensors"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    with pytest.raises(CheckpointError, match="expected an empty or new directory"):
        write_tiny(tmp_path)


def spoken(codec: TorchCodec, speaker: list[int], tokens: list[int]) -> np.ndarray:
    return codec.decode([Span(tokens, codec.speaker(speaker), 0, len(tokens))])[0]


def test_it_is_audible(mira) -> None:
    """Any tokens of any speaker: noise that is neither silent nor clipped, at both rates."""
    weights, random = codec_weights(mira), np.random.default_rng(0)
    codecs = (TorchCodec(weights), TorchCodec(weights, upsampler_weights(mira)))
    for _ in range(3):
        speaker = random.integers(0, 4096, 32).tolist()
        tokens = random.integers(0, 8192, 50).tolist()
        wave, raised = (spoken(codec, speaker, tokens) for codec in codecs)
        assert (len(wave), len(raised)) == (50 * 320, 50 * 960)
        assert 0.05 < wave.std() < 0.3
        assert np.abs(wave).max() < 1
        assert 0.05 < raised.std() < 0.3


def test_voices_differ(mira) -> None:
    """Two recordings make two voices, and those two sounds."""
    codec = TorchCodec(codec_weights(mira))
    random = np.random.default_rng(0)
    mels = np.abs(random.standard_normal((2, 300, 128), dtype=np.float32)) / 10
    mels[1] *= np.linspace(2, 0.1, 128, dtype=np.float32)
    one, two = (codec.encode_mel(mel) for mel in mels)
    assert (one != two).sum() > 10
    sounds = [spoken(codec, speaker.tolist(), list(range(40))) for speaker in (one, two)]
    assert (sounds[0] - sounds[1]).std() > 0.02
