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


@dataclass(slots=True)
class StreamClock:
    """Follows one stream. Call `ready` when a chunk is ready to leave, `sent` when it left."""

    now: Callable[[], float] = time.perf_counter
    accepted_at: float = field(init=False)
    ttfa_ms: float | None = field(init=False, default=None)
    audio_s: float = field(init=False, default=0.0)
    work_s: float = field(init=False, default=0.0)
    underruns: int = field(init=False, default=0)
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
        elif now > self._plays_until:
            self.underruns += 1
            self._plays_until = now  # the listener waited, and goes on from here
        self._plays_until += audio_s
        self._chunk_s = audio_s
        self.audio_s += audio_s
        self._ready_at = now

    def sent(self) -> None:
        """The chunk left. Time that the listener let us wait is neither work nor an underrun: a
        chunk that it took late is still whole before it."""
        now = self.now()
        self._plays_until = max(self._plays_until, now + self._chunk_s)
        self._ready_at = now

    @property
    def rtf(self) -> float | None:
        """Real-time factor so far; None before any audio."""
        return self.work_s / self.audio_s if self.audio_s else None
