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

    what: str = "starting"
    done: int = 0  # bytes
    total: int = 0  # 0: not known
    until: float | None = None  # as foreseen, on the monotonic clock


class Starting:
    """How far a start is."""

    def __init__(self) -> None:
        self.step = Step()
        self._began = time.monotonic()
        self._first = 0

    def report(self, what: str, done: int, total: int) -> None:
        """See `mira.progress.Report`. Where, in `what`, is nobody's business over HTTP."""
        what = _WHERE.split(what, maxsplit=1)[0]  # a folder, or a hub's address with a password
        now = time.monotonic()
        if what != self.step.what or done < self._first:
            self._began, self._first = now, done
        gone = done - self._first
        until = now + (total - done) * (now - self._began) / gone if total and gone > 0 else None
        self.step = Step(what, done, total, until)

    @property
    def left_s(self) -> float | None:
        """Seconds until what is being done is done; None: nobody knows."""
        until = self.step.until
        return None if until is None else max(0.0, until - time.monotonic())

    @property
    def retry_after_s(self) -> int:
        """Seconds after which it is worth asking again."""
        if self.step == Step():
            return SOON_S
        left_s = self.left_s
        return UNKNOWN_S if left_s is None else min(MOST_S, max(SOON_S, math.ceil(left_s)))

    def __str__(self) -> str:
        """Say it in a sentence, to whoever asks too early."""
        step, wait_s = self.step, self.retry_after_s
        share = f", {100 * step.done // step.total} %" if step.total else ""
        doing = "" if step == Step() else f": {step.what}{share}"
        again = f"{wait_s} seconds" if wait_s > 1 else "a second"
        return f"The engine is still starting{doing}. Try again in {again}."
