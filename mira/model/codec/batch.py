"""Spans of many streams in, each at its own time; few passes over the codec out.

Knows nothing about what a pass computes: it is a `Codec` around a `Codec`.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

from mira.errors import GIVE_UP_AFTER, SynthesisFailed, one_line
from mira.model.codec.base import Codec, Span
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import rank
from mira.types import Samples

CLOSE_S = 10.0  # for the passes that were asked for; one that hangs ends with the process


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    spans: Sequence[Span]
    future: Future[list[Samples]] = field(default_factory=Future)

    def rank(self) -> tuple[int, float]:
        """Rank as the most urgent of its listeners; one that is unknown is taken to be waiting."""
        return min(rank(span.playback) if span.playback else (0, 0.0) for span in self.spans)


class BatchingCodec:
    """A `Codec` that gathers what several threads ask for into one pass.

    While a pass runs, the requests that come in wait, and the most urgent share the next one; when
    none runs, a request waits `gather_s` for company. A pass that fails fails for all who share it,
    and one that can't even be gathered for all who wait. After GIVE_UP_AFTER of them in a row the
    codec is given up: see `failure`. What waits is bounded by its callers, each of whom waits for
    its own.

    Args:
        codec: Does the work, on one thread.
        gather_s: How long the first request of a pass waits for others.
        max_spans: No more are gathered once a pass holds this many.
        processors: Held while a pass is computed that somebody waits for in silence, so that
            nothing else slows it down. None: there is room for all.
    """

    def __init__(
        self,
        codec: Codec,
        gather_s: float = 0.003,
        max_spans: int = 32,
        processors: "threading.Lock | None" = None,
    ) -> None:
        self._codec = codec
        self.sample_rate, self.samples_per_frame = codec.sample_rate, codec.samples_per_frame
        # Rare, so not gathered.
        self.encode, self.speech_tokens = codec.encode, codec.speech_tokens
        self.speaker = codec.speaker
        self._processors = processors
        self._gather_s = gather_s
        self._max_spans = max_spans
        self._requests: list[_Request] = []
        self._gathered: Sequence[_Request] = ()  # for the pass that runs
        self._failures = 0  # in a row
        self.failure = ""
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="mira-codec", daemon=True)
        self._thread.start()

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        """See `Codec`; waits for the pass that holds these spans.

        Raises:
            SynthesisFailed: Also for the spans of another stream in the same pass, and after
                `close`.
            Cancelled: At once, also while the pass is computed.
        """
        if not spans:
            return []
        request = _Request(spans)
        with self._changed:
            if self._closed:
                raise SynthesisFailed("the codec is closed")
            self._requests.append(request)
            self._changed.notify_all()
        cancel = spans[0].cancel or Cancel()  # all are of one stream
        try:
            with cancel.waking(request.future.cancel):
                return request.future.result()
        except CancelledError:
            raise Cancelled from None

    def close(self) -> None:
        """Finish what was asked for, or wait CLOSE_S for it; calling it again does nothing.

        The codec within is closed too.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_S)
        with self._changed:
            left, self._requests = [*self._gathered, *self._requests], []
        for request in left:  # whoever waits for a pass that hangs
            with suppress(InvalidStateError):
                request.future.set_exception(SynthesisFailed("the codec is closed"))
        self._codec.close()

    def _run(self) -> None:
        while True:
            try:
                self._gathered = self._gather()
                if not self._gathered:
                    return  # closed
                self._answer(self._gathered)
                self._failures = 0
            except BaseException as error:  # noqa: BLE001 - carried over and raised in decode()
                self._fail(error, self._gathered)
            self._gathered = ()

    def _gather(self) -> list[_Request]:
        """Wait for the requests of the next pass; none when the codec is closed."""
        gathered: list[_Request] = []
        with self._changed:
            while not gathered:
                self._changed.wait_for(lambda: self._requests or self._closed)
                self._changed.wait_for(self._need_not_wait, self._gather_s)
                if not self._requests:
                    break
                room = self._max_spans
                for request in sorted(self._requests, key=_Request.rank):
                    if room > 0:
                        self._requests.remove(request)
                        if not request.future.cancelled():
                            room -= len(request.spans)
                            gathered.append(request)
        return gathered

    def _need_not_wait(self) -> bool:
        return self._closed or sum(len(r.spans) for r in self._requests) >= self._max_spans

    def _answer(self, gathered: Sequence[_Request]) -> None:
        spans = [span for request in gathered for span in request.spans]
        silent = any(span.playback and span.playback.silent for span in spans)
        with self._processors if self._processors and silent else nullcontext():
            blocks = iter(self._codec.decode(spans))
        for request in gathered:
            rendered = [next(blocks) for _ in request.spans]
            with suppress(InvalidStateError):  # cancelled meanwhile
                request.future.set_result(rendered)

    def _fail(self, error: BaseException, gathered: Sequence[_Request]) -> None:
        """Tell the pass, or if there was none all who wait, and give up after too many in a row."""
        why = one_line(error)
        with self._changed:
            self._failures += 1
            if self._failures >= GIVE_UP_AFTER:
                self.failure = (
                    f"The codec failed {self._failures} times in a row, the last time with: {why}. "
                    "The process has to be started anew."
                )
            if not gathered:
                gathered, self._requests = self._requests, []
        for request in gathered:
            # An error each: raising one in several threads would join their tracebacks.
            failed = SynthesisFailed(why)
            failed.__cause__ = error
            with suppress(InvalidStateError):  # answered, or cancelled
                request.future.set_exception(failed)
