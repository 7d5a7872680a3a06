"""A text that comes in parts: pushed on the event loop, read on a stream's thread.

Knows nothing about how it is spoken.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

from mira.errors import InvalidRequest
from mira.stream.cancel import Cancel
from mira.stream.playback import URGENT_S, Playback
from mira.text import Mark

LONGEST_WHOLE_CHARS = 500  # of a text that somebody may want to see as a whole


class Incoming:
    """Parts of one text, cut anywhere.

    What is not a whole sentence waits for more, but not for ever: after `patience_s` it is spoken
    as it stands, as soon as its listener has nothing else to hear.

    Args:
        cancel: The stream's: it ends the text too.
        max_chars: Longest text, all parts together.
        patience_s: How long a part may wait; 0: each is spoken as it stands, None: for ever.
        now: The clock, in seconds.
    """

    def __init__(
        self,
        cancel: Cancel,
        max_chars: int,
        patience_s: float | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._cancel = cancel
        self._max_chars = max_chars
        self._patience_s = patience_s
        self._now = now
        self._chars = 0
        self._said: list[str] = []
        self._whole = True  # nothing but its end has cut it so far
        self._flushed = False
        self.ended = asyncio.Event()
        """Set once no part follows."""
        self._parts: SimpleQueue[str | Mark | None] = SimpleQueue()
        self._waiting: deque[tuple[int, float]] = deque()
        """Where parts end that may not have been spoken, and when each came."""
        self.playback = Playback()
        """Its listener's: says how much of it has been read, and what is left to hear of that."""
        self._idle = False  # and whoever reads knows it

    @property
    def whole(self) -> str | None:
        """All of the text, once it has ended; None if it goes on, is long, or was flushed between
        two parts, which then are not spoken as they would be together."""
        known = self.ended.is_set() and self._whole and self._chars <= LONGEST_WHOLE_CHARS
        return "".join(self._said) if known else None

    def push(self, part: str) -> None:
        """Add what is to be said next.

        Raises:
            InvalidRequest: The text grew too long.
        """
        if self._chars + len(part) > self._max_chars:
            raise InvalidRequest(
                f"input: the text is too long. All its parts together have at most "
                f"{self._max_chars} characters: begin another one.",
                "input",
                "string_above_max_length",
            )
        self._chars += len(part)
        if part and self._chars <= LONGEST_WHOLE_CHARS:
            self._whole = self._whole and not self._flushed
            self._flushed = self._patience_s == 0
            self._said.append(part)
        if part:  # any number of empty ones is within the limit
            if self._patience_s:
                self._waiting.append((self._chars, self._now()))
            self._parts.put(part)
            if self._patience_s == 0:
                self._parts.put(Mark.DUE)

    def flush(self) -> None:
        """Have all that came spoken as it stands; a block says when it has been."""
        self._flushed = True
        self._parts.put(Mark.FLUSH)

    def end(self) -> None:
        """Say that no part follows."""
        self.ended.set()
        self._parts.put(None)

    def __iter__(self) -> Iterator[str | Mark]:
        """Yield the parts, each as soon as it comes, and what has to be known between them."""
        with self._cancel.waking(lambda: self._parts.put(None)):
            while (part := self._next()) is not None:
                self._idle = part is Mark.IDLE
                yield part

    def _next(self) -> str | Mark | None:
        with suppress(Empty):
            return self._parts.get_nowait()
        if not self._idle:
            return Mark.IDLE
        due_in_s, number = self._due_in_s(), len(self._waiting)
        try:
            return self._parts.get(timeout=due_in_s)
        except Empty:
            for _ in range(number):  # not all: another may have just been pushed
                self._waiting.popleft()
            return Mark.DUE

    def _due_in_s(self) -> float | None:
        """Return for how long the oldest part that waits may still do so; None: there is none."""
        while self._waiting and self._waiting[0][0] <= self.playback.read_chars:
            self._waiting.popleft()
        if not self._waiting or self._patience_s is None:
            return None
        left_s = self._patience_s - (self._now() - self._waiting[0][1])
        return max(0.0, left_s, (self.playback.left_s() or 0.0) - URGENT_S)
