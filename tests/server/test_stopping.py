"""A service that stops lets its sockets say what they were told, and closes them then."""

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from mira.errors import NotReady
from mira.server.stopping import Stopping
from tests.server.processes import Process, toy
from tests.server.sockets.client import Client, Message, audio
from tests.server.test_frames import opened
from tests.toys import ANNA, ToySynthesizer

TEXT = "One two three four five six. " * 3  # 4.6 s, of which a second leaves at once
PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
CARTESIA = "/tts/websocket"
MULTI = f"/v1/text-to-speech/{ANNA.name}/multi-stream-input?output_format=pcm_24000"
SINGLE = f"/v1/text-to-speech/{ANNA.name}/stream-input?output_format=pcm_24000"
AURA = f"/v1/speak?model={ANNA.name}"
FLUX = f"/v2/speak?model={ANNA.name}"


def cartesia(text: str, context_id: str = "C") -> Message:
    voice = {"mode": "id", "id": ANNA.name}
    return {"transcript": text, "voice": voice, "context_id": context_id, "output_format": PCM}


def elevenlabs(text: str, context_id: str = "C") -> Message:
    return {"text": text, "context_id": context_id, "close_context": True}


def speak(text: str) -> list[Message]:
    return [{"type": "Speak", "text": text}, {"type": "Flush"}]


SAYS: dict[str, Callable[[str], list[Message]]] = {
    CARTESIA: lambda text: [cartesia(text)],
    MULTI: lambda text: [elevenlabs(text)],
    SINGLE: lambda text: [{"text": text}, {"text": ""}],
    AURA: speak,
    FLUX: speak,
}
BEGINS_ANOTHER = {
    CARTESIA: [cartesia("Another.", "D")],
    MULTI: [elevenlabs("Another.", "D")],
    AURA: speak("Another."),
    FLUX: speak("Another."),
}
REFUSED: dict[str, Message] = {
    CARTESIA: {"type": "error", "context_id": "D", "status_code": 503},
    MULTI: {"contextId": "D", "isFinal": True, "code": 1013},
    AURA: {"type": "Warning", "code": "NET-0000"},
    FLUX: {"type": "Error", "code": "NET-0000"},
}


def test_whoever_waits_is_told_once_it_begins() -> None:
    stopping, told = Stopping(), list[str]()
    stopping.check()
    with stopping.telling(lambda: told.append("a")):
        with stopping.telling(lambda: told.append("b")):
            pass
        assert (told, stopping.under_way) == ([], False)
        stopping.begin(30)
    assert told == ["a"] and 29 < stopping.left_s <= 30
    with pytest.raises(NotReady, match="stopping"):
        stopping.check()


@pytest.fixture
def process() -> Iterator[Process]:
    with toy("", shutdown_timeout_s="20") as process:
        process.wait_ready()
        yield process


def hear_all(client: Client) -> tuple[list[Any], int]:
    """All messages, and the code with which it is closed."""
    heard = list[Any]()
    try:
        while True:
            heard.append(client.hear())
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return heard, closed.rcvd.code


def sound(heard: list[Any]) -> bytes:
    told = [message for message in heard if isinstance(message, dict)]
    raw = b"".join(message for message in heard if isinstance(message, bytes))
    return raw + audio(told, "data") + audio(told, "audio")


def test_what_sockets_were_told_is_said_and_nothing_new_is_begun(process: Process) -> None:
    whole = 2 * len(ToySynthesizer().whole(TEXT))
    clients = {path: Client(process, path) for path in SAYS}
    idle = [Client(process, path) for path in SAYS]
    for client in (*clients.values(), *idle):
        client.__enter__()
    idle[0].say(cartesia(" ") | {"continue": True})  # a context in which nothing was said
    for path, client in clients.items():
        client.say(*SAYS[path](TEXT))
    first = {path: [client.hear() for _ in range(3)] for path, client in clients.items()}
    process.popen.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert {hear_all(client)[1] for client in idle} == {1012}
    assert time.monotonic() - began < 1
    for path, messages in BEGINS_ANOTHER.items():
        clients[path].say(*messages)
    for path, client in clients.items():
        heard, code = hear_all(client)
        assert code == (1000 if path == SINGLE else 1012), path
        assert len(sound(first[path] + heard)) == pytest.approx(whole, abs=9600), path
        if refused := REFUSED.get(path):
            told = [message for message in heard if isinstance(message, dict)]
            assert [m for m in told if refused.items() <= m.items()], path
    assert 2 < time.monotonic() - began < 15
    assert process.wait(20) == 0
    assert "Traceback" not in process.said and "cut off" not in process.said


def test_nobody_waits_for_the_answer_of_a_client_that_reads_nothing(process: Process) -> None:
    with opened(process):  # as LiveKit's plugins between two turns
        process.popen.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(20) == 0
        assert time.monotonic() - began < 5


def test_what_is_too_long_is_cut_off_in_time() -> None:
    with toy("", shutdown_timeout_s="1") as process:
        process.wait_ready()
        with Client(process, CARTESIA) as client:
            client.say(cartesia(TEXT * 20))
            client.hear()
            process.popen.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert hear_all(client)[1] == 1012
            assert 0.5 < time.monotonic() - began < 4
        assert process.wait(20) == 0
        assert "Traceback" not in process.said
