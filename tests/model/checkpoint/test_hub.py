"""Directories pass; ids come from the cache, or end in one line that says what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest
from huggingface_hub import constants

from mira.errors import CheckpointError, NotDownloaded
from mira.model.checkpoint.hub import is_wanted, locate
from tests.model.checkpoint.hub_server import Hub
from tests.test_settings import without_a_home

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_directory_is_itself(tmp_path: Path) -> None:
    assert locate(str(tmp_path)) == tmp_path


def test_a_directory_wins_over_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert locate("owner/name") == Path("owner/name")


@pytest.mark.parametrize("switch", ["argument", "variable"])
def test_offline_one_line_says_what_to_do(
    switch: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", switch == "variable")
    with pytest.raises(NotDownloaded) as raised:
        locate("owner/name", offline=switch == "argument")
    message = str(raised.value)
    assert "\n" not in message
    folder = Path(constants.HF_HUB_CACHE) / "models--owner--name"
    assert message.startswith(f"owner/name: not all of its files are in {folder}, and nothing is")
    assert "without HF_HUB_OFFLINE, or copy the files to a directory" in message
    assert not hub.requests


def test_half_a_download_is_not_taken_for_one(hub: Hub) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locate("owner/name", report=stop)
    with pytest.raises(NotDownloaded, match="not all of its files are in"):
        locate("owner/name", offline=True)


def test_what_was_downloaded_before_is_found(tmp_path: Path) -> None:
    """The hub's cache, as its client lays it out."""
    repository = tmp_path / "models--owner--name"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    for revision in (None, "main", COMMIT):
        assert locate("owner/name", revision, tmp_path, offline=True) == snapshot
    with pytest.raises(NotDownloaded):
        locate("owner/name", "other", tmp_path, offline=True)


@pytest.mark.parametrize("revision", ["../x", "a/../b", "/etc", "a b", "-f"])
def test_what_is_no_revision_is_not_asked_for(revision: str, hub: Hub) -> None:
    with pytest.raises(CheckpointError, match=r"model_revision: .* is no branch, tag or commit"):
        locate("owner/name", revision)
    assert not hub.requests


def test_who_has_no_home_is_told_to_name_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    without_a_home(monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "~/.cache/huggingface/hub")
    with pytest.raises(CheckpointError, match=r"owner/name: .*set HF_HUB_CACHE, or HOME, to a"):
        locate("owner/name")


def test_a_directory_that_is_closed_to_us() -> None:
    closed = Path(mkdtemp())
    closed.chmod(0)
    try:
        with (
            as_somebody_else(),
            pytest.raises(CheckpointError, match=r"can't be looked into\. Give"),
        ):
            locate(str(closed))
    finally:
        closed.rmdir()


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Not as root, who may look into everything."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(CheckpointError, match="is a file"):
        locate(str(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("name", ["/" + 300 * "a", "~nobody-of-this-name/model"])
def test_a_path_that_no_system_takes_is_an_error_too(name: str) -> None:
    with pytest.raises(CheckpointError, match="can't be looked into"):
        locate(name)


@pytest.mark.parametrize(
    "name", ["/absent", "absent", "a/b/c", "./absent/model", "../x", "a/b c", ""]
)
def test_what_is_neither_is_not_looked_for(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    if name:
        with pytest.raises(CheckpointError, match="no such directory, nor a Hugging Face id"):
            locate(name)


def test_every_file_of_a_checkpoint_is_wanted_and_no_other(mira_directory, spark_directory) -> None:
    for directory in (mira_directory, spark_directory):
        files = [path for path in directory.rglob("*") if path.is_file()]
        assert files
        assert all(is_wanted(path.relative_to(directory).as_posix()) for path in files)
    assert is_wanted("model-00001-of-00002.safetensors")
    assert is_wanted("processer.onnx")
    for name in ("wav2vec2-large-xlsr-53/config.json", "decoders/detokenizer.onnx", "example1.wav"):
        assert not is_wanted(name)
    for name in ("model.safetensors", "config.json", "LLM/model.safetensors"):
        assert not is_wanted(name, "codec")
    for name in ("decoders/s_encoder.onnx", "BiCodec/model.safetensors", "decoders/upsampler.pth"):
        assert is_wanted(name, "codec")
    for name in ("config.json", "pytorch_model.bin", "model.safetensors"):
        assert is_wanted(name, "wav2vec2")
    assert not is_wanted("flax_model.msgpack", "wav2vec2")
