"""The vendors' SDKs where they are refused: reads an address, a key, a voice and a text, and prints
{what was asked: [the error's class, its status, what it says], or how many bytes of audio came}."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from cartesia import Cartesia
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Text
from deepgram.speak.v2.types import SpeakV2Speak
from elevenlabs import AsyncElevenLabs, ElevenLabs
from openai import AsyncOpenAI, OpenAI
from websockets.exceptions import InvalidStatus

url, key, voice, text = sys.argv[1:]
socket_url = url.replace("http:", "ws:")
FORMAT: Any = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
PCM: Any = {"encoding": "linear16", "sample_rate": 24000}

openai = OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
elevenlabs = ElevenLabs(base_url=url, api_key=key)
elevenlabs.text_to_speech._ws_base_url = socket_url
cartesia = Cartesia(base_url=url, websocket_base_url=socket_url, api_key=key, max_retries=0)
places = dict.fromkeys(("production", "agent"), socket_url) | {"base": url, "agent_rest": url}
deepgram = DeepgramClient(api_key=key, environment=DeepgramClientEnvironment(**places))
SPEECH: Any = {"model": "mira", "voice": voice, "input": text, "response_format": "pcm"}


def of_openai() -> bytes:
    return openai.audio.speech.create(**SPEECH).content


def of_openai_in_turns() -> bytes:
    async def ask() -> bytes:
        client = AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        async with client.audio.speech.with_streaming_response.create(**SPEECH) as answer:
            return b"".join([chunk async for chunk in answer.iter_bytes()])

    return asyncio.run(ask())


def of_openai_in_events() -> bytes:
    create = openai.audio.speech.with_streaming_response.create
    with create(**SPEECH, stream_format="sse") as answer:
        lines = [line for line in answer.iter_lines() if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [event["type"] for event in events[-2:]] == ["speech.audio.delta", "speech.audio.done"]
    return "".join(event.get("audio", "") for event in events).encode()


def of_elevenlabs() -> Iterator[bytes]:
    return elevenlabs.text_to_speech.convert(voice_id=voice, text=text, output_format="pcm_24000")


def of_elevenlabs_in_turns() -> bytes:
    async def ask() -> bytes:
        client = AsyncElevenLabs(base_url=url, api_key=key).text_to_speech
        chunks = client.stream(voice_id=voice, text=text, output_format="pcm_24000")
        return b"".join([chunk async for chunk in chunks])

    return asyncio.run(ask())


def of_elevenlabs_timed() -> bytes:
    convert = elevenlabs.text_to_speech.stream_with_timestamps
    lines = convert(voice_id=voice, text=text, output_format="pcm_24000")
    return "".join(line.audio_base_64 for line in lines).encode()


def of_elevenlabs_dialogue() -> Iterator[bytes]:
    lines: Any = [{"text": text, "voice_id": voice}]
    return elevenlabs.text_to_dialogue.stream(inputs=lines, output_format="pcm_24000")


def of_elevenlabs_socket() -> Iterator[bytes]:
    convert = elevenlabs.text_to_speech.convert_realtime
    return convert(voice_id=voice, text=iter([text]), output_format="pcm_24000")


def of_cartesia() -> bytes:
    how: Any = {"model_id": "sonic-3", "voice": {"mode": "id", "id": voice}}
    return cartesia.tts.generate(transcript=text, output_format=FORMAT, **how).read()


def of_cartesia_socket() -> Iterator[bytes]:
    how: Any = {"model_id": "sonic-3", "voice": {"mode": "id", "id": voice}}
    with cartesia.tts.websocket_connect() as connection:
        context = connection.context(output_format=FORMAT, **how)
        context.push(text)
        context.no_more_inputs()
        for event in context.receive():
            if event.type == "error":
                raise ConnectionError(event.message)
            if event.type == "chunk":
                yield event.audio


def of_deepgram() -> Iterator[bytes]:
    return deepgram.speak.v1.audio.generate(text=text, model=voice, container="none", **PCM)


def of_deepgram_socket() -> Iterator[bytes]:
    with deepgram.speak.v1.connect(model=voice, **PCM) as socket:
        socket.send_text(SpeakV1Text(text=text))
        socket.send_flush()
        socket.send_close()
        yield from heard(socket)


def of_flux_socket() -> Iterator[bytes]:
    with deepgram.speak.v2.connect(model=voice, **PCM) as socket:
        socket.send_speak(SpeakV2Speak(text=text))
        socket.send_flush()
        socket.send_close()
        yield from heard(socket)


def heard(socket: Any) -> Iterator[bytes]:
    for message in socket:
        if isinstance(message, bytes):
            yield message
        elif message.type in ("Warning", "Error"):
            raise ConnectionError(message.description)


def ask(speak: Callable[[], Any]) -> object:
    try:
        said = speak()
        return len(said if isinstance(said, bytes) else b"".join(said))
    except Exception as error:  # noqa: BLE001 - whichever class it is, is what is asked
        kind, said = type(error), str(error)
        status = getattr(error, "status_code", None)
        if isinstance(error, InvalidStatus):  # of a socket's handshake
            status, said = error.response.status_code, error.response.body.decode()
        return [f"{kind.__module__.partition('.')[0]}.{kind.__name__}", status, said]


if __name__ == "__main__":
    asked = {name: value for name, value in globals().items() if name.startswith("of_")}
    print(json.dumps({name.removeprefix("of_"): ask(value) for name, value in asked.items()}))
