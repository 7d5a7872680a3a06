"""A file is whole or absent, whatever happens while it is written."""

import os
import time
from pathlib import Path

import pytest

from mira.errors import StorageFailed
from mira.files import storing, sweep, write_whole


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
