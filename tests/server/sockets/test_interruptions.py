"""Contexts that are written, ended, interrupted and begun again at any moment: each turn is told to
its own end, and nothing of it in the next, whatever its context is called."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    heard: list[Message] = field(default_factory=list)

    @property
    def audio_s(self) -> float:
        field = "audio" if "audio" in self.heard[0] else "data"
        return len(audio(self.heard, field)) / 2 / RATE

    def check(self) -> None:
        last = self.heard[-1]
        said = self.text.strip()
        if spoken := last.get("spoken"):
            assert self.interrupted
            sent, heard = spoken["sent"], spoken["heard"]
            assert sent["ms"] == pytest.approx(1000 * self.audio_s, abs=1)
            assert 0 <= heard["ms"] <= sent["ms"]
            assert 0 <= heard["characters"] <= sent["characters"] <= len(self.text)
        else:
            assert self.audio_s == pytest.approx(S_PER_CHAR * len(said), abs=0.002), self


class Cartesia:
    """How its clients say so, and how each turn's end looks."""

    path = "/tts/websocket"

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
            self.turns[whose][over].heard.append(message)
            self._over[whose] += self._protocol.is_end(message)


@pytest.fixture(scope="module")
def toy() -> ToySynthesizer:
    return ToySynthesizer(block_s=0.02, compute_s=0.003, s_per_char=S_PER_CHAR)


@pytest.fixture(scope="module")
def served(toy: ToySynthesizer) -> Iterator[Served]:
    with serving(*speaking(toy)) as running:
        yield running


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["say", "end", "cancel", "interrupt", "interrupt"]),
        st.sampled_from("AB"),
        st.sampled_from([0, 0.002, 0.01, 0.03, 0.06, 0.1]),
    ),
    max_size=10,
)


@pytest.mark.parametrize(
    "protocol", [Cartesia(), ElevenLabs()], ids=lambda each: type(each).__name__
)
@settings(max_examples=15)
@given(acts=ACTS)
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
    for turns in talk.turns.values():
        for turn in turns:
            turn.check()
    served.wait_idle()
    wait_until(lambda: toy.opened == toy.closed)
    assert not served.service.telemetry.failures
