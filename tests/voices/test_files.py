"""A file is whole or absent; what is read is bounded and really there."""

import os
import time
from pathlib import Path

import pytest

from mira.errors import InvalidRequest, StorageFailed
from mira.voices.files import (
    make_folder,
    move_file,
    read_within,
    remove_file,
    stamp_of,
    sweep,
    write_whole,
)


def test_what_is_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.voice"
    for data in (b"one", b"another"):
        stamp = write_whole(target, data)
        assert target.read_bytes() == data
        assert stamp == stamp_of(target.stat())
        assert list(tmp_path.iterdir()) == [target]


def test_what_cant_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(StorageFailed, match="can't be written"):
        write_whole(target, b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(StorageFailed, match="can't be written"):
        write_whole(tmp_path / "nowhere" / "a", b"data")
    with pytest.raises(StorageFailed, match="'folder' can't be removed"):
        remove_file(target)
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="can't be made"):
        make_folder(tmp_path / "file" / "folder")


def test_a_file_is_moved_or_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    with pytest.raises(StorageFailed, match="'a' can't be moved: Not a directory"):
        move_file(tmp_path / "a", tmp_path / "a" / "b")
    move_file(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    move_file(tmp_path / "a", tmp_path / "c")  # somebody else was quicker
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_only_what_was_abandoned_is_swept(tmp_path: Path) -> None:
    abandoned, busy, other = (tmp_path / name for name in (".part-1", ".part-2", "anna.wav"))
    for path in (abandoned, busy, other):
        path.write_bytes(b"")
    long_ago = time.time() - 7200
    os.utime(abandoned, (long_ago, long_ago))
    os.utime(other, (long_ago, long_ago))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".part-2", "anna.wav"]
    sweep(tmp_path / "nowhere")


def test_a_link_is_followed_within_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    (folder / "kept").mkdir(parents=True)
    (folder / "kept" / "a").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"outside")
    (folder / "in.wav").symlink_to("kept/a")
    (folder / "out.wav").symlink_to(tmp_path / "secret")
    (folder / "up.wav").symlink_to("../secret")
    (folder / "round.wav").symlink_to("round.wav")
    assert read_within(folder, "in.wav", 100) == b"inside"
    for name in ("out.wav", "up.wav", "../secret"):
        with pytest.raises(InvalidRequest, match="outside of its folder"):
            read_within(folder, name, 100)
    with pytest.raises(InvalidRequest, match="can't be read"):
        read_within(folder, "round.wav", 100)


def test_only_an_ordinary_file_within_the_bound_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "large.wav").write_bytes(bytes(101))
    for name, why in {
        "pipe.wav": "no ordinary file",
        "folder.wav": "no ordinary file",
        "large.wav": "more than",
        "absent.wav": "No such file",
    }.items():
        with pytest.raises(InvalidRequest, match=why):
            read_within(tmp_path, name, 100)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    assert read_within(tmp_path, "large.wav", 101) == bytes(101)
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
