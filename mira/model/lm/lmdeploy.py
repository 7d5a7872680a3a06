"""Prompt ids in, speech tokens out, through an engine of LMDeploy's on a CUDA card.

The engine batches, and its streams are coroutines. So this module, alone outside the server, is
asynchronous inside: an event loop on a thread of its own lends the engine's instances to streams,
the most urgent first, and hands what they say to whoever reads them. Knows nothing about text,
audio or GPUs. Source: what LMDeploy's own server does with an instance.
"""

import asyncio
import itertools
import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, aclosing, closing, suppress
from dataclasses import dataclass, field
from typing import Any

from mira.errors import GIVE_UP_AFTER, MiraError, NotReady, SynthesisFailed, one_line
from mira.model.lm.base import check_prompt
from mira.model.lm.lmdeploy_dialects import Dialect, generation
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback, rank
from mira.types import Sampling

log = logging.getLogger(__name__)

STALL_S = 30.0  # without an answer, and the engine counts as broken
CLOSE_S = 5.0  # what an engine gets to end its streams, and then itself
WARM_UP_S = 120.0


@dataclass(slots=True, eq=False)
class _Stream:
    number: int
    prompt: Sequence[int]
    config: Any  # LMDeploy's GenerationConfig
    playback: Playback
    lent: "asyncio.Future[Any]"  # pending while it waits for an instance
    news: "queue.SimpleQueue[list[int] | MiraError | None]" = field(
        default_factory=queue.SimpleQueue
    )
    """Codes for whoever reads it, none when something else has changed; then how it ended."""
    unread: list[int] = field(default_factory=list)  # codes that aren't among the news yet
    task: "asyncio.Task[None] | None" = None
    left: bool = False  # nobody reads it any more
    speaking: bool = False  # its instance may be interrupted: it has begun, and nothing ended it


