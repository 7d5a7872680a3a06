"""mira bench: mistakes are said before anything is measured."""

import pytest

from mira.cli.bench.command import app
from mira.errors import MiraError


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
    ],
)
def test_mistakes_are_said_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MiraError, match=says) as failure:
        app(arguments, standalone_mode=False)
    assert "\n" not in str(failure.value)
    assert capsys.readouterr().out == ""
