"""The application as a whole: documentation, unknown paths, other origins, start and stop."""

import contextlib
import threading
import time

import httpx
import pytest

from mira.engine import Engine
from mira.server.app import create_app
from mira.settings import Settings
from tests.conftest import Serve
from tests.server.serving import Served, quick, serving, wait_until
from tests.toys import ToySynthesizer

ORIGIN = "https://app.example"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, authorization",
}


def test_building_it_loads_nothing() -> None:
    def load(settings: Settings) -> Engine:
        raise AssertionError("not yet")

    before = set(threading.enumerate())  # of other tests' services, which may end meanwhile
    create_app(Settings(), load)
    assert set(threading.enumerate()) <= before


def test_the_documentation_names_every_path(shared: Served) -> None:
    page = shared.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    found = shared.get("/openapi.json").json()
    assert set(found["paths"]) == {
        "/",
        "/health",
        "/health/ready",
        "/metrics",
        "/stats",
        "/tts/bytes",
        "/tts/sse",
        "/v1/audio/models",
        "/v1/audio/speech",
        "/v1/audio/speech-stream",
        "/v1/audio/voice_consents",
        "/v1/audio/voice_consents/{consent_id}",
        "/v1/audio/voices",
        "/v1/audio/voices/{voice_id}",
        "/v1/audio/voices/{voice_id}/preview",
        "/v1/models",
        "/v1/models/{model_id}",
        "/v1/phrases",
        "/v1/speak",
        "/v1/text-to-dialogue",
        "/v1/text-to-dialogue/stream",
        "/v1/text-to-speech/{voice_id}",
        "/v1/text-to-speech/{voice_id}/stream",
        "/v1/text-to-speech/{voice_id}/stream/with-timestamps",
        "/v1/text-to-speech/{voice_id}/with-timestamps",
        "/v1/user",
        "/v1/user/subscription",
        "/v1/voices",
        "/v1/voices/add",
        "/v1/voices/settings/default",
        "/v1/voices/{voice_id}",
        "/v1/voices/{voice_id}/settings",
        "/v2/speak",
        "/v2/voices",
        "/voices",
        "/voices/clear-cache",
        "/voices/clone",
        "/voices/refresh",
        "/voices/{voice_id}",
    }
    fields = found["components"]["schemas"]["SpeechRequest"]["properties"]
    assert {"model", "input", "voice", "speed", "response_format"} < set(fields)


@pytest.mark.parametrize("path", ["/nowhere", "/v1/audio", "/v1/audio/speech/more", "//", "/%00"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_a_404_in_openais_shape(shared: Served, method: str, path: str) -> None:
    with shared.client() as client:
        answer = client.request(method, shared.url + path)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", "not_found")
    assert method in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("POST", "/audio/speech", "/v1/audio/speech"),
        ("POST", "/v1/audio/speech/", "/v1/audio/speech"),
        ("POST", "//v1/audio/speech", "/v1/audio/speech"),
        ("POST", "/v1/v1/audio/speech", "/v1/audio/speech"),
        ("POST", "/api/v1/audio/speech", "/v1/audio/speech"),
        ("POST", "/v1/audio/speech/audio/speech", "/v1/audio/speech"),
        ("GET", "/models", "/v1/models"),
        ("GET", "/v1/stats", "/stats"),
        ("GET", "/health/", "/health"),
        ("POST", "/nowhere/audio/speech/" + "a/" * 3000, None),
        ("POST", "/v1/chat/completions", None),
        ("GET", "/audio/speech", None),
        ("GET", "/v1", None),
    ],
)
def test_a_wrong_base_url_is_told_the_right_path(
    shared: Served, method: str, path: str, meant: str | None
) -> None:
    with shared.client() as client:
        answer = client.request(method, shared.url + path)
    assert answer.status_code == 404
    message = answer.json()["error"]["message"]
    assert (f"Did you mean {meant}?" in message) == (meant is not None)
    if meant is not None:
        assert (f"base URL here is {shared.url}/v1." in message) == meant.startswith("/v1/")


@pytest.mark.parametrize("path", ["/", "/health", "/v1/models", "/voices", "/metrics", "/docs"])
def test_head_is_get_without_a_body(shared: Served, path: str) -> None:
    with shared.client() as client:
        head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == get.headers[name]


