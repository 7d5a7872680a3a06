"""Audible time-to-first-audio over loopback HTTP, 24 kHz PCM, one client at a time.

first byte ms   request sent -> first byte of audio received
silence ms      leading audio softer than -50 dB of full scale
audible ms      the sum: when a listener hears something

The same first sentences are sent alone and with 59 more behind them, taking turns.
"""

import time

import numpy as np

from bench.report import percentile, report
from bench.service import AUDIBLE, Service, running, speech_request
from bench.texts import REPLIES, sentences

ROUNDS = 5
SETTLE_S = 0.15  # what the abandoned stream before is still computing must not be measured


def first_audio(service: Service, text: str) -> tuple[float, float]:
    """Time to the first byte, and the silence that follows it, in ms. Then hangs up."""
    connection = service.connect()
    connection.connect()
    body, headers = speech_request(text)
    began = time.perf_counter()
    connection.request("POST", "/v1/audio/speech", body, headers)
    response = connection.getresponse()
    data = response.read1(65536)
    first_byte_ms = (time.perf_counter() - began) * 1000
    while not (loud := _audible(data)):
        data += response.read1(65536)
    connection.close()
    return first_byte_ms, (loud - 1) / 24


def _audible(data: bytes) -> int:
    """One more than the index of the first audible sample; 0 if there is none."""
    samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int32)
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
    return int(loud[0]) + 1 if len(loud) else 0


def main() -> None:
    """Measure and print."""
    found: dict[int, list[tuple[float, float]]] = {1: [], 60: []}
    with running() as service:
        for _ in range(ROUNDS):
            for first in range(len(REPLIES)):
                for count, measured in found.items():
                    measured.append(first_audio(service, sentences(count, first)))
                    time.sleep(SETTLE_S)
    rows = []
    for count, measured in found.items():
        audible = [byte + silence for byte, silence in measured]
        rows.append(
            {
                "sentences": count,
                "requests": len(measured),
                "first byte p50 ms": percentile([byte for byte, _ in measured], 50),
                "silence p50 ms": percentile([silence for _, silence in measured], 50),
                "audible p50 ms": percentile(audible, 50),
                "audible p95 ms": percentile(audible, 95),
                "audible max ms": max(audible),
            }
        )
    report("ttfa", rows)


if __name__ == "__main__":
    main()
