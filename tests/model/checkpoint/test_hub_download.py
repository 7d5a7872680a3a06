"""Every byte comes once, whatever breaks in between; and nothing comes that nobody asked for."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import constants, scan_cache_dir, snapshot_download

from mira.errors import CheckpointError, NotDownloaded
from mira.model.checkpoint import hub_download
from mira.model.checkpoint.hub import locate
from mira.model.checkpoint.layout import open_checkpoint
from tests import bare
from tests.model.checkpoint.hub_server import BLOCK_BYTES, MODEL_FILES, Hub, serving_hub
from tests.server.serving import wait_until

WANTED = dict(list(MODEL_FILES.items())[:-3])
TOTAL = sum(WANTED.values())
LARGE = "model.safetensors"

DOWNLOAD = """
import sys
from mira.model.checkpoint.hub import locate
from mira.errors import MiraError
try:
    print(locate("owner/name", report=lambda what, done, total: None))
except MiraError as error:
    sys.exit(f"mira: {error}")
"""
ROOT = Path(__file__).parents[3]


class Told:
    """A report that keeps what it is told of bytes."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        if what.startswith("downloading "):
            self.told.append((what, done, total))

    @property
    def done(self) -> list[int]:
        return [done for _, done, _ in self.told]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for another try, and every block is told of."""
    monkeypatch.setattr(hub_download, "LIST_PAUSES_S", (0.01,) * 2)
    monkeypatch.setattr(hub_download, "PAUSES_S", (0.01,) * 5)
    monkeypatch.setattr(hub_download, "REPORT_S", 0.0)


def start(
    *wrapper: str,
    script: str = DOWNLOAD,
    python: Path = Path(sys.executable),
    **environment: str,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*wrapper, str(python), "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def by_the_library() -> Path:
    """Downloaded with `huggingface_hub`, in a process of its own: it keeps the hub's address."""
    library = "import huggingface_hub; print(huggingface_hub.snapshot_download('owner/name'))"
    process = start(script=library)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return Path(out.strip())


