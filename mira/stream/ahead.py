"""A stream's items in, the same items out, computed ahead of whoever takes them.

While one sentence is being listened to, the next is computed on a thread of its own, but never
further ahead than a given length of audio: an interrupted call has then wasted little, and a
thousand seconds of text take no more memory than one.

Knows nothing about text, voices or sockets.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Generic, TypeVar

from mira.stream.cancel import Cancel
from mira.stream.playback import Playback

log = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_ITEM_S = 30.0
"""How long an item that is being computed for nobody is waited for."""


class Ahead(Generic[T]):
    """One stream's thread, and what it has made so far.

    A taker that is as fast as the items come never holds them back; one that plays them in real
    time finds the next one waiting. A cancelled stream ends as if it had no more items.

    Args:
        items: Run and closed on the new thread.
        audio_s: How long an item plays, in seconds.
        lead_s: Above 0. An item that begins within it is still computed.
        playback: Says whether it is text that the items wait for.
        cancel: Ends it; where `items` look at it too, at once.
        ready: Called whenever `poll` or `busy` has something new to say, on the stream's thread or
            the one that cancels it.
    """

    def __init__(
        self,
        items: Generator[T, None, None],
        audio_s: Callable[[T], float],
        lead_s: float,
        playback: Playback,
        cancel: Cancel,
        ready: Callable[[], object] = lambda: None,
    ) -> None:
        self._items = items
        self._audio_s = audio_s
        self._lead_s = lead_s
        self._playback = playback
        self._cancel = cancel
        self._ready = ready
        self._made: deque[tuple[T, float]] = deque()
        self._made_s = 0.0
        self._done = False  # no more items will come
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="mira-ahead", daemon=True)
        self._thread.start()

    def poll(self) -> T | None:
        """Return the next item if it is there; None if not, and `ended` says whether it will be.

        Raises:
            Whatever the generator raised, once, after the items before it.
        """
        with self._changed:
            if self._cancel.cancelled:
                return None
            if self._made:
                item, audio_s = self._made.popleft()
                self._made_s -= audio_s
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    @property
    def ended(self) -> bool:
        """Whether `poll` will neither return nor raise anything more."""
        with self._changed:
            return self._cancel.cancelled or (self._done and not self._made and self._error is None)

    @property
    def busy(self) -> bool:
        """Whether anything is being computed. A stream that waits for text computes nothing, and
        never will once it is cancelled."""
        return not self._done and not self._playback.waits_for_text

    def __iter__(self) -> Iterator[T]:
        """Yield the items, each as soon as it is there."""
        while not self.ended:
            with self._changed:
                self._changed.wait_for(lambda: self._made or self._done or self._cancel.cancelled)
            item = self.poll()
            if item is not None:
                yield item

    def close(self) -> None:
        """Cancel what is left; return when nothing is `busy` with it any more."""
        self._cancel()
        if not self._playback.waits_for_text:
            self._thread.join(LONGEST_ITEM_S)
            if self._thread.is_alive():
                log.error("a stream computes %.0f s after its end: left alone", LONGEST_ITEM_S)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            with self._cancel.waking(self._wake), closing(self._items):
                self._cancel.check()
                for item in self._items:
                    self._put(item)
        except BaseException as raised:  # noqa: BLE001 - carried over and raised in poll()
            error = None if self._cancel.cancelled else raised
        with self._changed:
            self._done, self._error = True, error
            self._changed.notify_all()
        self._ready()

    def _put(self, item: T) -> None:
        """Hand over an item, and wait until another one is wanted."""
        audio_s = self._audio_s(item)
        with self._changed:
            self._made.append((item, audio_s))
            self._made_s += audio_s
            self._changed.notify_all()
        self._ready()
        with self._changed:
            self._changed.wait_for(lambda: self._cancel.cancelled or self._made_s < self._lead_s)
        self._cancel.check()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
        self._ready()
