"""Each table of the sockets' bench, in short, on a toy."""

import asyncio

from mira.cli.bench.service import Service
from tests.toys import ANNA
from tools.bench import sockets
from tools.sockets.protocols import PROTOCOLS

VOICE = ANNA.name
NAMES = [kind.name for kind in PROTOCOLS]


def test_first_audio_and_interruptions(toy_service: Service) -> None:
    text = "One two three four."
    rows = asyncio.run(sockets.first(toy_service, VOICE, 1, (text,)))
    assert [(row["protocol"], row["after"]) for row in rows] == [
        (name, after) for name in NAMES for after in ("flush", "sentence")
    ]
    for row in rows:
        assert 0 < row["first p50 ms"] <= row["audible p50 ms"] < 2000, row  # type: ignore[operator]
    rows = asyncio.run(sockets.cancel(toy_service, VOICE, 1))
    assert [row["protocol"] for row in rows] == NAMES
    for row in rows:
        assert 0 <= row["last audio max ms"] < 500, row  # type: ignore[operator]
        assert 0 < row["idle max ms"] < 2000, row  # type: ignore[operator]


def test_a_crowd_and_idle_sockets(toy_service: Service) -> None:
    (row,) = asyncio.run(sockets.crowd(toy_service, VOICE, 4, 1))
    assert (row["sockets"], row["failed"]) == (4, 0)
    assert row["heard s"] > 2  # type: ignore[operator]
    rows = asyncio.run(sockets.idle(toy_service, VOICE, 10, 1))
    assert [row["idle sockets"] for row in rows] == [0, 10]
    assert toy_service.get("/stats")["sockets"] == {}


def test_text_in_characters_is_compared(toy_service: Service) -> None:
    rows = asyncio.run(sockets.same(toy_service, VOICE, "One two three. Four five."))
    assert [(row["protocol"], row["same"]) for row in rows] == [(name, True) for name in NAMES]
    assert len({row["audio s"] for row in rows}) == 1
