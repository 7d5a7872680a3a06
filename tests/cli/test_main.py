"""Every mistake on the command line is one line that helps."""

import pytest

from tests.cli.conftest import Here
from tests.cli.running import mira
from tests.voices.bringing import ALLISON


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sya"], "No such command 'sya'. Did you mean 'say'?"),
        (["say", "hi"], "No output given: use -o FILE, -o - or --play."),
        (["say", "hi", "-o", "a.xyz"], "a.xyz: end it in one of .pcm"),
        (["say", "hi", "-o", "/no/such/a.wav"], "can't be written: No such file"),
        (["say", "hi", "-o", "-", "-f", "mp9"], "no audio format 'mp9'"),
        (["say", "hi", "-o", "-", "--sample-rate", "11025"], "11025 Hz can't be made"),
        (["say", "hi", "-o", "-", "--speed", "9"], "--speed"),
        (["say", "hi", "-o", "-", "--sped", "1"], "--speed"),
        (["say", "...", "-o", "-"], "nothing to say"),
        (["say", "hi", "-o", "-", "--transcript", "Hi."], "name it with --clone FILE"),
        (["say", "hi", "-o", "-", "--clone", str(ALLISON)], "needs a Mira model"),
        (["serve", "--port", "x"], "--port"),
        (["model", "inspect", "/no/such"], "/no/such: no such directory"),
        (["model", "convert", ".", "x", "--weights", "other"], "--weights"),
        (["bench", "load", "http://h", "--response-format", "ulaw"], "--response-format"),
        (["config", "--set", "lead_s"], "write it as NAME=VALUE"),
        (["config", "--set", "led_s=1"], "Did you mean lead_s?"),
    ],
)
def test_a_wrong_argument_gets_one_line_that_helps(
    arguments: list[str], says: str, here: Here
) -> None:
    done = here(*arguments)
    lines = done.err.splitlines()
    assert done.status in (1, 2)
    assert done.out == b""
    assert len(lines) == 1, lines
    assert lines[0].startswith("mira: ")
    assert says in lines[0]


def test_version() -> None:
    assert mira("--version").stdout.startswith(b"mira ")
