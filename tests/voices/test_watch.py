"""Whatever happens in the folder is noticed soon, and the folder itself may come and go."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mira.voices.watch import Watcher


class Looks:
    """Sees which files there are, whenever it is called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()
        self._changed = threading.Condition()
        self.fails = False
        self.looks = 0

    def __call__(self) -> None:
        with self._changed:
            self._seen = {path.name for path in self._folder.glob("*")}
            self.looks += 1
            self._changed.notify_all()
        if self.fails:
            raise RuntimeError("The folder is odd.")

    def see(self, *names: str, within_s: float = 2.0) -> None:
        """Return once it has seen just these."""
        with self._changed:
            seen = self._changed.wait_for(lambda: self._seen == set(names), within_s)
        assert seen, f"{self._seen} after {within_s} s"


@pytest.fixture
def looks(tmp_path: Path) -> Iterator[Looks]:
    folder = tmp_path / "voices"
    looks = Looks(folder)
    with closing(Watcher(folder, looks)):
        yield looks


def test_files_that_come_change_and_go(tmp_path: Path, looks: Looks) -> None:
    folder = tmp_path / "voices"
    folder.mkdir()
    (folder / "a").touch()
    looks.see("a")
    (folder / "b").touch()
    looks.see("a", "b")
    (folder / "a").unlink()
    looks.see("b")
    (folder / "b").rename(folder / "c")
    looks.see("c")


def test_a_folder_that_is_not_there_is_looked_at_once(looks: Looks) -> None:
    looks.see()
    deadline = time.monotonic() + 20
    while not looks.looks:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_where_no_change_is_reported_it_is_looked_at_all_the_same(
    tmp_path: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mira.voices.watch._LOOK_ANYWAY_S", 0.1)
    (tmp_path / "voices").mkdir()
    deadline = time.monotonic() + 20
    while looks.looks < 4:  # one because it wasn't there, one because it is
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_folder_may_come_and_go(tmp_path: Path, looks: Looks) -> None:
    folder = tmp_path / "voices"
    for name in ("one", "two"):
        folder.mkdir()
        (folder / name).touch()
        looks.see(name)
        shutil.rmtree(folder)
        looks.see()


def test_a_failure_does_not_end_it(
    tmp_path: Path, looks: Looks, caplog: pytest.LogCaptureFixture
) -> None:
    looks.fails = True
    folder = tmp_path / "voices"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).touch()
        looks.see(*{path.name for path in folder.iterdir()})
    assert "could not be read" in caplog.text


def test_it_ends_at_once(tmp_path: Path) -> None:
    watcher = Watcher(tmp_path, lambda: None)
    time.sleep(0.2)
    began = time.monotonic()
    watcher.close()
    watcher.close()
    assert time.monotonic() - began < 2
    assert not watcher._thread.is_alive()