def test_head_leaves_a_stream(shared: Served, shared_toy: ToySynthesizer) -> None:
    with shared.client() as client:
        answer = client.head("/v1/audio/voices/anna/preview")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
        shared.wait_idle()
        assert client.get("/health").json()["active_streams"] == 0
        assert client.head("/nowhere").status_code == 404
        assert client.head("/v1/audio/speech").status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/audio/speech", "POST"),
        ("PUT", "/v1/audio/speech-stream", "POST"),
        ("POST", "/health", "GET"),
        ("DELETE", "/voices", "GET"),
    ],
)
def test_a_wrong_method_is_a_405(shared: Served, method: str, path: str, allowed: str) -> None:
    with shared.client() as client:
        answer = client.request(method, path)
    assert answer.status_code == 405
    assert allowed in answer.headers["allow"]
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert path in error["message"]


def test_other_origins_are_refused_by_default(shared: Served) -> None:
    with shared.client() as client:
        assert client.options("/v1/audio/speech", headers=PREFLIGHT).status_code == 405
    answer = shared.get("/health", headers={"origin": ORIGIN})
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origins", [(ORIGIN,), ("https://other.example", ORIGIN), ("*",)])
def test_a_setting_lets_them_in(
    serve: Serve, toy: ToySynthesizer, origins: tuple[str, ...]
) -> None:
    served = serve(toy, cors_origins=origins)
    shown = "*" if origins == ("*",) else ORIGIN
    with served.client() as client:
        preflight = client.options("/v1/audio/speech", headers=PREFLIGHT)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == shown
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert preflight.headers["x-request-id"]
        answer = client.post(
            "/v1/audio/speech-stream", json={"input": "Hi."}, headers={"origin": ORIGIN}
        )
        assert answer.headers["access-control-allow-origin"] == shown
        exposed = answer.headers["access-control-expose-headers"].lower()
        assert {"x-voice-used", "server-timing"} < {name.strip() for name in exposed.split(",")}
        refused = client.post(
            "/v1/audio/speech-stream", json={"input": ""}, headers={"origin": ORIGIN}
        )
        assert refused.headers["access-control-allow-origin"] == shown
        evil = client.get("/health", headers={"origin": "https://evil.example"})
        assert ("access-control-allow-origin" in evil.headers) == (shown == "*")


def test_stopping_waits_for_a_running_stream() -> None:
    """Within shutdown_timeout_s, what is being said is said to its end."""
    toy = ToySynthesizer(compute_s=0.02)
    heard: list[bytes] = []

    with serving(
        lambda settings: Engine(toy, settings.lead_s),
        quick(default_voice="anna", shutdown_timeout_s=20),
    ) as served:

        def listen() -> None:
            answer = served.post("/v1/audio/speech-stream", json={"input": "One two three."})
            heard.append(answer.content)

        listener = threading.Thread(target=listen)
        listener.start()
        toy.wait(lambda toy: toy.blocks > 0)
    listener.join(20)
    assert [len(body) for body in heard] == [2 * len(toy.whole("One two three.")) * 16000 // 24000]


def test_the_engine_is_closed_after_the_last_stream_and_not_before() -> None:
    """Also after one that the server cut off while a block was being computed."""
    toy = ToySynthesizer(block_s=0.01, s_per_char=1, before_block=lambda number: slow(number))
    at_close: list[tuple[int, int]] = []
    computing = threading.Event()

    def slow(number: int) -> None:
        if number == 2:
            computing.set()
            time.sleep(1)

    class Closing(Engine):
        def close(self) -> None:
            at_close.append((toy.opened, toy.closed))
            super().close()

    with serving(lambda settings: Closing(toy), quick(default_voice="anna")) as served:

        def listen() -> None:
            with contextlib.suppress(httpx.HTTPError):
                served.post("/v1/audio/speech-stream", json={"input": "One two three four."})

        listener = threading.Thread(target=listen)
        listener.start()
        assert computing.wait(20)
        assert at_close == []
    listener.join(20)
    assert at_close == [(1, 1)]
    assert toy.shut


def test_an_engine_whose_voices_are_wrong_is_closed_too(toy: ToySynthesizer) -> None:
    with serving(lambda settings: Engine(toy), quick(default_voice="zoe"), ready=False) as served:
        wait_until(lambda: served.service.failure is not None)
        assert not toy.shut
    assert toy.shut


def test_stopping_does_not_wait_for_ever() -> None:
    toy = ToySynthesizer(block_s=0.01, compute_s=0.01, s_per_char=1)
    with serving(
        lambda settings: Engine(toy, settings.lead_s), quick(default_voice="anna")
    ) as served:
        body = {"input": "One two three four."}
        with (
            served.client() as client,
            client.stream("POST", "/v1/audio/speech-stream", json=body) as answer,
        ):
            next(answer.iter_raw())
            served.server.should_exit = True
            began = time.perf_counter()
            toy.wait_closed()
            assert time.perf_counter() - began < 5