class LMDeployLM:
    """A `LanguageModel` around one of LMDeploy's engines.

    Its sampling is LMDeploy's, in the same order as everybody's: repetition penalty, temperature,
    top-k, top-p, min-p. Two things differ. The engine in PyTorch counts as repeated what it said
    itself, a step late, and not the speech in a prompt; TurboMind counts as everybody does. And
    each engine has random numbers of its own, so that a seed means something else on each.

    Args:
        engine: TurboMind, or LMDeploy's engine in PyTorch; loaded, and closed with this.
        dialect: What it calls the ids.
        generation_config: LMDeploy's class of that name.
        max_streams: Number of streams that may speak at the same time; more wait.
        session_tokens: Of a prompt and what follows it, at most.
    """

    def __init__(
        self,
        engine: Any,
        dialect: Dialect,
        generation_config: Callable[..., Any],
        max_streams: int,
        session_tokens: int,
    ) -> None:
        self._engine = engine
        self._dialect = dialect
        self._generation_config = generation_config
        self.max_streams = max_streams
        self._session_tokens = session_tokens
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # of the three below
        self._streams: set[_Stream] = set()  # that wait or speak
        self._broken = ""
        self._closed = False
        self._failures = 0  # of streams, in a row
        # What follows is touched on the loop's thread alone.
        self._idle: list[Any] = []  # instances: each speaks for one stream at a time
        self._waiting: list[_Stream] = []
        self._interrupts: set[asyncio.Task[Any]] = set()  # the loop itself holds them weakly
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="mira-lm", daemon=True
        )
        self._thread.start()
        try:
            started.result(STALL_S)
        except BaseException:
            self.close()
            raise

    @property
    def ready(self) -> bool:
        """See `LanguageModel`."""
        return not self._broken and not self._closed

    @property
    def failure(self) -> str:
        """See `LanguageModel`. An engine that broke needs another process, with its own GPU."""
        if not self._broken:
            return ""
        return f"The language model broke: {self._broken}. The process has to be started anew."

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        """See `LanguageModel`; also ValueError for sampling that LMDeploy can't do."""
        check_prompt(prompt, self._dialect.vocab_rows)
        config = self._generation_config(**generation(sampling, self._dialect))
        if len(prompt) + sampling.max_new_tokens > self._session_tokens:
            raise SynthesisFailed(
                f"a prompt of {len(prompt)} tokens and {sampling.max_new_tokens} new ones don't "
                f"fit into the {self._session_tokens} of a stream"
            )
        cancel = cancel or Cancel()
        lent = self._loop.create_future()
        stream = _Stream(next(self._numbers), prompt, config, playback or Playback(), lent)
        with self._lock:
            if self._broken:
                raise NotReady(self.failure)
            if self._closed:
                raise SynthesisFailed("the language model is closed")
            self._streams.add(stream)
            self._post(self._begin, stream)
        try:
            with cancel.waking(lambda: stream.news.put([])):
                yield from itertools.islice(self._read(stream, cancel), sampling.max_new_tokens)
        finally:
            self._post(self._end, stream)

    def warm_up(self, prompt: Sequence[int]) -> None:
        """Let as many streams speak as may: whatever is slow the first time is done then.

        What a full batch has no memory for shows here, and not in somebody's call.

        Raises:
            SynthesisFailed: The model broke, or it takes too long.
        """
        began = time.perf_counter()
        with ExitStack() as streams:
            for seed in range(self.max_streams):
                tokens = self.generate(prompt, Sampling(seed=seed))
                next(streams.enter_context(closing(tokens)), None)
                if time.perf_counter() - began > WARM_UP_S:
                    raise SynthesisFailed(f"the first {seed + 1} tokens took {WARM_UP_S:.0f} s")
        log.info("the language model warmed up in %.1f s", time.perf_counter() - began)

    def close(self) -> None:
        """See `LanguageModel`."""
        with self._lock:
            self._closed = True
        self._tell_all("the language model is closed")
        self._post(self._closing.set)
        self._thread.join(3 * CLOSE_S)  # one that is stuck ends with the process

    def _read(self, stream: _Stream, cancel: Cancel) -> Generator[int, None, None]:
        while True:
            try:
                news = stream.news.get(timeout=STALL_S)
            except queue.Empty:
                if not stream.lent.done() or not stream.news.empty():
                    continue
                self._break(f"no answer in {STALL_S:.0f} s")
                raise SynthesisFailed(f"the language model broke: {self._broken}") from None
            cancel.check()
            if news is None:
                return
            if isinstance(news, MiraError):
                raise news
            for code in news:
                yield code
                cancel.check()

    def _break(self, why: str) -> None:
        log.error("the language model broke: %s", why)
        with self._lock:
            self._broken = why
        self._tell_all(f"the language model broke: {why}")

    def _tell_all(self, why: str) -> None:
        with self._lock:
            for stream in self._streams:
                stream.news.put(SynthesisFailed(why))

    def _post(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call on the loop's thread, without waiting for it."""
        with suppress(RuntimeError):  # the loop has ended, and with it all that could be done
            self._loop.call_soon_threadsafe(function, *arguments)

    # What follows runs on the loop's thread.

    def _run(self, started: "Future[None]") -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve(started))
            except BaseException as error:  # noqa: BLE001 - whoever waits must know
                if not started.done():
                    started.set_exception(error)
                self._break(one_line(error))

    async def _serve(self, started: "Future[None]") -> None:
        """Own the engine until this is closed."""
        try:
            if start := getattr(self._engine, "start_loop", None):
                start()
            self._idle += [self._engine.create_instance() for _ in range(self.max_streams)]
            started.set_result(None)
            await self._closing.wait()
            for stream in self._streams:
                self._end(stream)
            speaking = [stream.task for stream in self._streams if stream.task]
            if tasks := {*speaking, *self._interrupts}:
                await asyncio.wait(tasks, timeout=CLOSE_S)
        finally:
            self._engine.close()

    def _begin(self, stream: _Stream) -> None:
        self._waiting.append(stream)
        self._lend()
        stream.task = self._loop.create_task(self._speak(stream))
        stream.task.add_done_callback(lambda _: self._over(stream))

    def _end(self, stream: _Stream) -> None:
        if stream.left or not stream.task:
            return
        stream.left = True
        if not stream.lent.done():
            stream.task.cancel()
        elif stream.speaking:
            # Not by cancelling the task: the engine in PyTorch counts those that wait to send, and
            # a wait that is cancelled is counted forever, which keeps its loop busy.
            interrupt = stream.lent.result().async_cancel(stream.number)
            task = self._loop.create_task(interrupt)
            self._interrupts.add(task)
            task.add_done_callback(self._interrupts.discard)

    def _over(self, stream: _Stream) -> None:
        if stream in self._waiting:
            self._waiting.remove(stream)
        else:
            self._idle.append(stream.lent.result())
            self._lend()
        with self._lock:
            self._streams.discard(stream)

    def _lend(self) -> None:
        """Give idle instances to the most urgent."""
        waiting = [stream for stream in self._waiting if not stream.lent.done()]
        for stream in sorted(waiting, key=lambda stream: rank(stream.playback)):
            if not self._idle:
                return
            self._waiting.remove(stream)
            stream.news.put([])  # before: whoever reads begins to count the seconds anew
            stream.lent.set_result(self._idle.pop())

    async def _speak(self, stream: _Stream) -> None:
        """Tell a stream's reader what the engine says, and how it ends."""
        why = "it ended in the middle"
        try:
            instance = await stream.lent
            if stream.left:
                return
            said = instance.async_stream_infer(
                stream.number,
                gen_config=stream.config,
                stream_output=True,
                **self._dialect.inputs(stream.prompt),
            )
            stream.speaking = True
            async with aclosing(said) as outputs:
                async for output in outputs:
                    status = output.status.name
                    stream.speaking = status == "SUCCESS"
                    ended = self._hear(stream, output.token_ids)
                    if ended or status == "FINISH":
                        why = ""
                    elif status != "SUCCESS":
                        why = status
                    if (ended or stream.left) and status == "SUCCESS":
                        break  # one that has finished clears up behind its last output
        except SynthesisFailed as error:
            stream.news.put(error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, its reader must know
            why = one_line(error)
        stream.speaking = False
        stream.news.put(stream.unread)
        if not why:
            self._failures = 0
            stream.news.put(None)
        elif not stream.left:  # or it was interrupted: no failure
            stream.news.put(await self._failed(why))

    def _hear(self, stream: _Stream, said: Sequence[int]) -> bool:
        """Make codes news when their reader wants so many; say whether the speech has ended."""
        for i in said:
            try:
                code = self._dialect.code(i)
            except SynthesisFailed:
                stream.speaking = False
                raise
            if code is None:
                stream.speaking = False
                return True
            stream.unread.append(code)
        if stream.unread and stream.playback.wants(len(stream.unread)):
            stream.news.put(stream.unread)
            stream.unread = []
        return False

    async def _failed(self, why: str) -> SynthesisFailed:
        """Say what a stream is told, and whether it is the others' end as well."""
        self._failures += 1
        died = await self._died()
        why = died or why
        if re.search("out.?of.?memory", why.lower()):
            why += "; lower max_streams, or free memory on the GPU"
        if died is not None:
            self._break(why)
        elif self._failures >= GIVE_UP_AFTER:
            self._break(f"{why}; {self._failures} streams failed in a row")
        return SynthesisFailed(f"the language model broke: {why}")

    async def _died(self) -> str | None:
        """Ask what ended the engine: empty if it doesn't say, None while it is alive."""
        try:
            health = await asyncio.wait_for(self._engine.get_health_status(), STALL_S)
            if health["alive"]:
                return None
        except Exception:
            log.exception("the language model's engine does not say how it is")
        if tasks := getattr(self._engine, "wait_tasks", None):
            try:
                await asyncio.wait_for(tasks(), CLOSE_S)
            except Exception as error:  # noqa: BLE001 - it is the answer
                return one_line(error)
        return ""
