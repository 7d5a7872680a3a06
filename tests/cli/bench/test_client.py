"""Addresses are completed, and a service that can't be measured is named at once."""

import time
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest

from mira.cli.bench.client import Answer, Client, Request, endpoint, listen
from mira.errors import InvalidRequest, MiraError
from tests.cli.bench.conftest import Serves, begin, chunk, tone
from tests.server.serving import Served


@pytest.mark.parametrize(
    "url",
    ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/", "http://h:1/v1/audio/speech"],
)
def test_an_address_is_completed(url: str) -> None:
    assert endpoint(url) == "http://h:1/v1/audio/speech"


def test_a_proxy_may_have_a_path_of_its_own() -> None:
    assert endpoint("https://h/tts/v1?key=1") == "https://h/tts/v1/audio/speech?key=1"


@pytest.mark.parametrize("url", ["localhost:5100", "ftp://h", "http://", ""])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="HOST:PORT"):
        endpoint(url)


def ask(url: str, **fields: object) -> Answer:
    request = Request(**fields)
    with closing(Client(endpoint(url), request, max_open=2)) as client:
        answer = client.ask("Hello there.", time.perf_counter())
    if not answer.problem:
        listen(answer, request)
    return answer


def refused(to: BaseHTTPRequestHandler) -> None:
    begin(to, 429, "application/json")
    chunk(to, b"{}")
    chunk(to, b"")


def broken_off(to: BaseHTTPRequestHandler) -> None:
    begin(to)
    chunk(to, tone(0.1))


def too_slow(to: BaseHTTPRequestHandler) -> None:
    time.sleep(0.4)
    begin(to)
    chunk(to, b"")


def silent(to: BaseHTTPRequestHandler) -> None:
    begin(to)
    chunk(to, bytes(4800))
    chunk(to, b"")


def empty(to: BaseHTTPRequestHandler) -> None:
    begin(to)
    chunk(to, b"")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (refused, "429"),
        (broken_off, "broken off"),
        (too_slow, "timed out"),
        (silent, "silent"),
        (empty, "silent"),
    ],
)
def test_what_goes_wrong_is_told_apart(
    answering: Serves, answer: Callable[[BaseHTTPRequestHandler], None], problem: str
) -> None:
    assert ask(answering(answer), timeout_s=0.2).problem == problem


def test_nobody_listens_there() -> None:
    assert ask("http://127.0.0.1:9").problem == "not connected"


def test_what_is_no_audio(answering: Serves) -> None:
    assert ask(answering(silent), response_format="mp3").problem == "not audio"


@pytest.mark.parametrize("name", ["pcm", "wav", "mp3", "opus", "aac", "flac"])
def test_every_format_is_heard_alike(shared: Served, name: str) -> None:
    request = Request(response_format=name)
    with closing(Client(endpoint(shared.url), request, max_open=1)) as client:
        answer = client.ask("Hello there.", time.perf_counter())
    played = listen(answer, request)
    assert played is not None, answer.problem
    assert played.audio_s == pytest.approx(0.6, abs=0.12)
    assert 0 < played.audible_ms < 2000


def check(url: str) -> None:
    with closing(Client(endpoint(url), Request(), max_open=1)) as client:
        client.check()


def test_a_wrong_address_is_said_before_any_load(answering: Serves) -> None:
    with pytest.raises(MiraError, match=r"127\.0\.0\.1:9/.*can't be reached"):
        check("http://127.0.0.1:9")

    def no_key(to: BaseHTTPRequestHandler) -> None:
        begin(to, 401, "application/json")
        chunk(to, b'{"error":\n "no key"}')
        chunk(to, b"")

    with pytest.raises(MiraError, match=r"answers 401: .*no key"):
        check(answering(no_key))

    def page(to: BaseHTTPRequestHandler) -> None:
        begin(to, 200, "text/html")
        chunk(to, b"<html>")
        chunk(to, b"")

    with pytest.raises(MiraError, match="text/html instead of audio"):
        check(answering(page))


@pytest.mark.parametrize("answer", [refused, broken_off])
def test_a_busy_service_may_be_measured(
    answering: Serves, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    check(answering(answer))


def test_a_key_is_sent(answering: Serves) -> None:
    seen = []

    def keyed(to: BaseHTTPRequestHandler) -> None:
        seen.append(to.headers["authorization"])
        silent(to)

    ask(answering(keyed), api_key="k")
    assert seen == ["Bearer k"]