def same(snapshot: Path, published: Path) -> bool:
    """Whether all that is wanted is there and nothing else, each byte as it was published."""
    found = {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*.*")}
    assert found == set(WANTED)
    return all((snapshot / name).read_bytes() == (published / name).read_bytes() for name in WANTED)


def ranges(hub: Hub) -> list[int]:
    """Where the answers with a range began."""
    store = [request for request in hub.requests if request.path.startswith("/store/")]
    return [
        int(found[1])
        for request in store
        if (found := re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", "")))
    ]


def test_it_downloads_what_is_wanted_and_tells_how_far_it_is(
    hub: Hub, model_files: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = Told()
    snapshot = locate("owner/name", report=told)
    assert same(snapshot, model_files)
    assert dict(hub.sent) == {name: size for name, size in WANTED.items() if size}
    assert capfd.readouterr() == ("", "")
    folder = Path(constants.HF_HUB_CACHE) / "models--owner--name"
    assert {what for what, _, _ in told.told} == {f"downloading owner/name to {folder}"}
    assert {total for _, _, total in told.told} == {TOTAL}
    assert told.done == sorted(told.done)
    assert (told.done[0], told.done[-1]) == (0, TOTAL)
    assert len(set(told.done)) > 10


def test_the_true_loaders_open_what_it_downloaded(mira_directory: Path, hub: Hub) -> None:
    hub.publish("owner/tiny", mira_directory)
    assert open_checkpoint(locate("owner/tiny")).layout == "mira"


def test_the_hubs_own_library_finds_it(hub: Hub, model_files: Path) -> None:
    snapshot = locate("owner/name")
    asked = len(hub.requests)
    assert snapshot_download("owner/name", local_files_only=True) == str(snapshot)
    cache = scan_cache_dir(constants.HF_HUB_CACHE)
    assert not cache.warnings
    (repository,) = cache.repos
    assert (repository.repo_id, repository.size_on_disk) == ("owner/name", TOTAL)
    assert len(hub.requests) == asked


def test_it_asks_for_the_model_and_nothing_else(
    hub: Hub, model_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process whose every other connection goes to a proxy, which is asked for nothing."""
    with serving_hub() as proxy:
        process = start(
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), proxy.url),
            AI_AGENT="somebody",
        )
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        assert proxy.requests == []
    assert same(Path(out.strip()), model_files)
    commit = Path(out.strip()).name
    whole = [request.path.partition("?")[0] for request in hub.requests]
    pages = [f"/owner/name/resolve/{commit}/{name}" for name in WANTED if WANTED[name]]
    assert whole[0] == "/api/models/owner/name/revision/main"
    assert {path for path in whole[1:] if not path.startswith("/store/")} == set(pages)
    assert {request.method for request in hub.requests} == {"GET"}
    agents = {request.headers["user-agent"] for request in hub.requests}
    assert len(agents) == 1
    assert re.fullmatch(r"mira-speech/[\d.]+", agents.pop())
    assert not any("x-" in name for request in hub.requests for name in request.headers)


def test_the_extra_for_a_cpu_is_enough(hub: Hub, model_files: Path) -> None:
    out, err = start(python=bare.python("cpu")).communicate(timeout=120)
    assert err == ""
    assert same(Path(out.strip()), model_files)


def test_the_hubs_library_tells_nothing_of_this_machine() -> None:
    script = "import mira, huggingface_hub.constants as it; print(it.HF_HUB_DISABLE_TELEMETRY)"
    assert start(script=script).communicate(timeout=120) == ("True\n", "")


def test_the_second_start_asks_nothing(hub: Hub, model_files: Path) -> None:
    snapshot = locate("owner/name")
    asked = len(hub.requests)
    told = Told()
    Path(constants.HF_TOKEN_PATH).mkdir()  # nor does it look for what it would ask with
    assert locate("owner/name", report=told) == snapshot
    assert (len(hub.requests), told.told) == (asked, [])
    hub.stop()
    assert locate("owner/name", snapshot.name) == snapshot
    process = start()
    assert process.communicate(timeout=120) == (f"{snapshot}\n", "")


def test_a_broken_connection_is_taken_up_where_it_broke(hub: Hub, model_files: Path) -> None:
    hub.cuts = [700, 12_000, 30_000 - 12_000, 100_000, 0, 150_000]
    told = Told()
    assert same(locate("owner/name", report=told), model_files)
    assert hub.sent.total() == TOTAL
    assert not hub.cuts
    assert told.done == sorted(told.done)
    assert told.done[-1] == TOTAL


def test_one_that_breaks_again_and_again_is_given_up_and_goes_on_at_the_next_start(
    hub: Hub, model_files: Path
) -> None:
    hub.cuts = [999_999] * 2 + [100_000] + [0] * 6
    with pytest.raises(NotDownloaded) as raised:
        locate("owner/name")
    message = str(raised.value)
    assert "\n" not in message
    assert f"the download from {hub.url} broke off (" in message
    assert "Start again: it goes on from the" in message
    there = hub.sent.total()
    told = Told()
    assert same(locate("owner/name", report=told), model_files)
    assert told.done[0] == there
    assert hub.sent.total() == TOTAL


def test_each_new_byte_earns_new_patience(hub: Hub, model_files: Path) -> None:
    hub.cuts = [10_000] * 40
    assert same(locate("owner/name"), model_files)
    assert hub.sent.total() == TOTAL


def test_a_killed_process_is_taken_up_where_it_was(hub: Hub, model_files: Path) -> None:
    hub.bytes_per_s = 200_000
    process = start()
    deadline = time.monotonic() + 60
    while hub.sent[LARGE] < 150_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    blobs = Path(constants.HF_HUB_CACHE) / "models--owner--name" / "blobs"
    (part,) = blobs.glob("*.part")
    there = part.stat().st_size
    assert there > 100_000
    hub.bytes_per_s = None
    told = Told()
    assert same(locate("owner/name", report=told), model_files)
    assert ranges(hub) == [there]
    assert hub.sent[LARGE] <= WANTED[LARGE] + 4 * BLOCK_BYTES  # on their way when it was killed
    assert told.done[0] >= there
    assert not list(blobs.glob("*.part"))


def test_a_hub_that_can_not_begin_in_the_middle_sends_all_of_it(
    hub: Hub, model_files: Path
) -> None:
    hub.cuts = [999_999] * 2 + [100_000]
    hub.has_ranges = False
    told = Told()
    assert same(locate("owner/name", report=told), model_files)
    assert hub.sent[LARGE] == 100_000 + WANTED[LARGE]
    assert told.done[-1] == TOTAL


def test_more_than_there_should_be_is_left(hub: Hub, model_files: Path) -> None:
    hub.surplus = 1 << 30
    assert same(locate("owner/name"), model_files)
    assert hub.sent.total() < 200 << 20  # what sockets hold


def test_two_files_of_one_content_come_once(hub: Hub, model_files: Path) -> None:
    (model_files / "LLM").mkdir()
    shutil.copy(model_files / LARGE, model_files / "LLM" / LARGE)
    hub.publish("owner/twice", model_files)
    told = Told()
    snapshot = locate("owner/twice", report=told)
    assert (snapshot / "LLM" / LARGE).read_bytes() == (snapshot / LARGE).read_bytes()
    assert hub.sent.total() == TOTAL
    assert told.told[-1][1:] == (TOTAL + WANTED[LARGE],) * 2


def test_damaged_content_gets_no_name(hub: Hub, model_files: Path) -> None:
    hub.spoiled = {LARGE}
    with pytest.raises(NotDownloaded, match=rf"{LARGE} came damaged from {hub.url}, twice"):
        locate("owner/name")
    folder = Path(constants.HF_HUB_CACHE) / "models--owner--name"
    assert not list(folder.rglob(LARGE))
    hub.spoiled = set()
    assert same(locate("owner/name"), model_files)


def test_a_damaged_part_of_an_earlier_attempt_is_replaced(hub: Hub, model_files: Path) -> None:
    hub.cuts = [999_999] * 2 + [100_000] + [0] * 6
    with pytest.raises(NotDownloaded):
        locate("owner/name")
    blobs = Path(constants.HF_HUB_CACHE) / "models--owner--name" / "blobs"
    (part,) = blobs.glob("*.part")
    part.write_bytes(bytes(100_000))
    told = Told()
    assert same(locate("owner/name", report=told), model_files)
    assert told.done[-1] == TOTAL


def test_a_file_that_was_removed_comes_again_alone(hub: Hub, model_files: Path) -> None:
    snapshot = locate("owner/name")
    (snapshot / LARGE).resolve().unlink()
    hub.sent.clear()
    assert same(locate("owner/name"), model_files)
    assert dict(hub.sent) == {LARGE: WANTED[LARGE]}


def test_what_its_listener_raises_ends_it(hub: Hub, model_files: Path) -> None:
    class Stop(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if done > 200_000:
            raise Stop

    with pytest.raises(Stop):
        locate("owner/name", report=stop)
    hub.sent.clear()
    assert same(locate("owner/name"), model_files)
    assert hub.sent.total() < TOTAL - 200_000 + 4 * BLOCK_BYTES  # on their way when it ended


def test_starts_at_the_same_time_download_it_once(hub: Hub, model_files: Path) -> None:
    hub.bytes_per_s = 400_000
    processes = [start() for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in processes]
    assert {err for _, err in ended} == {""}
    assert len({out for out, _ in ended}) == 1
    assert same(Path(ended[0][0].strip()), model_files)
    assert hub.sent.total() == TOTAL


def test_a_branch_stays_what_it_was_until_somebody_asks(
    hub: Hub, model_files: Path, tmp_path: Path
) -> None:
    before = locate("owner/name")
    newer = tmp_path / "newer"
    for name in WANTED:
        (newer / name).parent.mkdir(parents=True, exist_ok=True)
        (newer / name).write_bytes((model_files / name).read_bytes())
    (newer / "config.json").write_bytes(b"{}")
    commit = hub.publish("owner/name", newer)
    assert locate("owner/name") == before
    hub.cuts = [0] * 6
    with pytest.raises(NotDownloaded):
        locate("owner/name", anew=True)
    assert locate("owner/name") == before
    hub.sent.clear()
    after = locate("owner/name", anew=True)
    assert after.name == commit
    assert same(after, newer)
    assert dict(hub.sent) == {"config.json": 2}
    assert locate("owner/name") == after
    assert same(locate("owner/name", before.name), model_files)


def test_an_interrupted_download_goes_on_with_the_same_commit(
    hub: Hub, model_files: Path, tmp_path: Path
) -> None:
    hub.cuts = [0] * 6
    with pytest.raises(NotDownloaded):
        locate("owner/name")
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "config.json").write_bytes(b"{}")
    hub.publish("owner/name", tmp_path / "newer")
    assert same(locate("owner/name"), model_files)


def test_a_part_of_a_model_brings_that_alone(hub: Hub, model_files: Path) -> None:
    snapshot = locate("owner/name", part="codec")
    assert [path.name for path in snapshot.rglob("*.*")] == ["s_encoder.onnx"]
    assert same(locate("owner/name"), model_files)
    assert hub.sent.total() == TOTAL
    hub.stop()
    assert locate("owner/name", part="codec") == snapshot


def test_remains_that_nobody_goes_on_from_are_removed(hub: Hub, model_files: Path) -> None:
    blobs = Path(constants.HF_HUB_CACHE) / "models--owner--name" / "blobs"
    blobs.mkdir(parents=True)
    other, dead, alive = (
        blobs / name
        for name in (f"{'0' * 40}.part", f"{'1' * 64}.0a.incomplete", f"{'2' * 64}.0b.incomplete")
    )
    for path in (other, dead, alive):
        path.write_bytes(b"half")
    os.utime(dead, (time.time() - 5000,) * 2)
    locate("owner/name")
    assert [path.exists() for path in (other, dead, alive)] == [False, False, True]


def test_what_others_downloaded_is_taken(hub: Hub, model_files: Path) -> None:
    snapshot = by_the_library()
    hub.sent.clear()
    hub.requests.clear()
    assert locate("owner/name") == snapshot
    assert hub.paths == [f"/api/models/owner/name/revision/{snapshot.name}?blobs=true"]
    assert not hub.sent
    assert locate("owner/name") == snapshot
    assert len(hub.requests) == 1


def test_what_others_downloaded_is_taken_as_it_is_when_nobody_can_be_asked(
    hub: Hub, model_files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    snapshot = by_the_library()
    hub.stop()
    assert locate("owner/name") == snapshot
    assert "owner/name: used as it is on this machine" in caplog.text
    assert locate("owner/name", offline=True) == snapshot


def test_a_cache_that_only_others_may_write_serves_as_well(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = by_the_library()

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert locate("owner/name") == snapshot


def test_a_model_without_a_file_of_one(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "README.md").write_text("# Nothing")
    hub.publish("owner/other", tmp_path / "other")
    with pytest.raises(CheckpointError, match="none of its 1 files is one of a MiraTTS"):
        locate("owner/other")


def test_a_hub_that_is_not_there(hub: Hub) -> None:
    hub.stop()
    with pytest.raises(NotDownloaded) as raised:
        locate("owner/name")
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(f"owner/name: can't be downloaded: {hub.url} can't be reached (")
    assert "Connection refused" in message
    assert "set HF_ENDPOINT to a mirror" in message
    assert "copy the files of" in message


def test_a_hub_that_goes_away_in_the_middle(hub: Hub, model_files: Path) -> None:
    hub.bytes_per_s = 200_000

    def stop() -> None:
        wait_until(lambda: hub.sent[LARGE] > 0, 60)
        hub.stop()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(NotDownloaded, match=r"broke off .*Start again"):
        locate("owner/name")
    stopping.join()


def test_a_moment_of_overload_passes(hub: Hub, model_files: Path) -> None:
    hub.statuses = [503, 429]
    assert same(locate("owner/name"), model_files)
    hub.statuses = [503] * 3
    with pytest.raises(NotDownloaded, match=r"can't be reached \(it answers 503\)"):
        locate("owner/name", anew=True)


def test_a_disk_without_room_is_refused_before_the_first_byte(hub: Hub, model_files: Path) -> None:
    with (model_files / "LLM.safetensors").open("wb"):
        pass
    hub.publish("owner/name", model_files)
    files = next(reversed(hub._models["owner/name"].values()))
    claimed = files[LARGE]
    files[LARGE] = type(claimed)(claimed.path, 1 << 60, claimed.blob, claimed.sha256)
    with pytest.raises(NotDownloaded) as raised:
        locate("owner/name")
    message = str(raised.value)
    folder = Path(constants.HF_HUB_CACHE) / "models--owner--name"
    assert f"1152921504.6 GB have to be downloaded to {folder}, where " in message
    assert "set HF_HUB_CACHE" in message
    assert not hub.sent


FILE_LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))"


def test_a_disk_that_gets_full_is_one_line_and_the_download_goes_on_later(
    hub: Hub, model_files: Path
) -> None:
    process = start(script=FILE_LIMIT + DOWNLOAD)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert "is full (File too large). Free some or set HF_HUB_CACHE" in err
    hub.sent.clear()
    assert same(locate("owner/name"), model_files)
    assert hub.sent[LARGE] == WANTED[LARGE] - 200_000


SMALL_DISK = """
mkdir "$HF_HOME" && mount -t tmpfs -o size=300k none "$HF_HOME" || exit 99
exec "$@"
"""


SEEMS_LARGE = """
import shutil
shutil.disk_usage = lambda path: shutil._ntuple_diskusage(0, 0, 1 << 40)
"""


@pytest.mark.parametrize("fills", [False, True])
def test_a_small_disk(hub: Hub, model_files: Path, fills: bool) -> None:
    """A real one, of 300 kB: too small from the start, or filled by others meanwhile."""
    script = (SEEMS_LARGE if fills else "") + DOWNLOAD
    process = start("unshare", "-Urm", "sh", "-c", SMALL_DISK, "sh", script=script)
    _, err = process.communicate(timeout=120)
    if process.returncode not in (0, 1):
        pytest.skip("nobody may mount a file system here")
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert ("is full (No space left on device)" in err) == fills
    assert ("521 kB have to be downloaded to" in err) != fills
    assert hub.sent.total() > 0 if fills else not hub.sent


def test_a_cache_that_can_not_be_written(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotDownloaded, match=r"can't be written \(Not a directory\).*HF_HUB_CACHE"):
        locate("owner/name", cache_directory=tmp_path / "file" / "hub")
