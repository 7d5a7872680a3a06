"""Prompt ids in, speech tokens out, through an engine of LMDeploy's: the backend for CUDA.

The engine batches. This module lends its instances to streams, the most urgent first, and is the
only one that knows that the engine is asynchronous: it runs on an event loop with a thread of its
own, from which whoever reads a stream pulls, so that what nobody took yet stays in the engine.
Knows nothing about text, audio or GPUs. Source: what LMDeploy's own server does with an instance.
"""

import asyncio
import itertools
import logging
import re
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from mira.errors import GIVE_UP_AFTER, NotReady, SynthesisFailed, one_line
from mira.model.lm.base import check_prompt
from mira.model.lm.lmdeploy_dialects import Dialect, generation
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback, rank
from mira.types import Sampling

log = logging.getLogger(__name__)

T = TypeVar("T")

STALL_S = 30.0  # without an answer, and the engine counts as broken
CLOSE_S = 5.0  # what an engine gets to end its streams, and then itself
WARM_UP_S = 120.0


class Instance(Protocol):
    """Speaks for one stream at a time, on the engine's event loop."""

    def async_stream_infer(
        self, session_id: int, *, gen_config: Any, stream_output: bool, **inputs: Any
    ) -> AsyncGenerator[Any, None]:
        """Yield outputs: a `status`, and in `token_ids` what is new since the one before."""

    def async_cancel(self, session_id: int) -> Coroutine[Any, Any, Any]:
        """Let the stream yield a last output."""


class Engine(Protocol):
    """TurboMind, or LMDeploy's engine in PyTorch; that one has to be started on its loop, too."""

    def create_instance(self) -> Instance:
        """One for each stream that speaks at the same time."""

    def get_health_status(self) -> Coroutine[Any, Any, dict[str, Any]]:
        """Whether it is `alive`."""

    def close(self) -> None:
        """Free what it holds."""


@dataclass(slots=True, eq=False)
class _Stream:
    number: int
    playback: Playback
    cancel: Cancel
    instance: Instance | None = None  # from when it was lent until the stream is over
    outputs: AsyncGenerator[Any, None] | None = None
    pull: "Future[Any] | None" = None  # of the next output
    finished: bool = False  # by the engine itself
    over: bool = False  # it is being ended, or was; from then on nobody else may touch its instance


