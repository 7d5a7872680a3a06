"""Sentences' blocks of samples in, the same blocks out, computed ahead of whoever takes them.

While one sentence is being listened to, the next is computed on a thread of its own, but never
further ahead than a given length of audio: an interrupted call has then wasted little, and a
thousand seconds of text take no more memory than one.

Knows nothing about text, voices or sockets.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from mira.stream.listening import Listener
from mira.stream.turns import Ticket, Turns
from mira.types import Samples


class Interrupt:
    """Ends a stream from another thread, at once, even while it waits for its next block."""

    def __init__(self) -> None:
        self.called = False
        self._stop: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """End the stream, or let it never begin; calling it again does nothing."""
        with self._lock:
            self.called, stop = True, self._stop
        if stop is not None:
            stop()

    def on(self, stop: Callable[[], None]) -> None:
        """Say how the stream is ended."""
        with self._lock:
            self._stop = stop
        if self.called:
            stop()


def ahead(
    parts: Iterator[Generator[Samples, None, None]],
    sample_rate: int,
    lead_s: float,
    turns: Turns,
    interrupt: Interrupt,
    listener: Listener | None = None,
) -> Generator[Samples, None, None]:
    """Yield the parts' blocks in order, while a thread computes up to `lead_s` seconds ahead.

    A consumer that takes blocks as fast as they come is never held back; one that plays them in
    real time finds the next one waiting. Closing stops the thread at its next block, closes the
    part there, and returns when that has happened, unless it is a next part that is waited for:
    then at once. Empty blocks are dropped: a part yields them to be stopped sooner, and to let
    others compute.

    Args:
        parts: May wait, for text: it is asked for the next part without a turn. All of it and its
            parts runs on the new thread.
        sample_rate: Of the blocks, in Hz.
        lead_s: Above 0. A block that begins within it is still computed.
        turns: Taken for each block.
        interrupt: Ends it as if there were no more blocks.
        listener: Told what there is to play, block by block, and when it is text that is missing.

    Raises:
        Whatever `parts` or one of them raises, after the blocks before it.
    """
    buffer = _Buffer(sample_rate, lead_s, Ticket(turns, listener))
    interrupt.on(buffer.stop)
    thread = threading.Thread(target=buffer.fill, args=(parts,), name="mira-ahead", daemon=True)
    thread.start()
    try:
        while (block := buffer.take()) is not None:
            yield block
    finally:
        buffer.stop()
        if buffer.settle():
            thread.join()


class _Buffer:
    def __init__(self, sample_rate: int, lead_s: float, ticket: Ticket) -> None:
        self._sample_rate = sample_rate
        self._limit = max(1, int(lead_s * sample_rate))  # samples; with none it would never begin
        self._ticket = ticket
        self._blocks: deque[Samples] = deque()
        self._samples = 0
        self._waiting = False  # for text; nothing is held meanwhile
        self._done = False  # no more blocks will come
        self._stopped = False  # nobody wants more
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def fill(self, parts: Iterator[Generator[Samples, None, None]]) -> None:
        error: BaseException | None = None
        try:
            while self._room() and (part := self._next(parts)) is not None:
                with closing(part):
                    self._compute(part)
        except BaseException as raised:  # noqa: BLE001 - carried over and raised in take()
            error = raised
        with self._changed:
            self._done, self._error = True, error
            self._changed.notify_all()

    def _next(
        self, parts: Iterator[Generator[Samples, None, None]]
    ) -> Generator[Samples, None, None] | None:
        self._wait(True)
        try:
            return next(parts, None)
        finally:
            self._wait(False)

    def _wait(self, waiting: bool) -> None:
        with self._changed:
            self._waiting = self._ticket.listener.waits_for_text = waiting
            self._changed.notify_all()

    def _compute(self, part: Generator[Samples, None, None]) -> None:
        while self._room() and self._ticket.wait():
            try:
                block = None if self._stopped else next(part, None)
            finally:
                self._ticket.done()
            if block is None:
                return
            if len(block):
                self._put(block)

    def _room(self) -> bool:
        """Wait until another block is wanted; False when none ever will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._samples < self._limit)
            return not self._stopped

    def _put(self, block: Samples) -> None:
        self._ticket.listener.takes(len(block) / self._sample_rate)
        with self._changed:
            self._blocks.append(block)
            self._samples += len(block)
            self._changed.notify_all()

    def take(self) -> Samples | None:
        with self._changed:
            self._changed.wait_for(lambda: self._blocks or self._done or self._stopped)
            if self._stopped:
                return None
            if self._blocks:
                block = self._blocks.popleft()
                self._samples -= len(block)
                self._changed.notify_all()
                return block
            if self._error is not None:
                raise self._error
            return None

    def settle(self) -> bool:
        """Wait until nothing is computed any more.

        Returns:
            Whether the thread ends now. Else it waits for text, which may never come.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._done or self._waiting)
            return self._done

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._ticket.cancel()
        self._ticket.listener.leaves()
