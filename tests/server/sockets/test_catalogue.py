"""What each protocol says when something is wrong: the table in docs/agents.md, provoked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.conftest import Serve
from tests.server.keyed import code_of, write_keys
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client, Message
from tests.toys import ANNA, ToySynthesizer

PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
LIMIT = 200
LONG = "One two three four. " * 9
MOST = 32  # contexts on a socket, or turns

SINGLE, MULTI, CARTESIA, AURA, FLUX = "stream-input", "multi-stream-input", "Cartesia", "v1", "v2"
PATHS = {
    SINGLE: "/v1/text-to-speech/{voice}/stream-input?output_format={format}",
    MULTI: "/v1/text-to-speech/{voice}/multi-stream-input?output_format={format}",
    CARTESIA: "/tts/websocket",
    AURA: "/v1/speak?model={voice}&encoding={format}",
    FLUX: "/v2/speak?model={voice}&encoding={format}",
}
USUAL = {SINGLE: "pcm_24000", MULTI: "pcm_24000", AURA: "linear16", FLUX: "linear16"}
everywhere = pytest.mark.parametrize("protocol", PATHS)


@dataclass(frozen=True)
class Told:
    """A message that has these fields among others, after which the socket is open or closed."""

    fields: Message
    without: str = ""
    """A field that it must not have."""
    closes: int | None = None


@dataclass(frozen=True)
class Refused:
    """A handshake that is answered with an error, in the shape of its protocol."""

    status: int
    code: str


@dataclass(frozen=True)
class Case:
    """A way to make it go wrong, and what is said."""

    expected: Mapping[str, Told | Refused]
    messages: Mapping[str, list[Any]] = field(default_factory=dict)
    """By protocol; without, a text is spoken."""
    voice: str = ANNA.name
    format: str = ""
    toy: Callable[[], ToySynthesizer] = ToySynthesizer
    settings: Mapping[str, object] = field(default_factory=dict)


def cartesia(text: object, context_id: str = "C", **more: Any) -> Message:
    voice = {"mode": "id", "id": more.pop("voice", ANNA.name)}
    asked = {"transcript": text, "voice": voice, "context_id": context_id}
    return {**asked, "output_format": PCM, **more}


def says(protocol: str, text: object, context_id: str = "C", voice: str = "") -> list[Any]:
    """Whole turns of one text."""
    return {
        SINGLE: [{"text": text}, {"text": ""}],
        MULTI: [{"text": text, "context_id": context_id, "close_context": True}],
        CARTESIA: [cartesia(text, context_id, voice=voice or ANNA.name)],
        AURA: [{"type": "Speak", "text": text}, {"type": "Flush"}],
        FLUX: [{"type": "Speak", "text": text}, {"type": "Flush"}],
    }[protocol]


def many(protocol: str) -> list[Any]:
    """One more than there may be, each open."""
    numbers = range(MOST + 1)
    if protocol == CARTESIA:
        return [cartesia(" ", f"C{number}", **{"continue": True}) for number in numbers]
    if protocol == MULTI:
        return [{"text": "One ", "context_id": f"C{number}"} for number in numbers]
    return [message for _ in numbers for message in says(protocol, "One two.")]


def everybody(*messages: Any) -> Mapping[str, list[Any]]:
    return {protocol: [*messages] for protocol in PATHS}


def unreadable(code: str) -> Mapping[str, Told]:
    return {
        SINGLE: Told({"error": code, "code": 1008}, closes=1008),
        MULTI: Told({"code": 1008}, without="contextId"),
        CARTESIA: Told({"type": "error", "status_code": 400, "error_code": code}),
        AURA: Told({"type": "Warning", "code": "MESSAGE-0000"}),
        FLUX: Told({"type": "Error", "code": "MESSAGE-0000"}),
    }


def ends(code: str, status: int, closes: int, deepgram: Mapping[str, str]) -> Mapping[str, Told]:
    """What is told of a text that can't be spoken, or not any further."""
    return {
        SINGLE: Told({"error": code, "code": closes}, closes=closes),
        MULTI: Told({"code": closes, "isFinal": True, "contextId": "C"}),
        CARTESIA: Told({"type": "error", "status_code": status, "context_id": "C"}),
        AURA: Told({"type": deepgram["v1"], "code": deepgram["code"]}),
        FLUX: Told({"type": "Error", "code": deepgram["code"]}),
    }


