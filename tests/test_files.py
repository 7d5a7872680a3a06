"""A file is whole or absent, whatever happens while it is written."""

import logging
import os
import time
from pathlib import Path

import pytest

from mira.errors import InvalidSettings, StorageFailed
from mira.files import Reread, read_toml, storing, sweep, write_whole


@pytest.mark.parametrize("private", [False, True])
def test_what_is_written_is_there_and_nothing_else(tmp_path: Path, private: bool) -> None:
    target = tmp_path / "a.voice"
    before = os.umask(0o022)
    try:
        for data in (b"one", b"another"):
            status = write_whole(target, data, private=private)
            assert target.read_bytes() == data
            assert os.path.samestat(status, target.stat())
            assert status.st_mode & 0o777 == (0o600 if private else 0o644)
            assert list(tmp_path.iterdir()) == [target]
    finally:
        os.umask(before)


def test_what_cant_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    (target / "inside").mkdir(parents=True)
    refused = pytest.raises(StorageFailed, match="It can't be written: Is a directory")
    with refused, storing("It can't be written"):
        write_whole(target, b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "a", b"data")


def test_only_what_was_abandoned_is_swept(tmp_path: Path) -> None:
    abandoned, busy, other = (tmp_path / name for name in (".a.1.part", ".a.2.part", "a.part"))
    for path in (abandoned, busy, other):
        path.write_bytes(b"")
    long_ago = time.time() - 7200
    os.utime(abandoned, (long_ago, long_ago))
    os.utime(other, (long_ago, long_ago))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.2.part", "a.part"]
    sweep(tmp_path / "nowhere")


def test_a_file_is_read_again_when_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.toml"

    def write(text: str) -> None:
        path.unlink(missing_ok=True)
        path.write_text(text)

    def read() -> dict[str, object]:
        return read_toml(path, 1 << 20, "setting", "Write it well.")

    with pytest.raises(InvalidSettings, match=r"setting: .* is no file"):
        Reread(path, read)
    write("a = 1")
    file = Reread(path, read)
    assert (file.refresh(), file.value) == (False, {"a": 1})
    write("a = 2")
    assert (file.refresh(), file.refresh(), file.value) == (True, False, {"a": 2})
    caplog.set_level(logging.WARNING)
    for text in ("a = ", "a = "):
        write(text)
        assert (file.refresh(), file.value) == (False, {"a": 2})
    assert len(caplog.messages) == 1 and "Until then it stays as it was." in caplog.messages[0]
    write("a = 3")
    assert (file.refresh(), file.value) == (True, {"a": 3})


def test_what_is_no_toml_is_named_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for content, wrong in (
        (b'a = "s3cr3t', "not valid TOML: .*Write it well"),
        (b'a = "x"\nb = "s3cr3t\xff"', "line 2: save it as UTF-8"),
        (b'a = "' + b"s3cr3t" * 200_000, "more than 1 MiB"),
        (b"a = " + b"[" * 50_000, "not valid TOML"),
    ):
        path.write_bytes(content)
        with pytest.raises(InvalidSettings, match=wrong) as refused:
            read_toml(path, 1 << 20, "setting", "Write it well.")
        assert str(refused.value).startswith(f"setting: {path}")
        assert "s3cr3t" not in f"{refused.value}{refused.value.__cause__}"
