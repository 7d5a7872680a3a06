"""The life of voices: brought, replaced, removed, while others look, in one process and in two."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mira.errors import (
    ConsentNotFound,
    InvalidRequest,
    NotReady,
    StorageFailed,
    VoiceNotFound,
)
from mira.voices.archive import Consent, VoiceFile
from mira.voices.files import Unreadable
from mira.voices.folder import Candidate, Folder
from mira.voices.store import NotPrepared, VoiceStore
from tests.toys import ToySynthesizer
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, JUNE, OTHER, bring, settings_in

DATA = {path.stem: path.read_bytes() for path in (ALLISON, OTHER, CARLO, JUNE)}
CONSENT = Consent(statement="Anna agreed.", created_at=1)


@pytest.fixture
def toy() -> ToySynthesizer:
    return ToySynthesizer(fingerprint="c0ffee")


@pytest.fixture
def store(tmp_path: Path, toy: ToySynthesizer) -> VoiceStore:
    store = VoiceStore(settings_in(tmp_path / "voices"), toy, taken=("heart",))
    store.refresh()
    return store


def again(store: VoiceStore, toy: ToySynthesizer | None = None) -> VoiceStore:
    """As after a restart."""
    restarted = VoiceStore(settings_in(store.path), toy, taken=("heart",))
    restarted.refresh()
    return restarted


def test_recordings_in_the_folder_are_voices(store: VoiceStore) -> None:
    bring(store.path, ALLISON, CARLO, JUNE, CORRUPT)
    store.refresh()
    assert set(store.recorded) == {"allison", "carlo", "june"}
    allison = store.recorded["allison"]
    assert allison.format == "wav"
    assert allison.quality.duration_s == pytest.approx(7.0, abs=0.1)
    assert allison.transcript == ALLISON.with_suffix(".txt").read_text("utf-8").strip()
    assert list(store.unusable) == ["corrupt.wav"]
    assert "damaged, or not audio" in store.unusable["corrupt.wav"]
    assert str(store.path) not in store.unusable["corrupt.wav"]


def test_what_is_dropped_changed_and_removed_by_hand(store: VoiceStore) -> None:
    store.refresh()
    assert (store.recorded, store.unusable) == ({}, {})
    bring(store.path, CARLO, name="anna")
    store.refresh()
    first = store.recorded["anna"]
    store.refresh()
    assert store.recorded["anna"] is first, "what did not change is not looked at again"
    (store.path / "anna.txt").write_text("Ciao.")
    store.refresh()
    assert store.recorded["anna"].version != first.version
    assert store.recorded["anna"].content == first.content
    shutil.copy(CORRUPT, store.path / "anna.ogg")
    store.refresh()
    assert (list(store.recorded), list(store.unusable)) == ([], ["anna.ogg"])
    bring(store.path, CARLO, name="anna")
    store.refresh()
    assert (list(store.recorded), list(store.unusable)) == (["anna"], [])
    (store.path / "anna.ogg").unlink()
    store.refresh()
    assert (store.recorded, store.unusable) == ({}, {})


def test_the_engines_own_names_are_taken(store: VoiceStore) -> None:
    bring(store.path, CARLO, name="heart")
    store.refresh()
    assert store.recorded == {}
    assert "engine's own voice" in store.unusable["heart.ogg"]
    with pytest.raises(InvalidRequest, match="engine's own voice"):
        store.add("heart", DATA["carlo"])


def test_what_is_added_is_there_also_after_a_restart(store: VoiceStore) -> None:
    added = store.add(" anna ", DATA["june"], " Bonjour. ", CONSENT)
    assert (added.name, added.transcript, added.consent) == ("anna", "Bonjour.", CONSENT)
    assert added.format == "mp3"
    assert store.recorded["anna"] == added
    store.refresh()
    assert store.recorded["anna"] is added
    assert again(store).recorded["anna"] == added


def test_a_replaced_voice_has_another_version_and_the_old_one_still_speaks(
    store: VoiceStore,
) -> None:
    first = store.add("anna", DATA["allison"], "Hello.")
    speaking = store.prepare(first)
    second = store.add("anna", DATA["carlo"], "Ciao.")
    assert second.version != first.version
    assert store.prepare(second).global_tokens != speaking.global_tokens
    assert list(store.recorded) == ["anna"]
    assert store.add("anna", DATA["allison"], "Hello.").version == first.version


@pytest.mark.parametrize(
    ("name", "recording", "transcript", "why"),
    [
        ("../anna", DATA["carlo"], "", "name: "),
        ("anna", b"", "", "can't be read"),
        ("anna", CORRUPT.read_bytes(), "", "can't be read"),
        ("anna", bytes(11 << 20), "", "10 MB"),
        ("anna", DATA["carlo"], "a" * 1501, "limit of 1500"),
    ],
)
def test_what_cant_be_added_changes_nothing(
    store: VoiceStore, name: str, recording: bytes, transcript: str, why: str
) -> None:
    before = store.add("anna", DATA["june"])
    files = sorted(path.name for path in store.path.rglob("*"))
    with pytest.raises(InvalidRequest, match=why):
        store.add(name, recording, transcript)
    assert dict(store.recorded) == {"anna": before}
    assert sorted(path.name for path in store.path.rglob("*")) == files


def test_there_is_an_end_to_them(tmp_path: Path) -> None:
    store = VoiceStore(settings_in(tmp_path, max_voices=1))
    store.add("anna", DATA["carlo"])
    store.add("anna", DATA["june"])
    with pytest.raises(InvalidRequest, match="1 voices already"):
        store.add("ben", DATA["carlo"])
    with pytest.raises(InvalidRequest, match="longer than 5 seconds"):
        VoiceStore(settings_in(tmp_path, max_recording_s=5)).add("anna", DATA["june"])


def test_nobody_else_may_read_what_is_written(store: VoiceStore) -> None:
    before = os.umask(0o022)
    try:
        consent = store.add_consent("Anna", "en-US", DATA["carlo"])
        store.prepare(store.add("anna", DATA["allison"], "Hello.", consent))
    finally:
        os.umask(before)
    written = [path for path in store.path.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".voice", ".consent", ".json"}
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


def test_a_folder_that_cant_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = VoiceStore(settings_in(tmp_path / "file" / "voices"))
    store.refresh()
    with pytest.raises(StorageFailed, match="can't be written: Not a dir"):
        store.add("anna", DATA["carlo"])


def test_removing_leaves_nothing_of_it(store: VoiceStore) -> None:
    consent = store.add_consent("Anna", "en-US", DATA["carlo"])
    store.prepare(store.add("anna", DATA["allison"], "Hello.", consent))
    bring(store.path, JUNE)
    store.refresh()
    store.remove("anna")
    assert set(store.recorded) == {"june"}
    store.refresh(clean=True)
    left = {path.name for path in store.path.rglob("*") if path.is_file()}
    report = f"{store.recorded['june'].candidate.place}.report.json"
    assert left == {"june.mp3", "june.txt", report}
    with pytest.raises(VoiceNotFound):
        store.remove("anna")
    assert store.remove("june") == ["removed/june.mp3", "removed/june.txt"]
    left = {path.name for path in store.path.rglob("*") if path.is_file()}
    assert left == {"june.mp3", "june.txt"}, "which somebody brought"


def test_an_unusable_file_can_be_removed(store: VoiceStore) -> None:
    bring(store.path, CORRUPT)
    store.refresh()
    assert store.remove("corrupt") == ["removed/corrupt.wav"]
    assert store.unusable == {}
    assert not (store.path / "corrupt.wav").exists()


def test_what_could_not_be_read_is_looked_at_again(
    store: VoiceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(store.path, CARLO)
    for error in (Unreadable("It can't be read: Too many open files."), RuntimeError("ours")):

        def fail(candidate: Candidate, error: Exception = error) -> VoiceFile:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(store._folder, "read", fail)
            (store.path / "carlo.ogg").touch()
            store.refresh()
            assert list(store.unusable) == ["carlo.ogg"]
        store.refresh()
        assert (list(store.recorded), store.unusable) == (["carlo"], {})


def test_after_a_restart_what_did_not_change_is_not_even_read(
    store: VoiceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(store.path, CARLO)
    store.add("anna", DATA["allison"], "Hello.", CONSENT)
    store.refresh()
    (store.path / "carlo.txt").write_text("Ciao.")

    read = Folder.read

    def describe(folder: Folder, candidate: Candidate, *, described: bool = False) -> VoiceFile:
        assert described, candidate
        return read(folder, candidate, described=True)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "read", describe)
        restarted = again(store)
    assert restarted.recorded["anna"] == store.recorded["anna"]
    assert restarted.recorded["carlo"].transcript == "Ciao."
    assert restarted.recorded["carlo"].content == store.recorded["carlo"].content
    bring(store.path, JUNE)
    shutil.copy(JUNE, store.path / "carlo.ogg")
    restarted = again(store)
    assert restarted.recorded["carlo"].content == restarted.recorded["june"].content


def test_a_file_that_claims_to_be_the_same_is_found_out_when_it_speaks(
    store: VoiceStore, toy: ToySynthesizer
) -> None:
    bring(store.path, CARLO, name="anna")
    store.refresh()
    path = store.path / "anna.ogg"
    data, before = bytearray(path.read_bytes()), path.stat()
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    restarted = again(store, toy)
    first = restarted.recorded["anna"]
    with pytest.raises(InvalidRequest, match="has just changed"):
        restarted.prepare(first)
    assert restarted.recorded["anna"].content != first.content
    assert restarted.prepare(restarted.recorded["anna"]).global_tokens


def test_what_was_computed_of_recordings_that_are_gone_goes(store: VoiceStore) -> None:
    bring(store.path, CARLO, JUNE)
    store.refresh()
    cache = store.path / ".mira-cache"
    assert len(list(cache.glob("*.report.json"))) == 2
    (store.path / "carlo.ogg").unlink()
    VoiceStore(settings_in(store.path)).refresh()
    assert len(list(cache.glob("*.report.json"))) == 2, "only the service cleans"
    bring(store.path, CORRUPT)
    VoiceStore(settings_in(store.path)).refresh(clean=True)
    assert len(list(cache.glob("*.report.json"))) == 2, (
        "somebody with other limits may take what is rejected"
    )
    (store.path / "corrupt.wav").unlink()
    VoiceStore(settings_in(store.path)).refresh(clean=True)
    assert len(list(cache.glob("*.report.json"))) == 1


def test_a_consent_is_deleted_for_good(store: VoiceStore) -> None:
    consent = store.add_consent("Anna", "en-US", DATA["carlo"])
    given, spoken = store.consents.get(consent.id)
    store.remove_consent(consent.id)
    for attempt in (
        lambda: store.rename_consent(consent.id, "Anna Smith"),
        lambda: store.add("anna", DATA["carlo"], "", given, spoken, consent_is_here=True),
    ):
        with pytest.raises(ConsentNotFound):
            attempt()
    assert store.consents.all() == []
    assert store.recorded == {}


def test_closing_ends_a_look_at_the_folder(store: VoiceStore) -> None:
    bring(store.path, CARLO, JUNE)
    store = VoiceStore(settings_in(store.path))
    store.close()
    store.refresh()
    assert store.recorded == {}
    assert store.looking


def test_what_two_voices_share_stays_until_both_are_gone(store: VoiceStore) -> None:
    consent = store.add_consent("Anna", "en-US", DATA["carlo"])
    for name in ("anna", "anna at work"):
        store.prepare(store.add(name, DATA["allison"], "", consent))
    with pytest.raises(InvalidRequest, match="'anna' was made with this consent"):
        store.remove_consent(consent.id)
    store.remove("anna")
    assert store.consents.get(consent.id)
    assert store.prepared(store.recorded["anna at work"])
    store.remove("anna at work")
    with pytest.raises(ConsentNotFound):
        store.consents.get(consent.id)


def test_a_voice_is_computed_once(store: VoiceStore, toy: ToySynthesizer) -> None:
    added = store.add("anna", DATA["allison"], "Hello.")
    assert not store.prepared(added)
    with ThreadPoolExecutor(8) as pool:
        voices = list(pool.map(store.prepare, [added] * 8))
    assert toy.clones == 1
    assert len(set(voices)) == 1
    assert (voices[0].name, voices[0].transcript) == ("anna", "Hello.")
    restarted = again(store, toy)
    assert restarted.prepared(restarted.recorded["anna"])
    assert restarted.prepare(restarted.recorded["anna"]) == voices[0]
    assert toy.clones == 1


def test_another_model_computes_its_own(store: VoiceStore) -> None:
    store.prepare(store.add("anna", DATA["allison"]))
    other = ToySynthesizer(fingerprint="0ther")
    restarted = again(store, other)
    assert not restarted.prepared(restarted.recorded["anna"])
    restarted.prepare(restarted.recorded["anna"])
    assert other.clones == 1


def test_a_voice_on_disk_waits_for_nobody(store: VoiceStore, toy: ToySynthesizer) -> None:
    """Neither for a stranger's clone, nor for a look at new recordings."""
    store.prepare(store.add("anna", DATA["allison"]))
    restarted = again(store, toy)
    cloning, looking, go_on = (threading.Event() for _ in range(3))
    toy.while_cloning = lambda name: (cloning.set(), go_on.wait(20))
    stranger = restarted.add("ben", DATA["carlo"])
    look = restarted._inspector.look

    def slow(candidate: Candidate) -> object:
        looking.set()
        go_on.wait(20)
        return look(candidate)

    restarted._inspector.look = slow  # type: ignore[method-assign,assignment]
    bring(store.path, JUNE)
    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(restarted.prepare, stranger), pool.submit(restarted.refresh)]
        assert cloning.wait(20)
        assert looking.wait(20)
        anna = restarted.recorded["anna"]
        assert pool.submit(restarted.prepare, anna, False).result(10).name == "anna"
        assert pool.submit(restarted.clear_cache).result(10) == 2
        with pytest.raises(NotPrepared):
            pool.submit(restarted.prepare, anna, False).result(10)
        assert not any(other.done() for other in others)
        go_on.set()
        assert others[0].result().name == "ben"
    assert set(restarted.recorded) == {"anna", "ben", "june"}


