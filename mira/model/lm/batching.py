"""Streams that come and go in, one step after another for all of them together out.

One thread plans each step: who is left, who has room in the cache, who is most urgent. Knows
nothing about what computes the step. Source: continuous batching, Orca, OSDI 2022; paged cache,
arXiv:2309.06180.
"""

import logging
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mira.errors import GIVE_UP_AFTER, NotReady, SynthesisFailed, one_line
from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.base import check_prompt, sayable
from mira.model.lm.sampler import Sampler, pick_all
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback, rank
from mira.types import Sampling

log = logging.getLogger(__name__)

TOKENS_AHEAD = 64  # that nobody took yet; a stream with so many waits
COMFORTABLE_S = 1.0  # left to play; while others are urgent, whoever has more waits
FIRST_RESTART_S = 0.1  # between attempts to bring a broken model back; doubled each time
CLOSE_S = 10.0  # for a step to end; one that hangs ends with the process


@dataclass(frozen=True, slots=True)
class Row:
    """One stream's part of a step."""

    ids: Sequence[int]  # what it reads, after what its pages hold
    past: int  # tokens that its pages hold
    pages: Sequence[int]  # in order


class Runner(Protocol):
    """Computes steps, on one thread; keeps what streams have read on numbered pages."""

    max_streams: int  # that share a step; more wait
    step_tokens: int  # that a step reads; a long prompt is read in several
    num_pages: int
    page_tokens: int  # on one
    max_context: int  # tokens of a stream, its prompt and what it says
    vocab_rows: int  # ids that can be read are in [0, vocab_rows)

    def step(self, rows: Sequence[Row]) -> npt.NDArray[np.float32]:
        """Read each row's ids, and compute the logits of what comes after the last of each.

        Returns:
            [rows, SPEECH_CODES + ends].

        Raises:
            Exception: Whatever breaks it; what the pages held is lost then.
        """

    def restart(self) -> None:
        """Begin anew with empty pages, after a step broke."""


@dataclass(slots=True, eq=False)
class _Stream:
    longest: int  # tokens that it reads at most
    sampler: Sampler
    playback: Playback
    cancel: Cancel
    news: threading.Condition  # notified when there is something for whoever reads it
    unread: list[int]  # ids that no step has read yet
    left: int  # tokens that it may still make
    past: int = 0
    pages: list[int] = field(default_factory=list)  # for all that it may ever read
    tokens: list[int] = field(default_factory=list)  # that nobody took yet
    ended: bool = False  # no more tokens will come
    error: Exception | None = None

    @property
    def urgency(self) -> tuple[int, float]:
        """Sorts the most urgent first."""
        return rank(self.playback)

    @property
    def comfortable(self) -> bool:
        """Whether it can wait for others."""
        left_s = self.playback.left_s()
        return left_s is not None and left_s > COMFORTABLE_S

    @property
    def worth_waking(self) -> bool:
        """Whether whoever reads it wants what there is."""
        count = len(self.tokens)
        return self.ended or count >= TOKENS_AHEAD or (count > 0 and self.playback.wants(count))


