"""The first audio of a toy's phrases, over HTTP and on a socket."""

import json

import pytest

from mira.cli.bench.service import Service
from tests.server.serving import Served
from tools.bench import phrases
from tools.bench.phrases import PHRASES, measure


def test_a_short_run(
    shared: Served,
    toy_service: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(phrases, "SETTLE_S", 0.0)
    hits = shared.service.phrases.hits
    measure(toy_service, {}, rounds=1)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    kinds = [(row["over"], row["format"], row["kept"], row["requests"]) for row in found["rows"]]
    ways = [
        ("HTTP", "pcm"),
        ("HTTP", "ulaw"),
        ("HTTP", "mp3"),
        ("socket", "pcm"),
        ("socket", "ulaw"),
    ]
    assert kinds == [(*way, kept, len(PHRASES)) for way in ways for kept in (True, False)]
    assert all(row["first p50 ms"] > 0 for row in found["rows"])
    assert shared.service.phrases.hits - hits >= len(PHRASES) * len(ways)
    shared.service.phrases.forget()
