"""Blocks of samples in, an HTTP body out, while they are being computed.

A failure before the first chunk is raised, and so gets a status; one after it breaks the body,
because a stream that ends politely would pass for whole. Knows nothing about requests' fields.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field

from anyio import create_task_group, move_on_after
from anyio.abc import TaskGroup
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mira.audio import AudioStream
from mira.errors import one_line
from mira.server.admission import Admission
from mira.server.telemetry import Telemetry
from mira.stream.ahead import LONGEST_ITEM_S, Ahead
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.clock import StreamClock
from mira.stream.playback import Playback
from mira.types import Block

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that are ready to leave, and how long they play."""

    data: bytes
    audio_s: float
    synthesis_ms: float  # since the chunk before, without waits for text
    encode_ms: float

    @property
    def work_s(self) -> float:
        """Seconds in which it was being made."""
        return (self.synthesis_ms + self.encode_ms) / 1000


def encode(
    blocks: Generator[Block, None, None],
    sample_rate: int,
    stream: AudioStream,
    playback: Playback,
) -> Generator[Chunk, None, None]:
    """Join blocks and encoder. The encoder may hold a block back, so a chunk may play longer
    or shorter than its own bytes; over a stream the two agree.

    Args:
        sample_rate: Of `blocks`, in Hz.
        playback: Who hears them, and how fast.
    """
    samples_per_s = sample_rate * playback.pace
    with closing(blocks):
        audio_s = synthesis_ms = encode_ms = 0.0
        while True:
            began, waited_s = time.perf_counter(), playback.waited_for_text_s
            block = next(blocks, None)
            computed = time.perf_counter()
            data = stream.flush() if block is None else stream.push(block.samples)
            waited_s = playback.waited_for_text_s - waited_s
            synthesis_ms += (computed - began - waited_s) * 1000
            encode_ms += (time.perf_counter() - computed) * 1000
            audio_s += 0.0 if block is None else len(block.samples) / samples_per_s
            if data:
                yield Chunk(data, audio_s, synthesis_ms, encode_ms)
                audio_s = synthesis_ms = encode_ms = 0.0
            if block is None:
                return


@dataclass(frozen=True, slots=True)
class Stream:
    """What is sent, to whom, how to stop making it, and whose voice it is."""

    chunks: Generator[Chunk, None, None]
    lead_s: float  # made ahead of what was sent
    playback: Playback
    cancel: Cancel
    voice: str

    async def made(self) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks as a thread makes them. Wherever this ends, so does the stream."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def ready() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(news.set)

        ahead = Ahead(
            self.chunks,
            lambda chunk: chunk.audio_s,
            self.lead_s,
            self.playback,
            self.cancel,
            ready,
        )
        try:
            while not ahead.ended:
                news.clear()
                if (chunk := ahead.poll()) is not None:
                    yield chunk
                else:
                    await news.wait()
            self.cancel.check()
        finally:
            self.cancel()
            # A cancelled request must still hold its place until nothing is computed for it.
            with move_on_after(LONGEST_ITEM_S, shield=True) as waited:
                while ahead.busy:
                    news.clear()
                    await news.wait()
            if waited.cancelled_caught:
                log.error("a stream computes %.0f s after its end: left alone", LONGEST_ITEM_S)


@dataclass(slots=True)
class Framing:
    """How chunks stand in the body; the default is as they are."""

    media_type: str
    chunk: Callable[[bytes], bytes] = bytes
    end: Callable[[StreamClock], bytes] = field(default=lambda clock: b"")
    failure: Callable[[Exception], bytes] = field(default=lambda error: b"")


class SpeechResponse(Response):
    """Sends chunks as they are made. Wherever it ends, the work stops at the next block.

    A failure after the first chunk is logged, and the response is not completed, upon which the
    server breaks the connection.
    """

    def __init__(
        self,
        stream: Stream,
        framing: Framing,
        headers: Mapping[str, str],
        admission: Admission,
        telemetry: Telemetry,
    ) -> None:
        super().__init__(None, 200, headers, framing.media_type)
        del self.headers["content-length"]  # nobody knows it yet
        self._speech = stream
        self._framing = framing
        self._admission = admission
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the stream beside a watch on the client's connection."""
        clock = StreamClock()
        failure: Exception | None = None
        async with create_task_group() as tasks:
            tasks.start_soon(self._cancel_when_gone, receive, tasks)
            try:
                async with self._admission.stream(clock):  # who leaves waits for no place either
                    await self._counted(send, clock)
            except Cancelled:
                pass
            except Exception as error:  # noqa: BLE001 - raised below, outside the group
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None and clock.ttfa_ms is None:
            raise failure

    async def _counted(self, send: Send, clock: StreamClock) -> None:
        cancelled = True  # by the listener, or by the server that cancels the whole task
        try:
            await self._stream(send, clock)
            cancelled = False
        except Exception as error:
            cancelled = isinstance(error, Cancelled)
            raise
        finally:
            self._telemetry.ended(clock, cancelled=cancelled)

    async def _stream(self, send: Send, clock: StreamClock) -> None:
        async with aclosing(self._speech.made()) as chunks:
            try:
                await self._send_all(chunks, send, clock)
            except Cancelled:
                raise
            except Exception as error:
                if clock.ttfa_ms is not None:  # the status is gone, and so is the way to say it
                    stalled = isinstance(error, TimeoutError)
                    why = "its listener takes too little" if stalled else one_line(error)
                    log.warning("stream broken after %.2f s of audio: %s", clock.audio_s, why)
                    self._telemetry.failed(type(error).__name__)
                    if not stalled:  # who takes nothing can't be told
                        await self._body(send, clock, self._framing.failure(error), more=True)
                raise

    async def _send_all(
        self, chunks: AsyncGenerator[Chunk, None], send: Send, clock: StreamClock
    ) -> None:
        async for chunk in chunks:
            first = clock.ttfa_ms is None
            clock.ready(chunk.audio_s, chunk.work_s)
            self._admission.look()
            if first:
                self._add_timing(chunk, clock)
                self._telemetry.first_audio(self._speech.voice, clock)
                start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                with self._admission.patience(clock):
                    await send(start)
            await self._body(send, clock, self._framing.chunk(chunk.data), more=True)
            clock.sent()
        clock.done()
        await self._body(send, clock, self._framing.end(clock), more=False)

    async def _body(self, send: Send, clock: StreamClock, data: bytes, *, more: bool) -> None:
        with self._admission.patience(clock):
            await send({"type": "http.response.body", "body": data, "more_body": more})

    async def _cancel_when_gone(self, receive: Receive, tasks: TaskGroup) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._speech.cancel()  # at once: the cancelled task may be waiting for its block
        tasks.cancel_scope.cancel()

    def _add_timing(self, chunk: Chunk, clock: StreamClock) -> None:
        """What is known when the first chunk leaves: the W3C Server-Timing header. The wait for a
        turn to compute is part of `synthesis`; `queue` is what passed before the stream began."""
        total = clock.ttfa_ms or 0.0
        queue = max(total - chunk.synthesis_ms - chunk.encode_ms, 0.0)
        self.headers["Server-Timing"] = (
            f"queue;dur={queue:.1f}, synthesis;dur={chunk.synthesis_ms:.1f}, "
            f"encode;dur={chunk.encode_ms:.1f}, ttfa;dur={total:.1f}"
        )
