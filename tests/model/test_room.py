"""What a conversion takes is known before it begins."""

from dataclasses import replace
from pathlib import Path

import pytest

from mira.machine import Limits
from mira.model.checkpoint.language import LanguageDims, find_language_model
from mira.model.room import lacks


@pytest.fixture(scope="module")
def dims(mira_directory: Path) -> LanguageDims:
    return find_language_model(mira_directory).dims


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())


def test_what_there_is_too_little_of_is_said(
    dims: LanguageDims, full: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mira.model.room.limits_here", lambda: Limits(memory_left_bytes=10))
    disk, memory = lacks(dims, tmp_path / "new")
    assert disk.startswith("Converting needs about ")
    assert disk.endswith(f" GB of disk space; there are 0.0 GB in {tmp_path}.")
    assert memory.endswith(" GB of memory; there are 0.0 GB here.")
    assert list(lacks(dims, tmp_path, reads=False)) == [disk]
    assert not (tmp_path / "new").exists()


def test_what_an_interrupted_run_left_needs_no_more_room(
    dims: LanguageDims, full: None, tmp_path: Path
) -> None:
    assert "disk space" in next(lacks(dims, tmp_path, "bf16"))
    with (tmp_path / "language.bin").open("wb") as file:
        file.truncate(1 << 30)  # more than a tiny one needs
    assert not list(lacks(dims, tmp_path, "bf16"))


def test_fewer_bits_take_less_room(
    dims: LanguageDims, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MiraTTS is: half a billion weights."""
    true = replace(dims, hidden=896, layers=24, heads=14, kv_heads=2, intermediate=4864)
    usage = type("Usage", (), {"free": 1.5 * 10**9})()
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    for asked, fits in (("auto", True), ("int4", True), ("bf16", False)):
        assert bool(list(lacks(true, tmp_path, asked, reads=False))) != fits
