"""What the holder of a key uses of what it may: sockets, contexts, characters in a minute.

Knows nothing about keys or requests. Used on the event loop only.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from mira.errors import InvalidRequest, Overloaded

MINUTE_S = 60
LONGEST_RETRY_S = 60  # that OpenAI's clients wait

Held = Literal["socket", "context"]


class Allowance:
    """Counts, and refuses what would be over a limit.

    Args:
        now: A monotonic clock, s.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.held: Counter[Held] = Counter()
        self.said = 0
        """Characters that were to be spoken, in all."""
        self._seconds: deque[tuple[int, int]] = deque()  # second, characters in it; oldest first
        self._characters = 0  # in all of them

    @contextmanager
    def holding(self, what: Held, most: int | None) -> Iterator[None]:
        """Count one more as long as the block lasts.

        Raises:
            Overloaded: There are as many as may be.
        """
        if most is not None and self.held[what] >= most:
            raise Overloaded(f"This key's {what}s are all in use: {most} at once. Close one.")
        self.held[what] += 1
        try:
            yield
        finally:
            self.held[what] -= 1

    def say(self, characters: int, most: int | None) -> None:
        """Count characters that are to be spoken.

        Raises:
            InvalidRequest: They are more than any minute has.
            Overloaded: They are more than this minute has left.
        """
        if most is None:
            self.said += characters
            return
        if characters > most:
            raise InvalidRequest(
                f"input: {characters} characters are more than this key may have spoken in a "
                f"minute, {most}. Send less at once.",
                "input",
                "string_above_max_length",
            )
        now = self._now()
        self._forget(math.floor(now))
        if self._characters + characters > most:
            wait_s = self._wait_s(self._characters + characters - most, now)
            raise Overloaded(
                f"This key may have {most} characters spoken in a minute, and "
                f"{self._characters} were. Try again in {wait_s} s.",
                wait_s,
            )
        self._characters += characters
        self.said += characters
        second = math.floor(now)
        if self._seconds and self._seconds[-1][0] == second:
            characters += self._seconds.pop()[1]
        self._seconds.append((second, characters))

    def left(self, most: int) -> int:
        """Tell how many of this minute's characters are left."""
        self._forget(math.floor(self._now()))
        return max(0, most - self._characters)

    def _forget(self, second: int) -> None:
        """Drop what is over a minute old; a second is, when the last moment of it is."""
        while self._seconds and second - self._seconds[0][0] > MINUTE_S:
            self._characters -= self._seconds.popleft()[1]

    def _wait_s(self, over: int, now: float) -> int:
        """Tell in how many seconds so many characters are forgotten."""
        end = now
        for second, characters in self._seconds:
            end, over = second + MINUTE_S + 1, over - characters
            if over <= 0:
                break
        return min(max(math.ceil(end - now), 1), LONGEST_RETRY_S)
