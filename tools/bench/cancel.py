"""Hanging up in the middle, over loopback HTTP: how soon the service has its place back.

free p50 ms   the client closes its connection -> no stream is active
free p95 ms
free max ms
"""

import json
import time
from contextlib import closing

from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running, speech_request
from mira.cli.bench.texts import sentences
from mira.errors import SynthesisFailed

ROUNDS = 30
PATIENCE_S = 10.0


def hang_up(service: Service, number: int) -> float:
    """Ask for a long answer, leave at its first audio; ms until nobody is spoken to."""
    with closing(service.connect()) as connection, closing(service.connect()) as watch:
        watch.request("GET", "/health")
        watch.getresponse().read()  # so that what is measured is no connecting
        connection.request("POST", "/v1/audio/speech", *speech_request(sentences(20, number)))
        connection.getresponse().read1(1024)
        began = time.perf_counter()
        connection.close()
        while time.perf_counter() - began < PATIENCE_S:
            watch.request("GET", "/health")
            if json.load(watch.getresponse())["active_streams"] == 0:
                return (time.perf_counter() - began) * 1000
    raise SynthesisFailed(f"A stream was not over {PATIENCE_S:.0f} s after its client had left.")


def main(*serve: str) -> None:
    """Measure and print.

    Args:
        serve: Arguments of `mira serve`.
    """
    with running(*serve) as service:
        took = [hang_up(service, number) for number in range(ROUNDS)]
    row = {
        "hung up": len(took),
        "free p50 ms": percentile(took, 50),
        "free p95 ms": percentile(took, 95),
        "free max ms": max(took),
    }
    report("cancel", [row], serve=" ".join(serve))
