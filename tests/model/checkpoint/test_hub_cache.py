"""What is in the cache is found there, and what is not whole is never taken for it."""

import hashlib
import threading
from pathlib import Path

import pytest

from mira.errors import NotDownloaded
from mira.model.checkpoint.hub_cache import HubCache
from mira.model.checkpoint.hub_client import HubFile, Revision
from mira.progress import quiet

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = b"thirteen byte"
LARGE = HubFile("sub/model.safetensors", 13, hashlib.sha256(CONTENT).hexdigest())
SMALL = HubFile("config.json", 13, hashlib.sha1(b"blob 13\0" + CONTENT).hexdigest())
EMPTY = HubFile("merges.txt", 0, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
FOUND = Revision(COMMIT, (LARGE, SMALL, EMPTY))


@pytest.fixture
def cache(tmp_path: Path) -> HubCache:
    return HubCache("owner/name", tmp_path / "hub")


def write(cache: HubCache, file: HubFile, content: bytes = CONTENT, start: int = 0) -> None:
    with cache.alone(quiet), cache.gathering(file, start) as write_more:
        for at in range(0, len(content), 5):
            write_more(content[at : at + 5])


def everything(name: str) -> bool:
    return True


def test_nothing_is_made_by_looking(cache: HubCache, tmp_path: Path) -> None:
    assert cache.commit_of("main") is None
    assert cache.listed(COMMIT) is None
    assert cache.complete("main", everything) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("revision", ["main", "refs/pr/1", COMMIT])
def test_what_a_revision_is_is_remembered(cache: HubCache, revision: str) -> None:
    cache.remember(revision, FOUND)
    assert cache.commit_of(revision) == COMMIT
    assert cache.listed(COMMIT) == FOUND.files
    assert cache.complete(revision, everything) is None


@pytest.mark.parametrize("file", [LARGE, SMALL], ids=["SHA-256", "SHA-1"])
def test_a_file_is_whole_when_its_digest_says_so(cache: HubCache, file: HubFile) -> None:
    write(cache, file, CONTENT[:7])
    assert cache.num_bytes(COMMIT, file) == 7
    assert not cache.has(COMMIT, file)
    write(cache, file, CONTENT[7:], 7)
    assert cache.num_bytes(COMMIT, file) == 13
    assert cache.finish(COMMIT, file)
    assert cache.has(COMMIT, file)
    path = cache.snapshot(COMMIT) / file.name
    assert path.read_bytes() == CONTENT
    assert path.is_symlink()
    assert path.resolve() == (cache.folder / "blobs" / file.digest).resolve()


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"X", CONTENT + b"X"])
def test_any_other_content_is_dropped(cache: HubCache, content: bytes) -> None:
    write(cache, LARGE, content)
    assert not cache.finish(COMMIT, LARGE)
    assert cache.num_bytes(COMMIT, LARGE) == 0
    assert not cache.has(COMMIT, LARGE)


def test_a_file_of_nothing_is_whole_at_once(cache: HubCache) -> None:
    with cache.alone(quiet):
        assert cache.finish(COMMIT, EMPTY)
    assert cache.has(COMMIT, EMPTY)


def test_content_is_cut_where_it_is_to_go_on(cache: HubCache) -> None:
    write(cache, LARGE, b"thirteXXXXXXXXXX")
    write(cache, LARGE, CONTENT[6:], 6)
    assert cache.finish(COMMIT, LARGE)


def test_two_that_no_lock_keeps_apart_write_the_same_to_the_same_place(cache: HubCache) -> None:
    (cache.folder / "blobs").mkdir(parents=True)
    with cache.gathering(LARGE, 0) as first, cache.gathering(LARGE, 0) as second:
        first(CONTENT[:3])
        second(CONTENT[:4])
        first(CONTENT[3:])
        second(CONTENT[4:])
    assert cache.finish(COMMIT, LARGE)


def test_a_revision_is_complete_with_all_that_is_wanted(cache: HubCache) -> None:
    cache.remember("main", FOUND)
    write(cache, SMALL)
    assert cache.finish(COMMIT, SMALL)
    assert cache.complete("main", everything) is None
    assert cache.complete("main", lambda name: name == SMALL.name) == cache.snapshot(COMMIT)
    assert cache.complete("main", lambda name: False) is None
    (cache.folder / "blobs" / SMALL.digest).write_bytes(b"cut")
    assert cache.complete("main", lambda name: name == SMALL.name) is None


@pytest.mark.parametrize("text", ["", "[[", "{}", '[["../x", 1, "00"]]', "[1]"])
def test_a_damaged_list_is_none(cache: HubCache, text: str) -> None:
    cache.remember("main", FOUND)
    (cache.folder / "mira" / f"{COMMIT}.json").write_text(text)
    assert not cache.listed(COMMIT)
    assert cache.complete("main", everything) is None


@pytest.mark.parametrize("text", ["", "../../etc", "0123"])
def test_a_damaged_revision_is_none(cache: HubCache, text: str) -> None:
    cache.remember("main", FOUND)
    (cache.folder / "refs" / "main").write_text(text)
    assert cache.commit_of("main") is None


def test_where_there_are_no_links_the_file_itself_gets_the_name(
    cache: HubCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    write(cache, LARGE)
    assert cache.finish(COMMIT, LARGE)
    assert cache.has(COMMIT, LARGE)
    assert cache.num_bytes(COMMIT, LARGE) == 13
    assert not (cache.snapshot(COMMIT) / LARGE.name).is_symlink()


def test_one_downloads_and_others_are_told_that_they_wait(tmp_path: Path) -> None:
    first, second = (HubCache("owner/name", tmp_path) for _ in range(2))
    told, order = threading.Event(), []

    def report(what: str, done: int, total: int) -> None:
        assert what.startswith("waiting for another download of owner/name to ")
        told.set()

    def wait() -> None:
        with second.alone(report):
            order.append("second")

    waiting = threading.Thread(target=wait)
    with first.alone(quiet):
        waiting.start()
        assert told.wait(60)
        order.append("first")
    waiting.join(60)
    assert order == ["first", "second"]


def test_too_little_room_says_how_much_and_where(cache: HubCache) -> None:
    with cache.alone(quiet):
        cache.require_room(0)
        with pytest.raises(NotDownloaded, match=r"1152921504.6 GB have to be .* are free"):
            cache.require_room(1 << 60)
