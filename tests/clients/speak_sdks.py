"""The SDKs of OpenAI, ElevenLabs, Cartesia and Deepgram, all at the same time; what
test_snippets.py says is read and printed."""

import base64
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

SAMPLE_RATE = 24000
CUT = int(0.6 * SAMPLE_RATE * 2)  # bytes of the turn that is interrupted


def written(text: str) -> Iterator[str]:
    """A text as a language model writes it."""
    return (word + " " for word in text.split())


def until_cut(chunks: Iterable[bytes]) -> bytes:
    """Hear the beginning of a turn."""
    audio = b""
    for chunk in chunks:
        audio += chunk
        if len(audio) > CUT:
            return audio[: len(audio) // 2 * 2]
    raise AssertionError("it ended before it was interrupted")


def speak_openai(client: Any, first: str, interrupted: str, again: str) -> list[bytes]:
    """A request each; an interruption leaves one."""

    def request(text: str, cut: bool = False) -> bytes:
        how = {"model": "mira", "voice": "heart", "response_format": "pcm"}
        create = client.audio.speech.with_streaming_response.create
        with create(input=text, **how) as response:
            return until_cut(response.iter_bytes()) if cut else response.read()

    return [request(first), request(interrupted, cut=True), request(again)]


def speak_elevenlabs(client: Any, first: str, interrupted: str, again: str) -> list[bytes]:
    """A socket each; an interruption closes one."""

    def convert(text: str) -> Iterator[bytes]:
        return client.text_to_speech.convert_realtime(
            voice_id="heart",
            text=written(text),
            model_id="eleven_flash_v2_5",
            output_format="pcm_24000",
        )

    whole = b"".join(convert(first))
    chunks = convert(interrupted)
    beginning = until_cut(chunks)
    chunks.close()
    return [whole, beginning, b"".join(convert(again))]


def speak_cartesia(client: Any, first: str, interrupted: str, again: str) -> list[bytes]:
    """A context each on one socket; an interruption cancels one."""
    with client.tts.websocket_connect() as connection:

        def write(text: str) -> Any:
            context = connection.context(
                model_id="sonic-3",
                voice={"mode": "id", "id": "heart"},
                output_format={
                    "container": "raw",
                    "encoding": "pcm_s16le",
                    "sample_rate": SAMPLE_RATE,
                },
            )
            for word in written(text):
                context.push(word)
            context.no_more_inputs()
            return context

        def hear(context: Any) -> Iterator[bytes]:
            for event in context.receive():
                if event.type == "chunk":
                    # The SDK hands on what was on its way of a context that was cancelled.
                    yield event.audio if event.context_id == context._context_id else b""

        whole = b"".join(hear(write(first)))
        context = write(interrupted)
        beginning = until_cut(hear(context))
        context.cancel()
        return [whole, beginning, b"".join(hear(write(again)))]


def speak_deepgram(client: Any, first: str, interrupted: str, again: str) -> list[bytes]:
    """All on one socket, between flushes; an interruption clears it."""
    from deepgram.speak.v1.types import SpeakV1Text

    how = {"model": "heart", "encoding": "linear16", "sample_rate": SAMPLE_RATE}
    with client.speak.v1.connect(**how) as socket:

        def write(text: str) -> None:
            for word in written(text):
                socket.send_text(SpeakV1Text(text=word))
            socket.send_flush()

        def hear(last: str) -> Iterator[bytes]:
            for message in socket:
                if isinstance(message, bytes):
                    yield message
                elif message.type == last:
                    return

        write(first)
        whole = b"".join(hear("Flushed"))
        write(interrupted)
        beginning = until_cut(hear("Flushed"))
        socket.send_clear()
        list(hear("Cleared"))
        write(again)
        return [whole, beginning, b"".join(hear("Flushed"))]


SPEAK = {
    "OpenAI SDK": speak_openai,
    "ElevenLabs SDK": speak_elevenlabs,
    "Cartesia SDK": speak_cartesia,
    "Deepgram SDK": speak_deepgram,
}


def speak(name: str, lines: str, turns: list[str]) -> dict[str, object]:
    """Speak, be interrupted, speak again."""
    names: dict[str, Any] = {}
    exec(lines, names)
    heard = zip(("first", "interrupted", "again"), SPEAK[name](names["client"], *turns))
    return {turn: {"audio": base64.b64encode(audio).decode()} for turn, audio in heard}


def main(clients: dict[str, str], turns: list[str], sample_rate: int) -> None:
    assert sample_rate == SAMPLE_RATE
    with ThreadPoolExecutor() as pool:
        found = pool.map(speak, clients, clients.values(), repeat(turns))
        print(json.dumps(dict(zip(clients, found))))


main(**json.loads(sys.argv[1]))
