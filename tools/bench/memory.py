"""Start-up time, and memory under an hour of mixed load in two minutes.

The load is what a busy hour brings: short replies and long answers, every format, clients that
hang up, and wrong requests, eight at a time without a pause.
"""

import random
import threading
import time

from mira.cli.bench.report import report
from mira.cli.bench.service import Service, running, speech_request
from mira.cli.bench.texts import REPLIES, sentences

SECONDS = 120
CLIENTS = 8
FORMATS = ("pcm", "wav", "mp3", "opus", "aac", "flac", "ulaw", "alaw")


def one_call(service: Service, dice: random.Random) -> None:
    """A short reply, a long answer, a hang-up or a mistake."""
    connection = service.connect()
    kind = dice.choices(("short", "long", "hang up", "wrong"), (60, 10, 25, 5))[0]
    text = dice.choice(REPLIES) if kind == "short" else sentences(60, dice.randrange(60))
    fields: dict[str, object] = {"response_format": dice.choice(FORMATS)}
    if dice.random() < 0.3:
        fields |= {"speed": dice.choice((0.8, 1.2, 1.5)), "sample_rate": 16000}
    if kind == "wrong":
        fields["speed"] = 99
    connection.request("POST", "/v1/audio/speech", *speech_request(text, **fields))
    response = connection.getresponse()
    if kind == "hang up":
        response.read1(8192)
    else:
        response.read()
    connection.close()


def main(*serve: str) -> None:
    """Measure and print.

    Args:
        serve: Arguments of `mira serve`.
    """
    with running(*serve) as service:
        rows = [_row(service, 0.0)]
        ends_at = time.perf_counter() + SECONDS
        began = time.perf_counter()

        def client(seed: int) -> None:
            dice = random.Random(seed)
            while time.perf_counter() < ends_at:
                one_call(service, dice)

        threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while (now := time.perf_counter()) < ends_at:
            time.sleep(min(20, max(ends_at - now, 0)))
            rows.append(_row(service, time.perf_counter() - began))
        for thread in threads:
            thread.join()
    report("memory", rows, serve=" ".join(serve))


def _row(service: Service, at_s: float) -> dict[str, object]:
    stats = service.stats()
    return {
        "at s": round(at_s),
        "ready after s": service.ready_s,
        "rss MB": service.rss_mb(),
        "threads": service.process.num_threads(),
        "requests": stats["requests"],
        "hung up": stats["cancelled"],
        "audio min": float(str(stats["audio_s"])) / 60,
    }
