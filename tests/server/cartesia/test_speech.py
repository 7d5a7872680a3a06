"""Cartesia's speech over HTTP, as its SDK and LiveKit ask for it."""

import base64
import json
from typing import Any

import pytest

from tests.server.serving import Served
from tests.toys import ANNA, ToySynthesizer

PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
TEXT = "One two three. Four five."


def asked(**fields: Any) -> dict[str, object]:
    voice = {"mode": "id", "id": ANNA.name}
    return {
        "model_id": "sonic-3",
        "transcript": TEXT,
        "voice": voice,
        "output_format": PCM,
    } | fields


def events(served: Served, **fields: Any) -> list[dict[str, Any]]:
    answer = served.post("/tts/sse", json=asked(**fields))
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def test_bytes_are_what_our_own_endpoint_says(shared: Served) -> None:
    body = {"input": TEXT, "voice": ANNA.name, "response_format": "pcm"}
    answer = shared.post("/tts/bytes", json=asked(), headers={"cartesia-version": "2026-08-14"})
    assert answer.content == shared.post("/v1/audio/speech", json=body).content
    assert answer.headers["content-type"] == "audio/pcm"


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize(
    ("encoding", "sample_bytes"),
    [("pcm_s16le", 2), ("pcm_f32le", 4), ("pcm_mulaw", 1), ("pcm_alaw", 1)],
)
def test_every_form_has_the_same_length(
    shared: Served, shared_toy: ToySynthesizer, encoding: str, sample_bytes: int, sample_rate: int
) -> None:
    form = {"container": "raw", "encoding": encoding, "sample_rate": sample_rate}
    spoken = shared.post("/tts/bytes", json=asked(output_format=form)).content
    whole = shared.post("/tts/bytes", json=asked()).content
    duration_s = len(whole) / 2 / 24000
    assert len(spoken) == pytest.approx(duration_s * sample_rate * sample_bytes, abs=8)


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ({"container": "wav", "encoding": "pcm_s16le", "sample_rate": 44100}, b"RIFF"),
        ({"container": "wav", "encoding": "pcm_f32le", "sample_rate": 44100}, b"RIFF"),
        ({"container": "wav", "encoding": "pcm_mulaw", "sample_rate": 8000}, b"RIFF"),
        ({"container": "wav", "encoding": "pcm_alaw", "sample_rate": 8000}, b"RIFF"),
        ({"container": "mp3", "sample_rate": 44100, "bit_rate": 128000}, b"\xff"),
    ],
)
def test_files_too(shared: Served, form: dict[str, object], begins: bytes) -> None:
    answer = shared.post("/tts/bytes", json=asked(output_format=form))
    assert answer.status_code == 200 and answer.content.startswith(begins)


def test_events_have_audio_words_and_an_end(shared: Served) -> None:
    *heard, last = events(shared, add_timestamps=True, context_id="C")
    assert last == {"type": "done", "done": True, "status_code": 200, "context_id": "C"}
    audio = b"".join(base64.b64decode(event["data"]) for event in heard if "data" in event)
    assert audio == shared.post("/tts/bytes", json=asked()).content
    lists = [event["word_timestamps"] for event in heard if event["type"] == "timestamps"]
    assert [word for words in lists for word in words["words"]] == TEXT.split()
    assert {event["context_id"] for event in heard} == {"C"}
    assert not [event for event in events(shared) if event["type"] == "timestamps"]


@pytest.mark.parametrize("path", ["/tts/bytes", "/tts/sse"])
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"transcript": None}, "invalid_value"),
        ({"output_format": None}, "missing_required_field"),
        ({"add_phoneme_timestamps": True}, "invalid_value"),
        ({"transcript": "..."}, "invalid_value"),
        ({"transcript": "a" * 5000}, "string_above_max_length"),
    ],
)
def test_what_can_not_be_done_is_said_as_cartesia_does(
    shared: Served, path: str, fields: dict[str, object], code: str
) -> None:
    answer = shared.post(path, json=asked(**fields))
    assert answer.status_code == 400
    assert set(answer.json()) == {"error_code", "title", "message", "request_id"}
    assert answer.json()["error_code"] == code
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
