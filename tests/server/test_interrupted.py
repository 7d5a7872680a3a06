"""A caller hangs up in the middle, over a real socket: what the service says was spoken is what a
recogniser hears in the bytes that arrived."""

import base64
import contextlib
import json
import re
import threading
from collections.abc import Generator
from typing import Any, cast

import pytest

from mira.load.ears import load_ears
from mira.server.openai import speech as module
from mira.server.utterance import Utterance
from mira.stream.cancel import Cancel
from mira.synthesizer import Synthesizer
from mira.types import Block
from tests.audio.decoding import decode
from tests.conftest import Serve
from tests.ears import Heard, fits, heard_until
from tests.recogniser import Recogniser
from tests.recorded import TEXT as RECORDED
from tests.recorded import recorded_synthesizer
from tests.server.serving import Served
from tests.server.wire import Wire

TEXT = (
    "Thank you for calling **Bluebird Travel**, this is Sarah. A night in Boston costs $100. "
    "[pause:1s] Shall I book the *early* train for Monday morning, or would you rather leave at "
    "noon and stay until Friday?"
)
LINES = [
    pytest.param("pcm", 24000, 1.0, id="24 kHz"),
    pytest.param("pcm", 24000, 1.3, id="24 kHz, faster"),
    pytest.param("ulaw", 8000, 1.0, id="telephone"),
    pytest.param("ulaw", 8000, 1.3, id="telephone, faster"),
]


class Held:
    """Speaks as another one does, a tenth of a second at a time, and after some seconds waits until
    nobody wants the rest: for a real listener it would be real time that holds it."""

    def __init__(self, inner: Synthesizer, until_s: float) -> None:
        self._inner = inner
        self._left = round(until_s * inner.sample_rate)
        self.holds = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def synthesize(self, *arguments: Any) -> Generator[Block, None, None]:
        """Yield the blocks in parts."""
        cancel, over = cast(Cancel, arguments[4]), threading.Event()
        step = self._inner.sample_rate // 10
        with cancel.waking(over.set):
            for block in self._inner.synthesize(*arguments):
                words = block.words
                for start in range(0, max(1, len(block.samples)), step):
                    if self._left <= 0:
                        self.holds.set()
                        over.wait(60)
                        cancel.check()
                    part = block.samples[start : start + step]
                    self._left -= len(part)
                    yield Block(part, words)
                    words = ()


@pytest.fixture(scope="module")
def ears() -> Recogniser:
    return Recogniser()


@pytest.fixture
def utterances(monkeypatch: pytest.MonkeyPatch) -> list[Utterance]:
    """Those that the service makes."""
    made: list[Utterance] = []

    def make(*arguments: Any) -> Utterance:
        made.append(Utterance(*arguments))
        return made[-1]

    monkeypatch.setattr(module, "Utterance", make)
    return made


def received(wire: Wire, holds: threading.Event, most: int = 10_000) -> list[dict[str, Any]]:
    """Read lines until there are no more, or so many, and hang up."""
    assert wire.read_head() == 200
    lines: list[dict[str, Any]] = []
    with contextlib.suppress(TimeoutError):
        for line in wire.chunks():
            lines.append(json.loads(line))
            if len(lines) == most:
                holds.wait(1)  # more is sent meanwhile
                break
            wire.patience_s = 3 if holds.is_set() else 20
    wire.close()
    return lines


def plain(text: str) -> str:
    """What a person reads: without mark-up."""
    return re.sub(r"\[pause:\w+\] ?|\*", "", text)


def check(text: str, chars: int, heard: Heard) -> None:
    """The characters that are said to be spoken are the words that were heard, but for one."""
    assert fits(plain(text), len(plain(text[:chars])), heard), (text[:chars], heard)


def bytes_of(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(line["audio"]) for line in lines if "audio" in line)


def interrupted(
    served: Served, holds: threading.Event, text: str, format: str, speed: float, most: int = 10_000
) -> list[dict[str, Any]]:
    """Return the lines that a caller got, who then hung up."""
    with Wire(served) as wire:
        body = {"input": text, "response_format": format, "speed": speed, "word_timestamps": True}
        wire.post("/v1/audio/speech", body)
        lines = received(wire, holds, most)
    served.wait_idle()
    return lines


def check_all(
    ears: Recogniser,
    text: str,
    utterance: Utterance,
    lines: list[dict[str, Any]],
    format: str,
    sample_rate: int,
) -> None:
    """What the service says was spoken was heard, and the client could tell as well as it."""
    samples, _ = decode(bytes_of(lines), format, sample_rate)
    spoken = utterance.spoken()
    assert spoken is not None
    assert spoken.audio_s == pytest.approx(len(samples) / sample_rate, abs=0.001)
    check(text, spoken.chars, heard_until(ears, plain(text), samples, sample_rate))
    told = {word["char_start"]: word for line in lines for word in line.get("words", ())}
    begun = [told[at] for at in sorted(told) if told[at]["start"] < spoken.audio_s]
    assert spoken.chars in [word["char_end"] for word in begun[-2:]]


@pytest.mark.parametrize("until_s", [1.4, 4.0, 6.9])
@pytest.mark.parametrize(("format", "sample_rate", "speed"), LINES)
def test_what_is_said_to_be_spoken_was_heard(
    builtin: Synthesizer,
    serve: Serve,
    ears: Recogniser,
    utterances: list[Utterance],
    format: str,
    sample_rate: int,
    speed: float,
    until_s: float,
) -> None:
    held = Held(builtin, until_s)
    lines = interrupted(serve(cast(Synthesizer, held)), held.holds, TEXT, format, speed)
    check_all(ears, TEXT, utterances[0], lines, format, sample_rate)


@pytest.mark.parametrize("until_s", [3.5, 6.0, 11.0])
@pytest.mark.parametrize(("format", "sample_rate", "speed"), [LINES[0], LINES[3]])
def test_so_it_is_with_recordings_of_people(
    serve: Serve,
    ears: Recogniser,
    utterances: list[Utterance],
    format: str,
    sample_rate: int,
    speed: float,
    until_s: float,
) -> None:
    """Sent through all that a Mira model's speech goes through, with what listens to it."""
    held = Held(recorded_synthesizer(ears=load_ears(guard=False)), until_s)
    lines = interrupted(serve(cast(Synthesizer, held)), held.holds, RECORDED, format, speed)
    check_all(ears, RECORDED, utterances[0], lines, format, sample_rate)


def test_who_has_heard_less_than_was_sent_says_so(
    builtin: Synthesizer, serve: Serve, ears: Recogniser, utterances: list[Utterance]
) -> None:
    held = Held(builtin, 9)
    lines = interrupted(serve(cast(Synthesizer, held)), held.holds, TEXT, "pcm", 1.0, most=35)
    samples, _ = decode(bytes_of(lines), "pcm", 24000)
    spoken, everything = utterances[0].spoken(len(samples) / 24000), utterances[0].spoken()
    assert spoken
    assert everything
    assert spoken.chars < everything.chars
    check(TEXT, spoken.chars, heard_until(ears, plain(TEXT), samples, 24000))
