"""A model is converted once, by one process, whatever happens to it on the way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mira.errors import CheckpointError, InvalidSettings
from mira.load.converted import is_prepared, prepared
from mira.model import convert as converting
from mira.model.checkpoint.converted import LOCK
from mira.model.checkpoint.files import alone
from mira.model.checkpoint.layout import Checkpoint, open_checkpoint
from mira.model.convert import Agreement
from mira.settings import Settings
from tests.server.serving import wait_until

PREPARE = """
import sys, time
from pathlib import Path
from mira.model import convert
from mira.model.checkpoint.layout import open_checkpoint
from mira.errors import MiraError
from mira.load.converted import prepared
from mira.settings import Settings
checkpoint, cache = open_checkpoint(Path(sys.argv[1])), Path(sys.argv[2])

# The codec takes long; here it takes until a test has seen what it wants to see.
def codec(*arguments):
    while not (cache / "go on").exists():
        time.sleep(0.01)

convert._codec = codec
convert._utterances = lambda *arguments: []
convert.export_measured = lambda *arguments: None
settings = Settings(model="tiny", cache_dir=cache)
try:
    prepared(checkpoint, settings, lambda *said: print(*said, flush=True))
except MiraError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def checkpoint(mira_directory: Path) -> Checkpoint:
    return open_checkpoint(mira_directory)


def named(model: str, cache: Path) -> Settings:
    return Settings(model=model, cache_dir=cache)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Conversions that write nothing but one file; the list of them."""
    done: list[str] = []

    def language(checkpoint: Checkpoint, directory: Path, *rest: object) -> object:
        done.append(directory.name)
        (directory / "language.xml").write_text("graph")
        return "int4", Agreement(2, 2, 30.0)

    monkeypatch.setattr(converting, "_language", language)
    monkeypatch.setattr(converting, "_codec", lambda *arguments: None)
    monkeypatch.setattr(converting, "_utterances", lambda *arguments: [])
    monkeypatch.setattr(converting, "export_measured", lambda *arguments: None)
    return done


def test_it_is_converted_once(checkpoint: Checkpoint, tmp_path: Path, quick: list[str]) -> None:
    assert not is_prepared(checkpoint, named("owner/name", tmp_path))
    first = prepared(checkpoint, named("owner/name", tmp_path))
    assert is_prepared(checkpoint, named("owner/name", tmp_path))
    assert first.directory.parent == tmp_path / "converted"
    assert first.directory.name.startswith("owner-name-")
    assert prepared(checkpoint, named("owner/name", tmp_path)) == first
    assert len(quick) == 1


def test_a_checkpoint_that_changed_is_converted_anew(
    checkpoint: Checkpoint, tmp_path: Path, quick: list[str]
) -> None:
    copied = open_checkpoint(shutil.copytree(checkpoint.directory, tmp_path / "copy"))
    before = prepared(copied, named("a/b", tmp_path))
    os.utime(copied.language_weights[0], (1, 1))
    after = prepared(open_checkpoint(copied.directory), named("a/b", tmp_path))
    assert after.directory != before.directory
    assert len(quick) == 2


def test_no_conversion_stays_of_what_a_model_was_before(
    checkpoint: Checkpoint, tmp_path: Path, quick: list[str]
) -> None:
    """Another model's does, even if that is called the same."""
    models = [tmp_path / side / "model" for side in ("left", "right")]
    for changed_at, model in enumerate(models):
        shutil.copytree(checkpoint.directory, model)
        os.utime(model / "model.safetensors", (changed_at, changed_at))
    settings = [named(str(model), tmp_path / "cache") for model in models]
    left, right = (
        prepared(open_checkpoint(model), one).directory
        for model, one in zip(models, settings, strict=True)
    )
    (tmp_path / "cache" / "converted" / "notes").mkdir()
    os.utime(models[0] / "model.safetensors", (9, 9))
    after = prepared(open_checkpoint(models[0]), settings[0]).directory
    assert [path.exists() for path in (left, right, after, left.parent / "notes")] == [
        *(False, True, True, True)
    ]


def changed(checkpoint: Checkpoint, copy: Path, at: int) -> Checkpoint:
    if not copy.exists():
        shutil.copytree(checkpoint.directory, copy)
    os.utime(copy / "model.safetensors", (at, at))
    return open_checkpoint(copy)


