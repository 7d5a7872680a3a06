"""mira model: write a checkpoint, look into it, measure it, speak with it."""

import shutil
from pathlib import Path

import pytest

from tests.test_cli import mira, seconds


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiny") / "t"
    done = mira("model", "tiny", str(directory))
    assert (done.returncode, done.stderr) == (0, b"")
    return directory


def test_inspect_names_every_file(tiny: Path) -> None:
    shown = mira("model", "inspect", str(tiny)).stdout.decode()
    for name in ("model.safetensors", "tokenizer.json", "processer.onnx", "upsampler.pth"):
        assert name in shown
    assert "mira layout" in shown


def test_it_speaks(tiny: Path, tmp_path: Path) -> None:
    target = tmp_path / "t.wav"
    done = mira("say", "Hello there.", "-o", str(target), MIRA_MODEL=str(tiny))
    assert done.returncode == 0
    assert 0.1 < seconds(str(target)) < 6


def test_it_clones_a_recording_and_says_that_a_transcript_has_no_effect(
    tiny: Path, tmp_path: Path
) -> None:
    recording, target = tmp_path / "anna.wav", tmp_path / "t.wav"
    said = "The quick brown fox jumps over the lazy dog."
    mira("say", said, "-o", str(recording))
    clone = ("--clone", str(recording), "--transcript", said)
    done = mira("say", "Hi.", "-o", str(target), *clone, MIRA_MODEL=str(tiny))
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"mira: the transcript is not used: semantic_model is not set\n"
    assert seconds(str(target)) > 0.1


def test_inspect_shows_another_ones_codec(tiny: Path, tmp_path: Path) -> None:
    alone = shutil.copytree(tiny, tmp_path / "alone")
    shutil.rmtree(alone / "decoders")
    shown = mira("model", "inspect", str(alone), "--codec-model", str(tiny)).stdout.decode()
    assert "processer.onnx" in shown


def test_the_built_in_voice_cannot_clone(tmp_path: Path) -> None:
    recording = tmp_path / "anna.wav"
    mira("say", "Hello.", "-o", str(recording))
    done = mira("say", "Hi.", "-o", "-", "--clone", str(recording))
    assert done.returncode == 2
    assert b"needs a Mira model" in done.stderr


def test_look_ahead_ends_in_a_recommendation(tiny: Path) -> None:
    done = mira("model", "look-ahead", str(tiny), "--seed", "0")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert sum("recommended" in line for line in lines) == 1
    assert lines[-2].split()[0] == "67"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["inspect", "/no/such"], "/no/such: no such directory"),
        (["tiny", "/"], "expected an empty or new directory"),
        (["tiny", "x", "--layout", "other"], "--layout"),
    ],
)
def test_mistakes_get_one_line(arguments: list[str], says: str) -> None:
    done = mira("model", *arguments)
    assert done.returncode in (1, 2)
    assert len(done.stderr.decode().splitlines()) == 1
    assert says in done.stderr.decode()


def test_a_hub_id_without_a_network_says_what_to_copy_where() -> None:
    done = mira("say", "Hi.", "-o", "-", MIRA_MODEL="nobody/nothing", HF_HUB_OFFLINE="1")
    assert done.returncode == 1
    assert "copy its files from" in done.stderr.decode()
    assert len(done.stderr.decode().splitlines()) == 1