def test_who_waits_for_the_disk_holds_up_no_call(
    store: VoiceStore, toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare(store.add("anna", DATA["allison"]))
    restarted = again(store, toy)
    writing, go_on = threading.Event(), threading.Event()
    write = Folder.write

    def slow(folder: Folder, voice: VoiceFile) -> Candidate:
        writing.set()
        go_on.wait(20)
        return write(folder, voice)

    monkeypatch.setattr(Folder, "write", slow)
    bring(store.path, JUNE)
    with ThreadPoolExecutor(2) as pool:
        ben = pool.submit(restarted.add, "ben", DATA["carlo"])
        try:
            assert writing.wait(20)
            anna = restarted.recorded["anna"]
            assert pool.submit(restarted.prepare, anna, False).result(10).name == "anna"
            pool.submit(restarted.look_for, "june").result(10)
            assert set(restarted.recorded) == {"anna", "june"}
            assert not ben.done()
        finally:
            go_on.set()
        assert ben.result().name == "ben"


def test_one_voice_is_looked_at_before_all_others(store: VoiceStore) -> None:
    bring(store.path, ALLISON, CARLO, CORRUPT)
    restarted = VoiceStore(settings_in(store.path))
    for name in ("carlo", "corrupt", "nobody"):
        restarted.look_for(name)
    assert restarted.looking
    assert (set(restarted.recorded), set(restarted.unusable)) == ({"carlo"}, {"corrupt.wav"})
    carlo = restarted.recorded["carlo"]
    for change in (restarted.remove, restarted.remove_consent):
        with pytest.raises(NotReady, match="still being looked at"):
            change("carlo")
    restarted.refresh()
    assert not restarted.looking
    assert restarted.recorded["carlo"] is carlo
    assert set(restarted.recorded) == {"allison", "carlo"}


def test_new_ones_appear_one_by_one(store: VoiceStore) -> None:
    bring(store.path, ALLISON, CARLO, JUNE)
    look, seen = store._inspector.look, []

    def count(candidate: Candidate) -> object:
        seen.append(len(store.recorded))
        return look(candidate)

    store._inspector.look = count  # type: ignore[method-assign,assignment]
    store.refresh()
    assert max(seen) >= 1


def test_a_cleared_cache_is_filled_again(store: VoiceStore, toy: ToySynthesizer) -> None:
    added = store.add("anna", DATA["allison"])
    before = store.prepare(added)
    assert store.clear_cache() == 1
    assert not store.prepared(added)
    assert store.recorded["anna"] == added
    assert store.prepare(added) == before
    assert toy.clones == 2


def test_without_a_model_nothing_is_computed(tmp_path: Path) -> None:
    store = VoiceStore(settings_in(tmp_path))
    added = store.add("anna", DATA["allison"])
    assert not store.can_speak
    assert not store.prepared(added)
    with pytest.raises(InvalidRequest, match="needs a Mira model"):
        store.prepare(added)


def test_what_is_removed_while_it_is_computed_leaves_nothing(
    store: VoiceStore, toy: ToySynthesizer
) -> None:
    cloning, go_on = threading.Event(), threading.Event()
    toy.while_cloning = lambda name: (cloning.set(), go_on.wait(20))
    added = store.add("anna", DATA["allison"])
    with ThreadPoolExecutor(1) as pool:
        voice = pool.submit(store.prepare, added)
        cloning.wait(20)
        store.remove("anna")
        go_on.set()
        assert voice.result().global_tokens
    assert [path for path in store.path.rglob("*") if path.is_file()] == []
    assert store.remembered(added) is None


def test_what_is_removed_while_it_is_read_is_not_remembered(
    store: VoiceStore, toy: ToySynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare(store.add("anna", DATA["allison"]))
    restarted = again(store, toy)
    anna, tokens = restarted.recorded["anna"], restarted._cache.tokens

    def then_remove(content: str) -> object:
        found = tokens(content)
        restarted.remove("anna")
        return found

    monkeypatch.setattr(restarted._cache, "tokens", then_remove)
    assert restarted.prepare(anna).name == "anna"
    assert restarted.remembered(anna) is None


def test_what_changes_during_a_look_is_left_to_the_next(
    store: VoiceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is still being copied, and another added once the folder had been listed."""
    bring(store.path, CARLO)
    look, scan = store._inspector.look, store._folder.scan

    def then_change(candidate: Candidate) -> object:
        found = look(candidate)
        with (store.path / candidate.filename).open("ab") as file:
            file.write(b"more")
        return found

    def then_add() -> object:
        found = scan()
        store.add("anna", DATA["allison"])
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store._inspector, "look", then_change)
        patch.setattr(store._folder, "scan", then_add)
        store.refresh()
    assert set(store.recorded) == {"anna"}
    store.refresh()
    assert set(store.recorded) == {"anna", "carlo"}


def test_a_recording_that_changed_since_it_was_read_is_not_taken_for_it(
    store: VoiceStore,
) -> None:
    bring(store.path, CARLO, name="anna")
    store.refresh()
    shutil.copy(JUNE, store.path / "anna.ogg")
    with pytest.raises(InvalidRequest, match="has just changed"):
        store.prepare(store.recorded["anna"])


def test_a_voice_moves_to_another_machine(store: VoiceStore, tmp_path: Path) -> None:
    spoken = store.add_consent("Anna", "en-US", DATA["carlo"])
    consent, clip = store.consents.get(spoken.id)
    added = store.add("anna", DATA["allison"], "Hello.", consent, clip)
    other = VoiceStore(settings_in(tmp_path / "elsewhere"))
    for name in (None, "anna two"):
        moved = other.unpack(store.pack("anna"), name)
        assert moved.name == name or moved.name == "anna"
        assert (moved.version, moved.transcript, moved.consent) == (
            added.version,
            added.transcript,
            consent,
        )
    with pytest.raises(VoiceNotFound):
        store.pack("nobody")


def test_what_is_dropped_as_a_voice_file_is_one(store: VoiceStore, tmp_path: Path) -> None:
    store.add("anna", DATA["allison"], "Hello.")
    other = VoiceStore(settings_in(tmp_path / "elsewhere"))
    other.path.mkdir()
    (other.path / "ben.voice").write_bytes(store.pack("anna"))
    (other.path / "bad.voice").write_bytes(b"PK")
    other.refresh()
    assert other.recorded["ben"].transcript == "Hello."
    assert "no voice that Mira exported" in other.unusable["bad.voice"]


def test_two_processes_see_what_each_other_does(store: VoiceStore) -> None:
    other = again(store)
    store.add("anna", DATA["allison"])
    other.refresh()
    assert other.recorded["anna"].version == store.recorded["anna"].version
    other.add("anna", DATA["carlo"])
    other.add("ben", DATA["june"])
    store.refresh()
    assert {name: voice.version for name, voice in store.recorded.items()} == {
        name: voice.version for name, voice in other.recorded.items()
    }
    other.remove("anna")
    store.refresh()
    assert set(store.recorded) == {"ben"}


def test_a_storm_loses_nothing(store: VoiceStore, toy: ToySynthesizer) -> None:
    """Adding, replacing, removing, refreshing and speaking at once, on few names."""
    kept = {"anna": "allison", "ben": "carlo"}
    for name, stem in kept.items():
        store.prepare(store.add(name, DATA[stem]))
    failures: list[Exception] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        name = f"n{chance.randrange(4)}"
        try:
            for _ in range(4):
                match chance.randrange(4):
                    case 0 | 1:
                        store.add(name, DATA[chance.choice(["carlo", "june"])], f"{seed}")
                    case 2:
                        store.refresh()
                    case 3:
                        store.remove(name)
                for known, stem in kept.items():
                    assert store.prepare(store.recorded[known]).name == known, stem
        except VoiceNotFound:
            return
        except Exception as error:  # noqa: BLE001 - told on the test's own thread
            failures.append(error)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(12)))
    assert failures == []
    store.refresh()
    fresh = again(store, toy)
    assert fresh.unusable == {}
    assert dict(fresh.recorded) == dict(store.recorded)
    assert not list(store.path.glob(".*.part"))


CHILD = """
import random, sys, pathlib
from mira.settings import Settings
from mira.voices.store import VoiceStore
folder, recordings = map(pathlib.Path, sys.argv[1:])
data = {stem: (recordings / name).read_bytes()
        for stem, name in {"carlo": "carlo.ogg", "june": "june.mp3"}.items()}
store = VoiceStore(Settings(voices_dir=folder))
store.refresh()
print("ready", flush=True)
while True:
    name = random.choice("abc")
    if random.random() < 0.7:
        stem = random.choice(list(data))
        store.add(name, data[stem], f"This is {stem}.")
    elif name in store.recorded:
        store.remove(name)
    if random.random() < 0.2:
        store.clear_cache()
"""


def test_a_process_that_is_killed_leaves_each_voice_whole_or_absent(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    bring(folder, CARLO, name="a")
    (folder / "a.txt").write_text("This is carlo.")
    chance = random.Random(5)
    contents = {path.stem: path.read_bytes() for path in (CARLO, JUNE)}
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(CARLO.parent)],
            stdout=subprocess.PIPE,
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.1, 0.6))
            os.kill(child.pid, signal.SIGKILL)
        store = VoiceStore(settings_in(folder))
        store.refresh()
        assert store.unusable == {}
        for voice in store.recorded.values():
            whole = Folder(folder, 10 << 20).read(voice.candidate)
            stem = whole.card.transcript.removeprefix("This is ").removesuffix(".")
            assert whole.recording.data == contents[stem]
            assert voice.content == whole.content
