"""Cartesia's own SDK, unchanged but for its base URL: run with the address of a service.

Needs the package `cartesia` and nothing of ours. Ends with an AssertionError where it doesn't hear
what it should.
"""

import asyncio
import sys
import time
from typing import Any

from cartesia import APIStatusError, AsyncCartesia, Cartesia

PCM: Any = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
VOICE: Any = {"mode": "id", "id": "heart"}
SHORT = "Hello there, how are you today?"
LONG = "Your table for two is booked for half past seven, and we look forward to it. " * 5
HOW: dict[str, Any] = {"model_id": "sonic-3", "voice": VOICE, "output_format": PCM}


def seconds(audio: bytes) -> float:
    return len(audio) / 48000


def over_http(client: Cartesia) -> None:
    """Whole, in events, and what there is no voice for."""
    with client.tts.with_streaming_response.generate(transcript=SHORT, **HOW) as answer:
        whole = b"".join(answer.iter_bytes())
    assert 1 < seconds(whole) < 4, seconds(whole)
    audio, words = b"", list[str]()
    for event in client.tts.generate_sse(transcript=SHORT, add_timestamps=True, **HOW):
        if event.type == "chunk":
            audio += event.audio or b""
        elif event.type == "timestamps" and event.word_timestamps:
            words += event.word_timestamps.words
    assert audio == whole and words == SHORT.split(), words
    listed = [voice.id for voice in client.voices.list(limit=5)]  # in pages
    assert "heart" in listed and len(listed) == len(set(listed)), listed
    try:
        client.tts.generate(transcript="...", **HOW)
    except APIStatusError as error:
        assert error.status_code == 400 and "nothing to say" in str(error), error
    else:
        raise AssertionError("nothing was refused")


def on_a_socket(client: Cartesia) -> None:
    """It speaks as it is written, is interrupted, and speaks again."""
    with client.tts.websocket_connect() as connection:
        context = connection.context(add_timestamps=True, **HOW)
        for word in SHORT.split():
            context.push(f"{word} ")
        context.no_more_inputs()
        audio, words = heard(context)
        assert 1 < seconds(audio) < 4 and words == SHORT.split(), (seconds(audio), words)

        context = connection.context(**HOW)
        context.push(LONG)
        began = time.monotonic()
        for event in context.receive():
            if event.type == "chunk" and time.monotonic() - began > 0.5:
                context.cancel()
                break
        second = connection.context(add_timestamps=True, **HOW)
        second.push(SHORT, flush=True)
        second.no_more_inputs()
        again, words = heard(second)
        assert again == audio and words == SHORT.split(), (seconds(again), words)


def heard(context: Any) -> tuple[bytes, list[str]]:
    """Hear a context to its end: its own, for the SDK hands on what was on its way of another."""
    audio, words, kinds = b"", list[str](), list[str]()
    for event in context.receive():
        kinds.append(event.type)
        if event.context_id != context._context_id:
            continue
        if event.type == "chunk":
            audio += event.audio or b""
        elif event.type == "timestamps":
            words += event.word_timestamps.words
    assert kinds[-1] == "done", kinds
    return audio, words


async def asynchronously(url: str) -> None:
    """Two contexts at once, each hears its own."""
    async with (
        AsyncCartesia(api_key="any", base_url=url, websocket_base_url=socket_url(url)) as client,
        client.tts.websocket_connect() as connection,
    ):
        contexts = [connection.context(**HOW) for _ in range(2)]
        for context in contexts:
            await context.push(SHORT)
            await context.no_more_inputs()

        async def listen(context: Any) -> bytes:
            return b"".join([e.audio async for e in context.receive() if e.type == "chunk"])

        one, other = [await listen(context) for context in contexts]
        assert one == other and seconds(one) > 1, (seconds(one), seconds(other))


def socket_url(url: str) -> str:
    return url.replace("http", "ws", 1)


def main(url: str) -> None:
    with Cartesia(api_key="any", base_url=url, websocket_base_url=socket_url(url)) as client:
        over_http(client)
        on_a_socket(client)
    asyncio.run(asynchronously(url))
    print('"heard"')


if __name__ == "__main__":
    main(sys.argv[1])
