"""Every socket takes keys, with their rights, limits and voices."""

import json
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIWebSocketRoute
from websockets.exceptions import InvalidStatus

from mira.server import sockets
from mira.server.telemetry import Used
from tests.server.keyed import NOBODY, READER, SPEAKER, WRONG, ask, code_of, write_keys
from tests.server.serving import Served, serving, speaking, wait_until
from tests.server.sockets.client import Client, Message
from tests.toys import ToySynthesizer
from tests.voices.bringing import CARLO

OWNER, ONCE, LIMITED = (f"{name}-0123456789abcdef" for name in ("owner", "once", "limited"))
MORE = f"""
[owner]
key = "{OWNER}"
may = ["speak", "voices"]
own_voices = true
[once]
key = "{ONCE}"
sockets = 1
[limited]
key = "{LIMITED}"
characters_a_minute = 30
"""
RAW = "output_format=pcm_24000"
TEXT = "One two three four."
PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}


def cartesia(text: str, voice: str) -> list[Message]:
    return [{"transcript": text, "voice": {"id": voice}, "output_format": PCM, "context_id": "C"}]


def elevenlabs(text: str, voice: str) -> list[Message]:
    return [{"text": f"{text} ", "flush": True}, {"text": ""}]


def elevenlabs_contexts(text: str, voice: str) -> list[Message]:
    return [{"text": f"{text} ", "context_id": "C", "flush": True}, {"close_socket": True}]


def elevenlabs_dialogue(text: str, voice: str) -> list[Message]:
    first: Message = {"voices": [voice], "text": f"{text} ", "context_id": "C"}
    return [first | {"flush": True}, {"close_socket": True}]


def deepgram(text: str, voice: str) -> list[Message]:
    return [{"type": "Speak", "text": text}, {"type": "Flush"}]


