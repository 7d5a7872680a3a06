"""ElevenLabs' services of Pipecat and LiveKit: they speak, are interrupted, and speak again."""

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

PIPECAT = """
import asyncio, json, sys
from pipecat.frames.frames import (
    EndFrame, ErrorFrame, InterruptionFrame, LLMFullResponseEndFrame, LLMFullResponseStartFrame,
    LLMTextFrame, TTSAudioRawFrame, TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.elevenlabs.tts import ElevenLabsTTSService

RATE = int(sys.argv[2])

class Ears(FrameProcessor):
    heard_s, words = 0.0, []

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.heard_s += len(frame.audio) / 2 / frame.sample_rate
        if isinstance(frame, TTSTextFrame):
            self.words.append(frame.text)
        if isinstance(frame, ErrorFrame):
            raise SystemExit(str(frame))
        await self.push_frame(frame, direction)

async def main(url):
    ears, found = Ears(), {}
    tts = ElevenLabsTTSService(
        api_key="any", url=url.replace("http", "ws"),
        settings=ElevenLabsTTSService.Settings(voice="heart"),
    )
    task = PipelineTask(
        Pipeline([tts, ears]), params=PipelineParams(audio_out_sample_rate=RATE)
    )

    async def turn(name, text, wait_s):
        ears.heard_s, ears.words = 0.0, []
        words = [LLMTextFrame(word + " ") for word in text.split()]
        frames = [LLMFullResponseStartFrame(), *words, LLMFullResponseEndFrame()]
        await task.queue_frames(frames)
        await asyncio.sleep(wait_s)
        found[name] = {"heard_s": ears.heard_s, "words": ears.words}

    async def agent():
        await asyncio.sleep(1)
        await turn("first", sys.argv[3], 5)
        await turn("interrupted", "One two three four five six seven. " * 9, 2)
        await task.queue_frames([InterruptionFrame()])
        await asyncio.sleep(0.2)
        before_s = ears.heard_s
        await asyncio.sleep(1)
        found["after_s"] = ears.heard_s - before_s
        await turn("again", sys.argv[4], 4)
        await task.queue_frames([EndFrame()])

    talking = asyncio.create_task(agent())
    await PipelineRunner(handle_sigint=False).run(task)
    await talking
    print(json.dumps(found))

asyncio.run(main(sys.argv[1]))
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


@pytest.mark.slow
@pytest.mark.parametrize("sample_rate", ["24000", "8000"])
def test_pipecat(speaker: Served, run_client: Run, sample_rate: str) -> None:
    found: Any = run_client(PIPECAT, speaker.url, sample_rate, FIRST, AGAIN)
    assert found["first"]["words"] == FIRST.split()
    assert 1 < found["first"]["heard_s"] < 4
    assert found["interrupted"]["heard_s"] > 1 and found["after_s"] == 0
    assert found["again"]["words"] == AGAIN.split()
    assert 0.5 < found["again"]["heard_s"] < 2
    speaker.wait_idle()
