"""Load on real sockets: a real voice, services that refuse and break, and one that is too slow."""

import json
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from mira.cli.bench.arrivals import poisson
from mira.cli.bench.client import Client
from mira.cli.bench.load import Load, Row, main, offer
from mira.cli.bench.plot import plot
from tests.cli.bench.conftest import Serves, begin, chunk, tone
from tests.cli.running import mira
from tests.server.serving import Served


def measure(url: str, load: Load) -> list[Row]:
    with closing(Client(url)) as client:
        return main(client, load, {"url": url})


def test_a_real_voice_under_load(speaker: Served, tmp_path: Path) -> None:
    picture = tmp_path / "load.png"
    done = mira(
        *("bench", "load", speaker.url, "--rates", "6,3", "--seconds", "1", "--seed", "3"),
        *("--plot", str(picture)),
    )
    assert done.returncode == 0, done.stderr
    *table, line = done.stdout.decode().splitlines()
    found = json.loads(line)
    assert found["bench"] == "load" and found["url"] == f"{speaker.url}/v1/audio/speech"
    assert [row["rate"] for row in found["rows"]] == [3, 6]  # lightest first
    for row in found["rows"]:
        assert row["requests"] == len(poisson(row["rate"], 1.0, 0.7, 3)) > 0
        assert (row["429"], row["errors"], row["overloaded"]) == (0, {}, False)
        assert 0 < row["TTFA p50 ms"] <= row["TTFA p95 ms"] <= row["TTFA p99 ms"]
        assert row["answer/audio p50"] > 0
        assert 1 <= row["most open"] <= row["requests"]
    assert table[-3].split()[:2] == ["rate", "requests"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_refusals_and_failures_are_counted_apart(
    answering: Serves, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = iter(range(1000))

    def moody(to: BaseHTTPRequestHandler) -> None:
        match next(turns) % 4:
            case 0:
                begin(to, 429, "application/json")
                chunk(to, b"")
            case 1:
                begin(to)
                chunk(to, tone(0.1))  # and no end
            case 2:
                begin(to, 500, "application/json")
                chunk(to, b"")
            case 3:
                begin(to)
                chunk(to, tone(0.1))
                chunk(to, b"")

    (row,) = measure(answering(moody), Load((40.0,), 0.8))
    asked = row["requests"]
    assert isinstance(asked, int) and asked > 16
    assert row["429"] == pytest.approx(asked / 4, abs=1)
    assert row["errors"] == {
        "broken off": pytest.approx(asked / 4, abs=1),
        "500": pytest.approx(asked / 4, abs=1),
    }
    assert row["TTFA p50 ms"] is not None
    assert row["head-room p50 ms"] is None  # there was no second chunk
    assert "broken off" in capsys.readouterr().out


def test_a_service_that_only_refuses_leaves_gaps_in_the_picture(
    answering: Serves, tmp_path: Path
) -> None:
    def full(to: BaseHTTPRequestHandler) -> None:
        begin(to, 429, "application/json")
        chunk(to, b"")

    rows = measure(answering(full), Load((20.0,), 0.5))
    plot(rows, tmp_path / "p.png")
    assert rows[0]["429"] == rows[0]["requests"] != 0
    assert rows[0]["TTFA p50 ms"] is None
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_a_pause_is_heard(answering: Serves) -> None:
    def pausing(to: BaseHTTPRequestHandler) -> None:
        begin(to)
        chunk(to, tone(0.1))
        time.sleep(0.3)
        chunk(to, tone(0.1))
        chunk(to, b"")

    (row,) = measure(answering(pausing), Load((10.0,), 0.8, seed=1))
    assert row["requests"]
    assert row["underruns"] == row["requests"]
    assert row["head-room p50 ms"] == pytest.approx(-200, abs=60)
    assert row["answer/audio p50"] == pytest.approx(1.5, abs=0.4)


def test_nobody_waits_for_an_answer_and_too_many_open_requests_end_the_load(
    answering: Serves,
) -> None:
    def slow(to: BaseHTTPRequestHandler) -> None:
        time.sleep(0.4)
        begin(to)
        chunk(to, tone(0.1))
        chunk(to, b"")

    url = answering(slow)
    rows = measure(url, Load((50.0, 100.0), 2.0, max_open=4))
    assert [row["rate"] for row in rows] == [50.0]
    assert rows[0]["overloaded"] is True
    assert rows[0]["requests"] == rows[0]["most open"] == 4
    load = Load((20.0,), 0.4, seed=1, max_open=50)
    with closing(Client(url)) as client:
        began = time.perf_counter()
        offered = offer(client, load, 20.0)
        assert time.perf_counter() - began < 1.5  # one after another it would take longer
    assert len(offered.played) == len(poisson(20.0, 0.4, load.short, seed=1)) > 4
    assert not offered.overloaded
    assert offered.most_open > 2
