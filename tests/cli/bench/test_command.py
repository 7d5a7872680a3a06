"""mira bench: mistakes are said before anything is measured."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from mira.cli.bench.command import app
from mira.errors import MiraError
from tests.cli.bench.conftest import Serves, begin, chunk, tone


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["load", "http://127.0.0.1:9"], r"127\.0\.0\.1:9/v1/audio/speech: can't be reached"),
        (["load", "localhost:5100"], "write it as http://HOST:PORT"),
        (["load", "http://h", "--model", "m"], "leave out the URL"),
        (["load", "http://h", "--rates", "1,x"], "--rates 1,x: write numbers"),
        (["load", "http://h", "--rates", "1,0"], "each must be more than 0"),
        (["load", "http://h", "--rates", "nan"], "each must be more than 0"),
        (["load", "http://h", "--plot", "/no/such/p.png"], "no file can be made in /no/such"),
        (["load", "http://h", "--api-key-file", "/no/such"], "/no/such: No such file"),
        (["load", "http://h", "--api-key-file", "/dev/null"], "the key alone should be in it"),
        (["load", "http://h", "--api-key-file", "/dev/zero"], "the key alone should be in it"),
    ],
)
def test_mistakes_are_said_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MiraError, match=says) as failure:
        app(arguments, standalone_mode=False)
    assert "\n" not in str(failure.value)
    assert capsys.readouterr().out == ""


def test_a_key_is_read_from_a_file_and_not_shown(
    answering: Serves, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = set[str]()

    def answer(to: BaseHTTPRequestHandler) -> None:
        sent.add(to.headers["authorization"])
        begin(to)
        chunk(to, tone(0.1))
        chunk(to, b"")

    secret = "secret-0123456789abcdef"
    (tmp_path / "key").write_text(f"{secret}\n")
    arguments = ["load", answering(answer), "--rates", "20", "--seconds", "0.2"]
    app([*arguments, "--api-key-file", str(tmp_path / "key")], standalone_mode=False)
    assert sent == {f"Bearer {secret}"}
    shown = capsys.readouterr()
    assert "TTFA" in shown.out
    assert secret not in shown.out + shown.err
