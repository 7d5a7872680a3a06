"""A bench is called by its name, and mistakes are said in one line."""

import runpy
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "NAME is one of cancel, codec"),
        (["nothing"], "NAME is one of cancel, codec"),
        (["listeners", "--counts", "1.5"], "--counts 1.5: write numbers"),
        (["lm", "/no/such"], "/no/such: no such directory"),
        (["codec", "/no/such"], "/no/such: no such directory"),
    ],
)
def test_mistakes_are_said_in_one_line(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("tools.bench", run_name="__main__")
    assert says in str(ended.value)
    assert "\n" not in str(ended.value)
