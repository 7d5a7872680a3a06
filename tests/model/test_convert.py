"""A tiny checkpoint converted: whole, interrupted, and where it can't be."""

import json
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mira.engine import Engine
from mira.errors import CheckpointError, InvalidSettings
from mira.load import load_engine
from mira.machine import Limits
from mira.model import convert as module
from mira.model.checkpoint.converted import LOCK, MANIFEST, open_converted
from mira.model.checkpoint.files import alone
from mira.model.checkpoint.layout import Checkpoint, open_checkpoint
from mira.model.convert import Agreement, convert
from mira.model.lm.prompt import PromptBuilder
from mira.settings import Settings
from mira.stream.playback import Playback
from mira.types import Sampling
from tests.model.lm.reference import Reference

TEXT = "Hello there, how are you today?"


@pytest.fixture(scope="module")
def checkpoint(mira_directory: Path) -> Checkpoint:
    return open_checkpoint(mira_directory)


@pytest.fixture
def converted(converted_directory: Path) -> Path:
    return converted_directory


def load(directory: Path, **settings: object) -> Engine:
    fields = {
        "model": str(directory),
        "cpu_threads": 1,
        "look_ahead_frames": 67,
    }
    return load_engine(Settings(**(fields | settings)))


def spoken(engine: Engine) -> np.ndarray:
    file = Playback(live=False)
    return np.concatenate(list(engine.speak(TEXT, engine.voices[0], Sampling(seed=4), file)))


def test_the_original_in_float32_is_pytorch_s(checkpoint: Checkpoint) -> None:
    """What a conversion is compared with, on a machine that may have no PyTorch."""
    prompts = PromptBuilder(checkpoint.language / "tokenizer.json", checkpoint.tokens)
    prompt = prompts.build(TEXT, range(0, 4096, 128))
    ids = [checkpoint.tokens.first_speech + code for code in range(0, 8192, 400)]
    reference = Reference(checkpoint.language, checkpoint.tokens)
    expected = reference.logits(prompt, ids)
    found = module._logits(module.original_runner(checkpoint), prompt, ids)
    assert np.abs(found - expected).max() < 2e-4 * np.abs(expected).max()