Say = Callable[[str, str], list[Message]]
SOCKETS: Mapping[str, tuple[str, Say]] = {
    "/tts/websocket": ("/tts/websocket", cartesia),
    "/v1/text-to-speech/{voice_id}/stream-input": (
        f"/v1/text-to-speech/{{voice}}/stream-input?{RAW}",
        elevenlabs,
    ),
    "/v1/text-to-speech/{voice_id}/multi-stream-input": (
        f"/v1/text-to-speech/{{voice}}/multi-stream-input?{RAW}",
        elevenlabs_contexts,
    ),
    "/v1/text-to-dialogue/multi-stream-input": (
        f"/v1/text-to-dialogue/multi-stream-input?{RAW}",
        elevenlabs_dialogue,
    ),
    "/v1/speak": ("/v1/speak?model={voice}", deepgram),
    "/v2/speak": ("/v2/speak?model={voice}", deepgram),
}
"""How each is asked to speak a text: the address for a voice's name, and the messages."""
everywhere = pytest.mark.parametrize("path", SOCKETS)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with keys, and one voice that `OWNER` alone may see."""
    folder: Path = tmp_path_factory.mktemp("keyed")
    options = {
        "api_keys_file": write_keys(folder / "keys.toml", MORE),
        "voices_dir": folder / "voices",
        "strict_voices": True,
        "cors_origins": ("https://agent.example",),
    }
    with serving(*speaking(ToySynthesizer(fingerprint="c0ffee"), **options)) as served:
        form = {"name": "clara", "consent": "Clara agreed."}
        files = {"audio_sample": (CARLO.name, CARLO.read_bytes())}
        made = ask(served, "POST", "/v1/audio/voices", OWNER, data=form, files=files)
        assert made.status_code == 200
        yield served


def opened(served: Served, path: str, key: str | None, voice: str = "anna", **more: Any) -> Client:
    headers = {} if key is None else {"x-api-key": key}
    return Client(served, SOCKETS[path][0].format(voice=voice), additional_headers=headers, **more)


def refused(served: Served, path: str, key: str | None, **more: Any) -> tuple[int, str, str]:
    """Try to open one; return the status, what the refusal is called, and what it says."""
    with pytest.raises(InvalidStatus) as raised, opened(served, path, key, **more):
        pass
    answer = raised.value.response
    told = {name: answer.headers[name] for name in ("dg-error",) if name in answer.headers}
    found = httpx.Response(answer.status_code, headers=told, content=bytes(answer.body or b""))
    return found.status_code, code_of(found), found.text


def heard(client: Client, say: Say, text: str, voice: str) -> tuple[bool, str]:
    """Have a text spoken; return whether there was audio, and all that was said beside it."""
    client.say(*say(text, voice))
    said, audio = "", False
    for message in client.rest(1.0):
        if isinstance(message, bytes) or message.get("data") or message.get("audio"):
            audio = True
        else:
            said += json.dumps(message)
    return audio, said


def attempt(served: Served, path: str, key: str, voice: str) -> tuple[bool, str]:
    """Do so on a socket of its own, which may be refused."""
    try:
        with opened(served, path, key, voice) as client:
            return heard(client, SOCKETS[path][1], TEXT, voice)
    except InvalidStatus as refusal:
        return False, (refusal.response.body or b"").decode()


def test_none_is_forgotten() -> None:
    found = set()
    for module in iter_modules(sockets.__path__, f"{sockets.__name__}."):
        router = getattr(import_module(module.name), "router", APIRouter())
        found |= {route.path for route in router.routes if isinstance(route, APIWebSocketRoute)}
    assert found == {*SOCKETS}


@everywhere
def test_a_handshake_without_a_key_or_the_right_is_refused(keyed: Served, path: str) -> None:
    assert refused(keyed, path, None)[:2] == (401, "invalid_api_key")
    assert refused(keyed, path, WRONG)[:2] == (401, "invalid_api_key")
    for key in (READER, NOBODY):
        status, code, said = refused(keyed, path, key)
        assert (status, code) == (403, "permission_error")
        assert "lacks the right `speak`" in said
    assert attempt(keyed, path, SPEAKER, "anna")[0]


@everywhere
def test_pages_of_others_may_not_open_one_even_with_a_key(keyed: Served, path: str) -> None:
    assert refused(keyed, path, SPEAKER, origin="https://evil.example")[0] == 403
    with opened(keyed, path, SPEAKER, origin="https://agent.example"):
        pass


@everywhere
def test_a_browser_sends_its_key_as_a_subprotocol(keyed: Served, path: str) -> None:
    protocols: Any = ["token", ONCE]
    with opened(keyed, path, None, subprotocols=protocols) as client:
        assert client.socket.subprotocol == "token"
        assert heard(client, SOCKETS[path][1], TEXT, "anna")[0]


@everywhere
def test_a_key_has_sockets_of_its_own(keyed: Served, path: str) -> None:
    with opened(keyed, path, ONCE):
        assert refused(keyed, path, ONCE)[:2] == (429, "rate_limit_exceeded")
        with opened(keyed, path, SPEAKER):
            pass


@everywhere
def test_characters_are_counted_as_they_come(keyed: Served, path: str) -> None:
    limited = keyed.service.keys.holder([LIMITED])
    assert limited is not None
    limited._used = type(limited._used)()  # what other tests had spoken
    say = SOCKETS[path][1]
    with opened(keyed, path, LIMITED) as client:
        assert heard(client, say, TEXT, "anna")[0]
    with opened(keyed, path, LIMITED) as client:
        audio, said = heard(client, say, TEXT, "anna")
    assert not audio and "30 characters" in said


@everywhere
def test_another_keys_voice_is_as_one_that_is_not_there(keyed: Served, path: str) -> None:
    assert attempt(keyed, path, OWNER, "clara")[0]
    audio, absent = attempt(keyed, path, SPEAKER, "zzzzz")
    assert not audio and "zzzzz" in absent
    for key, name in ((SPEAKER, "clara"), (SPEAKER, "clara@owner"), (OWNER, "clara@owner")):
        audio, said = attempt(keyed, path, key, name)
        assert not audio and "There is no voice" in said, name


@everywhere
def test_a_key_that_goes_has_nothing_more_spoken(keyed: Served, path: str) -> None:
    speaker = keyed.service.keys.holder([SPEAKER])
    assert speaker is not None
    before = speaker.grant
    with opened(keyed, path, SPEAKER) as client:
        try:
            speaker.grant = type(before)(frozenset())
            audio, said = heard(client, SOCKETS[path][1], TEXT, "anna")
            assert client.closed()[0] == 1008
        finally:
            speaker.grant = before
    assert not audio and "lacks the right `speak`" in said
    assert "server_error" not in said


def test_what_each_key_uses_is_told(keyed: Served) -> None:
    def used() -> Used:
        return keyed.service.telemetry.used()["limited"]

    before = used().characters
    with opened(keyed, "/tts/websocket", LIMITED) as client:
        client.say({**cartesia("One two.", "anna")[0], "continue": True})
        wait_until(lambda: used() == Used(1, 1, before + 8))
        client.say(*cartesia("One two three four five six.", "anna"))  # over the limit
        wait_until(lambda: used() == Used(1, 0, before + 8))
    wait_until(lambda: used() == Used(0, 0, before + 8))
    assert LIMITED not in str(keyed.service.telemetry.prometheus(0, 1, 1))
