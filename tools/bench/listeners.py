"""Many listeners at once, each playing in real time, 24 kHz PCM over loopback HTTP.

A listener begins to play at its first byte, keeps about a second buffered, and reads no faster.
429              that the service refused, because it could not have kept them fed
underruns        moments at which one of them had nothing left to play
late p95 ms      how long they lasted
ttfa             first byte, all having asked in the same moment
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running
from mira.cli.bench.texts import sentences
from mira.errors import SynthesisFailed

BYTES_PER_S = 48000.0
BUFFER_S = 1.0
SENTENCES = 10  # about half a minute


@dataclass(slots=True)
class Listener:
    """What one of them went through."""

    ttfa_ms: float = 0.0
    heard_s: float = 0.0
    late_ms: list[float] = field(default_factory=list)


async def listen(service: Service, text: str) -> Listener | None:
    """Ask for `text` and play it; None if the service refused because it was full."""
    body = json.dumps({"model": "m", "voice": "heart", "response_format": "pcm", "input": text})
    # A telephone's jitter buffer is small, and so is this client's.
    reader, writer = await asyncio.open_connection(service.host, service.port, limit=32768)
    head = f"POST /v1/audio/speech HTTP/1.1\r\nhost: {service.host}\r\nconnection: close\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    began = time.perf_counter()
    writer.write((head + body).encode())
    status = await reader.readuntil(b"\r\n\r\n")
    line = status.splitlines()[0]
    if b" 429 " in line:
        writer.close()
        return None
    if b" 200 " not in line:
        raise SynthesisFailed(f"An answer was {line.decode()}.")
    listener = Listener()
    plays_until = 0.0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        now = time.perf_counter()
        if not listener.heard_s:
            listener.ttfa_ms = (now - began) * 1000
            plays_until = now
        elif now > plays_until:
            listener.late_ms.append((now - plays_until) * 1000)
            plays_until = now
        listener.heard_s += size / BYTES_PER_S
        plays_until += size / BYTES_PER_S
        await asyncio.sleep(max(plays_until - now - BUFFER_S, 0))
    writer.close()
    return listener


async def crowd(service: Service, count: int) -> list[Listener]:
    """So many in the same moment, no two with the same text; those who were not refused."""
    texts = [sentences(SENTENCES, first) for first in range(count)]
    found = await asyncio.gather(*(listen(service, text) for text in texts))
    return [listener for listener in found if listener is not None]


def main(counts: Sequence[int], *serve: str) -> None:
    """Measure and print.

    Args:
        counts: How many at once; one row each.
        serve: Arguments of `mira serve`.
    """
    rows = []
    with running(*serve) as service:
        for count in counts:
            began = service.cpu_s()
            listeners = asyncio.run(crowd(service, count))
            cpu_s = service.cpu_s() - began
            late = [ms for listener in listeners for ms in listener.late_ms]
            heard_s = sum(listener.heard_s for listener in listeners)
            rows.append(
                {
                    "listeners": count,
                    "429": count - len(listeners),
                    "heard s": heard_s,
                    "underruns": len(late),
                    "late p95 ms": percentile(late, 95) if late else 0.0,
                    "ttfa p50 ms": percentile([one.ttfa_ms for one in listeners], 50),
                    "ttfa p95 ms": percentile([one.ttfa_ms for one in listeners], 95),
                    "cpu s / heard s": cpu_s / heard_s,
                }
            )
    report("listeners", rows, serve=" ".join(serve))
