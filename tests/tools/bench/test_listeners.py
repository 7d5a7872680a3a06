"""Two listeners of a toy, in real time."""

import json
import time

import pytest

from mira.cli.bench.service import Service
from tests.toys import ToySynthesizer
from tools.bench import listeners
from tools.bench.listeners import crowd


def test_they_listen_in_real_time(toy_service: Service) -> None:
    began = time.perf_counter()
    first, second = crowd(toy_service, ["Hello. " * 5] * 2)
    took_s = time.perf_counter() - began
    toy = ToySynthesizer()
    spoken_s = len(toy.whole("Hello. " * 5)) / toy.sample_rate
    for heard in (first, second):
        assert heard.audio_s == pytest.approx(spoken_s, abs=0.5)
    assert 0 < first.ttfa_ms < 2000
    assert took_s > first.audio_s - 1.3  # about a second is ahead


@pytest.mark.parametrize("words", [False, True])
def test_a_short_run(
    toy_service: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: bool,
) -> None:
    monkeypatch.setattr(listeners, "SENTENCES", 1)
    listeners.measure(toy_service, {}, (1, 2), words)
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [(row["listeners"], row["429"]) for row in rows] == [(1, 0), (2, 0)]
    assert all(row["heard s"] > 0 and row["cpu s / heard s"] >= 0 for row in rows)
