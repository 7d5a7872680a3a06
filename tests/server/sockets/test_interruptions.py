"""Contexts that are written, ended, interrupted and begun again at any moment: each turn is told to
its own end, and nothing of it in the next, whatever its context is called."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from tests.server.serving import Served, serving, speaking, wait_until
from tests.server.sockets.client import Client, Message, audio
from tests.toys import ToySynthesizer

RATE = 24000
S_PER_CHAR = 0.01
PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": RATE}


@dataclass
class Turn:
    """What one was asked to say, and what was told of it."""

    text: str = ""
    ended: bool = False
    interrupted: bool = False
    audio_s: float = 0.0

    def check_whole(self) -> None:
        assert self.audio_s == approx(S_PER_CHAR * len(self.text), abs=0.002), self

    def check_sent(self, spoken: dict[str, Message]) -> None:
        """Whether it is true what is said of an interruption."""
        assert self.interrupted
        sent, heard = spoken["sent"], spoken["heard"]
        assert sent["ms"] == approx(1000 * self.audio_s, abs=1)
        assert 0 <= heard["ms"] <= sent["ms"]
        assert 0 <= heard["characters"] <= sent["characters"] <= len(self.text)


class Cartesia:
    """How its clients say so, and how each turn's end looks."""

    path, audio = "/tts/websocket", "data"

    def say(self, name: str, text: str, last: bool) -> list[Message]:
        how = {"continue": not last, "output_format": PCM, "voice": {"id": "anna"}}
        return [{"context_id": name, "transcript": text, **how}]

    def cancel(self, name: str) -> Message:
        return {"context_id": name, "cancel": True}

    def is_end(self, message: Message) -> bool:
        return message["type"] == "done" or "spoken" in message

    def means_nothing(self, message: Message) -> bool:
        return bool(message.get("cancelled")) and "spoken" not in message


class ElevenLabs:
    """The same."""

    path = f"/v1/text-to-speech/anna/multi-stream-input?output_format=pcm_{RATE}"
    audio = "audio"

    def say(self, name: str, text: str, last: bool) -> list[Message]:
        said: list[Message] = [{"context_id": name, "text": text}]
        if last:
            said += [{"context_id": name, "text": "", "flush": True}]
            said += [{"context_id": name, "close_context": True}]
        return said

    def cancel(self, name: str) -> Message:
        return {"context_id": name, "close_context": True}

    def is_end(self, message: Message) -> bool:
        return bool(message["isFinal"])

    def means_nothing(self, message: Message) -> bool:
        return False


class Talk:
    """One client with any number of contexts, and what it knows of their turns."""

    def __init__(self, client: Client, protocol: Cartesia | ElevenLabs) -> None:
        self._client = client
        self._protocol = protocol
        self._made = 0
        self.turns: dict[str, list[Turn]] = defaultdict(list)
        self._over: dict[str, int] = defaultdict(int)  # of each context's turns

    def say(self, name: str, last: bool) -> None:
        turns, text = self.turns[name], "lo"
        if turns and turns[-1].ended and not turns[-1].interrupted:
            self.hear(name)  # until then its name is taken
        if not turns or turns[-1].ended or turns[-1].interrupted:
            self._made += 1  # each as long as no other
            turns.append(Turn())
            text = "extraordinary " * 4 + text * self._made  # more words would be parted
        turns[-1].text += text + "yes." * last
        turns[-1].ended = last
        self._client.say(*self._protocol.say(name, text + "yes." * last, last))

    def cancel(self, name: str) -> None:
        turns = self.turns[name]
        if turns and not turns[-1].interrupted:
            turns[-1].interrupted = True
            self._client.say(self._protocol.cancel(name))

    def hear(self, name: str) -> None:
        """Wait until all turns of a context are over."""
        while self._over[name] < len(self.turns[name]):
            message = self._client.hear()
            assert isinstance(message, dict) and "error" not in message, message
            if self._protocol.means_nothing(message):
                continue
            whose = message["context_id"]
            over = self._over[whose]
            assert over < len(self.turns[whose]), f"after the end: {message}"
            turn = self.turns[whose][over]
            turn.audio_s += len(audio([message], self._protocol.audio)) / 2 / RATE
            if self._protocol.is_end(message):
                self._over[whose] += 1
                spoken = message.get("spoken")
                turn.check_sent(spoken) if spoken else turn.check_whole()


@pytest.fixture(scope="module")
def toy() -> ToySynthesizer:
    return ToySynthesizer(block_s=0.02, compute_s=0.003, s_per_char=S_PER_CHAR)


