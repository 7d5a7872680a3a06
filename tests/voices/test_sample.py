"""The sample can be cloned: it is speech, and what is said in it is known."""

import pytest

from mira.audio.decode import decode_file
from mira.voices.sample import SAMPLE, sample_recording, sample_transcript


def test_it_is_a_few_seconds_of_speech_with_its_words() -> None:
    samples, rate = sample_recording()
    assert 3 < len(samples) / rate < 10
    assert abs(samples).max() > 0.1
    assert len(sample_transcript().split()) > 5


def test_no_process_is_started_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, rate = decode_file(SAMPLE)
    monkeypatch.setattr("subprocess.Popen", None)
    found, found_rate = sample_recording()
    assert (found_rate, found.dtype, found.tolist()) == (rate, expected.dtype, expected.tolist())
