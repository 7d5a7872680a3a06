"""The command line in this process: starting another takes longer than most of what it does."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mira.cli.main import main


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    status: int
    out: bytes
    err: str


Here = Callable[..., Done]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Here:
    """here("say", "Hi.") runs `mira say Hi.`; named arguments are variables of the environment."""

    def run(*arguments: str, **environment: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["mira", *arguments])
        for name, value in {"COLUMNS": "200", **environment}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsysbinary.readouterr()
        return Done(int(ended.value.code or 0), out, err.decode())

    return run
