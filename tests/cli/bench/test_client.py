"""Addresses are completed, failures told apart, and connections kept."""

import base64
import time
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest

from mira.cli.bench.client import Client, Problem
from mira.errors import InvalidRequest, MiraError
from tests.cli.bench.conftest import Serves, begin, chunk, tone


@pytest.mark.parametrize(
    "url",
    ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/", "http://h:1/v1/audio/speech"],
)
def test_an_address_is_completed(url: str) -> None:
    assert Client(url).url == "http://h:1/v1/audio/speech"


def test_a_proxy_may_have_a_path_of_its_own() -> None:
    assert Client("https://h/tts/v1?key=1").url == "https://h/tts/v1/audio/speech?key=1"


@pytest.mark.parametrize("url", ["localhost:5100", "ftp://h", "http://", "", "http://h:x"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="HOST:PORT"):
        Client(url)


@pytest.mark.parametrize("url", ["http://u:s3cret@h:x", "ftp://u:s3cret@h", "http://u:s3cret@"])
def test_a_password_in_an_address_that_is_none_is_not_shown(url: str) -> None:
    with pytest.raises(InvalidRequest, match="HOST:PORT") as raised:
        Client(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("key", ["ключ", "two\nlines"])
def test_a_key_that_no_header_can_hold(key: str) -> None:
    with pytest.raises(InvalidRequest, match="copy it again"):
        Client("http://h", key)


def ask(url: str, **options: object) -> str:
    """What went wrong, if anything did."""
    with closing(Client(url, **options)) as client:  # type: ignore[arg-type]
        try:
            for _ in client.speak("Hello there."):
                pass
        except Problem as problem:
            return problem.kind
    return ""


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


def cut_short(to: BaseHTTPRequestHandler) -> None:
    to.send_response(200)
    to.send_header("content-type", "audio/pcm")
    to.send_header("content-length", "9999")
    to.end_headers()
    to.wfile.write(tone(0.1))
    to.close_connection = True


def dripping(to: BaseHTTPRequestHandler) -> None:
    """Each piece comes in time, and the whole too late."""
    begin(to)
    for _ in range(20):
        chunk(to, tone(0.01))
        time.sleep(0.02)
    chunk(to, b"")


def page(to: BaseHTTPRequestHandler) -> None:
    begin(to, 200, "text/html")
    chunk(to, b"<html>")
    chunk(to, b"")


def good(to: BaseHTTPRequestHandler) -> None:
    begin(to)
    chunk(to, tone(0.1))
    chunk(to, b"")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (refused, "429"),
        (broken_off, "broken off"),
        (too_slow, "timed out"),
        (cut_short, "broken off"),
        (dripping, "timed out"),
        (page, "not audio"),
        (good, ""),
    ],
)
def test_what_goes_wrong_is_told_apart(
    answering: Serves, answer: Callable[[BaseHTTPRequestHandler], None], problem: str
) -> None:
    assert ask(answering(answer), timeout_s=0.2) == problem


def test_nobody_listens_there() -> None:
    assert ask("http://127.0.0.1:9") == "not connected"


def test_a_connection_is_used_again_and_one_that_was_hung_up_is_not(answering: Serves) -> None:
    ports: list[int] = []

    def keeping(to: BaseHTTPRequestHandler) -> None:
        ports.append(to.client_address[1])
        to.send_response(200)
        to.send_header("content-type", "audio/pcm")
        to.send_header("content-length", "4800")
        to.end_headers()
        to.wfile.write(tone(0.1))

    with closing(Client(answering(keeping))) as client:
        for _ in range(2):
            assert b"".join(piece for _, piece in client.speak("Hi.")) == tone(0.1)
        with closing(client.speak("Hi.")) as pieces:
            next(pieces)
        assert len(list(client.speak("Hi."))) >= 1
    assert ports[0] == ports[1] == ports[2] != ports[3]


def check(url: str) -> None:
    with closing(Client(url)) as client:
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
        good(to)

    ask(answering(keyed), api_key="k")
    assert seen == ["Bearer k"]


def test_a_name_and_password_are_sent_and_not_shown(answering: Serves) -> None:
    seen = []

    def keyed(to: BaseHTTPRequestHandler) -> None:
        seen.append((to.path, to.headers["authorization"]))
        good(to)

    url = answering(keyed).replace("://", "://somebody:s3cr%40t@") + "/wide road"
    assert ask(url) == ""
    basic = f"Basic {base64.b64encode(b'somebody:s3cr@t').decode()}"
    assert seen == [("/wide%20road/v1/audio/speech", basic)]
    assert "somebody" not in Client(url).url
