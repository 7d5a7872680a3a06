"""What is measured of a stream, defined once: time-to-first-audio, real-time factor, underruns.

Time-to-first-audio (TTFA): request accepted until its first chunk of audio is ready, ms.
Real-time factor (RTF): seconds in which a stream's audio was being made, per second of it; lower is
better. The wait for a turn to compute counts; waits for text and for the listener do not. So it is
known where the audio is made, and nowhere else.
Underrun: a moment at which a listener who began to play at the first audio has nothing left, though
there was text to speak.

Knows nothing about how the audio is made or sent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(slots=True)
class Player:
    """A listener who plays what there is, in real time, from the first audio on."""

    runs_dry_at: float | None = None
    """When all there is will have been played; None before there is any."""
    underruns: int = 0

    def takes(self, audio_s: float, now: float, excused_s: float = 0.0) -> float | None:
        """Credit `audio_s` seconds of audio that are there at `now`.

        Args:
            excused_s: How much later they may come, since there was no text to speak.

        Returns:
            How long before it would have run dry they came, in seconds; negative if it did: it
            waited, and goes on from here. None for the first.
        """
        left_s = self.left_s(now)
        head_room_s = None if left_s is None else left_s + excused_s
        if head_room_s is not None and head_room_s < 0:
            self.underruns += 1
        self.runs_dry_at = max(self.runs_dry_at or now, now) + audio_s
        return head_room_s

    def left_s(self, now: float) -> float | None:
        """Return the seconds still to play, negative if it has run dry; None before any audio."""
        return None if self.runs_dry_at is None else self.runs_dry_at - now


@dataclass(slots=True, eq=False)
class StreamClock:
    """Follows one stream. Call `ready` when a chunk is ready to leave, `sent` when it left."""

    LEAST_PACE: ClassVar[float] = 2 / 3
    """Share of real time at which a listener has to take audio so as not to fall behind."""

    now: Callable[[], float] = time.perf_counter
    text_wait_s: Callable[[], float] = lambda: 0.0
    """How long the stream has waited for its text so far, in seconds."""
    accepted_at: float = field(init=False)
    ttfa_ms: float | None = field(init=False, default=None)
    audio_s: float = field(init=False, default=0.0)
    work_s: float = field(init=False, default=0.0)
    chunks: int = field(init=False, default=0)  # ready so far
    held: bool = field(init=False, default=False)  # by the listener, who has not taken all yet
    head_room_s: float | None = field(init=False, default=None)
    """How long before the listener would have run dry the last chunk was ready, in seconds;
    negative if that was too late, None before the second."""
    behind_s: float = field(init=False, default=0.0)
    """How long the listener kept chunks waiting that one in real time would have taken; 0 again
    after a while at its pace. One that takes a long pause, or a little at a time, falls behind."""
    _player: Player = field(init=False, default_factory=Player)
    _ready_at: float = field(init=False)
    _chunk_s: float = field(init=False, default=0.0)
    _in_hand_s: float = field(init=False, default=0.0)  # when the last chunk was ready
    _text_wait_s: float = field(init=False, default=0.0)  # until then

    def __post_init__(self) -> None:
        self.accepted_at = self._ready_at = self.now()

    def ready(self, audio_s: float, work_s: float = 0.0) -> None:
        """Note that a chunk is ready: it plays for `audio_s` seconds, and took `work_s` to make."""
        now = self.now()
        if self.ttfa_ms is None:
            self.ttfa_ms = self.silent_s * 1000
        self._in_hand_s = max(0.0, self._player.left_s(now) or 0.0)
        self.head_room_s = self._player.takes(audio_s, now, self._excused_s)
        self._text_wait_s = self.text_wait_s()
        self._chunk_s = audio_s
        self.audio_s += audio_s
        self.work_s += work_s
        self.chunks += 1
        self.held = True
        self._ready_at = now

    def aside(self) -> None:
        """Note that something without audio is ready to leave: how long the listener takes for it
        counts, and nothing else."""
        now = self.now()
        self._in_hand_s = max(0.0, self._player.left_s(now) or 0.0)
        self._chunk_s = 0.0
        self.held = True
        self._ready_at = now

    def kept_back(self, for_s: float) -> None:
        """Note that a part of what is ready is kept back for so long, so as not to leave too early:
        its listener could not have taken it sooner."""
        self._ready_at += for_s

    def sent(self) -> None:
        """Note that the chunk left. A listener that took it late has all of it still to play: to be
        kept waiting by the listener is no underrun."""
        now = self.now()
        forgiven_s = self._chunk_s * (1 / self.LEAST_PACE - 1)
        self.behind_s = max(0.0, self._overdue_s(now) - forgiven_s)
        if self._player.runs_dry_at is not None:  # otherwise there was no audio yet
            self._player.runs_dry_at = max(self._player.runs_dry_at, now + self._chunk_s)
        self.held = False
        self._ready_at = now

    def done(self) -> None:
        """Note that no more chunks come: when the listener takes what is left is up to it alone."""
        self.held = True

    def patience_left_s(self, patience_s: float) -> float:
        """Return for how many seconds a listener may still keep the chunk waiting that is ready, so
        as not to be more than `patience_s` behind; negative if it is."""
        return patience_s - self._overdue_s(self.now())

    def _overdue_s(self, now: float) -> float:
        """Add to `behind_s` how long the chunk has waited beyond the end of those before it."""
        return self.behind_s + (now - self._ready_at) - self._in_hand_s

    @property
    def _excused_s(self) -> float:
        return self.text_wait_s() - self._text_wait_s

    @property
    def silent_s(self) -> float:
        """Seconds since the request, without waits for text."""
        return self.now() - self.accepted_at - self.text_wait_s()

    @property
    def left_s(self) -> float | None:
        """Seconds that the listener still has to play, negative if it has run dry though there was
        text; None before it has heard anything."""
        left_s = self._player.left_s(self.now())
        return None if left_s is None else left_s + self._excused_s

    @property
    def underruns(self) -> int:
        """Number of moments at which the listener had nothing left."""
        return self._player.underruns

    @property
    def rtf(self) -> float | None:
        """Real-time factor so far; None before any audio."""
        return self.work_s / self.audio_s if self.audio_s else None
