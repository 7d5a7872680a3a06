"""Over real HTTP: the same bytes as without words, and each word is told before it is heard."""

import base64
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import openai
import pytest

from mira.audio import FORMATS
from mira.server.openai.requests import SpeechRequest
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Block, Sampling, Sentence, Voice
from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

SPEECH, STREAM = "/v1/audio/speech", "/v1/audio/speech-stream"
TEXT = 'Hello, **dear** caller! It costs $100. [pause:1s] "So," she said, 5-10 of <i>them</i>.'
WORDS = [
    "Hello,", "**dear**", "caller!", "It", "costs", "$100.", '"So,"', "she", "said,", "5-10", "of",
    "them",
]  # fmt: skip
FRAMINGS = ["sse", "audio"]


@dataclass
class Unsure(ToySynthesizer):
    """Tells its words 50 ms early at first, as estimates, and what they really are at the end of
    the sentence, in a block of no samples."""

    def synthesize(
        self,
        sentence: Sentence,
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[Block, None, None]:
        """Yield the tone block by block; see `Synthesizer`."""
        told = []
        for block in super().synthesize(sentence, voice, sampling, playback, cancel):
            told += block.words
            guesses = [
                replace(w, start_s=max(0, w.start_s - 0.05), estimated=True) for w in block.words
            ]
            yield Block(block.samples, tuple(guesses))
        yield Block(block.samples[:0], tuple(told))


def speech(text: str = TEXT, **fields: object) -> dict[str, object]:
    return {"voice": "alloy", "input": text, "word_timestamps": True, **fields}


def parts(body: bytes, framing: str) -> list[dict[str, Any]]:
    """What was told, in order, whichever way: objects with `words`, `audio`, `done` or `error`."""
    if framing == "audio":
        assert body.endswith(b"\n")
        return [json.loads(line) for line in body.splitlines()]
    events = [json.loads(e.removeprefix(b"data: ")) for e in body.split(b"\n\n") if e]
    for event in events:
        kind = event.pop("type")
        name = {"words": "words", "delta": "audio", "done": "usage", "error": "error"}
        assert [*event] == [name[kind.removeprefix("speech.audio.")]]
    return events


def said(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each word as it was told last, in the text's order."""
    latest: dict[int, dict[str, Any]] = {}
    for part in found:
        for word in part.get("words", ()):
            latest[word["char_start"]] = word
    return [latest[start] for start in sorted(latest)]


def audio(found: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(part["audio"]) for part in found if "audio" in part)


@pytest.fixture(params=["the toy", "a toy that is not sure", "the voice"])
def served(request: pytest.FixtureRequest, serve: Serve) -> Iterator[Served]:
    if request.param == "the voice":
        yield request.getfixturevalue("speaker")
    else:
        toy = ToySynthesizer if request.param == "the toy" else Unsure
        yield serve(toy(block_s=0.06))


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(
    ("response_format", "sample_rate", "speed"),
    [("pcm", 24000, 1.0), ("ulaw", 8000, 1.3), ("mp3", 24000, 1), ("opus", 48000, 0.7)],
)
def test_each_word_is_told_before_it_is_heard(
    served: Served, framing: str, response_format: str, sample_rate: int, speed: float
) -> None:
    fields = {
        "response_format": response_format, "sample_rate": sample_rate, "speed": speed,
        "stream_format": framing,
    }  # fmt: skip
    found = parts(served.post(SPEECH, json=speech(**fields)).content, framing)
    words = said(found)
    assert [word["word"] for word in words] == WORDS
    for word in words:
        assert TEXT[word["char_start"] : word["char_end"]] == word["word"]
        assert not word["estimated"]
    starts = [word["start"] for word in words]
    assert starts == sorted(starts)
    assert all(a["end"] <= b["start"] + 0.001 for a, b in pairwise(words))
    told: set[int] = set()
    bytes_per_s = {"pcm": 48000, "ulaw": 8000}.get(response_format)
    heard_s = 0.0
    for part in found:
        told |= {word["char_start"] for word in part.get("words", ())}
        heard_s += len(base64.b64decode(part.get("audio", ""))) / (bytes_per_s or 1e9)
        for word in words:
            assert word["char_start"] in told or word["start"] >= heard_s - 0.001
    if bytes_per_s:
        assert words[-1]["end"] <= heard_s + 0.05
    if framing == "audio":
        assert found[-1]["done"] is True
        assert found[-1]["duration"] == pytest.approx(heard_s, abs=0.001) or not bytes_per_s


@pytest.mark.parametrize("path", [SPEECH, STREAM])
@pytest.mark.parametrize("response_format", FORMATS)
def test_words_change_no_byte_of_the_audio(
    speaker: Served, path: str, response_format: str
) -> None:
    plain = speech(response_format=response_format, word_timestamps=False)
    whole = speaker.post(path, json=plain)
    answer = speaker.post(path, json=speech(response_format=response_format))
    assert audio(parts(answer.content, "audio")) == whole.content
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-audio-format"] == ("pcm" if path == STREAM else response_format)
    assert answer.headers["x-sample-rate"] == whole.headers["x-sample-rate"]
    assert "x-audio-format" not in whole.headers


@pytest.mark.parametrize("stream_format", FRAMINGS)
def test_who_does_not_ask_hears_nothing_of_words(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, stream_format: str
) -> None:
    asked: list[bool] = []

    def spy(*arguments: Any) -> Generator[Block, None, None]:
        asked.append(arguments[4].words)
        return ToySynthesizer.synthesize(*arguments)

    toy = ToySynthesizer()
    monkeypatch.setattr(toy, "synthesize", lambda *rest: spy(toy, *rest))
    served = serve(toy)
    for fields in ({}, {"word_timestamps": False}):
        body = {"input": TEXT, "response_format": "pcm", "stream_format": stream_format, **fields}
        answer = served.post(SPEECH, json=body)
        assert b"words" not in answer.content
    assert set(asked) == {False}
    served.post(SPEECH, json=speech(response_format="pcm", stream_format=stream_format))
    assert asked[-1]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_correction_leaves_at_once(serve: Serve, framing: str) -> None:
    """Before the next sentence's audio, though there is none to go with it."""
    found = parts(
        serve(Unsure()).post(SPEECH, json=speech(response_format="pcm", stream_format=framing))
        .content,
        framing,
    )  # fmt: skip
    first = [word for part in found for word in part.get("words", ()) if word["word"] == "caller!"]
    assert [word["estimated"] for word in first] == [True, False]
    assert first[1]["start"] - first[0]["start"] == pytest.approx(0.05, abs=0.0011)
    (at,) = (n for n, part in enumerate(found) if first[1] in part.get("words", ()))
    assert "audio" not in found[at]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_correction_right_after_the_first_audio_begins_no_answer_anew(
    serve: Serve, framing: str
) -> None:
    """The answer has one head, though the second chunk is words alone."""
    body = speech("Hello!", response_format="pcm", stream_format=framing)
    found = parts(serve(Unsure(block_s=60)).post(SPEECH, json=body).content, framing)
    told = [word["estimated"] for part in found for word in part.get("words", ())]
    assert told == [True, False]
    assert "done" in found[-1] or "usage" in found[-1]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_failure_is_said_and_then_the_body_broken(serve: Serve, framing: str) -> None:
    served, body = serve(ToySynthesizer(fail_at=3)), b""
    with Wire(served) as wire:
        wire.post(SPEECH, speech(response_format="pcm", stream_format=framing))
        assert wire.read_head() == 200
        with pytest.raises(EOFError):
            for chunk in wire.chunks():
                body += chunk
    *_, last = parts(body, framing)
    assert last["error"]["message"] == "The toy is broken."


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_failure_before_the_first_audio_has_a_status(serve: Serve, framing: str) -> None:
    answer = serve(ToySynthesizer(fail_at=0)).post(SPEECH, json=speech(stream_format=framing))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    assert answer.json()["error"]["message"] == "The toy is broken."


def test_each_line_leaves_by_itself(serve: Serve) -> None:
    toy = ToySynthesizer()
    with Wire(serve(toy)) as wire:
        wire.post(SPEECH, speech("Hello there, how are you?", response_format="pcm"))
        wire.read_head()
        chunks = list(wire.chunks())
    assert len(chunks) == toy.blocks + 1
    assert all(chunk.count(b"\n") == 1 and chunk.endswith(b"\n") for chunk in chunks)


def test_the_field_is_described() -> None:
    described = SpeechRequest.model_json_schema()["properties"]["word_timestamps"]
    assert (described["type"], described["default"]) == ("boolean", False)


def test_openais_own_client_takes_events_with_words(speaker: Served) -> None:
    with openai.OpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=0) as client:
        create = client.audio.speech.with_streaming_response.create
        with create(
            model="gpt-4o-mini-tts",
            voice="ash",
            input=TEXT,
            response_format="pcm",
            stream_format="sse",
            extra_body={"word_timestamps": True},
        ) as answer:
            found = parts(
                b"\n\n".join(line.encode() for line in answer.iter_lines() if line), "sse"
            )
        lines = client.audio.speech.create(
            model="tts-1",
            voice="ash",
            input=TEXT,
            response_format="pcm",
            extra_body={"word_timestamps": True},
        )
    assert [word["word"] for word in said(found)] == WORDS
    assert said(parts(lines.read(), "audio")) == said(found)
    assert audio(found) == audio(parts(lines.content, "audio"))
