"""Which files are voices; and that at each moment a voice is whole or absent."""

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from mira.errors import InvalidRequest, StorageFailed
from mira.voices import folder as folders
from mira.voices.archive import RECORDING, Card, Clip, Consent, VoiceFile, pack
from mira.voices.folder import REMOVED, Candidate, Folder
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, JUNE, bring

LIMIT = 10 << 20


def scan(path: Path) -> tuple[dict[str, Candidate], dict[str, str]]:
    candidates, problems = Folder(path, LIMIT).scan()
    return {candidate.name: candidate for candidate in candidates}, problems


def voice(name: str, data: bytes = b"RIFF", transcript: str = "Hello.") -> VoiceFile:
    yes = Consent(statement="Yes.")
    card = Card(name=name, transcript=transcript, consent=yes, created_at=7)
    return VoiceFile(card, {RECORDING: Clip(data, ".wav")})


def test_recordings_are_voices_and_nothing_else_is(tmp_path: Path) -> None:
    bring(tmp_path, ALLISON, CARLO, JUNE, CORRUPT)
    for name in ("README.md", "notes.txt", ".hidden.wav", "picture.png", ".anna.voice.0f.part"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "loud.WAV").write_bytes(b"")
    (tmp_path / "consents").mkdir()
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "link.wav").symlink_to("folder.wav")
    found, problems = scan(tmp_path)
    assert set(found) == {"allison", "carlo", "june", "corrupt", "loud"}
    assert problems == {}


def test_what_can_be_no_voice_is_not_found_by_its_name_either(tmp_path: Path) -> None:
    for name in ("refresh", "-anna", "a\nb", "a" * 65, "anna"):
        shutil.copy(CARLO, tmp_path / f"{name}.wav")
    found, _ = scan(tmp_path)
    assert set(found) == {"anna"}
    folder = Folder(tmp_path, LIMIT)
    assert folder.find("anna") == found["anna"]
    for name in ("refresh", "-anna", "a\nb", "a" * 65, " anna", ""):
        assert folder.find(name) is None


def test_a_name_in_another_encoding_is_a_problem_that_can_be_shown(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")).touch()
    found, problems = scan(tmp_path)
    assert found == {}
    assert list(problems) == ["caf\\xe9.wav"]
    assert "".join(problems.values()).encode()


def test_a_text_alone_is_no_voice_and_stays(tmp_path: Path) -> None:
    (tmp_path / "README.txt").touch()
    folder = Folder(tmp_path, LIMIT)
    assert folder.remove("README") is None
    folder.write(voice("README"))
    assert {path.name for path in tmp_path.iterdir()} == {"README.txt", "README.voice"}


def test_what_cant_be_cleared_away_does_not_fail_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "anna.wav").touch()
    (tmp_path / REMOVED).touch()  # where the folder should be
    folder = Folder(tmp_path, LIMIT)
    assert folder.read(folder.write(voice("anna"))) == voice("anna")
    assert (tmp_path / "anna.wav").exists()
    with pytest.raises(StorageFailed):
        folder.remove("anna")
    assert folder.read(scan(tmp_path)[0]["anna"]) == voice("anna"), "as it was"


def test_one_bad_link_hides_no_others(tmp_path: Path) -> None:
    bring(tmp_path, CARLO)
    (tmp_path / "round.wav").symlink_to("round.wav")
    assert set(scan(tmp_path)[0]) == {"carlo", "round"}


def test_no_folder_is_no_voices(tmp_path: Path) -> None:
    assert scan(tmp_path / "nowhere") == ({}, {})
    (tmp_path / "file").touch()
    assert scan(tmp_path / "file") == ({}, {})


def test_a_voice_is_read_with_its_transcript(tmp_path: Path) -> None:
    bring(tmp_path, ALLISON)
    found, _ = scan(tmp_path)
    read = Folder(tmp_path, LIMIT).read(found["allison"])
    assert read.recording == Clip(ALLISON.read_bytes(), ".wav")
    assert read.card.transcript == ALLISON.with_suffix(".txt").read_text("utf-8").strip()
    assert read.card.consent is None


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_the_same_in_either_form(tmp_path: Path, form: str) -> None:
    bring(tmp_path, CARLO, name=unicodedata.normalize(form, "Zoë"))
    found, _ = scan(tmp_path)
    assert Folder(tmp_path, LIMIT).read(found["Zo\u00eb"]).card.transcript
    assert len(Folder(tmp_path, LIMIT).remove("Zo\u00eb") or ()) == 2
    assert [path.name for path in tmp_path.iterdir()] == [REMOVED]


def test_a_name_that_cant_be_one_is_a_problem(tmp_path: Path) -> None:
    for name in ("-rf.wav", "a%b.wav", "refresh.mp3"):
        (tmp_path / name).touch()
    found, problems = scan(tmp_path)
    assert found == {}
    assert set(problems) == {"-rf.wav", "a%b.wav", "refresh.mp3"}
    assert "reserved" in problems["refresh.mp3"]


def test_of_two_with_one_name_the_other_is_a_problem(tmp_path: Path) -> None:
    for name in ("anna.mp3", "anna.wav", "anna.flac"):
        (tmp_path / name).touch()
    found, problems = scan(tmp_path)
    assert found["anna"].filename == "anna.wav"
    assert set(problems) == {"anna.mp3", "anna.flac"}
    assert "There is anna.wav with the same name" in problems["anna.mp3"]


