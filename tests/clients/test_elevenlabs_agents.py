"""LiveKit's plugin for ElevenLabs: it speaks, is interrupted, and speaks again."""

from typing import Any

import pytest

from tests.clients.conftest import Run
from tests.server.serving import Served

FIRST, AGAIN = "Hello there. How are you today?", "Yes of course."

LIVEKIT = """
import asyncio, json, sys
import aiohttp
from livekit.plugins import elevenlabs

async def turn(tts, text, most_s=60.0):
    heard_s, words = 0.0, []
    async with tts.stream() as stream:
        for word in text.split():
            stream.push_text(word + " ")
        stream.flush()
        stream.end_input()
        async for event in stream:
            heard_s += event.frame.duration
            for word in event.frame.userdata.get("lk.timed_transcripts") or []:
                words.append([str(word).strip(), word.start_time])
            if heard_s > most_s:
                break
    return {"heard_s": heard_s, "words": words}

async def main(url, encoding):
    async with aiohttp.ClientSession() as session:
        tts = elevenlabs.TTS(
            api_key="any", voice_id="heart", base_url=url + "/v1", encoding=encoding,
            http_session=session,
        )
        found = {
            "first": await turn(tts, sys.argv[3]),
            "interrupted": await turn(tts, "One two three four five six seven. " * 9, 0.5),
            "again": await turn(tts, sys.argv[4]),
        }
        async with tts.synthesize(sys.argv[3]) as stream:
            found["synthesized_s"] = sum([event.frame.duration async for event in stream])
        found["voices"] = [voice.id for voice in await tts.list_voices()]
        await tts.aclose()
    print(json.dumps(found))

asyncio.run(main(*sys.argv[1:3]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["pcm_24000", "mp3_22050_32"])
def test_livekit(speaker: Served, run_client: Run, encoding: str) -> None:
    found: Any = run_client(LIVEKIT, speaker.url, encoding, FIRST, AGAIN)
    assert [word for word, _ in found["first"]["words"]] == FIRST.split()
    starts = [start for _, start in found["first"]["words"]]
    assert starts == sorted(starts) and starts[-1] < found["first"]["heard_s"] < 4
    assert [word for word, _ in found["again"]["words"]] == AGAIN.split()
    assert 0.5 < found["again"]["heard_s"] < 2
    assert 1 < found["synthesized_s"] < 4 and "heart" in found["voices"]
    speaker.wait_idle()