def handshake(status: int, code: str, cartesia: Told | Refused) -> Mapping[str, Told | Refused]:
    """What is told when the address can't be served; Cartesia's says nothing of the voice."""
    there = Refused(status, code)
    return {**dict.fromkeys((SINGLE, MULTI, AURA, FLUX), there), CARTESIA: cartesia}


FAILED = {"v1": "Error", "code": "NET-0000"}
CASES: Mapping[str, Case] = {
    "malformed JSON": Case(unreadable("invalid_json"), everybody("{")),
    "no object": Case(unreadable("invalid_json"), everybody("[]")),
    "binary": Case(unreadable("invalid_json"), everybody(b"{}")),
    "a field of another type": Case(
        {**unreadable("invalid_value"), CARTESIA: Told({"status_code": 400, "context_id": "C"})},
        {protocol: says(protocol, 5)[:1] for protocol in PATHS},
    ),
    "a context that is not there": Case(
        {
            CARTESIA: Told({"type": "flush_done", "cancelled": True, "context_id": "never"}),
            AURA: Told({"type": "Cleared"}, without="spoken"),
            FLUX: Told({"type": "Warning", "code": "NO_ACTIVE_SPEECH"}),
        },
        {
            CARTESIA: [{"context_id": "never", "cancel": True}],
            AURA: [{"type": "Clear"}],
            FLUX: [{"type": "Interrupt"}],
        },
    ),
    "too long a message": Case(
        ends("string_above_max_length", 400, 1008, {"v1": "Warning", "code": "BIG-0000"}),
        {protocol: says(protocol, "x" * (LIMIT + 1))[:1] for protocol in PATHS},
    ),
    "too many contexts": Case(
        {
            MULTI: Told({"code": 1013, "isFinal": True, "contextId": f"C{MOST}"}),
            CARTESIA: Told({"type": "error", "status_code": 429, "context_id": f"C{MOST}"}),
            AURA: Told({"type": "Warning", "code": "NET-0000"}),
            FLUX: Told({"type": "Error", "code": "NET-0000"}),
        },
        {protocol: many(protocol) for protocol in PATHS},
        toy=lambda: ToySynthesizer(compute_s=0.05),
    ),
    "an unknown voice": Case(
        handshake(404, "voice_not_found", Told({"type": "error", "status_code": 404})),
        {CARTESIA: says(CARTESIA, "One.", voice="nobody")},
        voice="nobody",
        settings={"strict_voices": True},
    ),
    "an unknown format": Case(
        {
            **dict.fromkeys((SINGLE, MULTI), Refused(400, "invalid_output_format")),
            **dict.fromkeys((AURA, FLUX), Refused(400, "invalid_value")),
            CARTESIA: Told({"type": "error", "status_code": 400, "context_id": "C"}),
        },
        {CARTESIA: [cartesia("One.", output_format=PCM | {"encoding": "xyz"})]},
        format="xyz",
    ),
    "no socket is left": Case(
        dict.fromkeys(PATHS, Refused(429, "rate_limit_exceeded")), settings={"max_sockets": 1}
    ),
    "not ready": Case(
        handshake(503, "server_error", Told({"type": "error", "status_code": 503})),
        toy=lambda: ToySynthesizer(ready=False),
    ),
    "all streams are speaking": Case(
        ends("rate_limit_exceeded", 429, 1013, FAILED),
        settings={"max_streams": 1, "min_streams": 1, "queue_s": 0.1},
    ),
    "the engine fails": Case(
        ends("server_error", 500, 1011, FAILED), toy=lambda: ToySynthesizer(fail_at=0)
    ),
}