def test_one_voice_is_found_as_among_all(tmp_path: Path) -> None:
    bring(tmp_path, ALLISON, CARLO, name="anna")
    bring(tmp_path, JUNE)
    (tmp_path / " ben .mp3").touch()
    (tmp_path / "notes.txt").touch()
    folder = Folder(tmp_path, LIMIT)
    found, _ = scan(tmp_path)
    assert set(found) == {"anna", "ben", "june"}
    assert {name: folder.find(name) for name in found} == found
    for name in ("notes", "nobody", "../june", ""):
        assert folder.find(name) is None


def test_what_changed_is_noticed(tmp_path: Path) -> None:
    bring(tmp_path, CARLO)
    folder = Folder(tmp_path, LIMIT)
    candidate = scan(tmp_path)[0]["carlo"]
    assert folder.unchanged(candidate)
    os.utime(tmp_path / "carlo.txt", ns=(1, 1))
    assert not folder.unchanged(candidate)
    candidate = scan(tmp_path)[0]["carlo"]
    (tmp_path / "carlo.txt").rename(tmp_path / "carlo.TXT")
    assert folder.read(scan(tmp_path)[0]["carlo"]).card.transcript
    shutil.copy(JUNE, tmp_path / "carlo.ogg")
    assert not folder.unchanged(candidate)
    candidate = scan(tmp_path)[0]["carlo"]
    (tmp_path / "carlo.ogg").unlink()
    assert not folder.unchanged(candidate)


def test_a_transcript_that_is_no_text_is_said_to_be_that(tmp_path: Path) -> None:
    folder = Folder(tmp_path, LIMIT)
    for content, why in (("é".encode("latin-1"), "no text in UTF-8"), (bytes(10000), "more than")):
        bring(tmp_path, CARLO)
        (tmp_path / "carlo.txt").write_bytes(content)
        with pytest.raises(InvalidRequest, match=f"carlo.txt: .*{why}"):
            folder.read(scan(tmp_path)[0]["carlo"])
    (tmp_path / "carlo.txt").write_bytes("\ufeffCiao.\r\n".encode())
    assert folder.read(scan(tmp_path)[0]["carlo"]).card.transcript == "Ciao."


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new" / "voices", LIMIT)
    written = folder.write(voice("anna"))
    assert scan(folder.path)[0] == {"anna": written}
    assert folder.unchanged(written)
    assert folder.read(written) == voice("anna")
    again = folder.write(voice("anna", transcript="Bye."))
    assert again != written
    assert folder.read(again).card.transcript == "Bye."


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_writing_replaces_whatever_had_the_name_and_loses_nothing(tmp_path: Path) -> None:
    bring(tmp_path, ALLISON, CARLO, name="anna")
    bring(tmp_path, JUNE)
    folder = Folder(tmp_path, LIMIT)
    folder.write(voice("anna"))
    kept = {"removed/anna.wav", "removed/anna.ogg", "removed/anna.txt"}
    assert files(tmp_path) == {"anna.voice", "june.mp3", "june.txt", *kept}
    assert (tmp_path / REMOVED / "anna.wav").read_bytes() == ALLISON.read_bytes()
    folder.write(voice("anna", transcript="Bye."))
    assert files(tmp_path) == {"anna.voice", "june.mp3", "june.txt", *kept}


def test_removing_deletes_what_was_written_and_keeps_what_people_brought(tmp_path: Path) -> None:
    folder = Folder(tmp_path, LIMIT)
    bring(tmp_path, ALLISON, CARLO, name="anna")
    (tmp_path / "anna.voice").write_bytes(pack(voice("anna")))
    bring(tmp_path, JUNE)
    kept = folder.remove("anna")
    assert set(kept or ()) == {"removed/anna.wav", "removed/anna.ogg", "removed/anna.txt"}
    assert files(tmp_path) == {"june.mp3", "june.txt", *(kept or ())}
    assert set(scan(tmp_path)[0]) == {"june"}
    assert folder.remove("anna") is None
    assert folder.remove("../june") is None
    bring(tmp_path, CARLO, name="anna")
    assert set(folder.remove("anna") or ()) == {"removed/anna 2.ogg", "removed/anna 2.txt"}
    assert (tmp_path / REMOVED / "anna.ogg").exists()
    folder.write(voice("anna"))
    assert folder.remove("anna") == []


@pytest.mark.parametrize("shadowed", [False, True])
@pytest.mark.parametrize("uploaded", [False, True])
@pytest.mark.parametrize("killed_after", range(5))
def test_a_removal_that_is_cut_short_leaves_the_voice_whole_or_absent(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    killed_after: int,
    uploaded: bool,
    shadowed: bool,
) -> None:
    """Whichever file it got to: no voice comes to light that nobody had."""
    bring(tmp_path, ALLISON, name="anna")
    if shadowed:
        shutil.copy(CARLO, tmp_path / "anna.ogg")
    folder = Folder(tmp_path, LIMIT)
    if uploaded:
        (tmp_path / "anna.voice").write_bytes(pack(voice("anna")))
    before = folder.read(scan(tmp_path)[0]["anna"])
    taken, take = 0, folders._take

    def take_or_die(path: Path, place: Path | None) -> None:
        nonlocal taken
        if taken == killed_after:
            raise KeyboardInterrupt
        taken += 1
        take(path, place)

    monkeypatch.setattr(folders, "_take", take_or_die)
    try:
        folder.remove("anna")
    except KeyboardInterrupt:
        left = scan(tmp_path)[0]
        assert not left or folder.read(left["anna"]) == before
