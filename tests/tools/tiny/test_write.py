"""Random checkpoints hold every file, are the same again from the same seed, and can speak."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from mira.errors import CheckpointError
from mira.model.checkpoint.weights import codec_weights, upsampler_weights
from mira.model.codec.pytorch import load_networks
from mira.model.codec.upsampler import Upsampler
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


def test_it_is_audible(mira) -> None:
    """Any tokens of any speaker: noise that is neither silent nor clipped, at both rates."""
    _, speaker_vector, prenet, wave_generator = load_networks(codec_weights(mira))
    upsampler = Upsampler(upsampler_weights(mira))
    random = np.random.default_rng(0)
    with torch.inference_mode():
        for _ in range(3):
            speaker = torch.from_numpy(random.integers(0, 4096, (1, 32)))
            tokens = torch.from_numpy(random.integers(0, 8192, (1, 50)))
            wave = wave_generator(prenet(tokens, *speaker_vector(speaker)))
            assert wave.shape == (1, 50 * 320)
            assert 0.05 < wave.std() < 0.3
            assert wave.abs().max() < 1
            assert upsampler(wave).shape == (1, 50 * 960)
            assert 0.05 < upsampler(wave).std() < 0.3


def test_voices_differ(mira) -> None:
    """Two recordings make two voices, and those two sounds."""
    encoder, speaker_vector, prenet, wave_generator = load_networks(codec_weights(mira))
    random = np.random.default_rng(0)
    mel = np.abs(random.standard_normal((2, 300, 128), dtype=np.float32)) / 10
    mel[1] *= np.linspace(2, 0.1, 128, dtype=np.float32)
    with torch.inference_mode():
        speakers = encoder(torch.from_numpy(mel))
        assert (speakers[0] != speakers[1]).sum() > 10
        tokens = torch.arange(40)[None].expand(2, -1)
        one, two = wave_generator(prenet(tokens, *speaker_vector(speakers)))
    assert (one - two).std() > 0.02
