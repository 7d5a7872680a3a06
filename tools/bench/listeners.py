"""Many listeners at once, each playing in real time, 24 kHz PCM over loopback HTTP.

A listener begins to play at its first byte, keeps about a second buffered, and reads no faster.
429              that the service refused, because it could not have kept them fed
underruns        moments at which one of them had nothing left to play
late p95 ms      how long they lasted
ttfa             first byte, all having asked in the same moment
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from mira.cli.bench.arrivals import sentences
from mira.cli.bench.client import Client, Problem
from mira.cli.bench.command import Model, numbers, serve_arguments
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running
from mira.stream.clock import Player
from tools.word_times.answers import audio

BYTES_PER_S = 48000.0
BUFFER_S = 1.0
SENTENCES = 10  # about half a minute


@dataclass(slots=True)
class Heard:
    """What one of them went through."""

    ttfa_ms: float = 0.0
    audio_s: float = 0.0
    late_ms: list[float] = field(default_factory=list)


def main(model: Model = "", counts: str = "1,8,32", words: bool = False) -> None:
    """Many callers in the same moment, who listen in real time; `--words` asks for word times."""
    asked = numbers("--counts", counts, int)
    with running(*serve_arguments(model)) as service:
        measure(service, {"model": model}, asked, words)


def measure(
    service: Service, about: Mapping[str, str], counts: Sequence[int], words: bool = False
) -> None:
    """Measure a service with so many at once, one count after another, and print."""
    rows = []
    for count in counts:
        began_s = cpu_s(service)
        found = crowd(service, [sentences(SENTENCES, first) for first in range(count)], words)
        late_ms = [ms for one in found for ms in one.late_ms]
        heard_s = sum(one.audio_s for one in found)
        rows.append(
            {
                "listeners": count,
                "words": words,
                "429": count - len(found),
                "heard s": heard_s,
                "underruns": len(late_ms),
                "late p95 ms": percentile(late_ms, 95) or 0.0,
                "ttfa p50 ms": percentile([one.ttfa_ms for one in found], 50),
                "ttfa p95 ms": percentile([one.ttfa_ms for one in found], 95),
                "cpu s / heard s": (cpu_s(service) - began_s) / heard_s,
            }
        )
    report("listeners", rows, about)


def cpu_s(service: Service) -> float:
    """Read how many seconds its threads have computed, all together."""
    times = service.process.cpu_times()
    return float(times.user + times.system)


def crowd(service: Service, texts: Sequence[str], words: bool = False) -> list[Heard]:
    """Let one listen to each text, all in the same moment; drop those that were refused."""
    gate = threading.Barrier(len(texts))

    def one(text: str) -> Heard | None:
        gate.wait()
        return listen(client, text, words)

    with closing(Client(service.url)) as client, ThreadPoolExecutor(len(texts)) as pool:
        return [heard for heard in pool.map(one, texts) if heard is not None]


def listen(client: Client, text: str, words: bool = False) -> Heard | None:
    """Ask for `text` and play it; None if the service refused because it was full."""
    player, heard, asked_at = Player(), Heard(), time.perf_counter()
    try:
        for at, data in audio(client, text, words):
            room_s = player.takes(len(data) / BYTES_PER_S, at)
            if room_s is None:
                heard.ttfa_ms = (at - asked_at) * 1000
            elif room_s < 0:
                heard.late_ms.append(-room_s * 1000)
            heard.audio_s += len(data) / BYTES_PER_S
            time.sleep(max((player.left_s(at) or 0.0) - BUFFER_S, 0))
    except Problem as problem:
        if problem.kind == "429":
            return None
        raise
    return heard
