"""Reports of a start in, what is being done, how far it is, and how long it will take out.

Knows nothing of the work. Told from the thread that works, asked on the event loop.
"""

import math
import re
import time
from dataclasses import dataclass

SOON_S = 1  # nothing was said yet: the built-in voice is there in a moment
UNKNOWN_S = 10  # as long as nothing can be foreseen
MOST_S = 60  # OpenAI's clients take no longer wait for one, and then try again at once

_WHERE = re.compile(r" (?:from|to|at) ")


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done, and how much of it."""

    what: str
    done: int  # bytes
    total: int  # 0: not known
    left_s: float | None  # as foreseen when this was said


class Starting:
    """How far a start is."""

    def __init__(self) -> None:
        self.step: Step | None = None
        self._began = self._said = time.monotonic()
        self._first = 0

    def report(self, what: str, done: int, total: int) -> None:
        """See `mira.progress.Report`. Where, in `what`, is nobody's business over HTTP."""
        what = _WHERE.split(what, maxsplit=1)[0]  # a folder, or a hub's address with a password
        now = time.monotonic()
        if self.step is None or what != self.step.what or done < self._first:
            self._began, self._first = now, done
        gone = done - self._first
        left_s = (total - done) * (now - self._began) / gone if total and gone > 0 else None
        self.step, self._said = Step(what, done, total, left_s), now

    @property
    def left_s(self) -> float | None:
        """Seconds until what is being done is done; None: nobody knows."""
        step = self.step
        if step is None or step.left_s is None:
            return None
        return max(0.0, step.left_s - (time.monotonic() - self._said))

    @property
    def retry_after_s(self) -> int:
        """When it is worth asking again."""
        if self.step is None:
            return SOON_S
        left_s = self.left_s
        return UNKNOWN_S if left_s is None else min(MOST_S, max(SOON_S, math.ceil(left_s)))

    def __str__(self) -> str:
        """In a sentence, for whoever asks too early."""
        step, wait = self.step, self.retry_after_s
        again = f"Try again in {wait} seconds." if wait > 1 else "Try again in a second."
        if step is None:
            return f"The engine is still starting. {again}"
        share = f", {100 * step.done // step.total} %" if step.total else ""
        return f"The engine is still starting: {step.what}{share}. {again}"
