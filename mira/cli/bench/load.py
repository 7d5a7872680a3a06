"""Open-loop load on any service with OpenAI's /v1/audio/speech: callers who don't wait their turn.

At each rate requests arrive as a Poisson process, whether or not those before are answered. Each
is for a short reply or a long answer, is read as fast as it comes, and is played in real time.

rate             requests a second, on average
requests         that were made
TTFA             when a listener hears something: from the moment that the request was due to the
                 first byte, and the silence (softer than -50 dB) that the audio begins with
RTF              seconds from then to the last byte / seconds of audio
underruns        moments at which a listener who plays from the first byte had nothing left,
                 counted from the first audible sample on
head-room        from the arrival of the second chunk to the end of the first one's audio;
                 see `playing.Played`
429              requests that the service refused because it was full
errors           other requests that failed, by kind: another status, not connected, timed out,
                 broken off, not audio, silent (nothing in the answer can be heard)
most open        requests that were open in one moment
client late ms   the longest that a request left this client after it was due; included in TTFA
overloaded       `max_open` requests were open, so no more were made, and no higher rate is tried

TTFA, RTF, underruns and head-room are of the requests that were answered whole.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mira.cli.bench.arrivals import Asked, poisson
from mira.cli.bench.client import (
    REFUSED,
    Answer,
    Client,
    Request,
    check_client,
    endpoint,
    listen,
)
from mira.cli.bench.plot import check_plot, plot
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import running

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked, and when."""

    rates: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)  # requests a second
    duration_s: float = 30.0  # in which requests arrive, at each rate
    short: float = 0.7  # share of short replies
    seed: int = 0
    max_open: int = 128


@dataclass(frozen=True, slots=True)
class Offered:
    """What came of one rate."""

    answers: list[Answer]
    most_open: int
    overloaded: bool


def main(
    url: str, request: Request, load: Load, picture: Path | None = None, *serve: str
) -> list[Row]:
    """Measure, print, and draw a picture if one is asked for.

    Args:
        url: Of a service, as `endpoint` takes it; empty: one is started for this.
        request: What to ask for.
        load: How often.
        picture: Where to draw.
        serve: Arguments of `mira serve`, for the one that is started.

    Raises:
        MiraError: The service can't be reached, or refuses such requests.
        InvalidRequest: The URL is none, or the picture can't be written.
        InvalidSettings: A library is missing.
    """
    check_client()
    if picture is not None:
        check_plot(picture)
    rows: list[Row] = []
    with (
        _address(url, serve) as address,
        closing(Client(endpoint(address), request, load.max_open)) as client,
    ):
        client.check()
        for rate in sorted(load.rates):
            print(f"{rate:g} requests/s for {load.duration_s:g} s", file=sys.stderr)
            asked = poisson(rate, load.duration_s, load.short, load.seed)
            offered = offer(client, asked, load.max_open)
            rows.append(summary(rate, offered, request))
            if offered.overloaded:
                break
    about = {"format": request.response_format, "seed": load.seed, "short": load.short}
    report("load", rows, url=url, serve=" ".join(serve), seconds=load.duration_s, **about)
    if picture is not None:
        plot(rows, picture)
    return rows


@contextmanager
def _address(url: str, serve: Sequence[str]) -> Iterator[str]:
    if url:
        yield url
        return
    with running(*serve) as service:
        yield service.url


def offer(client: Client, asked: Sequence[Asked], max_open: int) -> Offered:
    """Make each request when it is due, and return once the last is answered or given up."""
    answers: list[Answer] = []
    threads: list[threading.Thread] = []
    most_open, overloaded = 0, False
    began = time.perf_counter()

    def one_call(text: str, due_at: float) -> None:
        answers.append(client.ask(text, due_at))

    for request in asked:
        due_at = began + request.at_s
        time.sleep(max(due_at - time.perf_counter(), 0))
        threads = [thread for thread in threads if thread.is_alive()]
        if overloaded := len(threads) >= max_open:
            break
        # A daemon, so that Ctrl-C ends the program, not the last answer.
        threads.append(threading.Thread(target=one_call, args=(request.text, due_at), daemon=True))
        threads[-1].start()
        most_open = max(most_open, len(threads))
    for thread in threads:
        thread.join()
    return Offered(answers, most_open, overloaded)


def summary(rate: float, offered: Offered, request: Request) -> Row:
    """One row of the table; the columns are this module's docstring."""
    played = [
        found
        for answer in offered.answers
        if not answer.problem and (found := listen(answer, request))
    ]
    problems = Counter(answer.problem for answer in offered.answers if answer.problem)
    refused = problems.pop(REFUSED, 0)
    audible = [one.audible_ms for one in played]
    head_room = [one.head_room_ms for one in played if one.head_room_ms is not None]
    late_ms = [answer.late_s * 1000 for answer in offered.answers]
    return {
        "rate": rate,
        "requests": len(offered.answers),
        "TTFA p50 ms": percentile(audible, 50),
        "TTFA p95 ms": percentile(audible, 95),
        "TTFA p99 ms": percentile(audible, 99),
        "RTF p50": percentile([one.rtf for one in played], 50),
        "RTF p95": percentile([one.rtf for one in played], 95),
        "underruns": sum(one.underruns for one in played),
        "head-room p50 ms": percentile(head_room, 50),
        "head-room p5 ms": percentile(head_room, 5),
        "429": refused,
        "errors": dict(problems),
        "most open": offered.most_open,
        "client late ms": max(late_ms, default=None),
        "overloaded": offered.overloaded,
    }
