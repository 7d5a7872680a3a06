"""What happened in, numbers out: for Prometheus and for people.

Knows nothing about HTTP. One per app, so two apps in a process do not add up. Used on the event
loop only.
"""

import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mira.stream.clock import StreamClock
from mira.stream.phrases import Phrases

RECENT = 1000  # streams that the percentiles are over
NAMED_VOICES = 100
"""Voices that are counted by name: uploads choose the names, and each is a series in Prometheus."""
OTHERS = "(others)"  # no voice can be called so

Outcome = Literal["done", "interrupted", "failed", "dropped"]
"""How a turn ends: spoken, interrupted by its client, failed, or its socket is gone."""

TTFA_BUCKETS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5)
RTF_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5)


@dataclass(frozen=True, slots=True)
class Used:
    """What the holder of a key uses of its limits."""

    sockets: int  # open
    contexts: int
    characters: int  # since the start


class Telemetry(Collector):
    """Counts what a service did since it started; Prometheus reads the same counts.

    Args:
        phrases: Those that are kept; they count themselves.
    """

    def __init__(self, phrases: Phrases | None = None) -> None:
        self._phrases = Phrases() if phrases is None else phrases
        self.started_at = time.time()
        self.uses: Tally[str] = Tally()
        """Requests that were spoken, by voice: those that spoke last, and OTHERS."""
        self.cancelled = 0
        self.failures: Tally[str] = Tally()  # by kind
        self.audio_s = 0.0
        self.underruns = 0
        self.substituted = 0
        self.incidents: Mapping[str, int] = {}
        """An engine's own counts of what went wrong and was dealt with, by kind."""
        self.sockets: Tally[str] = Tally()
        """Open WebSockets, by protocol."""
        self.contexts = 0
        """Turns on them that are open: they have something to say, may get some or wait."""
        self.turns: Tally[str] = Tally()
        """Turns that are over and had something to say, by `Outcome`."""
        self.used: Callable[[], Mapping[str, Used]] = dict
        """Asked for what each key's holder uses, by the key's name."""
        self._gauges: tuple[tuple[str, str, int], ...] = ()
        self._recent_ttfa_ms: deque[float] = deque(maxlen=RECENT)
        self._recent_rtf: deque[float] = deque(maxlen=RECENT)
        self._recent_turn_ms: deque[float] = deque(maxlen=RECENT)
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._ttfa = Histogram(
            "mira_time_to_first_audio_seconds",
            "Request accepted to first chunk ready",
            buckets=TTFA_BUCKETS_S,
            registry=self.registry,
        )
        self._turn = Histogram(
            "mira_turn_first_audio_seconds",
            "The same of a socket's turns: there is text to say to first chunk ready",
            buckets=TTFA_BUCKETS_S,
            registry=self.registry,
        )
        self._rtf = Histogram(
            "mira_real_time_factor",
            "Seconds in which audio was being made per second of it",
            buckets=RTF_BUCKETS,
            registry=self.registry,
        )

    def first_audio(self, voice: str, clock: StreamClock) -> None:
        """Count a stream whose first chunk is ready."""
        # Kept in the order in which they spoke last, so that the first is the one to forget.
        self.uses[voice] = self.uses.pop(voice, 0) + 1
        if len(self.uses) - (OTHERS in self.uses) > NAMED_VOICES:
            self.uses[OTHERS] += self.uses.pop(next(name for name in self.uses if name != OTHERS))
        if clock.ttfa_ms is not None:
            self._recent_ttfa_ms.append(clock.ttfa_ms)
            self._ttfa.observe(clock.ttfa_ms / 1000)

    def ended(self, clock: StreamClock, *, cancelled: bool) -> None:
        """Count a stream that ended, whichever way."""
        self.audio_s += clock.audio_s
        self.underruns += clock.underruns
        self.cancelled += cancelled
        if clock.rtf is not None:
            self._recent_rtf.append(clock.rtf)
            self._rtf.observe(clock.rtf)

    def failed(self, kind: str) -> None:
        """Count a request or stream that failed."""
        self.failures[kind] += 1

    @contextmanager
    def socket(self, protocol: str) -> Iterator[None]:
        """Count a WebSocket as open while the block lasts."""
        self.sockets[protocol] += 1
        try:
            yield
        finally:
            self.sockets[protocol] -= 1

    @contextmanager
    def context(self) -> Iterator[None]:
        """Count a turn as open while the block lasts."""
        self.contexts += 1
        try:
            yield
        finally:
            self.contexts -= 1

    def turn_began(self, clock: StreamClock) -> None:
        """Count a turn whose first chunk is ready."""
        if clock.ttfa_ms is not None:
            self._recent_turn_ms.append(clock.ttfa_ms)
            self._turn.observe(clock.ttfa_ms / 1000)

    def prometheus(self, active: int, free: int, most: int) -> bytes:
        """Write the text exposition format.

        Args:
            active: Streams speaking now.
            free: Streams that could begin now.
            most: Streams that may speak at once.
        """
        self._gauges = (
            ("mira_active_streams", "Streams speaking now", active),
            ("mira_free_streams", "Streams that could begin now", free),
            ("mira_max_streams", "Streams that may speak at once, as found", most),
        )
        return generate_latest(self.registry)

    def percentiles(self) -> dict[str, dict[str, float] | None]:
        """Look at the last thousand streams; None before the first."""
        return {
            "ttfa_ms": _percentiles(self._recent_ttfa_ms),
            "turn_ttfa_ms": _percentiles(self._recent_turn_ms),
            "rtf": _percentiles(self._recent_rtf),
        }

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus reads, beside the histograms."""
        phrases = self._phrases
        for name, what, count in (
            ("mira_underruns", "Moments a listener ran dry", self.underruns),
            ("mira_audio_seconds", "Audio made", self.audio_s),
            ("mira_cancellations", "Streams the listener left", self.cancelled),
            ("mira_voice_substitutions", "Times the default voice stood in", self.substituted),
            ("mira_phrase_hits", "Sentences that were kept, and so not computed", phrases.hits),
            ("mira_phrase_misses", "Sentences that were computed, not kept", phrases.misses),
        ):
            yield CounterMetricFamily(name, what, count)
        for name, what, label, counts in (
            ("mira_requests", "Requests that were spoken", "voice", self.uses),
            ("mira_errors", "Failures by kind", "kind", self.failures),
            ("mira_incidents", "Sentences that a model garbled", "kind", self.incidents),
            ("mira_turns", "Turns of sockets that are over", "outcome", self.turns),
            ("mira_key_characters", "Characters taken", "key", self._of_keys("characters")),
        ):
            yield _labelled(CounterMetricFamily(name, what, labels=[label]), counts)
        now = (
            ("mira_contexts", "Open turns", self.contexts),
            ("mira_phrases", "Sentences that are kept", len(phrases)),
            ("mira_phrase_bytes", "Memory that they take", phrases.num_bytes),
        )
        for name, what, number in (*self._gauges, *now):
            yield GaugeMetricFamily(name, what, number)
        for name, what, label, counts in (
            ("mira_sockets", "Open WebSockets", "protocol", self.sockets),
            ("mira_key_sockets", "Open WebSockets", "key", self._of_keys("sockets")),
            ("mira_key_contexts", "Open turns", "key", self._of_keys("contexts")),
        ):
            yield _labelled(GaugeMetricFamily(name, what, labels=[label]), counts)

    def _of_keys(self, what: Literal["sockets", "contexts", "characters"]) -> dict[str, int]:
        return {name: getattr(used, what) for name, used in self.used().items()}


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, counts: Mapping[str, int]) -> Metric:
    for value, count in dict(counts).items():
        family.add_metric([value], count)
    return family


def _percentiles(values: Sequence[float] | deque[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = np.percentile(np.asarray(values), (50, 95, 99))
    return {name: round(float(value), 4) for name, value in zip(("p50", "p95", "p99"), found)}
