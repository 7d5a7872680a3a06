"""Who may ask: a host name that somebody else can point here is refused, the usual ones are not; a
key lets in where it should, and nobody else is."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.parse import quote

import openai
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mira.errors import InvalidSettings, NotAllowed
from mira.server.auth import caller_of, check_reach, host_check, is_own, key_check
from mira.server.errors import respond
from mira.server.keys import EVERYTHING, Keys
from mira.settings import Settings
from tests.conftest import Serve
from tests.server.keyed import (
    HOLDERS,
    KEEPER,
    NOBODY,
    READER,
    SPEAKER,
    WRONG,
    ask,
    code_of,
    write_keys,
)
from tests.server.serving import Served, quick, serving, speaking, wait_until
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

RIGHTS = EVERYTHING.may

OURS = [
    *("localhost", "localhost:5100", "LOCALHOST", "127.0.0.1", "127.0.0.1:80", "192.0.2.7:5100"),
    *("[::1]", "[::1]:5100", "mira", "mira:5100", "tts.local", "host.docker.internal:5100"),
    *("mira.default.svc", "mira.default.svc.cluster.local:5100", "nas.home.arpa", "a.localhost."),
]
THEIRS = [
    *("evil.example", "evil.example:5100", "localhost.evil.example", "127.0.0.1.nip.example"),
    *("evil.example.", "local.example", "xlocal.com", "a." * 4000 + "local", "127.0.0.1.x"),
]


@pytest.mark.parametrize("host", OURS)
def test_names_that_nobody_else_has_are_let_in(shared: Served, host: str) -> None:
    assert shared.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", THEIRS, ids=lambda host: host[:30])
@pytest.mark.parametrize("path", ["/voices", "/", "/nowhere", "/v1/audio/voice_consents"])
def test_other_names_are_refused_with_what_to_do(shared: Served, host: str, path: str) -> None:
    answer = shared.get(path, headers={"host": host})
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["type"] == "permission_error"
    assert "allowed_hosts" in error["message"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ("voice.example", "voice.example", 200),
        ("Voice.Example,other.example", "voice.example:8443", 200),
        ("voice.example", "a.voice.example", 403),
        (".voice.example", "a.b.voice.example", 200),
        (".voice.example", "voice.example", 403),
        (".voice.example", "evilvoice.example", 403),
        ("*", "any.example", 200),
        ("voice.example", "localhost", 200),
    ],
)
def test_a_setting_lets_more_in(serve: Serve, allowed: str, host: str, status: int) -> None:
    served = serve(ToySynthesizer(), allowed_hosts=allowed)
    assert served.get("/health", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:5100", "localhost:5100", True),
        ("https://Voice.example", "voice.example", True),
        ("http://localhost:5101", "localhost:5100", False),
        ("https://evil.example", "localhost:5100", False),
        ("null", "localhost:5100", False),
        ("null", "", False),
        ("http://[", "[", False),
    ],
)
def test_a_page_is_ours_if_it_came_from_this_address(origin: str, host: str, own: bool) -> None:
    assert is_own(origin, host) == own


# ---------------------------------------------------------------- keys

SPEECH = "/v1/audio/speech"
CARTESIA = {"cartesia-version": "2025-04-16"}
OPEN = {"/", "/health", "/health/ready"}
ANY_KEY = {
    *("/v1/models", "/v1/models/{model_id}", "/v1/audio/models"),
    *("/v1/user", "/v1/user/subscription"),
}
PLACES: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"authorization": f"Bearer {SPEAKER}"}, {}),
    ({"authorization": f"Token {SPEAKER}"}, {}),
    ({"xi-api-key": SPEAKER}, {}),
    ({"X-API-Key": SPEAKER}, {}),
    ({"authorization": "Basic YTpi", "x-api-key": SPEAKER}, {}),
    ({}, {"api_key": SPEAKER}),
    ({}, {"access_token": SPEAKER}),
    ({}, {"authorization": f"Bearer {SPEAKER}"}),
]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a key for each right, for tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("keyed")
    limited = f'[limited]\nkey = "limited-{WRONG}"\ncharacters_a_minute = 20\n'
    options = {
        "api_keys_file": write_keys(folder / "keys.toml", limited),
        "voices_dir": folder / "voices",
        "cors_origins": ("https://agent.example",),
    }
    with serving(*speaking(ToySynthesizer(fingerprint="c0ffee"), **options)) as served:
        yield served


@pytest.mark.parametrize(("headers", "query"), PLACES)
def test_a_key_is_taken_in_every_place(
    keyed: Served, headers: dict[str, str], query: dict[str, str]
) -> None:
    answer = ask(keyed, "POST", SPEECH, headers=headers, params=query, json={"input": "Hi."})
    assert (answer.status_code, len(answer.content) > 1000) == (200, True)


@pytest.mark.parametrize(
    "headers",
    [
        *({}, {"authorization": SPEAKER}, {"authorization": f"Basic {SPEAKER}"}),
        *({"authorization": f"Bearer {WRONG}"}, {"authorization": f"Bearer {SPEAKER}x"}),
        *({"xi-api-key": SPEAKER[:-1]}, {"x-api-key": ""}, {"cookie": f"api_key={SPEAKER}"}),
    ],
)
def test_missing_and_wrong_are_the_same_401(keyed: Served, headers: dict[str, str]) -> None:
    answer = ask(keyed, "POST", SPEECH, headers=headers, json={"input": "Hi."})
    expected = ask(keyed, "GET", "/nowhere")
    assert (answer.status_code, code_of(answer)) == (401, "invalid_api_key")
    assert answer.json() == expected.json(), "what is here and what isn't is told to nobody"
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["x-request-id"]
    assert SPEAKER not in answer.text and WRONG not in answer.text


@given(
    scheme=st.sampled_from(["Bearer", "Token", "bearer", "Basic", "", "Bearer Bearer"]),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
    name=st.sampled_from(["authorization", "xi-api-key", "x-api-key"]),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_is_more_than_a_401(keyed: Served, scheme: str, secret: str, name: str) -> None:
    answer = ask(keyed, "GET", "/v1/models", headers={name: f"{scheme} {secret}".strip()})
    assert (answer.status_code, code_of(answer)) == (401, "invalid_api_key")


def test_every_endpoint_needs_a_key_and_one_right(keyed: Served) -> None:
    """Whatever is added: what none of the rights lets in is not written here, and fails."""
    rights: dict[str, set[str]] = {}
    for path, operations in ask(keyed, "GET", "/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            # What Mira has at the same path is another endpoint.
            theirs = CARTESIA if operation.get("tags") == ["Cartesia"] else {}
            where = re.sub(r"{\w+}", "nothing", path)
            if path in OPEN:
                assert ask(keyed, method.upper(), where).status_code == 200, where
                continue
            assert ask(keyed, method.upper(), where).status_code == 401, where
            answers = {
                secret: ask(keyed, method.upper(), where, secret, headers=theirs)
                for secret in HOLDERS
            }
            open_to = {
                may[0]
                for secret, may in HOLDERS.items()
                if may and answers[secret].status_code != 403
            }
            without = answers[NOBODY]
            if path in ANY_KEY:
                assert without.status_code != 403
            else:
                assert without.status_code == 403, where
                assert code_of(without) == "permission_error", where
                assert len(open_to) == 1, where
                rights[f"{method.upper()} {path}"] = open_to
    found = {right: {where for where in rights if rights[where] == {right}} for right in RIGHTS}
    assert {"POST /v1/audio/speech", "GET /v1/audio/voices/{voice_id}/preview"} <= found["speak"]
    assert "POST /v1/audio/speech-stream" in found["speak"]
    assert "POST /v1/text-to-speech/{voice_id}/stream/with-timestamps" in found["speak"]
    assert found["operate"] == {"GET /stats", "GET /metrics", "GET /v1/phrases"}
    assert {"POST /v1/speak", "POST /v2/speak"} <= found["speak"]
    assert {"POST /tts/bytes", "POST /tts/sse"} <= found["speak"]
    assert {"POST /voices/clone", "DELETE /voices/{voice_id}"} <= found["voices"]
    assert {"GET /voices", "GET /v1/audio/voices", "GET /voices/{voice_id}"} <= found["read"]
    assert {"GET /v1/voices", "GET /v2/voices", "GET /v1/voices/{voice_id}"} <= found["read"]
    assert {"POST /v1/audio/voices", "DELETE /v1/audio/voices/{voice_id}"} <= found["voices"]
    assert {"POST /v1/voices/add", "DELETE /v1/voices/{voice_id}"} <= found["voices"]
    assert all(where in found["voices"] for where in rights if "consent" in where)


@pytest.mark.parametrize("path", ["/voices", "/voices/anna"])
def test_what_is_at_the_same_path_for_another_family_has_its_right_too(
    keyed: Served, path: str
) -> None:
    assert ask(keyed, "GET", path, headers=CARTESIA).status_code == 401
    for key in (NOBODY, SPEAKER, KEEPER):
        refused = ask(keyed, "GET", path, key, headers=CARTESIA)
        assert (refused.status_code, code_of(refused)) == (403, "permission_error")
    assert ask(keyed, "GET", path, READER, headers=CARTESIA).status_code == 200


@pytest.mark.parametrize("path", [*sorted(OPEN), "/docs", "/docs/swagger-ui.css", "/openapi.json"])
def test_balancers_and_browsers_need_none(keyed: Served, path: str) -> None:
    for secret in (None, WRONG):
        assert ask(keyed, "GET", path, secret).status_code == 200
        assert ask(keyed, "HEAD", path, secret).status_code == 200


@pytest.mark.parametrize("path", ["/docs/x", "/docs/../voices", "/health/x", "//voices", "/VOICES"])
def test_what_is_near_an_open_path_gives_nothing_out(keyed: Served, path: str) -> None:
    assert ask(keyed, "GET", path).status_code in (400, 401, 404)


def test_the_page_and_the_documentation_say_that_a_key_is_needed(
    keyed: Served, shared: Served
) -> None:
    browser = {"accept": "text/html"}
    page, free = (ask(one, "GET", "/", headers=browser).text for one in (keyed, shared))
    assert "They need an API key" in page and "authorization: Bearer KEY" in page
    assert 'href="voices"' not in page, "a link sends no key"
    assert "key" not in free and 'href="voices"' in free
    assert ask(keyed, "GET", "/").json()["key"] == "needed"
    assert ask(shared, "GET", "/").json()["key"] == "none"
    described = ask(keyed, "GET", "/openapi.json").json()
    assert described["security"] == [{"key": []}]
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert "security" not in ask(shared, "GET", "/openapi.json").json()


def test_a_preflight_needs_no_key_and_refusals_can_be_read_by_pages(keyed: Served) -> None:
    origin = {"origin": "https://agent.example"}
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,xi-api-key",
    }
    answer = ask(keyed, "OPTIONS", SPEECH, headers=origin | asks)
    assert answer.status_code == 200
    assert "authorization" in answer.headers["access-control-allow-headers"]
    refused = ask(keyed, "POST", SPEECH, headers=origin, json={"input": "Hi."})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://agent.example"
    assert ask(keyed, "OPTIONS", SPEECH).status_code == 405


@pytest.mark.parametrize(
    ("key", "status"), [(None, 401), (WRONG, 401), (READER, 403), (NOBODY, 403)]
)
def test_an_upload_is_refused_before_its_body_is_read(
    keyed: Served, key: str | None, status: int
) -> None:
    head = ["content-length: 5000000", "content-type: multipart/form-data; boundary=x"]
    with Wire(keyed) as wire:
        wire.write_head(
            "/v1/audio/voices", *head, *([f"xi-api-key: {key}"] if key else []), kind=None
        )
        assert wire.read_head() == status


def test_no_body_is_read_without_a_key(keyed: Served) -> None:
    with Wire(keyed) as wire:
        wire.write_head(SPEECH, "content-length: 100000")
        assert wire.read_head() == 401


def test_characters_of_a_minute_are_counted(keyed: Served) -> None:
    key = f"limited-{WRONG}"
    long = ask(keyed, "POST", SPEECH, key, json={"input": "a" * 21})
    assert (long.status_code, code_of(long)) == (400, "string_above_max_length")
    assert ask(keyed, "POST", SPEECH, key, json={"input": "Hello, there."}).status_code == 200
    for path in (SPEECH, "/v1/audio/speech-stream"):
        spent = ask(keyed, "POST", path, key, json={"input": "Hello, there."})
        assert (spent.status_code, code_of(spent)) == (429, "rate_limit_exceeded")
        assert 1 <= int(spent.headers["retry-after"]) <= 60
    assert ask(keyed, "GET", "/v1/audio/voices/anna/preview", key).status_code == 400
    assert ask(keyed, "POST", SPEECH, key, json={"input": "Hello."}).status_code == 200
    assert ask(keyed, "POST", SPEECH, SPEAKER, json={"input": "Hello, there."}).status_code == 200


def test_openais_client_with_a_right_and_a_wrong_key(keyed: Served) -> None:
    def client(key: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{keyed.url}/v1", api_key=key, max_retries=0)

    with client(SPEAKER) as right, client(WRONG) as wrong, client(READER) as reader:
        asked: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": "Hi."}
        assert len(right.audio.speech.create(**asked).content) > 1000
        with pytest.raises(openai.AuthenticationError) as refused:
            wrong.audio.speech.create(**asked)
        assert refused.value.code == "invalid_api_key"
        assert "Authorization: Bearer" in str(refused.value)
        with pytest.raises(openai.PermissionDeniedError, match="lacks the right `speak`"):
            reader.audio.speech.create(**asked)


def test_refusals_are_counted_and_the_settings_checks_stay(keyed: Served) -> None:
    before = keyed.service.telemetry.failures["InvalidKey"]
    ask(keyed, "GET", "/voices", WRONG)
    assert keyed.service.telemetry.failures["InvalidKey"] == before + 1
    theirs = ask(keyed, "GET", "/voices", READER, headers={"host": "evil.example"})
    assert theirs.status_code == 403 and "allowed_hosts" in theirs.text
    page = {"origin": "https://evil.example"}
    refused = ask(keyed, "DELETE", "/v1/audio/voices/x", KEEPER, headers=page)
    assert refused.status_code == 403 and "cors_origins" in refused.text
    assert ask(keyed, "DELETE", "/v1/audio/voices/x", KEEPER).status_code == 404


def test_a_file_that_changes_is_noticed(serve: Serve, tmp_path: Path) -> None:
    path = write_keys(tmp_path / "keys.toml")
    served = serve(ToySynthesizer(), api_keys_file=path, api_keys={"boss": WRONG})
    more = "added-0123456789abcdef"
    assert ask(served, "GET", "/voices", more).status_code == 401
    write_keys(path, f'[added]\nkey = "{more}"\n')
    wait_until(lambda: ask(served, "GET", "/voices", more).status_code == 200)
    path.write_text("[added")
    served.service.keys.refresh()
    assert ask(served, "GET", "/voices", more).status_code == 200
    assert ask(served, "GET", "/stats", WRONG).status_code == 200


def test_a_sockets_handshake_is_refused_in_the_same_way(tmp_path: Path) -> None:
    """On a server that has sockets: 401 without a key, 403 by whoever serves it, else let in."""
    keys = Keys(quick(api_keys_file=write_keys(tmp_path / "keys.toml")))

    async def talk(socket: WebSocket) -> None:
        try:
            caller_of(socket).check_may("speak")
        except NotAllowed as error:
            return await socket.send_denial_response(respond(error))
        await socket.accept()
        await socket.send_text(caller_of(socket).name)
        await socket.close()

    app = Starlette(routes=[WebSocketRoute("/socket", talk)])
    refused: list[str] = []
    config = uvicorn.Config(
        host_check(key_check(app, keys, refused.append), ()),
        port=0,
        log_config=None,
        ws="websockets-sansio",
    )
    server = uvicorn.Server(config)
    run = threading.Thread(target=server.run, name="sockets")
    run.start()
    try:
        wait_until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"ws://127.0.0.1:{port}/socket"
        for query, headers in (
            ("", {"x-api-key": SPEAKER}),
            (f"?api_key={quote(SPEAKER, safe='')}", {}),
            ("?x=1", {"authorization": f"Token {SPEAKER}"}),
        ):
            with connect(f"{url}{query}", additional_headers=headers) as socket:
                assert socket.recv() == "speaker"
        for status, headers in (
            (401, {}),
            (401, {"x-api-key": WRONG}),
            (403, {"x-api-key": READER}),
        ):
            with pytest.raises(InvalidStatus) as answer:
                connect(url, additional_headers=headers).__enter__()
            found = answer.value.response
            assert found.status_code == status
            assert (found.headers.get("www-authenticate") == "Bearer") == (status == 401)
            assert json.loads(found.body or b"")["error"]["message"]
        assert refused == ["InvalidKey"] * 2
        path = f"/socket?api_key={quote(SPEAKER, safe='')}"
        head = f"GET {path} HTTP/1.1\r\nhost: evil.example\r\n"
        upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        with create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"{head}{upgrade}sec-websocket-key: {'A' * 22}==\r\n\r\n".encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 403 "), "somebody else's name"
    finally:
        server.should_exit = True
        run.join(20)


# ---------------------------------------------------------------- without keys


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_without_keys_this_machine_is_served(address: str) -> None:
    check_reach(address, Settings())


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "192.0.2.7", "::ffff:192.0.2.7", "fe80::1%lo"]
)
def test_without_keys_no_other_one_is(address: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"no API keys.*api_keys.*open_to_everybody"):
        check_reach(address, Settings())
    check_reach(address, Settings(api_keys={"key": SecretStr(SPEAKER)}))
    check_reach(address, Settings(api_keys_file=tmp_path / "keys.toml"))
    check_reach(address, Settings(open_to_everybody=True))
