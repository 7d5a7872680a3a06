"""Spans of many streams in, each at its own time; few passes over the codec out.

Knows nothing about what a pass computes: it is a `Codec` around a `Codec`.
"""

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from mira.codec.base import Codec, Span, Speaker
from mira.errors import SynthesisFailed
from mira.types import Samples

_Request = tuple[Sequence[Span], Future[list[Samples]]]


class BatchingCodec:
    """A `Codec` that gathers what several threads ask for into one pass.

    While a pass runs, the requests that come in wait, and share the next one; when none runs, a
    request waits `gather_s` for company. A pass that fails fails for all who share it.

    Args:
        codec: Does the work, on one thread.
        gather_s: How long the first request of a pass waits for others.
        max_spans: No more are gathered once a pass holds this many.
        max_waiting: Requests that may wait; the next caller is held until one is taken.
    """

    def __init__(
        self, codec: Codec, gather_s: float = 0.003, max_spans: int = 32, max_waiting: int = 256
    ) -> None:
        self._codec = codec
        self._gather_s = gather_s
        self._max_spans = max_spans
        self._requests: queue.Queue[_Request | None] = queue.Queue(max_waiting)
        self._closed = False
        self._entry = threading.Lock()  # nothing may enter the queue behind the end mark
        self._thread = threading.Thread(target=self._run, name="mira-codec", daemon=True)
        self._thread.start()

    @property
    def sample_rate(self) -> int:
        """See `Codec`."""
        return self._codec.sample_rate

    @property
    def samples_per_frame(self) -> int:
        """See `Codec`."""
        return self._codec.samples_per_frame

    @property
    def waiting(self) -> int:
        """Requests that no pass has taken yet."""
        return self._requests.qsize()

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """See `Codec`; rare, so it is not gathered."""
        return self._codec.encode(samples, sample_rate)

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        """See `Codec`; rare, so it is not gathered."""
        return self._codec.speech_tokens(samples, sample_rate)

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        """See `Codec`; rare, so it is not gathered."""
        return self._codec.speaker(global_tokens)

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """See `Codec`; waits for the pass that holds these spans.

        Raises:
            SynthesisFailed: Also for the spans of another stream in the same pass, and after
                `close`.
        """
        future: Future[list[Samples]] = Future()
        with self._entry:
            if self._closed:
                raise SynthesisFailed("the codec is closed")
            self._requests.put((spans, future))
        return future.result()

    def close(self) -> None:
        """Finish what was asked for, then stop the thread; calling it again does nothing.

        The codec within is closed too.
        """
        with self._entry:
            if not self._closed:
                self._closed = True
                self._requests.put(None)
        self._thread.join()
        self._codec.close()

    def _run(self) -> None:
        while (request := self._requests.get()) is not None:
            gathered, ended = self._gather(request)
            self._answer(gathered)
            if ended:
                return

    def _gather(self, first: _Request) -> tuple[list[_Request], bool]:
        """The requests of one pass, and whether the end mark came behind them."""
        gathered = [first]
        deadline = time.monotonic() + self._gather_s
        while sum(len(spans) for spans, _ in gathered) < self._max_spans:
            try:
                request = self._requests.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if request is None:
                return gathered, True
            gathered.append(request)
        return gathered, False

    def _answer(self, gathered: Sequence[_Request]) -> None:
        try:
            blocks = iter(self._codec.decode([span for spans, _ in gathered for span in spans]))
            for spans, future in gathered:
                future.set_result([next(blocks) for _ in spans])
        except BaseException as error:  # noqa: BLE001 - carried over and raised in decode()
            for _, future in gathered:
                if not future.done():
                    future.set_exception(error)
