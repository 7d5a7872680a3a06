"""An utterance's chunks in, how they stand in an HTTP body out.

Knows nothing about requests, nor how a body is sent.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mira.server import errors
from mira.server.utterance import Chunk, Utterance
from mira.words.views import word_object


@dataclass(frozen=True, slots=True)
class Framing:
    """How chunks stand in the body; the default is as they are."""

    media_type: str
    chunk: Callable[[Chunk], bytes] = lambda chunk: chunk.data
    end: Callable[[Utterance], bytes] = lambda utterance: b""
    failure: Callable[[Exception], bytes] = lambda error: b""
    headers: Mapping[str, str] = field(default_factory=dict)


def server_sent_events(text: str) -> Framing:
    """OpenAI's events for `text`, and before a delta one with its words, where it has any.

    OpenAI's token counts are of a model that Mira does not run: what goes in is counted in words,
    what comes out in 20 ms frames, the unit of speech tokens.
    """

    def event(kind: str, **fields: object) -> bytes:
        return f"data: {json.dumps({'type': f'speech.audio.{kind}', **fields})}\n\n".encode()

    def events(chunk: Chunk) -> bytes:
        words = event("words", words=_words(text, chunk)) if chunk.words else b""
        return words + (event("delta", audio=_base64(chunk.data)) if chunk.data else b"")

    def done(utterance: Utterance) -> bytes:
        spoken, heard = len(text.split()), round(utterance.clock.audio_s * 50)
        usage = {"input_tokens": spoken, "output_tokens": heard, "total_tokens": spoken + heard}
        return event("done", usage=usage)

    def failure(error: Exception) -> bytes:
        return event("error", error=errors.body(error))

    return Framing("text/event-stream", events, done, failure)


def json_lines(text: str, format_name: str) -> Framing:
    """Lines of JSON for `text`, each an object with `words`, `audio` or both; the last says `done`
    or has an `error`. A header names the audio's format."""

    def line(**fields: object) -> bytes:
        return f"{json.dumps(fields)}\n".encode()

    def chunk(made: Chunk) -> bytes:
        words = {"words": _words(text, made)} if made.words else {}
        audio = {"audio": _base64(made.data)} if made.data else {}
        return line(**words, **audio)

    def done(utterance: Utterance) -> bytes:
        return line(done=True, duration=round(utterance.handed_s, 3))

    def failure(error: Exception) -> bytes:
        return line(error=errors.body(error))

    headers = {"X-Audio-Format": format_name}
    return Framing("application/x-ndjson", chunk, done, failure, headers)


def _words(text: str, chunk: Chunk) -> list[dict[str, object]]:
    return [word_object(text, word) for word in chunk.words]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
