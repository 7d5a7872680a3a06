"""What happened in, numbers out: for Prometheus and for people.

Knows nothing about HTTP. One per app, so two apps in a process do not add up. Used on the event
loop only.
"""

import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from mira.stream.clock import StreamClock

RECENT = 1000  # streams that the percentiles are over
NAMED_VOICES = 100
"""Voices that are counted by name: uploads choose the names, and each is a series in Prometheus."""
OTHERS = "(others)"  # no voice can be called so

TTFA_BUCKETS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5)
RTF_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5)


class Telemetry:
    """Counts what a service did since it started."""

    def __init__(self) -> None:
        self.started_at = time.time()
        self.uses: Tally[str] = Tally()
        """Requests that were spoken, by voice: those that spoke last, and OTHERS."""
        self.cancelled = 0
        self.failures: Tally[str] = Tally()  # by kind
        self.audio_s = 0.0
        self.underruns = 0
        self.substituted = 0
        self.incidents: Mapping[str, int] = {}
        self._recent_ttfa_ms: deque[float] = deque(maxlen=RECENT)
        self._recent_rtf: deque[float] = deque(maxlen=RECENT)

        self.registry = CollectorRegistry()
        self._requests = Counter(
            "mira_requests", "Requests that were spoken", ["voice"], registry=self.registry
        )
        self._ttfa = Histogram(
            "mira_time_to_first_audio_seconds",
            "Request accepted to first chunk ready",
            buckets=TTFA_BUCKETS_S,
            registry=self.registry,
        )
        self._rtf = Histogram(
            "mira_real_time_factor",
            "Work seconds per audio second",
            buckets=RTF_BUCKETS,
            registry=self.registry,
        )
        self._underruns = Counter(
            "mira_underruns", "Moments a listener ran dry", registry=self.registry
        )
        self._audio = Counter("mira_audio_seconds", "Audio made", registry=self.registry)
        self._cancelled = Counter(
            "mira_cancellations", "Streams the listener left", registry=self.registry
        )
        self._errors = Counter("mira_errors", "Failures by kind", ["kind"], registry=self.registry)
        self._substituted = Counter(
            "mira_voice_substitutions",
            "Requests that the default voice stood in for",
            registry=self.registry,
        )
        self._active = Gauge("mira_active_streams", "Streams speaking now", registry=self.registry)
        self._most = Gauge(
            "mira_max_streams", "Streams that may speak at once, as found", registry=self.registry
        )
        self._free = Gauge(
            "mira_free_streams", "Streams that could begin now", registry=self.registry
        )

    def watch(self, incidents: Mapping[str, int]) -> None:
        """Show an engine's own counts of what went wrong and was dealt with, by kind."""
        self.incidents = incidents
        self.registry.register(_Incidents(incidents))

    def substitution(self) -> None:
        """The default voice stands in for one that was not found."""
        self.substituted += 1
        self._substituted.inc()

    def first_audio(self, voice: str, clock: StreamClock) -> None:
        """A stream's first chunk is ready."""
        self._count_use(voice)
        if clock.ttfa_ms is not None:
            self._recent_ttfa_ms.append(clock.ttfa_ms)
            self._ttfa.observe(clock.ttfa_ms / 1000)

    def _count_use(self, voice: str) -> None:
        # Kept in the order in which they spoke last, so that the first is the one to forget.
        self.uses[voice] = self.uses.pop(voice, 0) + 1
        self._requests.labels(voice).inc()
        named = len(self.uses) - (OTHERS in self.uses)
        if named > NAMED_VOICES:
            oldest = next(name for name in self.uses if name != OTHERS)
            count = self.uses.pop(oldest)
            self.uses[OTHERS] += count
            self._requests.remove(oldest)
            self._requests.labels(OTHERS).inc(count)

    def ended(self, clock: StreamClock, *, cancelled: bool) -> None:
        """A stream ended, whichever way."""
        self.audio_s += clock.audio_s
        self._audio.inc(clock.audio_s)
        self.underruns += clock.underruns
        self._underruns.inc(clock.underruns)
        if cancelled:
            self.cancelled += 1
            self._cancelled.inc()
        if clock.rtf is not None:
            self._recent_rtf.append(clock.rtf)
            self._rtf.observe(clock.rtf)

    def failed(self, kind: str) -> None:
        """A request or stream failed."""
        self.failures[kind] += 1
        self._errors.labels(kind).inc()

    def prometheus(self, active: int, free: int, most: int) -> bytes:
        """The text exposition format.

        Args:
            active: Streams speaking now.
            free: Streams that could begin now.
            most: Streams that may speak at once.
        """
        self._active.set(active)
        self._most.set(most)
        self._free.set(free)
        return generate_latest(self.registry)

    def percentiles(self) -> dict[str, dict[str, float] | None]:
        """Over the last thousand streams; None before the first."""
        return {
            "ttfa_ms": _percentiles(self._recent_ttfa_ms),
            "rtf": _percentiles(self._recent_rtf),
        }


class _Incidents(Collector):
    """Counts that somebody else keeps, read when Prometheus asks."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "mira_incidents", "Sentences begun anew or cut off", labels=["kind"]
        )
        for kind, count in dict(self._counts).items():
            family.add_metric([kind], count)
        yield family


def _percentiles(values: Sequence[float] | deque[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = np.percentile(np.asarray(values), (50, 95, 99))
    return {name: round(float(value), 4) for name, value in zip(("p50", "p95", "p99"), found)}