def path_of(protocol: str, voice: str, format: str) -> str:
    return PATHS[protocol].format(voice=voice, format=format or USUAL.get(protocol, ""))


def check(served: Served, protocol: str, case: Case) -> None:
    expected = case.expected[protocol]
    path = path_of(protocol, case.voice, case.format)
    if isinstance(expected, Refused):
        with pytest.raises(InvalidStatus) as raised, Client(served, path):
            pass
        answer = raised.value.response
        headers = {name: answer.headers[name] for name in ("dg-error",) if name in answer.headers}
        found = httpx.Response(
            answer.status_code, headers=headers, content=bytes(answer.body or b"")
        )
        assert (found.status_code, code_of(found)) == (expected.status, expected.code)
        assert (expected.status in (429, 503)) == ("retry-after" in answer.headers)
        return
    with Client(served, path) as client:
        client.say(*case.messages.get(protocol, says(protocol, "One two three.")))
        told = next(m for m in iter(client.hear, None) if is_error(m))
        assert isinstance(told, dict)
        assert expected.fields.items() <= told.items(), told
        assert not expected.without or expected.without not in told
        if expected.closes is not None:
            assert client.closed()[0] == expected.closes
        else:
            check_open(client, protocol)


def is_error(message: Message | bytes) -> bool:
    """Whether it is what is waited for, not audio or a greeting."""
    if not isinstance(message, dict):
        return False
    kind = message.get("type")
    return "error" in message or "cancelled" in message or kind in ANSWERS


ANSWERS = ("error", "Error", "Warning", "Cleared")


def check_open(client: Client, protocol: str) -> None:
    """Make sure that the next message has an answer."""
    client.say("}")
    try:
        while not is_error(message := client.hear()):
            pass
    except ConnectionClosed:
        pytest.fail("the socket was closed")
    assert "JSON" in str(message) or is_error(message)


@pytest.mark.parametrize(
    ("name", "protocol"),
    [(name, protocol) for name, case in CASES.items() for protocol in case.expected],
)
def test_what_is_wrong_is_said_as_each_protocol_does(
    serve: Serve, name: str, protocol: str
) -> None:
    case, toy = CASES[name], CASES[name].toy()
    settings = {"max_text_chars": LIMIT, **case.settings}
    ready, toy.ready = toy.ready, True
    served = serve(toy, **settings)
    toy.ready = ready
    with Client(served, PATHS[CARTESIA]) if occupied(case) else Nobody() as other:
        if "max_streams" in settings:
            other.say(cartesia(LONG))
            wait_until(lambda: served.service.admission.active == 1)
        check(served, protocol, case)


@everywhere
def test_a_keys_characters_that_are_spent(serve: Serve, tmp_path: Path, protocol: str) -> None:
    secret = "limited-0123456789abcdef"
    more = f'[limited]\nkey = "{secret}"\ncharacters_a_minute = 20\n'
    served = serve(ToySynthesizer(), api_keys_file=write_keys(tmp_path / "keys.toml", more))
    text = "One two three."
    first = says(protocol, text)[:1]
    if protocol in (MULTI, CARTESIA):
        first = [says(protocol, text, "B")[0]]
    path = path_of(protocol, ANNA.name, "")
    with Client(served, path, additional_headers={"x-api-key": secret}) as client:
        client.say(*first, *says(protocol, text)[:1])
        told = next(m for m in iter(client.hear, None) if is_error(m))
        assert isinstance(told, dict)
        expected = ends("rate_limit_exceeded", 429, 1013, {"v1": "Warning", "code": "NET-0000"})
        assert expected[protocol].fields.items() <= told.items()
        assert "Try again in 6" in str(told)
        closes = expected[protocol].closes
        assert closes is None or client.closed()[0] == closes


def occupied(case: Case) -> bool:
    """Whether somebody else has the only place."""
    return "max_sockets" in case.settings or "max_streams" in case.settings


class Nobody:
    """No other client."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        return
