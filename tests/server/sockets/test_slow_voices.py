"""A voice that is still being computed when its first text comes holds nobody up."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from mira.errors import InvalidRequest
from tests.server.conftest import Start
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client, Message, audio
from tests.server.uploading import upload
from tests.toys import ToySynthesizer

CARTESIA = "/tts/websocket"
DIALOGUE = "/v1/text-to-dialogue/multi-stream-input?output_format=pcm_24000"
PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}


@dataclass
class Slow:
    """A service in which `clara` takes as long to compute as a test likes."""

    go_on: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    served: Served = field(init=False)

    def compute(self, name: str) -> None:
        self.go_on.wait(20)
        if self.error is not None:
            raise self.error


@pytest.fixture
def slow(start: Start) -> Iterator[Slow]:
    slow = Slow()
    toy = ToySynthesizer(fingerprint="c0ffee", while_cloning=slow.compute)
    slow.served = start(toy, strict_voices=True)
    upload(slow.served, name="clara")
    yield slow
    slow.go_on.set()


def of_cartesia(text: str, context_id: str, voice: str, more: bool = False) -> Message:
    asked = {"transcript": text, "context_id": context_id, "continue": more}
    return {**asked, "voice": {"mode": "id", "id": voice}, "output_format": PCM}


def of_elevenlabs(text: str, context_id: str, voice: str, more: bool = False) -> Message:
    line = {"text": text, "voice_id": voice}
    return {"context_id": context_id, "inputs": [line], "close_context": not more}


SAY = {CARTESIA: of_cartesia, DIALOGUE: of_elevenlabs}
INTERRUPT = {CARTESIA: "cancel", DIALOGUE: "close_context"}


def is_over(message: Message) -> bool:
    return bool(message.get("is_final") or message.get("cancelled") or is_over_there(message))


def is_over_there(message: Message) -> bool:
    return message.get("type") in ("done", "error")


def sound(messages: list[Message]) -> bytes:
    return audio(messages, "data") + audio(messages, "audio")


@pytest.mark.parametrize("path", SAY)
def test_others_are_spoken_to_meanwhile_and_it_can_be_interrupted(slow: Slow, path: str) -> None:
    say = SAY[path]
    with Client(slow.served, path) as client:
        client.say(say("Hello there. ", "late", "clara", True))
        client.say(say("One two three. ", "B", "anna"))
        heard = client.until(is_over)
        assert {message["context_id"] for message in heard} == {"B"} and sound(heard)
        client.say({"context_id": "late", INTERRUPT[path]: True})
        (told,) = client.until(is_over, 5)
        assert told["context_id"] == "late" and told["spoken"]["sent"] == {"characters": 0, "ms": 0}
        assert not slow.go_on.is_set()
        slow.go_on.set()
        assert client.rest() == []


@pytest.mark.parametrize("path", SAY)
def test_what_was_said_meanwhile_is_spoken(slow: Slow, path: str) -> None:
    say = SAY[path]
    with Client(slow.served, path) as client:
        client.say(say("Hello there, ", "C", "clara", True))
        client.say(say("how are you?", "C", "clara"))
        assert client.rest(0.2) == []
        slow.go_on.set()
        late = client.until(is_over)
        client.say(say("Hello there, how are you?", "D", "clara"))
        assert sound(late) == sound(client.until(is_over)) != b""


@pytest.mark.parametrize("path", SAY)
def test_a_voice_that_can_not_be_computed_ends_its_context_alone(slow: Slow, path: str) -> None:
    say = SAY[path]
    slow.error = InvalidRequest("Nobody speaks in it.", "voice")
    with Client(slow.served, path) as client:
        client.say(say("Hello there.", "C", "clara", True))
        assert client.rest(0.2) == []
        slow.go_on.set()
        (told,) = client.until(is_over)
        assert told["context_id"] == "C" and "Nobody speaks" in str(told)
        client.say(say("One.", "C", "anna"))
        assert sound(client.until(is_over))


def test_whoever_leaves_meanwhile_waits_for_nothing_but_takes_a_worker(slow: Slow) -> None:
    workers = slow.served.service._workers["clone"]
    asked = workers.statistics

    def wait_for(number: int) -> None:
        wait_until(lambda: asked().borrowed_tokens + asked().tasks_waiting == number)

    for number_asked in (4, 8, 12):
        with Client(slow.served, CARTESIA) as client:
            for number in range(4):
                client.say(of_cartesia("Hello.", f"C{number}", "clara", True))
            client.say(of_cartesia("Bye.", "B", "anna"))
            client.until(is_over)
            wait_for(number_asked)
        wait_until(lambda: slow.served.connections == asked().tasks_waiting == 0, 5)
    assert workers.borrowed_tokens == workers.total_tokens
    slow.go_on.set()
    wait_until(lambda: workers.borrowed_tokens == 0)
