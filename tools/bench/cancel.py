"""Hanging up in the middle, over loopback HTTP: how soon the service has its place back.

free p50 ms   the client closes its connection -> no stream is active
free p95 ms
free max ms
"""

import json
import time
from collections.abc import Mapping
from contextlib import closing

from mira.cli.bench.arrivals import sentences
from mira.cli.bench.client import Client
from mira.cli.bench.command import Model, serve_arguments
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running
from mira.errors import SynthesisFailed

ROUNDS = 30
PATIENCE_S = 10.0


def main(model: Model = "") -> None:
    """Callers who hang up in the middle: how soon the service has their places back."""
    with running(*serve_arguments(model)) as service:
        measure(service, {"model": model})


def measure(service: Service, about: Mapping[str, str], rounds: int = ROUNDS) -> None:
    """Measure a service, and print."""
    took = [hang_up(service, number) for number in range(rounds)]
    row = {
        "hung up": len(took),
        "free p50 ms": percentile(took, 50),
        "free p95 ms": percentile(took, 95),
        "free max ms": max(took),
    }
    report("cancel", [row], about)


def hang_up(service: Service, number: int) -> float:
    """Ask for a long answer, leave at its first audio; ms until nobody is spoken to."""
    with closing(Client(service.url)) as client, closing(service.connect()) as watch:
        watch.connect()  # so that what is measured is no connecting
        with closing(client.speak(sentences(20, number))) as pieces:
            next(pieces)
            began = time.perf_counter()
        while time.perf_counter() - began < PATIENCE_S:
            watch.request("GET", "/health")
            if json.load(watch.getresponse())["active_streams"] == 0:
                return (time.perf_counter() - began) * 1000
    raise SynthesisFailed(f"A stream was not over {PATIENCE_S:.0f} s after its client had left.")