class LMDeployLM:
    """A `LanguageModel` around one of LMDeploy's engines.

    Its sampling is LMDeploy's, in the same order as everybody's: repetition penalty, temperature,
    top-k, top-p, min-p. Two things differ. The engine in PyTorch counts as repeated what it said
    itself, a step late, and not the speech in a prompt; TurboMind counts as everybody does. And
    each engine has random numbers of its own, so that a seed means something else on each.

    Args:
        engine: Loaded; closed with this.
        dialect: What it calls the ids.
        generation_config: LMDeploy's class of that name.
        max_streams: Number of streams that may speak at the same time; more wait.
        session_tokens: Of a prompt and what follows it, at most.
    """

    def __init__(
        self,
        engine: Engine,
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
        self._waiting: list[_Stream] = []
        self._running: list[_Stream] = []
        self._broken = ""
        self._failures = 0  # of streams, in a row
        self._closed = False
        self._changed = threading.Condition()
        self._tasks: set[asyncio.Task[Any]] = set()  # the loop itself holds them weakly
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="mira-lm", daemon=True)
        self._thread.start()
        self._idle: list[Instance] = []
        try:
            if start := getattr(engine, "start_loop", None):
                self._call(start)
            self._idle += [engine.create_instance() for _ in range(max_streams)]
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

    @property
    def streams(self) -> int:
        """That wait or speak."""
        with self._changed:
            return len(self._waiting) + len(self._running)

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
                f"a prompt of {len(prompt)} tokens and {sampling.max_new_tokens} new ones are more "
                f"than the {self._session_tokens} of a stream"
            )
        stream = _Stream(next(self._numbers), playback or Playback(), cancel or Cancel())
        try:
            with stream.cancel.waking(lambda: self._left(stream)):
                stream.outputs = self._enter(stream).async_stream_infer(
                    stream.number,
                    gen_config=config,
                    stream_output=True,
                    **self._dialect.inputs(prompt),
                )
                yield from itertools.islice(self._codes(stream), sampling.max_new_tokens)
            self._failures = 0
        finally:
            self._leave(stream)

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
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            running = list(self._running)
        for stream in running:
            self._post(self._end, stream)
        with self._changed:
            self._changed.wait_for(lambda: not self._running, CLOSE_S)
        try:
            self._call(self._engine.close)
            if left := self._call(self._cancel_all):
                self._run(asyncio.wait(left, timeout=CLOSE_S), STALL_S)
        except Exception:
            log.exception("the language model's engine did not close well")
        if self._thread.is_alive():
            self._post(self._loop.stop)
            self._thread.join(CLOSE_S)
        if not self._thread.is_alive():  # one that is stuck ends with the process
            self._clear_up()
            self._loop.close()

    def _clear_up(self) -> None:
        """End what a loop that died, or an engine that hung, has left; no thread runs it now."""
        left = self._cancel_all()
        with suppress(Exception):
            if left:
                self._loop.run_until_complete(asyncio.wait(left, timeout=CLOSE_S))
            ended = asyncio.wait_for(self._loop.shutdown_asyncgens(), CLOSE_S)
            self._loop.run_until_complete(ended)

    def _enter(self, stream: _Stream) -> Instance:
        """Wait for an instance."""
        with self._changed:
            if not self._closed and not self._broken:
                self._waiting.append(stream)
                self._lend()
            self._changed.wait_for(
                lambda: stream.instance or stream.cancel.cancelled or self._closed or self._broken
            )
            if self._broken:
                raise NotReady(self.failure)
            self._require_open()
            if stream.instance is None:
                raise Cancelled
            return stream.instance

    def _codes(self, stream: _Stream) -> Generator[int, None, None]:
        while True:
            output = self._pull(stream)
            status = output.status.name
            # Before its last tokens are taken: whoever takes them may not come back for the rest.
            stream.finished = status == "FINISH"
            for said in output.token_ids:
                code = self._dialect.code(said)
                if code is None:
                    return
                yield code
                stream.cancel.check()
            if status == "FINISH":
                return
            if status != "SUCCESS":
                stream.cancel.check()  # who left has cancelled it
                self._require_open()
                raise self._failed(status)

    def _pull(self, stream: _Stream) -> Any:
        """Wait for the next output."""
        stream.cancel.check()
        assert stream.outputs is not None
        with self._changed:
            self._require_open()
            pull = asyncio.run_coroutine_threadsafe(stream.outputs.__anext__(), self._loop)
            stream.pull = pull
        try:
            return pull.result(STALL_S)
        except CancelledError:
            self._require_open()
            raise self._failed("cancelled") from None
        except StopAsyncIteration:
            raise self._failed("it ended in the middle") from None
        except Exception as error:
            if pull.done():
                raise self._failed(one_line(error)) from error
            self._break(f"no answer in {STALL_S:.0f} s")
            raise SynthesisFailed(f"the language model broke: {self._broken}") from error

    def _require_open(self) -> None:
        if self._closed:
            raise SynthesisFailed("the language model is closed")

    def _failed(self, why: str) -> SynthesisFailed:
        """What a stream is told, and whether it is the others' end as well."""
        self._failures += 1
        if not self._is_alive():
            why = self._why_dead() or why
            self._break(why)
        elif self._failures >= GIVE_UP_AFTER:
            self._break(f"{why}; {self._failures} streams failed in a row")
        if re.search("out.?of.?memory", why.lower()):
            why += "; lower max_streams, or free memory on the GPU"
        return SynthesisFailed(f"the language model broke: {why}")

    def _is_alive(self) -> bool:
        try:
            return bool(self._run(self._engine.get_health_status(), STALL_S)["alive"])
        except Exception:
            log.exception("the language model's engine does not say how it is")
            return False

    def _why_dead(self) -> str:
        """What ended the engine, as far as it can be asked."""
        if ended := getattr(self._engine, "wait_tasks", None):
            try:
                self._run(ended(), CLOSE_S)
            except Exception as error:  # noqa: BLE001 - it is the answer
                return one_line(error)
        return ""

    def _break(self, why: str) -> None:
        log.error("the language model broke: %s", why)
        with self._changed:
            self._broken = why
            self._changed.notify_all()

    def _left(self, stream: _Stream) -> None:
        """Wake whoever reads a stream that was cancelled. Runs on the canceller's thread."""
        with self._changed:
            self._changed.notify_all()
        self._post(self._cancel, stream)

    def _leave(self, stream: _Stream) -> None:
        """Give the instance back, soon. May run on any thread, for a generator nobody closed."""
        with self._changed:
            if stream in self._waiting:
                self._waiting.remove(stream)
        if stream.instance is not None:
            self._post(self._end, stream)

    def _lend(self) -> None:
        """Give idle instances to the most urgent; `self._changed` is held."""
        while self._idle and self._waiting:
            stream = min(self._waiting, key=lambda stream: rank(stream.playback))
            self._waiting.remove(stream)
            self._running.append(stream)
            stream.instance = self._idle.pop()
        self._changed.notify_all()

    def _post(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call on the loop's thread, without waiting for it."""
        with suppress(RuntimeError):  # the loop is closed, and with it all that could be ended
            self._loop.call_soon_threadsafe(function, *arguments)

    def _call(self, function: Callable[[], T]) -> T:
        """Call on the loop's thread, and wait."""
        result: Future[T] = Future()

        def call() -> None:
            try:
                result.set_result(function())
            except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                result.set_exception(error)

        self._loop.call_soon_threadsafe(call)
        return result.result(STALL_S)

    def _run(self, coroutine: Coroutine[Any, Any, T], most_s: float) -> T:
        """Let a coroutine run on the loop's thread, and wait."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(most_s)

    # What follows runs on the loop's thread.

    def _run_loop(self) -> None:
        try:
            self._loop.run_forever()
        except BaseException as error:  # noqa: BLE001 - whoever waits must know
            self._break(one_line(error))

    def _cancel(self, stream: _Stream) -> None:
        """Let a pull that waits return."""
        if stream.instance is not None and stream.pull is not None and not stream.over:
            self._spawn(stream.instance.async_cancel(stream.number))

    def _end(self, stream: _Stream) -> None:
        """End a stream, then give its instance to another."""
        if stream.over:
            return
        if stream.pull is not None and not stream.pull.done():  # whoever waited was interrupted
            self._cancel(stream)
            stream.pull.add_done_callback(lambda _: self._post(self._end, stream))
            return
        stream.over = True
        if stream.outputs is None:
            self._free(stream)
            return
        # One that has finished clears up behind its last output. Any other is stopped by closing
        # it, which waits until the engine has let it go.
        ending = stream.outputs.__anext__() if stream.finished else stream.outputs.aclose()
        self._spawn(ending).add_done_callback(lambda task: self._ended(stream, task))

    def _ended(self, stream: _Stream, task: "asyncio.Task[Any]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is None and stream.finished and not task.cancelled():
            stream.finished = stream.over = False  # it had more to say
            self._end(stream)
            return
        if error is not None and not isinstance(error, StopAsyncIteration):
            log.error("a stream of the language model did not end well", exc_info=error)
        self._free(stream)

    def _free(self, stream: _Stream) -> None:
        with self._changed:
            self._running.remove(stream)
            assert stream.instance is not None
            self._idle.append(stream.instance)
            if not self._closed:
                self._lend()
            self._changed.notify_all()

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _cancel_all(self) -> set["asyncio.Task[Any]"]:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        return tasks