@pytest.fixture(scope="module")
def served(toy: ToySynthesizer) -> Iterator[Served]:
    with serving(*speaking(toy)) as running:
        yield running


def check_nothing_is_left(served: Served, toy: ToySynthesizer) -> None:
    served.wait_idle()
    wait_until(lambda: toy.opened == toy.closed)
    assert not served.service.telemetry.failures


KINDS = st.sampled_from(["say", "end", "cancel", "interrupt", "interrupt"])
WAITS = st.sampled_from([0, 0.002, 0.01, 0.03, 0.06, 0.1])


@pytest.mark.parametrize(
    "protocol", [Cartesia(), ElevenLabs()], ids=lambda each: type(each).__name__
)
@settings(max_examples=15)
@given(acts=st.lists(st.tuples(KINDS, st.sampled_from("AB"), WAITS), max_size=10))
def test_each_turn_is_told_to_its_end_and_nothing_of_it_after(
    served: Served,
    toy: ToySynthesizer,
    protocol: Cartesia | ElevenLabs,
    acts: list[tuple[str, str, float]],
) -> None:
    with Client(served, protocol.path) as client:
        talk = Talk(client, protocol)
        for act, name, wait_s in acts:
            if act != "cancel":
                talk.say(name, last=act != "say")
            time.sleep(wait_s)
            if act in ("cancel", "interrupt"):
                talk.cancel(name)
        for name, turns in [*talk.turns.items()]:
            if turns and not (turns[-1].ended or turns[-1].interrupted):
                talk.say(name, last=True)
            talk.hear(name)
        assert all(map(protocol.means_nothing, client.rest(0.05)))
    check_nothing_is_left(served, toy)


class Replies:
    """One client of Deepgram's, whose replies have no names: all are told one after another."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._made = 0
        self._over = 0
        self._cleared: list[int] = []  # for each interruption on its way, number of turns before
        self.turns: list[Turn] = []

    def say(self, last: bool) -> None:
        text = "lo"
        if not self.turns or self.turns[-1].ended or self.turns[-1].interrupted:
            self._made += 1
            self.turns.append(Turn())
            text = "extraordinary " * 4 + text * self._made
        text += "yes." * last
        self.turns[-1].text += text
        self.turns[-1].ended = last
        self._client.say({"type": "Speak", "text": text}, *[{"type": "Flush"}] * last)

    def interrupt(self, how: str) -> None:
        for turn in self.turns:
            turn.interrupted = True
        self._cleared.append(len(self.turns))
        self._client.say({"type": how})

    def hear(self) -> None:
        """Wait until all that was asked for is over."""
        while self._over < len(self.turns) or self._cleared:
            message = self._client.hear()
            if isinstance(message, bytes):
                assert self._over < len(self.turns), "audio after the end"
                self.turns[self._over].audio_s += len(message) / 2 / RATE
            elif message["type"] == "Flushed":
                assert self.turns[self._over].ended
                self.turns[self._over].check_whole()
                self._over += 1
            elif message["type"] in ("Cleared", "SpeechInterrupted", "Warning"):
                before = self._cleared.pop(0)
                if "spoken" in message:
                    self.turns[self._over].check_sent(message["spoken"])
                if "text_spoken" in message:
                    parted = message["text_spoken"] + message["text_remaining"]
                    assert parted == self.turns[self._over].text
                    lasts_ms = 1000 * self.turns[self._over].audio_s
                    assert message["metadata"]["audio_duration_ms"] == approx(lasts_ms, abs=1)
                self._over = before
            else:
                assert message["type"] in ("SpeechStarted", "SpeechMetadata"), message


@pytest.mark.parametrize(
    ("path", "how"),
    [("/v1/speak?model=anna", "Clear"), ("/v2/speak?model=anna", "Interrupt")],
    ids=["Aura", "Flux"],
)
@settings(max_examples=15)
@given(acts=st.lists(st.tuples(KINDS, WAITS), max_size=10))
def test_so_is_each_reply(
    served: Served, toy: ToySynthesizer, path: str, how: str, acts: list[tuple[str, float]]
) -> None:
    with Client(served, path) as client:
        assert client.hear()  # the greeting
        talk = Replies(client)
        for act, wait_s in acts:
            if act != "cancel":
                talk.say(last=act != "say")
            time.sleep(wait_s)
            if act in ("cancel", "interrupt"):
                talk.interrupt(how)
        if talk.turns and not (talk.turns[-1].ended or talk.turns[-1].interrupted):
            talk.say(last=True)
        talk.hear()
        assert not client.rest(0.05)
    check_nothing_is_left(served, toy)
