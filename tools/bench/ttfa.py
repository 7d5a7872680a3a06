"""Audible time-to-first-audio over loopback HTTP, 24 kHz PCM, one client at a time.

first byte ms   request sent -> first byte of audio received
silence ms      leading audio softer than -50 dB of full scale
audible ms      the sum: when a listener hears something

The same first sentences are sent alone and with 59 more behind them, taking turns.
"""

import time

from mira.audio.pcm import from_s16le
from mira.cli.bench.playing import leading_silence
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running, speech_request
from mira.cli.bench.texts import REPLIES, sentences
from mira.errors import SynthesisFailed

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
    if response.status != 200:
        raise SynthesisFailed(f"An answer was {response.status} {response.reason}.")
    data = response.read1(65536)
    first_byte_ms = (time.perf_counter() - began) * 1000
    while (silence := leading_silence(from_s16le(data))) is None:
        if not (more := response.read1(65536)):
            raise SynthesisFailed("An answer ended before anything in it could be heard.")
        data += more
    connection.close()
    return first_byte_ms, silence / 24


def main(*serve: str) -> None:
    """Measure and print.

    Args:
        serve: Arguments of `mira serve`.
    """
    found: dict[int, list[tuple[float, float]]] = {1: [], 60: []}
    with running(*serve) as service:
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
    report("ttfa", rows, serve=" ".join(serve))