class BatchingLM:
    """A `LanguageModel` that steps all its streams in one batch.

    A stream gets pages for its longest possible run before it begins, so that none is ever
    stopped for want of memory; until there are enough it waits. When a step breaks, or the planning
    of one, every stream fails, and the runner is restarted until it computes again; meanwhile new
    ones are refused. After GIVE_UP_AFTER failures without a whole stream between them it is given
    up: see `failure`.

    Args:
        runner: Computes the steps; used on one thread, the model's own.
        vocabulary: Where its tokens are.
    """

    def __init__(self, runner: Runner, vocabulary: TokenMap) -> None:
        self._runner = runner
        self._columns = {i: column for column, i in enumerate(sayable(vocabulary))}
        self._first_speech = vocabulary.first_speech
        self.max_streams = runner.max_streams
        self._free = list(range(runner.num_pages))  # pages, in ascending order
        self._waiting: list[_Stream] = []
        self._running: list[_Stream] = []
        self._broken = self._closed = False
        self._failures = 0  # in a row
        self._failure = ""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)  # what the model's own thread waits for
        self._thread = threading.Thread(target=self._run, name="mira-lm", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """See `LanguageModel`."""
        return not self._broken and not self._closed

    @property
    def failure(self) -> str:
        """See `LanguageModel`."""
        return self._failure

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        """See `LanguageModel`."""
        check_prompt(prompt, self._runner.vocab_rows)
        longest = len(prompt) + sampling.max_new_tokens - 1  # the last one is never read
        if longest > self._runner.max_context:
            raise SynthesisFailed(
                f"a prompt of {len(prompt)} tokens and {sampling.max_new_tokens} new ones don't "
                f"fit into the {self._runner.max_context} of a stream"
            )
        # A repetition penalty counts what the prompt holds.
        seen = [self._columns[i] for i in prompt if i in self._columns]
        stream = _Stream(
            longest,
            Sampler(sampling, len(self._columns), seen),
            playback or Playback(),
            cancel or Cancel(),
            threading.Condition(self._lock),
            unread=list(prompt),
            left=sampling.max_new_tokens,
        )
        self._enter(stream)
        try:
            with stream.cancel.waking(lambda: self._wake(stream)):
                while tokens := self._take(stream):
                    yield from tokens
        finally:
            self._leave(stream)

    def close(self) -> None:
        """See `LanguageModel`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_S)
        with self._changed:
            self._fail("the language model is closed")  # whoever reads from a step that hangs

    def _enter(self, stream: _Stream) -> None:
        with self._changed:
            if self._closed:
                raise SynthesisFailed("the language model is closed")
            if self._failure:
                raise NotReady(self._failure)
            if self._broken:
                raise NotReady("The language model broke and is being restarted.")
            self._waiting.append(stream)
            self._changed.notify_all()

    def _take(self, stream: _Stream) -> list[int]:
        """Wait for tokens that are worth it; none when the stream has ended."""
        with self._changed:
            stream.news.wait_for(lambda: stream.cancel.cancelled or stream.worth_waking)
            stream.cancel.check()
            if stream.tokens:
                if len(stream.tokens) == TOKENS_AHEAD:  # it may go on
                    self._changed.notify_all()
                tokens, stream.tokens = stream.tokens, []
                return tokens
            if stream.error is not None:
                raise stream.error
            return []

    def _wake(self, stream: _Stream) -> None:
        with self._changed:
            stream.news.notify_all()

    def _leave(self, stream: _Stream) -> None:
        with self._changed:
            stream.ended = True
            if stream in self._waiting:
                self._waiting.remove(stream)
            self._changed.notify_all()  # its pages are free

    # What follows runs on the model's own thread.

    def _run(self) -> None:
        while not (self._closed or self._failure):
            try:
                if self._broken:
                    self._runner.restart()
                    self._runner.step([Row([self._first_speech], 0, [0])])
                    self._broken = False
                    log.warning("the language model is back")
                elif rows := self._next():
                    self._advance(rows, self._runner.step([row for _, row in rows]))
            except BaseException as error:  # noqa: BLE001 - whatever it is, the streams must know
                self._break(error)
        with self._changed:
            self._fail(self._failure or "the language model is closed")

    def _next(self) -> list[tuple[_Stream, Row]]:
        """Wait for something to compute, or until the model is closed."""
        with self._changed:
            while not self._closed:
                self._retire()
                if rows := self._plan():
                    return rows
                self._changed.wait()
            return []

    def _retire(self) -> None:
        """Take back the pages of whoever has ended, then give the most urgent theirs."""
        for stream in [stream for stream in self._running if stream.ended]:
            self._running.remove(stream)
            self._free = sorted(self._free + stream.pages)
        for stream in sorted(self._waiting, key=lambda stream: stream.urgency):
            needed = -(-stream.longest // self._runner.page_tokens)
            if len(self._running) == self.max_streams or needed > len(self._free):
                return  # nobody overtakes: a long stream would never get its turn
            # The lowest first: memory is touched, and so paid for, only as far as it is needed.
            stream.pages, self._free = self._free[:needed], self._free[needed:]
            self._waiting.remove(stream)
            self._running.append(stream)

    def _plan(self) -> list[tuple[_Stream, Row]]:
        able = [stream for stream in self._running if len(stream.tokens) < TOKENS_AHEAD]
        ranked = sorted(able, key=lambda stream: stream.urgency)
        if ranked and ranked[0].urgency[0] < 2:
            ranked = [stream for stream in ranked if not stream.comfortable]
        room = self._runner.step_tokens
        rows = []
        # Whoever speaks reads one token each. What room is left is for prompts.
        for stream in sorted(ranked, key=lambda stream: len(stream.unread) > 1):
            ids = stream.unread[:room]
            if ids:
                rows.append((stream, Row(ids, stream.past, stream.pages)))
                room -= len(ids)
        return rows

    def _advance(
        self, rows: Sequence[tuple[_Stream, Row]], logits: npt.NDArray[np.float32]
    ) -> None:
        if logits.shape != (len(rows), len(self._columns)):
            raise ValueError(f"logits of shape {logits.shape} for {len(rows)} rows")
        for stream, row in rows:
            stream.past += len(row.ids)
            del stream.unread[: len(row.ids)]
        saying = [number for number, (stream, _) in enumerate(rows) if not stream.unread]
        streams = [rows[number][0] for number in saying]
        if len(saying) < len(rows):
            logits = logits[saying]
        picks = pick_all([stream.sampler for stream in streams], logits)
        with self._changed:
            for stream, picked in zip(streams, picks, strict=True):
                self._say(stream, picked)
                if stream.worth_waking:
                    stream.news.notify_all()

    def _say(self, stream: _Stream, picked: int | None) -> None:
        if picked is None:
            stream.error = SynthesisFailed("the language model's output is not finite")
            stream.ended = True
            return
        if picked < SPEECH_CODES:
            stream.tokens.append(picked)
            stream.unread.append(self._first_speech + picked)
            stream.left -= 1
        if picked >= SPEECH_CODES or not stream.left:
            stream.ended = True
            self._failures = 0

    def _break(self, error: BaseException) -> None:
        """Fail all streams; give up after too many failures in a row."""
        log.error("the language model broke", exc_info=error)
        with self._changed:
            self._failures += 1
            if self._failures >= GIVE_UP_AFTER:
                self._failure = (
                    f"The language model failed {self._failures} times in a row, the last time "
                    f"with {one_line(error)}. The process has to be started anew."
                )
            elif self._broken:  # it could not be restarted
                wait_s = FIRST_RESTART_S * 2 ** (self._failures - 2)
                self._changed.wait_for(lambda: self._closed, wait_s)
            self._broken = True
            self._fail(f"the language model broke: {one_line(error)}")

    def _fail(self, why: str) -> None:
        for stream in [*self._waiting, *self._running]:
            # An error each: raising one in several threads would join their tracebacks.
            stream.error, stream.ended = SynthesisFailed(why), True
            stream.news.notify_all()
        # Made anew: what broke may have been the planning, and may have lost some.
        self._waiting, self._running = [], []
        self._free = list(range(self._runner.num_pages))
