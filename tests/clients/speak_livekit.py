"""Speech of LiveKit's plugins, all at the same time, as its agents have it made; what
test_snippets.py says is read and printed."""

import asyncio
import base64
import json
import sys
from typing import Any

from livekit.agents.tts import TTS, StreamAdapter
from livekit.agents.utils import http_context

WORD_S = 0.02  # from word to word of a language model
CUT_S = 0.6  # of the turn that is interrupted
LATE_S = 1.0


async def turn(tts: TTS, text: str, most_s: float = 60.0) -> dict[str, object]:
    """Have a text spoken while it is written, or the beginning of one."""
    audio, heard_s, words = b"", 0.0, []
    async with tts.stream() as stream:

        async def write() -> None:
            for word in text.split():
                stream.push_text(word + " ")
                await asyncio.sleep(WORD_S)
            stream.end_input()

        writing = asyncio.create_task(write())
        async for event in stream:
            audio += bytes(event.frame.data)
            heard_s += event.frame.duration
            for word in event.frame.userdata.get("lk.timed_transcripts") or []:
                words.append([str(word).strip(), word.start_time])
            if heard_s > most_s:
                break
        writing.cancel()
    return {"audio": base64.b64encode(audio).decode(), "words": words}


async def speak(lines: str, turns: list[str], sample_rate: int) -> dict[str, object]:
    """Speak, be interrupted while the model is still writing, and speak again."""
    names: dict[str, Any] = {}
    exec(lines, names)
    made: TTS = names["tts"]
    tts = made if made.capabilities.streaming else StreamAdapter(tts=made)
    assert made.sample_rate == sample_rate
    first, interrupted, again = turns
    whole = await turn(tts, first)
    beginning = await turn(tts, interrupted, CUT_S)
    await asyncio.sleep(LATE_S)
    found = {"first": whole, "interrupted": beginning, "again": await turn(tts, again)}
    await made.aclose()
    return found


async def main(clients: dict[str, str], turns: list[str], sample_rate: int) -> None:
    async with http_context.open():
        speaking = [speak(lines, turns, sample_rate) for lines in clients.values()]
        print(json.dumps(dict(zip(clients, await asyncio.gather(*speaking)))))


asyncio.run(main(**json.loads(sys.argv[1])))
