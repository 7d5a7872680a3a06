"""A file is a voice or a reason; a failure that may pass asks for another look."""

from pathlib import Path

import pytest

from mira.errors import InvalidRequest
from mira.voices.cache import Cache
from mira.voices.folder import Candidate, Folder
from mira.voices.inspect import NEVER, Inspector
from mira.voices.recorded import Limits, Recorded
from tests.voices.bringing import CARLO, CORRUPT, bring


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "voices", 1 << 20)


@pytest.fixture
def inspector(folder: Folder) -> Inspector:
    return Inspector(folder, Cache(folder.path / ".mira-cache", ""), Limits(), ["heart"])


def only(folder: Folder) -> Candidate:
    (candidate,) = folder.scan()[0]
    return candidate


def test_a_recording_is_a_voice_with_a_report(folder: Folder, inspector: Inspector) -> None:
    bring(folder.path, CARLO)
    candidate, found = inspector.look(only(folder))
    assert isinstance(found, Recorded)
    assert candidate == found.candidate == only(folder)
    assert found.quality.grade == "fair"


@pytest.mark.parametrize(
    ("name", "recording", "why"),
    [("anna", CORRUPT, "damaged, or not audio"), ("heart", CARLO, "engine's own voice")],
)
def test_what_is_in_a_file_is_a_verdict(
    folder: Folder, inspector: Inspector, name: str, recording: Path, why: str
) -> None:
    bring(folder.path, recording, name=name)
    candidate, found = inspector.look(only(folder))
    assert candidate == only(folder), "not looked at again before it changes"
    assert isinstance(found, str)
    assert why in found


def test_a_file_that_is_gone_is_looked_for_again(folder: Folder, inspector: Inspector) -> None:
    bring(folder.path, CARLO)
    candidate = only(folder)
    (folder.path / candidate.filename).unlink()
    looked_at, found = inspector.look(candidate)
    assert looked_at.stamps == NEVER
    assert isinstance(found, str)


def test_limits_hold_for_all(folder: Folder) -> None:
    short = Inspector(folder, Cache(folder.path, ""), Limits(max_seconds=1), [])
    with pytest.raises(InvalidRequest, match="longer than 1 seconds"):
        short.decode(CARLO.read_bytes())
