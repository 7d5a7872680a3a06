"""What is measured of a stream, defined once: time-to-first-audio, real-time factor, underruns.

Time-to-first-audio (TTFA): request accepted until its first chunk of audio is ready, ms.
Real-time factor (RTF): seconds that a stream waited for its audio, per second of it; lower is
better. Work that was done while the listener kept us waiting is not in it.
Underrun: a moment at which a listener who began to play at the first chunk has nothing left.

Knows nothing about how the audio is made or sent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(slots=True, eq=False)
class StreamClock:
    """Follows one stream. Call `ready` when a chunk is ready to leave, `sent` when it left."""

    LEAST_PACE: ClassVar[float] = 2 / 3
    """Of real time, at which a listener has to take audio so as not to fall behind."""

    now: Callable[[], float] = time.perf_counter
    accepted_at: float = field(init=False)
    ttfa_ms: float | None = field(init=False, default=None)
    audio_s: float = field(init=False, default=0.0)
    work_s: float = field(init=False, default=0.0)
    underruns: int = field(init=False, default=0)
    chunks: int = field(init=False, default=0)  # ready so far
    held: bool = field(init=False, default=False)  # by the listener, who has not taken all yet
    head_room_s: float | None = field(init=False, default=None)
    """How long before the listener would have run dry the last chunk was ready, in seconds;
    negative if that was too late, None before the second."""
    behind_s: float = field(init=False, default=0.0)
    """How long the listener kept chunks waiting that one in real time would have taken; 0 again
    after a while at its pace. One that takes a long pause, or a little at a time, falls behind."""
    _plays_until: float = field(init=False, default=0.0)
    _ready_at: float = field(init=False)
    _chunk_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.accepted_at = self._ready_at = self.now()

    def ready(self, audio_s: float) -> None:
        """A chunk that plays for `audio_s` seconds is ready; the time since `sent` was work."""
        now = self.now()
        self.work_s += now - self._ready_at
        if self.ttfa_ms is None:
            self.ttfa_ms = (now - self.accepted_at) * 1000
            self._plays_until = now
        else:
            self.head_room_s = self._plays_until - now
            if self.head_room_s < 0:
                self.underruns += 1
                self._plays_until = now  # the listener waited, and goes on from here
        self._plays_until += audio_s
        self._chunk_s = audio_s
        self.audio_s += audio_s
        self.chunks += 1
        self.held = True
        self._ready_at = now

    def sent(self) -> None:
        """The chunk left. Time that the listener let us wait is neither work nor an underrun: a
        chunk that it took late is still whole before it."""
        now = self.now()
        forgiven_s = self._chunk_s * (1 / self.LEAST_PACE - 1)
        self.behind_s = max(0.0, self._overdue_s(now) - forgiven_s)
        self._plays_until = max(self._plays_until, now + self._chunk_s)
        self.held = False
        self._ready_at = now

    def done(self) -> None:
        """No more chunks come: when the listener takes what is left is up to it alone."""
        self.held = True

    def patience_left_s(self, patience_s: float) -> float:
        """How long a listener may still keep the chunk that is ready waiting, in seconds, so as not
        to be more than `patience_s` behind; negative if it is."""
        return patience_s - self._overdue_s(self.now())

    def _overdue_s(self, now: float) -> float:
        """`behind_s`, with what the chunk that is ready has waited beyond the end of the others."""
        return self.behind_s + (now - self._ready_at) - max(self.head_room_s or 0.0, 0.0)

    @property
    def left_s(self) -> float | None:
        """What the listener still has to play, in seconds, negative if it has run dry; None: it
        has heard nothing yet."""
        return None if self.ttfa_ms is None else self._plays_until - self.now()

    @property
    def rtf(self) -> float | None:
        """Real-time factor so far; None before any audio."""
        return self.work_s / self.audio_s if self.audio_s else None
