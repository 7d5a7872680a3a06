"""Hanging up on a toy, over HTTP."""

import json

import pytest

from mira.cli.bench.service import Service
from tools.bench.cancel import measure


def test_the_place_is_free_again(toy_service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    measure(toy_service, {}, rounds=2)
    (row,) = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert row["hung up"] == 2
    assert 0 < row["free p50 ms"] <= row["free max ms"] < 2000
    assert toy_service.get("/stats")["active_streams"] == 0
