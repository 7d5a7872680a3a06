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
from pipecat.workers.runner import WorkerRunner

WORD_S = 0.02  # from word to word of a language model
CUT_S = 0.6  # of the turn that is interrupted
SETTLE_S = 0.1  # until the service has the last word that was written
SILENT_S = 1.0  # after an interruption
TURN_S = 20.0


class Ears(FrameProcessor):
    """Hears what the service says, one turn after the other."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self._sample_rate = sample_rate
        self.errors: list[str] = []
        self.listen()

    def listen(self) -> None:
        """Begin a turn."""
        self._audio, self._began_s, self._words = b"", 0.0, list[tuple[str, float]]()
        self._interrupted, self.late_s = False, 0.0
        self.ended, self.enough = asyncio.Event(), asyncio.Event()

    def fail(self, message: str) -> None:
        """Note an error; no turn goes on after it."""
        self.errors.append(message)
        self.ended.set()
        self.enough.set()

    @property
    def heard_s(self) -> float:
        """Duration of what was heard in this turn."""
        return len(self._audio) / 2 / self._sample_rate

    @property
    def now_s(self) -> float:
        """Time of the pipeline's clock."""
        return self.get_clock().get_time() / 1e9

    @property
    def left_s(self) -> float:
        """What a listener has still to hear of this turn."""
        return self._began_s + self.heard_s - self.now_s if self._audio else 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            assert frame.sample_rate == self._sample_rate, frame
            self._began_s = self._began_s or self.now_s
            if self._interrupted:
                self.late_s += len(frame.audio) / 2 / self._sample_rate
            self._audio += frame.audio
            if self.heard_s > CUT_S:
                self.enough.set()
        elif isinstance(frame, TTSTextFrame):
            self._words.append((frame.text, (frame.pts or 0) / 1e9))
        elif isinstance(frame, LLMFullResponseEndFrame):  # comes after what was said of it
            self.ended.set()
        elif isinstance(frame, InterruptionFrame):
            self._interrupted = True
        await self.push_frame(frame, direction)

    def told(self) -> dict[str, object]:
        """What was heard in this turn."""
        words = [(word, at_s - self._began_s) for word, at_s in self._words]
        return {"audio": base64.b64encode(self._audio).decode(), "words": words}


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
        if name == "interrupted":
            writing.cancel()
            await asyncio.sleep(SETTLE_S)
            await agent.queue_frame(InterruptionFrame())
            await asyncio.sleep(SILENT_S)
            found["late_s"] = ears.late_s
        else:
            await writing
            await asyncio.sleep(ears.left_s)
        found[name] = ears.told()
    return found


async def run_agent(lines: str, turns: list[str], sample_rate: int) -> dict[str, object]:
    """Run one agent from its beginning to its end."""
    names: dict[str, Any] = {}
    exec(lines, names)
    ears = Ears(sample_rate)
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
    await agent.queue_frame(EndFrame())
    await running
    if "session" in names:
        await names["session"].close()
    return found | {"errors": ears.errors}


async def main(clients: dict[str, str], turns: list[str], sample_rate: int) -> None:
    agents = [run_agent(lines, turns, sample_rate) for lines in clients.values()]
    print(json.dumps(dict(zip(clients, await asyncio.gather(*agents)))))


logger.remove()
logger.add(sys.stderr, level="WARNING")
asyncio.run(main(**json.loads(sys.argv[1])))
