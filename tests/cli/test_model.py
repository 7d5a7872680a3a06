"""mira model: look into a checkpoint, measure it, speak with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mira.cli.model import download, inspect
from mira.errors import CheckpointError, InvalidRequest
from mira.load.plan import install
from tests.cli.conftest import Here
from tests.cli.running import mira, seconds
from tests.model.checkpoint.hub_server import MODEL_FILES, pointed_at, serving_hub, write_model
from tests.voices.bringing import ALLISON


def test_inspect_names_every_file(mira_directory: Path, here: Here) -> None:
    shown = here("model", "inspect", str(mira_directory)).out.decode()
    for name in ("model.safetensors", "tokenizer.json", "processer.onnx", "upsampler.pth"):
        assert name in shown
    assert "mira layout" in shown


def test_what_is_converted_has_nothing_to_look_into_or_convert(tmp_path: Path, here: Here) -> None:
    (tmp_path / "mira.json").write_text("{}")
    for command in (("inspect", str(tmp_path)), ("convert", str(tmp_path), "out")):
        done = here("model", *command)
        assert (done.status, done.out) == (2, b"")
        assert "is converted and speaks as it is. Name what it was made of." in done.err


def test_download_asks_the_hub_each_time_and_a_start_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving_hub(owner__name=write_model(tmp_path / "published")) as hub:
        pointed_at(hub, tmp_path / "home", monkeypatch)
        for times in (1, 2):
            download("owner/name")
            printed = Path(capsys.readouterr().out.strip())
            assert (printed / "model.safetensors").is_file()
            assert len([path for path in hub.paths if path.startswith("/api/")]) == times
        assert hub.sent["model.safetensors"] == MODEL_FILES["model.safetensors"]
        with pytest.raises(CheckpointError):  # it is noise
            inspect("owner/name")
        assert len([path for path in hub.paths if path.startswith("/api/")]) == 2


def test_download_says_what_it_does_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving_hub(owner__name=write_model(tmp_path / "published")) as hub:
        pointed_at(hub, tmp_path / "home", monkeypatch)
        download("owner/name", part="codec")
        said = capsys.readouterr().err.splitlines()
        folder = tmp_path / "home" / "hub" / "models--owner--name"
        assert said[0] == f"looking for owner/name at {hub.url}"
        assert said[-1].startswith(f"downloading owner/name to {folder}: ")
        assert dict(hub.sent) == {"decoders/s_encoder.onnx": 90_000}
    with pytest.raises(InvalidRequest, match="is a directory here"):
        download(str(tmp_path))


def test_it_clones_a_recording_and_says_that_a_transcript_has_no_effect(
    mira_directory: Path, tmp_path: Path, here: Here
) -> None:
    target = tmp_path / "t.wav"
    clone = ("--clone", str(ALLISON), "--transcript", "Congratulations!")
    model = {"MIRA_MODEL": str(mira_directory), "MIRA_LM_ENGINE": "torch"}
    done = here("say", "Hi.", "-o", str(target), *clone, **model)
    assert done.status == 0, done.err
    # The model, drawn at random, may have been cut off; that is logged too.
    assert "mira: the transcript is not used: semantic_model is not set\n" in done.err
    assert seconds(str(target)) > 0.05


def test_inspect_shows_another_ones_codec(mira_directory: Path, tmp_path: Path, here: Here) -> None:
    alone = shutil.copytree(mira_directory, tmp_path / "alone")
    shutil.rmtree(alone / "decoders")
    shown = here("model", "inspect", str(alone), "--codec-model", str(mira_directory)).out
    assert b"processer.onnx" in shown


def test_look_ahead_ends_in_a_recommendation(mira_directory: Path, here: Here) -> None:
    done = here("model", "look-ahead", str(mira_directory), "--seed", "0")
    assert done.status == 0, done.err
    lines = done.out.decode().splitlines()
    assert sum("recommended" in line for line in lines) == 1
    assert lines[-2].split()[0] == "67"


def test_a_hub_id_without_a_network_says_what_to_copy_where(tmp_path: Path) -> None:
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = mira("say", "Hi.", "-o", "-", MIRA_MODEL="nobody/nothing", **offline)
    assert done.returncode == 1
    assert "copy the files to a directory and give that" in done.stderr.decode()
    assert len(done.stderr.decode().splitlines()) == 1


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [
        ("openvino", ["convert", ".", "out"]),
        ("safetensors", ["inspect", "."]),
        ("huggingface_hub", ["inspect", "owner/name"]),
        ("httpx2", ["convert", ".", "out", "--codec-model", "owner/name"]),
    ],
)
def test_without_a_library_it_says_what_to_install(
    missing: str, arguments: list[str], tmp_path: Path
) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"sys.argv = ['mira', 'model', *{arguments}]\n"
        "from mira.cli.main import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"needs {missing}" in done.stderr
    assert install("cpu") in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_inspect_says_what_it_downloads(
    mira_directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving_hub(owner__name=mira_directory) as hub:
        pointed_at(hub, tmp_path / "home", monkeypatch)
        inspect("owner/name")
    captured = capsys.readouterr()
    assert "mira layout" in captured.out
    assert "downloading owner/name to " in captured.err
