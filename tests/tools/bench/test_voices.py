"""The bench of voices: what it uploads arrives, and a small run finds nothing wrong."""

import json

import pytest

from mira.audio.decode import decode
from tools.bench import voices


def test_recordings_are_speech_and_differ() -> None:
    samples, rate = decode(voices.recording(1, 10.0))
    assert len(samples) / rate == pytest.approx(10.0, abs=0.01)
    assert voices.recording(1, 1.0) != voices.recording(2, 1.0)


def test_a_small_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "CHANGES", 3)
    monkeypatch.setattr(voices, "CALLS", 1)
    monkeypatch.setattr(voices, "ROUNDS", 1)
    monkeypatch.setattr(voices, "SPEECH", "Hello there.")
    voices.main(counts="2")
    many, storm = (json.loads(line) for line in capsys.readouterr().out.splitlines() if "{" in line)
    assert many["rows"][0]["voices"] == 2
    assert [row["failed"] for row in storm["rows"]] == [0, 0, 0, 0]
    assert storm["rows"][0]["lost"] == storm["rows"][0]["unfinished"] == 0
