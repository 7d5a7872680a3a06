"""Audible time-to-first-audio over loopback HTTP, 24 kHz PCM, one client at a time.

first byte ms   asking, connecting included -> first byte of audio received
silence ms      leading audio softer than -50 dB of full scale
audible ms      the sum: when a listener hears something

The same first sentences are sent alone and with 59 more behind them, without and with
`word_timestamps`, taking turns.
"""

import time
from collections.abc import Mapping
from contextlib import closing

from mira.audio.pcm import from_s16le
from mira.cli.bench.arrivals import REPLIES, sentences
from mira.cli.bench.client import Client
from mira.cli.bench.command import Model, serve_arguments
from mira.cli.bench.listening import leading_silence
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running
from mira.errors import SynthesisFailed
from tools.word_times.answers import audio

ROUNDS = 5
SETTLE_S = 0.15  # what the abandoned stream before is still computing must not be measured


def main(model: Model = "") -> None:
    """One caller: when the first audio is heard."""
    with running(*serve_arguments(model)) as service:
        measure(service, {"model": model})


def measure(service: Service, about: Mapping[str, str], rounds: int = ROUNDS) -> None:
    """Measure a service, and print."""
    kinds = [(count, words) for count in (1, 60) for words in (False, True)]
    found: dict[tuple[int, bool], list[tuple[float, float]]] = {kind: [] for kind in kinds}
    with closing(Client(service.url)) as client:
        for _ in range(rounds):
            for first in range(len(REPLIES)):
                for (count, words), measured in found.items():
                    measured.append(first_audio(client, sentences(count, first), words))
                    time.sleep(SETTLE_S)
    rows = []
    for (count, words), measured in found.items():
        audible = [byte + silence for byte, silence in measured]
        rows.append(
            {
                "sentences": count,
                "words": words,
                "requests": len(measured),
                "first byte p50 ms": percentile([byte for byte, _ in measured], 50),
                "silence p50 ms": percentile([silence for _, silence in measured], 50),
                "audible p50 ms": percentile(audible, 50),
                "audible p95 ms": percentile(audible, 95),
                "audible max ms": max(audible),
            }
        )
    report("ttfa", rows, about)


def first_audio(client: Client, text: str, words: bool = False) -> tuple[float, float]:
    """Measure the time to the first byte and the silence that follows, in ms; then hang up."""
    began, first_at, data = time.perf_counter(), 0.0, b""
    with closing(audio(client, text, words)) as pieces:
        for at, piece in pieces:
            first_at, data = first_at or at, data + piece
            if (silence := leading_silence(from_s16le(data))) is not None:
                return (first_at - began) * 1000, silence / 24
    raise SynthesisFailed("An answer ended before anything in it could be heard.")
