"""What is read is bounded and really there."""

import os
from pathlib import Path

import pytest

from mira.errors import InvalidRequest
from mira.voices.files import read_within


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
        "folder.wav": "Is a directory",
        "large.wav": "more than",
        "absent.wav": "No such file",
    }.items():
        with pytest.raises(InvalidRequest, match=why):
            read_within(tmp_path, name, 100)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    assert read_within(tmp_path, "large.wav", 101) == bytes(101)
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
