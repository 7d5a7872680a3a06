"""A session of LiveKit's agents for each plugin: it says what a language model writes, is
interrupted by its user, and says something else.

Reads {"url": of the service, "turns": [first, interrupted, again]}, and prints {plugin: {"first",
"interrupted", "again", "synthesized": {"audio": 16 bits in base64, "words": [[word, second], …]},
"interrupted_s": how long that took, "errors": […], "sample_rate": Hz}}.
"""

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from livekit.agents import Agent, AgentSession
from livekit.agents.utils import http_context
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities
from livekit.plugins import cartesia, deepgram, elevenlabs, openai

WORD_S = 0.02  # from word to word of a language model
CUT_S = 1.0  # of the turn that is interrupted
LATE_S = 0.5
AT_ONCE = 3  # speak: a small machine has enough to do


class Player(AudioOutput):
    """Plays in real time, to nobody, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__(label="player", capabilities=AudioOutputCapabilities(pause=False))
        self._ends: asyncio.TimerHandle | None = None
        self._begin()

    def _begin(self) -> None:
        self.audio, self.words = b"", list[list[object]]()
        self.speaking = asyncio.Event()
        self._began = self._until = 0.0

    async def capture_frame(self, frame: Any) -> None:
        await super().capture_frame(frame)
        now = time.monotonic()
        self._began = self._began or now
        self._until = max(self._until, now) + frame.duration
        self.speaking.set()
        self.audio += bytes(frame.data)
        for word in frame.userdata.get("lk.timed_transcripts") or []:
            self.words.append([str(word).strip(), word.start_time])

    def flush(self) -> None:
        super().flush()
        left_s = max(0.0, self._until - time.monotonic())
        self._ends = asyncio.get_running_loop().call_later(left_s, self._end, False)

    def clear_buffer(self) -> None:
        if self._ends:
            self._ends.cancel()
        self._end(True)

    def _end(self, interrupted: bool) -> None:
        if self._pending_playback_count:
            played_s = time.monotonic() - self._began
            self.on_playback_finished(playback_position=played_s, interrupted=interrupted)

    def take(self) -> dict[str, object]:
        """What came since the last time."""
        taken = {"audio": base64.b64encode(self.audio).decode(), "words": self.words}
        self._begin()
        return taken


def plugins(url: str, key: str, voice: str) -> dict[str, Any]:
    """Make every plugin, and those that take audio or text in several ways in each of them."""
    v1 = f"{url}/v1"
    named = {"base_url": v1, "api_key": key, "voice_id": voice}
    return {
        "openai": openai.TTS(base_url=v1, api_key=key, voice=voice, response_format="pcm"),
        "openai in mp3": openai.TTS(base_url=v1, api_key=key, voice=voice),
        "elevenlabs": elevenlabs.TTS(encoding="pcm_24000", **named),
        "elevenlabs in mp3": elevenlabs.TTS(**named),
        "elevenlabs by word": elevenlabs.TTS(encoding="pcm_24000", auto_mode=False, **named),
        "elevenlabs v3": elevenlabs.TTS(encoding="pcm_24000", model="eleven_v3", **named),
        "cartesia": cartesia.TTS(base_url=url, api_key=key, voice=voice),
        "deepgram": deepgram.TTS(base_url=f"{v1}/speak", api_key=key, model=voice),
        "flux": deepgram.TTSv2(base_url=f"{url}/v2/speak", api_key=key, model=voice),
    }


async def written(text: str) -> AsyncIterator[str]:
    """A text as a language model writes it."""
    for word in text.split():
        yield f"{word} "
        await asyncio.sleep(WORD_S)


async def converse(tts: Any, turns: list[str]) -> dict[str, object]:
    """Say a turn, part of the next, and the third."""
    first, interrupted, again = turns
    player, found, errors = Player(), dict[str, object](), list[str]()
    tts.on("error", lambda event: errors.append(str(event.error)))
    tts.prewarm()
    session = AgentSession(tts=tts, use_tts_aligned_transcript=True)
    session.output.audio = player
    await session.start(agent=Agent(instructions=""))
    await session.say(written(first))
    found["first"] = player.take()
    handle = session.say(written(interrupted))
    await player.speaking.wait()
    await asyncio.sleep(CUT_S)
    began = time.monotonic()
    session.interrupt()
    await handle
    found["interrupted_s"] = time.monotonic() - began
    found["interrupted"] = player.take()
    await asyncio.sleep(LATE_S)
    assert not player.audio
    await session.say(written(again))
    found["again"] = player.take()
    async with tts.synthesize(first) as stream:
        frames = [event.frame async for event in stream]
    audio = b"".join(bytes(frame.data) for frame in frames)
    found["synthesized"] = {"audio": base64.b64encode(audio).decode()}
    await session.aclose()
    await tts.aclose()
    return {**found, "errors": errors, "sample_rate": tts.sample_rate}


async def main(url: str, turns: list[str]) -> None:
    async with http_context.open():
        speaking = plugins(url, "unused", "heart")
        places = asyncio.Semaphore(AT_ONCE)

        async def one(tts: Any) -> dict[str, object]:
            async with places:
                return await converse(tts, turns)

        found = await asyncio.gather(*map(one, speaking.values()))
        print(json.dumps(dict(zip(speaking, found))))


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))
