"""The life of a voice on the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mira.cli.main import app
from mira.errors import InvalidRequest, InvalidSettings, MiraError, StorageFailed, VoiceNotFound
from mira.voices import VoiceStore
from tests.voices.bringing import ALLISON, CARLO, CORRUPT, JUNE, bring, settings_in


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIRA_VOICES_DIR", str(tmp_path / "voices"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "voices"


def mira(*arguments: object, fails: type[MiraError] | None = None) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments)], standalone_mode=False)
    assert fails is None if result.exception is None else isinstance(result.exception, fails or ())
    return result


def test_the_whole_life(folder: Path, tmp_path: Path) -> None:
    made = mira("voices", "add", ALLISON, "--name", "anna", "--consent", "Anna agreed.")
    name, version = made.output.split()[:2]
    assert name == "anna"
    assert "quality: " in made.output
    assert "needs a Mira model" in made.output
    listed = mira("voices", "list").output
    assert ["heart", "(default)", "builtin", "yes"] in [
        line.split() for line in listed.splitlines()
    ]
    (line,) = (line for line in listed.splitlines() if line.split()[:1] == ["anna"])
    assert line.split()[1:3] == ["wav", "7.0"]
    assert version in line
    assert "needs a Mira model" in line

    store = VoiceStore(settings_in(folder))
    store.refresh()
    assert store.recorded["anna"].transcript.startswith("Congratulations!")
    assert store.recorded["anna"].consent is not None

    shown = mira("voices", "show", "anna").output
    assert shown.startswith(f"anna {version} (anna.voice)\ntranscript: Congratulations!")
    assert "consent: Anna agreed.\nquality: " in shown

    mira("voices", "export", "anna", "-o", tmp_path / "a.voice")
    mira("voices", "remove", "anna")
    assert "anna" not in mira("voices", "list").output
    assert mira("voices", "import", tmp_path / "a.voice").output.split() == ["anna", version]
    assert (
        mira("voices", "import", tmp_path / "a.voice", "--name", "ben").output.split()[0] == "ben"
    )
    mira("voices", "remove", "nobody", fails=VoiceNotFound)
    mira("voices", "add", ALLISON, "--consent", "a" * 2001, fails=InvalidRequest)
    mira("voices", "export", "ben", "-o", tmp_path / "nowhere" / "a.voice", fails=StorageFailed)


def test_a_transcript_that_is_given_comes_before_the_one_beside(folder: Path) -> None:
    mira("voices", "add", CARLO, "--transcript", "Ciao.")
    store = VoiceStore(settings_in(folder))
    store.refresh()
    assert store.recorded["carlo"].transcript == "Ciao."


def test_check_tells_and_changes_nothing(folder: Path) -> None:
    told = mira("voices", "check", JUNE).output
    assert told.startswith("quality: ")
    assert "s of speech" in told
    assert not folder.exists()
    mira("voices", "check", CORRUPT, fails=InvalidRequest)
    mira("voices", "check", folder / "nothing.wav", fails=InvalidRequest)


def test_what_was_put_there_by_hand_is_kept(folder: Path) -> None:
    bring(folder, CARLO)
    kept = mira("voices", "remove", "carlo").output
    assert kept.split("\n")[0] == f"kept: {folder / 'removed' / 'carlo.ogg'}"
    assert "carlo" not in mira("voices", "list").output


def test_what_cant_be_used_is_listed_with_the_reason(folder: Path) -> None:
    bring(folder, CORRUPT)
    assert "unusable: corrupt.wav: The recording can't be read" in mira("voices", "list").output


def test_what_is_wrong_is_said(folder: Path, tmp_path: Path) -> None:
    mira("voices", "add", ALLISON, "--name", "heart", fails=InvalidRequest)
    mira("voices", "add", ALLISON, "--name", "../x", fails=InvalidRequest)
    mira("voices", "import", CARLO, fails=InvalidRequest)
    for command in ("show", "export"):
        mira("voices", command, "nobody", fails=VoiceNotFound)
    mira("voices", "prepare", fails=InvalidSettings)
    assert not folder.exists()
    folder.touch()
    mira("voices", "list", fails=InvalidSettings)