def test_what_a_model_was_before_is_known_wherever_mira_is_started(
    checkpoint: Checkpoint, tmp_path: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = named(str(tmp_path / "model"), tmp_path / "cache")
    before = prepared(changed(checkpoint, tmp_path / "model", 1), settings).directory
    monkeypatch.chdir("/")
    prepared(changed(checkpoint, tmp_path / "model", 2), settings)
    assert not before.exists()


def test_nothing_is_removed_that_others_use_or_made(
    checkpoint: Checkpoint, tmp_path: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another process converts, what another version converted, and somebody's copy.

    Nor does a start fail of one that can't be written.
    """
    settings = named(str(tmp_path / "model"), tmp_path / "cache")
    kept = []
    with monkeypatch.context() as patch:
        patch.setattr("mira.load.converted.FORMAT", 2)
        kept.append(prepared(changed(checkpoint, tmp_path / "model", 1), settings).directory)
    busy = prepared(changed(checkpoint, tmp_path / "model", 2), settings).directory
    kept += [busy, shutil.copytree(busy, busy.with_name(f"{busy.name}-mine"))]
    with alone(busy / LOCK, lambda *said: None, ""):
        after = prepared(changed(checkpoint, tmp_path / "model", 3), settings).directory
    assert sorted(after.parent.iterdir()) == sorted([*kept, after])
    (busy / LOCK).unlink()
    (busy / LOCK).mkdir()
    after = prepared(changed(checkpoint, tmp_path / "model", 4), settings).directory
    assert busy.exists()
    (busy / LOCK).rmdir()
    after = prepared(changed(checkpoint, tmp_path / "model", 5), settings).directory
    kept.remove(busy)
    assert sorted(after.parent.iterdir()) == sorted([*kept, after])


def test_one_that_was_damaged_since_is_converted_again(
    checkpoint: Checkpoint, tmp_path: Path, quick: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    found = prepared(checkpoint, named("a/b", tmp_path))
    (found.directory / "language.xml").write_text("another")
    assert prepared(checkpoint, named("a/b", tmp_path)) == found
    assert (found.directory / "language.xml").read_text() == "graph"
    assert "is not what was converted" in caplog.text
    assert len(quick) == 2


@pytest.mark.parametrize(
    "left",
    [
        {"mira.json.part": ""},
        {"mira.json": "", "language.xml": "half"},
        {"mira.json": "{", "language.xml": "half"},
        {"mira.json": "{}", "language.xml": "half"},
        {"language.xml": "half"},
    ],
    ids=["begun", "empty", "cut off", "of something else", "gone"],
)
def test_what_cant_be_gone_on_from_is_begun_anew(
    checkpoint: Checkpoint, tmp_path: Path, quick: list[str], left: dict[str, str]
) -> None:
    """Whatever a power cut or a full disk left of the first: no later start fails of it."""
    directory = prepared(checkpoint, named("a/b", tmp_path)).directory
    shutil.rmtree(directory)
    directory.mkdir()
    for name, text in left.items():
        (directory / name).write_text(text)
    assert prepared(checkpoint, named("a/b", tmp_path)).directory == directory
    assert (directory / "language.xml").read_text() == "graph"
    assert len(quick) == 2


def test_a_damaged_one_stays_while_another_process_works_on_it(
    checkpoint: Checkpoint, tmp_path: Path, quick: list[str]
) -> None:
    directory = prepared(checkpoint, named("a/b", tmp_path)).directory
    (directory / "language.xml").write_text("being written")
    (directory / "mira.json").write_text("{")

    def give_up(what: str, done: int, total: int) -> None:
        raise LookupError(what)

    with alone(directory / LOCK, give_up, ""):
        with pytest.raises(LookupError, match="waiting for another process, which is conv"):
            prepared(checkpoint, named("a/b", tmp_path), give_up)
        assert (directory / "language.xml").read_text() == "being written"
    prepared(checkpoint, named("a/b", tmp_path))
    assert (directory / "language.xml").read_text() == "graph"


def test_a_cache_that_cant_be_written_is_said(checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSettings, match=r"cache_dir: .*can't be written.*Set it to"):
        prepared(checkpoint, named("a/b", tmp_path / "file"))


def start(checkpoint: Checkpoint, cache: Path, *before: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-c", PREPARE, str(checkpoint.directory), str(cache)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def parts(cache: Path) -> str:
    (manifest,) = cache.glob("converted/*/mira.json") or [None]
    return manifest.read_text() if manifest else ""


def until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Wait for something that a process does, but not longer than it lives."""
    wait_until(lambda: reached() or process.poll() is not None, 120)
    assert reached(), process.communicate()


def test_a_process_that_is_killed_leaves_what_the_next_goes_on_from(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    def language() -> Path:
        (found,) = tmp_path.glob("converted/*/language.bin")
        return found

    first = start(checkpoint, tmp_path)
    until(first, lambda: bool(list(tmp_path.glob("converted/*/mira.json"))))
    until(first, lambda: '"language"' in parts(tmp_path))
    first.send_signal(signal.SIGKILL)
    (tmp_path / "go on").touch()
    first.communicate()
    written = language().stat().st_mtime_ns
    assert not is_prepared(checkpoint, named("tiny", tmp_path))
    second = start(checkpoint, tmp_path)
    said, errors = second.communicate(timeout=120)
    assert second.returncode == 0, errors
    assert is_prepared(checkpoint, named("tiny", tmp_path))
    assert language().stat().st_mtime_ns == written
    whole = [line.split()[-2:] for line in said.splitlines()]
    assert whole[-1][0] == whole[-1][1]


def test_of_two_that_start_together_one_converts_and_the_other_waits(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    first = start(checkpoint, tmp_path)
    until(first, lambda: bool(list(tmp_path.glob("converted/*/mira.json"))))
    second = start(checkpoint, tmp_path)
    assert second.stdout is not None
    waits = second.stdout.readline()
    (tmp_path / "go on").touch()
    said, errors = second.communicate(timeout=120)
    assert (first.wait(timeout=120), second.returncode) == (0, 0), errors
    lines = [waits, *said.splitlines()]
    assert {line.rsplit(" ", 2)[0] for line in lines} == {
        "waiting for another process, which is converting tiny"
    }
    first.communicate()


def test_a_disk_that_fills_is_one_line_and_the_next_start_goes_on(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """No file may grow beyond 200 kB: the graphs are larger."""
    (tmp_path / "go on").touch()
    limit = ("bash", "-c", 'ulimit -f 200 && exec "$@"', "bash")
    full = start(checkpoint, tmp_path, *limit)
    _, errors = full.communicate(timeout=120)
    assert full.returncode == 1
    last = errors.splitlines()[-1]
    assert "can't be converted to" in last
    assert "goes on from there" in last
    again = start(checkpoint, tmp_path)
    began = time.monotonic()
    _, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert time.monotonic() - began < 120


def test_a_checkpoint_without_a_codec_is_refused_as_ever(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    broken = shutil.copytree(checkpoint.directory, tmp_path / "broken")
    weights = broken / "decoders" / "detokenizer.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"detokenizer\.safetensors: damaged"):
        prepared(open_checkpoint(broken), named("a/b", tmp_path / "cache"))
