"""Open-loop load on any service with OpenAI's /v1/audio/speech: callers who don't wait their turn.

At each rate requests arrive as a Poisson process, whether or not those before are answered. Each
is for a short reply or a long answer, is read as fast as it comes, and is played in real time.

rate             requests a second, on average
requests         that were made
TTFA             when a listener hears something: from the moment that the request was due to the
                 first byte, and the silence (softer than -50 dB) that the audio begins with
answer/audio     seconds from then to the last byte, for each second of audio
underruns        moments at which a listener who plays from the first byte had nothing left,
                 counted from the first audible sample on
head-room        from the arrival of the second chunk to the end of the first one's audio;
                 see `listening.Played`
429              requests that the service refused because it was full
errors           other requests that failed, by kind: another status, not connected, timed out,
                 broken off, not audio, silent (nothing in the answer can be heard)
most open        requests that were open in one moment
client late ms   the longest that a request left this client after it was due; included in TTFA
overloaded       `max_open` requests were open, so no more were made, and no higher rate is tried

TTFA, answer/audio, underruns and head-room are of the requests that were answered whole.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mira.cli.bench.arrivals import poisson
from mira.cli.bench.client import DEFAULTS, Client, Problem
from mira.cli.bench.listening import Played, hear
from mira.cli.bench.report import percentile, report
from mira.errors import InvalidRequest

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked, when, and for what."""

    rates: tuple[float, ...]  # requests a second
    duration_s: float = 30.0  # in which requests arrive, at each rate
    short: float = 0.7  # share of short replies
    seed: int = 0
    max_open: int = 128
    fields: Mapping[str, object] = field(default_factory=lambda: DEFAULTS)  # of each request
    sample_rate: int = 24000  # Hz, of `pcm`, which does not say it itself


@dataclass(slots=True)
class Offered:
    """What came of one rate."""

    late_s: list[float] = field(default_factory=list)  # of each request: made so long after due
    played: list[Played] = field(default_factory=list)  # of those that were answered whole
    problems: list[str] = field(default_factory=list)  # of the others
    most_open: int = 0
    overloaded: bool = False


def main(client: Client, load: Load, about: Mapping[str, str]) -> list[Row]:
    """Measure a service and print; `about` says what it is.

    Raises:
        MiraError: The service can't be reached, or refuses such requests.
    """
    rows: list[Row] = []
    client.check(load.fields)
    for rate in sorted(load.rates):
        print(f"{rate:g} requests/s for {load.duration_s:g} s", file=sys.stderr)
        offered = offer(client, load, rate)
        rows.append(_row(rate, offered))
        if offered.overloaded:
            break
    asked = {"format": load.fields["response_format"], "seed": load.seed, "short": load.short}
    report("load", rows, {**about, "seconds": load.duration_s, **asked})
    return rows


def offer(client: Client, load: Load, rate: float) -> Offered:
    """Make each request when it is due, and return once the last is answered or given up."""
    answers: list[tuple[float, list[tuple[float, bytes]]]] = []  # due at, and what came
    threads: list[threading.Thread] = []
    offered = Offered()
    began = time.perf_counter()

    def one_call(text: str, due_at: float) -> None:
        # The clock began when it was due: what a busy client adds is not hidden.
        offered.late_s.append(time.perf_counter() - due_at)
        try:
            answers.append((due_at, list(client.speak(text, load.fields, due_at))))
        except Problem as problem:
            offered.problems.append(problem.kind)

    for one in poisson(rate, load.duration_s, load.short, load.seed):
        due_at = began + one.at_s
        time.sleep(max(due_at - time.perf_counter(), 0))
        threads = [thread for thread in threads if thread.is_alive()]
        if len(threads) >= load.max_open:
            offered.overloaded = True
            break
        # A daemon, so that Ctrl-C ends the program, not the last answer.
        threads.append(threading.Thread(target=one_call, args=(one.text, due_at), daemon=True))
        threads[-1].start()
        offered.most_open = max(offered.most_open, len(threads))
    for thread in threads:
        thread.join()
    for due_at, pieces in answers:
        try:
            played = hear(due_at, pieces, str(load.fields["response_format"]), load.sample_rate)
        except InvalidRequest:
            offered.problems.append("not audio")
            continue
        if played is None:
            offered.problems.append("silent")
        else:
            offered.played.append(played)
    return offered


def _row(rate: float, offered: Offered) -> Row:
    """Return one row of the table, whose columns are this module's docstring."""
    played, problems = offered.played, dict(Counter(offered.problems))
    audible = [one.audible_ms for one in played]
    slow = [one.answer_s / one.audio_s for one in played]
    head_room = [one.head_room_ms for one in played if one.head_room_ms is not None]
    return {
        "rate": rate,
        "requests": len(offered.late_s),
        "TTFA p50 ms": percentile(audible, 50),
        "TTFA p95 ms": percentile(audible, 95),
        "TTFA p99 ms": percentile(audible, 99),
        "answer/audio p50": percentile(slow, 50),
        "answer/audio p95": percentile(slow, 95),
        "underruns": sum(len(one.late_ms) for one in played),
        "head-room p50 ms": percentile(head_room, 50),
        "head-room p5 ms": percentile(head_room, 5),
        "429": problems.pop("429", 0),
        "errors": problems,
        "most open": offered.most_open,
        "client late ms": max(offered.late_s, default=0.0) * 1000,
        "overloaded": offered.overloaded,
    }
