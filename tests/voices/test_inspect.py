"""A file is a voice or a reason; a failure that may pass asks for another look."""

from pathlib import Path

import pytest

from mira.audio import wav_header
from mira.errors import InvalidRequest
from mira.voices.cache import Cache
from mira.voices.folder import Candidate, Folder
from mira.voices.inspect import NEVER, Inspector
from mira.voices.known import Recorded, Rejected
from tests.voices.bringing import CARLO, CORRUPT, bring, settings_in


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "voices", 1 << 20)


@pytest.fixture
def inspector(folder: Folder) -> Inspector:
    cache = Cache(folder.path / ".mira-cache", "")
    return Inspector(settings_in(folder.path), folder, cache, ["heart"])


def only(folder: Folder) -> Candidate:
    (candidate,) = folder.scan()[0]
    return candidate


def test_a_recording_is_a_voice_with_a_report(folder: Folder, inspector: Inspector) -> None:
    bring(folder.path, CARLO)
    found = inspector.look(only(folder))
    assert isinstance(found, Recorded)
    assert found.candidate == only(folder)
    assert found.quality.grade == "fair"


@pytest.mark.parametrize(
    ("name", "recording", "why"),
    [("anna", CORRUPT, "damaged, or not audio"), ("heart", CARLO, "engine's own voice")],
)
def test_what_is_in_a_file_is_a_verdict(
    folder: Folder, inspector: Inspector, name: str, recording: Path, why: str
) -> None:
    bring(folder.path, recording, name=name)
    found = inspector.look(only(folder))
    assert isinstance(found, Rejected)
    assert found.candidate == only(folder), "not looked at again before it changes"
    assert why in found.why


def test_a_file_that_is_gone_is_looked_for_again(folder: Folder, inspector: Inspector) -> None:
    bring(folder.path, CARLO)
    candidate = only(folder)
    (folder.path / candidate.filename).unlink()
    found = inspector.look(candidate)
    assert isinstance(found, Rejected)
    assert found.candidate.stamps == NEVER


def test_a_transcript_that_cant_be_read_now_is_read_later(
    folder: Folder, inspector: Inspector
) -> None:
    bring(folder.path, CARLO)
    transcript = folder.path / "carlo.txt"
    transcript.unlink()
    transcript.symlink_to("not there yet")
    found = inspector.look(only(folder))
    assert isinstance(found, Rejected)
    assert found.why.startswith("carlo.txt: It can't be read")
    assert found.candidate.stamps == NEVER


def test_limits_hold_for_all(folder: Folder) -> None:
    settings = settings_in(folder.path, max_recording_s=1)
    short = Inspector(settings, folder, Cache(folder.path, ""), [])
    with pytest.raises(InvalidRequest, match="longer than 1 seconds"):
        short.decode(CARLO.read_bytes())


def test_what_cant_be_used_says_why(inspector: Inspector) -> None:
    silence = wav_header(16000, 16000) + bytes(32000)
    with pytest.raises(InvalidRequest, match="can't be used: no speech found"):
        inspector.assess(silence)
