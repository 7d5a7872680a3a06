"""How each stream fares in, how many there may be out.

A control loop without a measurement of its own: the signal is each stream's head-room, how long
before its listener would run dry the next chunk was ready. Knows nothing about places, queues or
sockets, and reads no clock but the one it is given. Used on the event loop only.

Down: listeners that run dry, or wait for their first audio, pull the limit towards a little below
how many there are, the more of them the harder, and never below how many are spoken to well.
Up: while callers want more than there is and everybody has head-room to spare; after trouble only
when a while has passed, which doubles each time that trouble comes back. Without such demand a bad
minute is forgotten.

A first chunk is soon made, and proves little. So few may begin at once, until more than that have
audio in hand: a burst is let in as fast as that, and no faster.
"""

import math
import time
from collections.abc import Callable

from mira.stream.clock import StreamClock

ROUND_S = 0.25  # between two looks at the streams
# How late the first two chunks may be: the one is waited for, and the other has little time because
# the first is short, which says little of how many streams there are.
START_S = 2.0
EASY_S = 1.0  # head-room to spare, from the third chunk on
SETTLE_S = 1.0  # between two steps down: those who are there stay until they are done
BACK_OFF = 0.85  # share of the streams, when they were too many, that the limit goes down to
TOLERATED = 0.1  # share of the streams that may stutter, for reasons of their own
DOUBT = 4  # streams: the fewer there are, the less does one that stutters prove
# Places more in a second, while there is demand and everybody is at ease: before any trouble, and
# after. What is computed in advance hides for seconds that there are too many streams.
GROWTH_PER_S, PROBE_PER_S = 1.0, 0.25
PRESSED_S = 10.0  # for which a caller who found no place counts as demand
PROBE_AFTER_S = (20.0, 320.0)  # without trouble, until more are tried again: at first; at most
EPISODE_S = 10.0  # steps down in shorter succession are about one and the same trouble
FORGET_S = 60.0  # in which most of what trouble taught is forgotten while there is no demand


class Capacity:
    """Finds from the streams that speak how many may.

    Args:
        least: Never fewer.
        most: Never more.
        first: Before anything is known.
        beginners: How many may be without audio in hand, while fewer than that have some.
        now: The clock, in seconds.
    """

    def __init__(
        self,
        least: int,
        most: int,
        first: int,
        beginners: int,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._least, self._most, self._beginners = least, most, beginners
        self._first = min(max(first, least), most)
        self._now = now
        self._streams: dict[StreamClock, float] = {}  # since when
        self._limit = float(self._first)
        self._looked_at = now()
        self._pressed_at = self._cut_at = -math.inf
        self._probe_after_s = PROBE_AFTER_S[0]

    @property
    def limit(self) -> int:
        """Number of streams that may speak at once as things are, in `least` to `most`."""
        self.look()
        return round(self._limit)

    @property
    def free(self) -> int:
        """Number of streams that could begin now."""
        proven = sum(map(_proven, self._streams))
        may_begin = max(self._beginners, proven) - (len(self._streams) - proven)
        return max(0, min(self.limit - len(self._streams), may_begin))

    def enter(self, stream: StreamClock) -> None:
        """Take in that a stream begins."""
        self.look()
        self._streams[stream] = self._now()

    def leave(self, stream: StreamClock) -> None:
        """Take in that it ended."""
        self.look()
        self._streams.pop(stream, None)

    def press(self) -> None:
        """Take in that a caller found no place."""
        self.look()
        self._pressed_at = self._now()

    def look(self) -> None:
        """Take in how the streams are; to be called whenever anything happens to one of them."""
        now = self._now()
        passed_s = now - self._looked_at
        if passed_s < ROUND_S:
            return
        self._looked_at = now
        suffering = sum(map(self._suffers, self._streams))
        if suffering > TOLERATED * len(self._streams):
            if now - self._cut_at >= SETTLE_S:
                self._cut(suffering, now)
        elif now - self._pressed_at < PRESSED_S:
            calm_s = now - self._cut_at  # infinite before any trouble
            if calm_s >= self._probe_after_s and all(map(_at_ease, self._streams)):
                rate = GROWTH_PER_S if calm_s == math.inf else PROBE_PER_S
                more = rate * min(passed_s, SETTLE_S)
                self._limit = min(self._limit + more, float(self._most))
        else:
            forgotten = min(1.0, passed_s / FORGET_S)
            self._limit += forgotten * max(0.0, self._first - self._limit)

    def _cut(self, suffering: int, now: float) -> None:
        count, calm_s = len(self._streams), now - self._cut_at
        if calm_s > EPISODE_S:
            # Soon after more streams were tried, it is these that were too many.
            shortest, longest = PROBE_AFTER_S
            again = calm_s < 3 * self._probe_after_s
            self._probe_after_s = min(2 * self._probe_after_s, longest) if again else shortest
        self._cut_at = now
        well = sum(stream.chunks > 0 and not self._suffers(stream) for stream in self._streams)
        floor = max(self._least, well, min(BACK_OFF * count, count - 1))
        certain = suffering / (count + DOUBT)
        self._limit -= certain * max(0.0, self._limit - floor)

    def _suffers(self, stream: StreamClock) -> bool:
        left_s = stream.left_s
        if left_s is None:
            return self._now() - self._streams[stream] - stream.text_wait_s() > START_S
        if stream.held:
            return False  # by its own listener, who has enough
        return min(left_s, stream.head_room_s or 0.0) < (-START_S if stream.chunks < 3 else 0)


def _proven(stream: StreamClock) -> bool:
    """Tell whether it has begun, and its listener has audio in hand."""
    return stream.held or ((stream.left_s or 0.0) >= EASY_S and _at_ease(stream))


def _at_ease(stream: StreamClock) -> bool:
    return stream.held or stream.chunks < 3 or (stream.head_room_s or 0.0) >= EASY_S