def test_it_says_what_the_original_says(
    converted: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same voice, same seed: the same tokens, and nearly the same samples; both in float32."""
    monkeypatch.setattr("mira.model.codec.openvino._has_bf16", lambda core: False)
    with closing(load(checkpoint.directory, lm_engine="torch")) as original:
        expected, voices = spoken(original), original.voices
    with closing(load(converted)) as engine:
        assert engine.voices == voices
        found = spoken(engine)
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() < 1e-3


def test_what_the_model_says_decides_what_the_codec_may_round(
    checkpoint: Checkpoint, converted: Path
) -> None:
    said = module._utterances(checkpoint, converted)
    assert said is not None
    assert [len(voice) for _, voice in said] == [32] * 4
    assert len({tuple(voice) for _, voice in said}) == 2
    assert all(1 < len(speech) <= module.SAID_TOKENS for speech, _ in said)


def test_without_the_upsampler(converted: Path) -> None:
    with closing(load(converted, upsample=False)) as engine:
        assert engine.sample_rate == 16000
        assert len(spoken(engine)) > 0


def test_it_runs_without_torch(converted: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from mira import Settings, load_engine\n"
        f"engine = load_engine(Settings(model={str(converted)!r}))\n"
        "print(sum(map(len, engine.speak('Hello there.', engine.voices[0]))) > 0)\n"
        "engine.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "True\n", done.stderr


def test_settings_that_need_the_published_files_are_refused(converted: Path) -> None:
    for name in ("codec_model", "semantic_model"):
        with pytest.raises(InvalidSettings, match="has its own codec"):
            load(converted, **{name: "some/where"})


def test_settings_of_a_gpu_are_refused(converted: Path) -> None:
    for name, value in {
        "model_device": "cuda",
        "lm_engine": "torch",
        "model_dtype": "float32",
    }.items():
        with pytest.raises(InvalidSettings, match=f"{name}: a converted model runs on a CPU"):
            load(converted, **{name: value})


@pytest.mark.parametrize("missing", ["language.bin", "codec/prenet.xml"])
def test_a_part_that_is_gone_has_to_be_converted_again(
    converted: Path, tmp_path: Path, missing: str
) -> None:
    damaged = shutil.copytree(converted, tmp_path / "damaged")
    (damaged / missing).unlink()
    with pytest.raises(CheckpointError, match="convert the model again: mira model convert"):
        load(damaged)


def test_the_same_command_repairs_what_was_damaged(
    converted: Path, checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_utterances", lambda *arguments: [])
    damaged = shutil.copytree(converted, tmp_path / "damaged")
    weights = bytearray((converted / "language.bin").read_bytes())
    weights[len(weights) // 2] ^= 1
    (damaged / "language.bin").write_bytes(weights)
    (damaged / "codec" / "prenet.xml").unlink()
    convert(checkpoint, damaged, "bf16")
    for name in ("language.bin", "codec/prenet.bin"):
        assert (damaged / name).read_bytes() == (converted / name).read_bytes()
    assert open_converted(damaged).weights == "bf16"


def test_a_whole_one_is_left_as_it_is(converted: Path, checkpoint: Checkpoint) -> None:
    def refuse(*said: object) -> None:
        raise AssertionError(said)

    before = {path: path.stat().st_mtime_ns for path in converted.rglob("*.*")}
    kind, found = convert(checkpoint, converted, "bf16", refuse)
    assert (kind, found.good) == ("bf16", True)
    assert found.same == found.tokens > 40
    assert found.snr_db > 60
    assert {path: path.stat().st_mtime_ns for path in converted.rglob("*.*")} == before


def test_two_do_not_convert_into_one_directory(checkpoint: Checkpoint, tmp_path: Path) -> None:
    def give_up(what: str, done: int, total: int) -> None:
        raise LookupError(what)

    with (
        alone(tmp_path / LOCK, give_up, ""),
        pytest.raises(LookupError, match="waiting for another process"),
    ):
        convert(checkpoint, tmp_path, "int4", give_up)


def test_what_is_no_directory_is_said(checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CheckpointError, match="can't be converted to"):
            convert(checkpoint, path, "int4")


@pytest.mark.parametrize("part", ["_language", "_codec", "_utterances"])
def test_an_interrupted_conversion_goes_on(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """The disk fills in one of the parts: what was finished stays, and is not done again."""
    done: list[str] = []

    def stub(name: str, value: object = None):
        def run(*arguments: object) -> object:
            if part == name and not done.count("failed"):
                done.append("failed")
                raise OSError(28, "No space left on device")
            done.append(name)
            return value

        return run

    monkeypatch.setattr(module, "_language", stub("_language", ("int4", Agreement(2, 1, 3.5))))
    monkeypatch.setattr(module, "_codec", stub("_codec"))
    monkeypatch.setattr(module, "_utterances", stub("_utterances", []))
    monkeypatch.setattr(module, "export_measured", lambda *arguments: None)
    with pytest.raises(CheckpointError, match=r"No space left on device.*goes on from there"):
        convert(checkpoint, tmp_path, "int4")
    with pytest.raises(CheckpointError, match="was not finished; convert the model again"):
        load(tmp_path)
    if part != "_language":  # nor is the memory wanted that the original takes
        little = type("Memory", (), {"available": 10})
        monkeypatch.setattr("psutil.virtual_memory", little)
    assert convert(checkpoint, tmp_path, "int4") == ("int4", Agreement(2, 1, 3.5))
    assert sorted(done) == ["_codec", "_language", "_utterances", "failed"]
    assert json.loads((tmp_path / MANIFEST).read_text())["complete"] is True


def test_a_disk_that_really_fills(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """No file may grow beyond 100 kB: the graphs are larger."""
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from pathlib import Path\n"
        "from mira.model.checkpoint.layout import open_checkpoint\n"
        "from mira.model.convert import convert\n"
        "from mira.errors import CheckpointError\n"
        f"checkpoint = open_checkpoint(Path({str(checkpoint.directory)!r}))\n"
        "try:\n"
        f"    convert(checkpoint, Path({str(tmp_path)!r}), 'int4')\n"
        "except CheckpointError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "can't be converted to" in done.stdout, done.stderr
    with pytest.raises(CheckpointError, match="was not finished"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("what", "patch"),
    [
        ("disk space", ("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())),
        ("memory", ("psutil.virtual_memory", lambda: type("Memory", (), {"available": 10})())),
        ("memory", ("mira.model.room.limits_here", lambda: Limits(memory_left_bytes=10))),
    ],
)
def test_too_little_room_is_said_before_anything_is_written(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, patch
) -> None:
    monkeypatch.setattr(*patch)
    with pytest.raises(InvalidSettings, match=rf"needs about .* GB of {what}; there are 0\.0 GB"):
        convert(checkpoint, tmp_path / "new", "int8")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"{MANIFEST}.lock"]
