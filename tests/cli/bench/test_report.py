"""A table for people, and one JSON line that says the same."""

import json

import pytest

from mira.cli.bench.report import percentile, report


def test_a_table_and_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"n": 1, "ms": 1234.5, "x": 0.12345, "none": None, "full": True, "kinds": {"500": 2}}
    report("name", [row, {**row, "kinds": {}}], {"url": "http://h"})
    empty, where, head, first, second, line = capsys.readouterr().out.splitlines()
    assert empty == "" and where.startswith("name: ") and where.endswith(", url http://h")
    assert head.split() == list(row)
    assert first.split() == ["1", "1234", "0.123", "-", "yes", "2", "500"]
    assert second.split()[-1] == "0"
    assert len(head) == len(first) == len(second)
    found = json.loads(line)
    assert found["rows"][0] == row
    assert found["bench"] == "name" and found["cores"] >= 1 and found["commit"]


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentile([], 50) is None
    assert percentile([3, 1, 2], 50) == 2
    assert percentile([0, 10], 95) == pytest.approx(9.5)
