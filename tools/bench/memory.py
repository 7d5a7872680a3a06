"""Start-up time, and memory under an hour of mixed load in two minutes.

The load is what a busy hour brings: short replies and long answers, every format, clients that
hang up, and wrong requests, eight at a time without a pause.
"""

import random
import threading
import time
from contextlib import closing, suppress

from mira.cli.bench.arrivals import REPLIES, sentences
from mira.cli.bench.client import Client, Problem
from mira.cli.bench.command import Model, serve_arguments
from mira.cli.bench.report import report
from mira.cli.bench.service import Service, running

SECONDS = 120
CLIENTS = 8
FORMATS = ("pcm", "wav", "mp3", "opus", "aac", "flac", "ulaw", "alaw")


def one_call(client: Client, dice: random.Random) -> None:
    """Ask for a short reply or a long answer, hang up, or make a mistake."""
    kind = dice.choices(("short", "long", "hang up", "wrong"), (60, 10, 25, 5))[0]
    text = dice.choice(REPLIES) if kind == "short" else sentences(60, dice.randrange(60))
    fields: dict[str, object] = {"response_format": dice.choice(FORMATS)}
    if dice.random() < 0.3:
        fields |= {"speed": dice.choice((0.8, 1.2, 1.5)), "sample_rate": 16000}
    if kind == "wrong":
        fields["speed"] = 99
    with suppress(Problem), closing(client.speak(text, fields)) as pieces:
        for _ in pieces:
            if kind == "hang up":
                break


def main(model: Model = "") -> None:
    """Play a busy hour in two minutes: start, memory, threads."""
    with (
        running(*serve_arguments(model)) as service,
        closing(Client(service.url)) as connections,
    ):
        rows = [_row(service, 0.0)]
        ends_at = time.perf_counter() + SECONDS
        began = time.perf_counter()

        def client(seed: int) -> None:
            dice = random.Random(seed)
            while time.perf_counter() < ends_at:
                one_call(connections, dice)

        threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while (now := time.perf_counter()) < ends_at:
            time.sleep(min(20, max(ends_at - now, 0)))
            rows.append(_row(service, time.perf_counter() - began))
        for thread in threads:
            thread.join()
    report("memory", rows, {"model": model})


def _row(service: Service, at_s: float) -> dict[str, object]:
    stats = service.get("/stats")
    return {
        "at s": round(at_s),
        "ready after s": service.ready_s,
        "rss MB": service.process.memory_info().rss / 2**20,
        "threads": service.process.num_threads(),
        "requests": stats["requests"],
        "hung up": stats["cancelled"],
        "audio min": stats["audio_s"] / 60,
    }
