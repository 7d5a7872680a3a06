"""Whoever waits sees at once what is being done, and how far it is; never a flood."""

import io
import re

import pytest

from mira import progress
from mira.progress import Report, amount, progress_bar, quiet


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_when_it_begins_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    with progress_bar(out) as report:
        for done in range(0, 101):
            report("downloading a/b to /c", done * 10**6, 100 * 10**6)
        report("loading a/b", 0, 0)
        report("loading a/b", 0, 0)
    assert out.getvalue().splitlines() == [
        "downloading a/b to /c: 0.0 of 100.0 MB",
        "downloading a/b to /c: 100.0 of 100.0 MB",
        "loading a/b",
    ]


def test_without_a_terminal_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    out = io.StringIO()
    with progress_bar(out) as report:
        for done in (0, 5, 5, 7):
            report("converting x", done * 10**6, 10**7)
    assert [line.split()[2] for line in out.getvalue().splitlines()] == ["0.0", "5.0", "7.0"]


def test_on_a_terminal_a_bar_for_each_thing() -> None:
    out = Terminal()
    with progress_bar(out) as report:
        report("downloading [red] to /c", 5 * 10**6, 10**7)
        report("converting [red] to /c", 0, 0)
    assert "downloading [red] to /c" in out.getvalue()
    assert "5.0/10.0 MB" in out.getvalue()
    assert "converting [red] to /c" in out.getvalue()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_long_path_leaves_room_for_the_bar_and_the_bytes(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", f"{columns}")
    what = f"downloading owner/name to /home/someone/{'folder/' * 20}hub"
    out = Terminal()
    with progress_bar(out) as report:
        report(what, 500 * 10**6, 1300 * 10**6)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue()).splitlines()
    assert what in lines
    bar = lines[-1].rstrip("\r")
    assert bar.startswith("downloading o")
    assert "…" in bar
    assert "0.5/1.3 GB" in bar
    assert "━" in bar
    assert len(bar) <= columns


def test_quiet_takes_what_every_report_takes() -> None:
    report: Report = quiet
    report("downloading owner/name to /folder", 5, 9)
    report("preparing", 0, 0)


def test_amounts_are_for_people() -> None:
    numbers = (0, 1, 2500, 24_300_000, 1_100_000_000)
    assert [amount(n) for n in numbers] == ["0 kB", "1 kB", "3 kB", "24 MB", "1.1 GB"]
