"""The command line in this process, with one built-in voice for all: starting another, or loading
the voice again, takes longer than most of what it does."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.cli.main import main


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    status: int
    out: bytes
    err: str


Here = Callable[..., Done]


@pytest.fixture
def here(
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    tmp_path_factory: pytest.TempPathFactory,
    builtin: BuiltinSynthesizer,
) -> Here:
    """here("say", "Hi.") runs `mira say Hi.`; named arguments are variables of the environment."""
    monkeypatch.setattr("mira.builtin.synthesizer.BuiltinSynthesizer", lambda threads: builtin)

    def run(*arguments: str, stdin: bytes = b"", **environment: str) -> Done:
        typed = tmp_path_factory.mktemp("stdin") / "typed"
        typed.write_bytes(stdin)
        monkeypatch.setattr(sys, "argv", ["mira", *arguments])
        for name, value in {"COLUMNS": "200", **environment}.items():
            monkeypatch.setenv(name, value)
        with typed.open("rb") as file, pytest.raises(SystemExit) as ended:
            monkeypatch.setattr(sys, "stdin", file)
            main()
        out, err = capsysbinary.readouterr()
        return Done(int(ended.value.code or 0), out, err.decode())

    return run
