"""The library face on a tiny checkpoint: true files, true loaders, random weights."""

import wave
from pathlib import Path

import numpy as np
import pytest

from mira.checkpoint.tiny import write_tiny
from mira.errors import CheckpointError, InvalidRequest
from mira.load import load_engine
from mira.settings import Settings
from mira.synth.builtin import BuiltinSynthesizer
from mira.tts import MiraTTS
from mira.types import Samples, Sampling

TEXT = "Hello there. This is a test."
EXACT = Settings(look_ahead_frames=67)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("tiny") / "mira")


@pytest.fixture(scope="module")
def tts(checkpoint: Path) -> MiraTTS:
    return MiraTTS(checkpoint, EXACT)


def save(path: Path, samples: Samples, sample_rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sample_rate, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Somebody, and the same at half the rate: another person, to the ear."""
    builtin = BuiltinSynthesizer()
    said = "The quick brown fox jumps over the lazy dog near the bank of the river."
    samples = np.concatenate(list(builtin.synthesize(said, builtin.voices[0])))
    folder = tmp_path_factory.mktemp("voices")
    return save(folder / "high.wav", samples, 24000), save(folder / "low.wav", samples, 12000)


def test_streamed_equals_whole_and_a_seed_repeats(tts: MiraTTS) -> None:
    sampling = Sampling(seed=3)
    whole = tts.generate(TEXT, tts.sample_voice, sampling)
    streamed = np.concatenate(list(tts.stream_generate(TEXT, tts.sample_voice, sampling)))
    assert tts.sample_rate == 48000
    assert np.array_equal(whole, streamed)
    assert np.abs(whole).max() > 0.01
    other = tts.generate(TEXT, tts.sample_voice, Sampling(seed=4))
    assert not np.array_equal(whole[:48000], other[:48000])


def test_two_recordings_are_two_voices(tts: MiraTTS, recordings: tuple[Path, Path]) -> None:
    high, low = map(tts.encode_audio, recordings)
    assert (high.name, low.name) == ("high", "low")
    assert len(high.global_tokens) == len(low.global_tokens) == 32
    assert high.global_tokens != low.global_tokens
    spoken = tts.batch_generate(["Hello."] * 2, [high, low], Sampling(seed=1))
    assert not np.array_equal(spoken[0][:9600], spoken[1][:9600])


def test_the_same_recording_is_the_same_voice(tts: MiraTTS, recordings: tuple[Path, Path]) -> None:
    assert tts.encode_audio(recordings[0]) == tts.encode_audio(recordings[0])


def test_a_recording_that_cannot_be_read_is_said_so(tts: MiraTTS, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="No such file"):
        tts.encode_audio(tmp_path / "nobody.wav")
    (tmp_path / "bytes.wav").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(InvalidRequest, match="damaged, or not audio"):
        tts.encode_audio(tmp_path / "bytes.wav")


def test_sparks_layout_speaks_at_16_khz(tmp_path: Path) -> None:
    tts = MiraTTS(write_tiny(tmp_path / "spark", "spark"))
    assert tts.sample_rate == 16000
    assert len(tts.generate("Hello there.", tts.sample_voice, Sampling(seed=1))) > 1600


def test_without_the_upsampler_it_is_16_khz(checkpoint: Path) -> None:
    engine = load_engine(Settings(model=str(checkpoint), upsample=False))
    assert engine.sample_rate == 16000


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "decoders/processer.onnx",
        "decoders/s_encoder.onnx",
        "decoders/detokenizer.safetensors",
        "decoders/upsampler.pth",
    ],
)
def test_a_file_cut_in_half_is_named(checkpoint: Path, tmp_path: Path, name: str) -> None:
    import shutil

    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    whole = (broken / name).read_bytes()
    (broken / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=name.split("/")[-1].replace(".", r"\.")):
        MiraTTS(broken)


def test_float16_is_refused_with_its_reason(checkpoint: Path) -> None:
    from mira.errors import InvalidSettings

    with pytest.raises(InvalidSettings, match="overflow"):
        MiraTTS(checkpoint, Settings(model_dtype="float16"))
