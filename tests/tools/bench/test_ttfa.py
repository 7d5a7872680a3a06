"""The first audio of a toy, over HTTP."""

import json
from contextlib import closing

import pytest

from mira.cli.bench.client import Client
from mira.cli.bench.service import Service
from tools.bench import ttfa
from tools.bench.ttfa import first_audio, measure


def test_first_byte_and_silence(toy_service: Service) -> None:
    with closing(Client(toy_service.url)) as client:
        first_byte_ms, silence_ms = first_audio(client, "Hello there.")
    assert 0 < first_byte_ms < 2000
    assert silence_ms == pytest.approx(0.04, abs=0.05)  # a tone, from its second sample on


def test_a_short_run(
    toy_service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ttfa, "SETTLE_S", 0.0)
    measure(toy_service, {}, rounds=1)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    kinds = [(row["sentences"], row["words"], row["requests"]) for row in found["rows"]]
    assert kinds == [(1, False, 12), (1, True, 12), (60, False, 12), (60, True, 12)]
    assert all(row["audible p50 ms"] > 0 for row in found["rows"])
