"""Agents of Pipecat, one for each service that it is given, all at the same time; what
test_snippets.py says is read and printed."""

import asyncio
import base64
import json
import sys
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.workers.runner import WorkerRunner

WORD_S = 0.02  # from word to word of a language model
CUT_S = 0.6  # of the turn that is interrupted
SETTLE_S = 0.1  # until the service has the last word that was written
SILENT_S = 1.0  # after an interruption
TURN_S = 20.0


class Ears(FrameProcessor):
    """Hears what the service says, one turn after the other.

    Args:
        phone: Makes of it what a caller hears; without one it is heard as it comes.
    """

    def __init__(self, phone: FrameSerializer | None) -> None:
        super().__init__()
        self._phone = phone
        self.errors: list[str] = []
        self.listen()

    def listen(self) -> None:
        """Begin a turn."""
        self._audio, self._words = b"", list[tuple[str, float]]()
        self.heard_s, self._began_s, self._last_s, self._end_s = 0.0, 0.0, 0.0, 0.0
        self._interrupted, self.late_s = False, 0.0
        self.ended, self.enough = asyncio.Event(), asyncio.Event()

    def fail(self, message: str) -> None:
        """Note an error; no turn goes on after it."""
        self.errors.append(message)
        self.ended.set()
        self.enough.set()

    @property
    def now_s(self) -> float:
        """Time of the pipeline's clock."""
        return self.get_clock().get_time() / 1e9

    @property
    def left_s(self) -> float:
        """What a listener has still to hear of this turn."""
        return self._began_s + self.heard_s - self.now_s

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            await self._hear(frame)
        elif isinstance(frame, TTSTextFrame):
            self._words.append((frame.text, (frame.pts or 0) / 1e9))
        elif isinstance(frame, LLMFullResponseEndFrame):  # comes after what was said of it
            self._end_s = self.now_s - self._last_s
            self.ended.set()
        elif isinstance(frame, InterruptionFrame):
            self._interrupted = True
        await self.push_frame(frame, direction)

    async def _hear(self, frame: TTSAudioRawFrame) -> None:
        self._last_s = self.now_s
        self._began_s = self._began_s or self._last_s
        if self._phone is None:
            self._audio += frame.audio
        elif message := await self._phone.serialize(frame):
            self._audio += base64.b64decode(json.loads(message)["media"]["payload"])
        duration_s = len(frame.audio) / 2 / frame.sample_rate
        self.heard_s += duration_s
        if self._interrupted:
            self.late_s += duration_s
        if self.heard_s > CUT_S:
            self.enough.set()

    def told(self) -> dict[str, object]:
        """What was heard in this turn."""
        words = [(word, at_s - self._began_s) for word, at_s in self._words]
        audio = base64.b64encode(self._audio).decode()
        return {"audio": audio, "words": words, "end_s": self._end_s}


async def write(agent: PipelineWorker, text: str) -> None:
    """Write an answer as a language model does."""
    await agent.queue_frame(LLMFullResponseStartFrame())
    for word in text.split():
        await agent.queue_frame(LLMTextFrame(word + " "))
        await asyncio.sleep(WORD_S)
    await agent.queue_frame(LLMFullResponseEndFrame())


async def talk(agent: PipelineWorker, ears: Ears, turns: list[str]) -> dict[str, object]:
    """Speak, be interrupted while the model is still writing, and speak again."""
    found: dict[str, object] = {}
    for name, text in zip(("first", "interrupted", "again"), turns):
        ears.listen()
        writing = asyncio.create_task(write(agent, text))
        heard = ears.enough if name == "interrupted" else ears.ended
        await asyncio.wait_for(heard.wait(), TURN_S)
        writing.cancel()
        if ears.errors:
            break
        if name == "interrupted":
            await asyncio.sleep(SETTLE_S)
            await agent.queue_frame(InterruptionFrame())
            await asyncio.sleep(SILENT_S)
            found["late_s"] = ears.late_s
        else:
            await asyncio.sleep(ears.left_s)
        found[name] = ears.told()
    return found


async def run_agent(
    lines: str, turns: list[str], sample_rate: int, phone: bool
) -> dict[str, object]:
    """Run one agent from its beginning to its end."""
    names: dict[str, Any] = {}
    exec(lines, names)
    line = TwilioFrameSerializer.InputParams(auto_hang_up=False)
    ears = Ears(TwilioFrameSerializer("line", params=line) if phone else None)
    params = PipelineParams(audio_out_sample_rate=sample_rate)
    agent = PipelineWorker(Pipeline([names["tts"], ears]), params=params)

    @agent.event_handler("on_pipeline_error")
    async def note(_: PipelineWorker, frame: Any) -> None:
        ears.fail(frame.error)

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(agent)
    running = asyncio.create_task(runner.run())
    found: dict[str, object] = {}
    try:
        found = await talk(agent, ears, turns)
    except TimeoutError:
        ears.fail(f"no end of a turn after {ears.heard_s} s of it")
    if ears.errors:
        await runner.cancel()
    else:
        await agent.queue_frame(EndFrame())
    await running
    if "session" in names:
        await names["session"].close()
    return found | {"errors": ears.errors}


async def main(
    clients: dict[str, str], turns: list[str], sample_rate: int, phone: bool = False
) -> None:
    agents = [run_agent(lines, turns, sample_rate, phone) for lines in clients.values()]
    print(json.dumps(dict(zip(clients, await asyncio.gather(*agents)))))


logger.remove()
logger.add(sys.stderr, level="WARNING")
asyncio.run(main(**json.loads(sys.argv[1])))
