"""Every way in which a telephone's program can ask for 8 kHz, over real connections."""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.server.serving import Served
from tests.server.sockets.client import Client

RATE = 8000
VOICE = "heart"

Part = tuple[float, bytes]
"""When some audio came, by the clock, and that audio."""


@dataclass(frozen=True)
class Line:
    """One endpoint, asked for one form."""

    name: str
    format: str
    """Ours, of what comes."""
    ask: Callable[[Served, str, int | None], Iterator[Part]]
    """Says a text, in frames of so many ms; yields what comes: a socket's messages, or parts of an
    answer however the network cut them."""

    def __str__(self) -> str:
        return f"{self.name}-{self.format}"


def _post(served: Served, path: str, body: dict[str, Any]) -> Iterator[Part]:
    with served.client() as client, client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200, answer.read()
        for data in answer.iter_raw():
            yield time.perf_counter(), data


def _query(frame_ms: int | None) -> str:
    return f"&frame_ms={frame_ms}" if frame_ms else ""


def _framed(fields: dict[str, Any], frame_ms: int | None) -> dict[str, Any]:
    return fields | ({"frame_ms": frame_ms} if frame_ms else {})


def _openai(format: str) -> Line:
    def ask(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
        fields = {"input": text, "voice": VOICE, "response_format": format, "sample_rate": RATE}
        return _post(served, "/v1/audio/speech", _framed(fields, frame_ms))

    return Line("openai", format, ask)


def _native(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
    fields = {"input": text, "voice": VOICE, "sample_rate": RATE}
    return _post(served, "/v1/audio/speech-stream", _framed(fields, frame_ms))


def _elevenlabs(format: str) -> Line:
    def ask(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
        path = f"/v1/text-to-speech/{VOICE}/stream?output_format={format}_8000{_query(frame_ms)}"
        return _post(served, path, {"text": text})

    return Line("elevenlabs", format, ask)


def _elevenlabs_socket(format: str) -> Line:
    def ask(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
        path = f"/v1/text-to-speech/{VOICE}/multi-stream-input?output_format={format}_8000"
        with Client(served, path + _query(frame_ms)) as client:
            client.say({"text": text, "context_id": "C"}, {"context_id": "C", "flush": True})
            client.say({"context_id": "C", "close_context": True})
            while not (message := _object(client.hear())).get("isFinal"):
                if message["audio"]:
                    yield time.perf_counter(), base64.b64decode(message["audio"])

    return Line("elevenlabs-socket", format, ask)


def _cartesia_fields(
    container: str, encoding: str, text: str, frame_ms: int | None
) -> dict[str, Any]:
    output = {"container": container, "encoding": encoding, "sample_rate": RATE}
    return {
        "model_id": "sonic-3",
        "transcript": text,
        "voice": {"mode": "id", "id": VOICE},
        "output_format": _framed(output, frame_ms),
    }


def _cartesia(format: str, container: str, encoding: str) -> Line:
    def ask(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
        return _post(served, "/tts/bytes", _cartesia_fields(container, encoding, text, frame_ms))

    return Line("cartesia", format, ask)


def _cartesia_socket(format: str, encoding: str) -> Line:
    def ask(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
        with Client(served, "/tts/websocket") as client:
            client.say(_cartesia_fields("raw", encoding, text, frame_ms) | {"context_id": "C"})
            while (message := _object(client.hear()))["type"] != "done":
                assert message["type"] == "chunk", message
                yield time.perf_counter(), base64.b64decode(message["data"])

    return Line("cartesia-socket", format, ask)


def _deepgram(format: str, encoding: str, container: str) -> Line:
    def ask(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
        path = f"/v1/speak?model={VOICE}&encoding={encoding}&sample_rate=8000"
        path += f"&container={container}{_query(frame_ms)}"
        return _post(served, path, {"text": text})

    return Line("deepgram", format, ask)


def _deepgram_socket(version: str, end: str, format: str, encoding: str) -> Line:
    def ask(served: Served, text: str, frame_ms: int | None) -> Iterator[Part]:
        path = f"/{version}/speak?model={VOICE}&encoding={encoding}&sample_rate=8000"
        with Client(served, path + _query(frame_ms)) as client:
            client.say({"type": "Speak", "text": text}, {"type": "Flush"})
            while isinstance(heard := client.hear(), bytes) or heard["type"] != end:
                if isinstance(heard, bytes):
                    yield time.perf_counter(), heard

    return Line(f"deepgram-{version}-socket", format, ask)


def _object(heard: Any) -> dict[str, Any]:
    assert isinstance(heard, dict), heard
    return heard


PLAIN = {"pcm": "pcm_s16le", "ulaw": "pcm_mulaw", "alaw": "pcm_alaw"}
NAMED = {"pcm": "linear16", "ulaw": "mulaw", "alaw": "alaw"}
IN_FRAMES = [
    *map(_openai, PLAIN),
    Line("native", "pcm", _native),
    *map(_elevenlabs, PLAIN),
    *(_cartesia(format, "raw", encoding) for format, encoding in PLAIN.items()),
    *(_deepgram(format, encoding, "none") for format, encoding in NAMED.items()),
]
"""Answers that frames can be had of."""
SOCKETS = [
    *map(_elevenlabs_socket, PLAIN),
    *(_cartesia_socket(format, encoding) for format, encoding in PLAIN.items()),
    *(_deepgram_socket("v1", "Flushed", format, name) for format, name in NAMED.items()),
    *(_deepgram_socket("v2", "Flushed", format, name) for format, name in NAMED.items()),
]
FILES = [
    *map(_openai, ("wav", "wav_ulaw", "wav_alaw", "wav_f32")),
    _elevenlabs("wav"),
    _cartesia("wav", "wav", "pcm_s16le"),
    _cartesia("wav_ulaw", "wav", "pcm_mulaw"),
    _cartesia("wav_alaw", "wav", "pcm_alaw"),
    _cartesia("wav_f32", "wav", "pcm_f32le"),
    _deepgram("wav", "linear16", "wav"),
    _deepgram("wav_ulaw", "mulaw", "wav"),
    _deepgram("wav_alaw", "alaw", "wav"),
]
LINES = [*IN_FRAMES, *SOCKETS, *FILES]
