"""The first audio of what is said again and again, beside what is said for the first time.

first p50 ms   asking, on a connection that is open -> first byte of audio received
first p95 ms
first max ms

One client at a time, over HTTP and on a socket (Cartesia's), where a whole text comes in one
message. What is kept was prepared; what is not has a number in it that was not said before. They
take turns.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial

from websockets.sync.client import ClientConnection, connect

from mira.cli.bench.client import Client
from mira.cli.bench.command import Model, serve_arguments
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running
from mira.errors import SynthesisFailed

PHRASES = (
    "One moment, please.",
    "Thank you for waiting.",
    "Could you say that again?",
    "I am looking that up for you right now.",
    "Is there anything else that I can do for you today?",
    "All right, you are booked in. You will have a message from us in a minute.",
)
FORMATS = {"pcm": 24000, "ulaw": 8000, "mp3": 24000}
ENCODINGS = {"pcm": "pcm_s16le", "ulaw": "pcm_mulaw"}  # as the socket calls them
VOICE = "alloy"  # whichever is the default
ROUNDS = 20
SETTLE_S = 0.1  # what is still being computed of the one before must not be measured

Ask = Callable[[str], float]


def main(model: Model = "", rounds: int = ROUNDS) -> None:
    """Phrases that are said again and again: when they are heard."""
    with running(*serve_arguments(model), "--set", "phrases_mb=32") as service:
        measure(service, {"model": model}, rounds)


def measure(service: Service, about: Mapping[str, str], rounds: int = ROUNDS) -> None:
    """Measure a service that keeps phrases, and print."""
    prepare(service)
    rows = []
    with ExitStack() as stack:
        client = stack.enter_context(closing(Client(service.url)))
        socket = stack.enter_context(open_socket(service))
        ways: list[tuple[str, str, Ask]] = [
            *(("HTTP", name, partial(over_http, client, name)) for name in FORMATS),
            *(("socket", name, partial(over_socket, socket, name)) for name in ENCODINGS),
        ]
        numbers = itertools.count(1000)
        for way, name, ask in ways:
            found: dict[bool, list[float]] = {True: [], False: []}
            for kept, text in texts(rounds, numbers):
                found[kept].append(ask(text))
                time.sleep(SETTLE_S)
            for kept, took in found.items():
                rows.append(
                    {
                        "over": way,
                        "format": name,
                        "kept": kept,
                        "requests": len(took),
                        "first p50 ms": percentile(took, 50),
                        "first p95 ms": percentile(took, 95),
                        "first max ms": max(took),
                    }
                )
    report("phrases", rows, about)


def texts(rounds: int, numbers: Iterator[int]) -> Iterator[tuple[bool, str]]:
    """Yield what was prepared, and the same with a number that was never said."""
    for _ in range(rounds):
        for phrase in PHRASES:
            yield True, phrase
            yield False, f"{next(numbers)}: {phrase}"


def prepare(service: Service) -> None:
    """Have all phrases kept."""
    with closing(service.connect()) as connection:
        body = json.dumps({"voice": VOICE, "phrases": PHRASES})
        connection.request("POST", "/v1/phrases", body, {"content-type": "application/json"})
        answer = json.load(connection.getresponse())
    if not answer.get("ready"):
        raise SynthesisFailed(f"Not all phrases were prepared: {answer}")


def over_http(client: Client, name: str, text: str) -> float:
    """Hear all of a text; return when its first audio came, in ms."""
    began = time.perf_counter()
    fields = {"voice": VOICE, "response_format": name, "sample_rate": FORMATS[name]}
    with closing(client.speak(text, fields)) as pieces:
        next(pieces)
        first_at = time.perf_counter()
        for _ in pieces:
            pass
    return (first_at - began) * 1000


def open_socket(service: Service) -> ClientConnection:
    """Open Cartesia's."""
    url = f"ws://{service.host}:{service.port}/tts/websocket?cartesia_version=2025-04-16"
    return connect(url, proxy=None, max_size=None, compression=None)


def over_socket(socket: ClientConnection, name: str, text: str) -> float:
    """Begin a context with a text, and cancel it at its first audio; return when that came."""
    context = f"{time.perf_counter_ns()}"
    output = {"container": "raw", "encoding": ENCODINGS[name], "sample_rate": FORMATS[name]}
    message = {
        "context_id": context,
        "model_id": "mira",
        "transcript": text,
        "voice": {"mode": "id", "id": VOICE},
        "output_format": output,
        "continue": False,
    }
    began = time.perf_counter()
    socket.send(json.dumps(message))
    while True:
        told = json.loads(socket.recv(30))
        if told["context_id"] == context and told["type"] in ("chunk", "error"):
            break
    first_at = time.perf_counter()
    if told["type"] == "error":
        raise SynthesisFailed(str(told))
    socket.send(json.dumps({"context_id": context, "cancel": True}))
    return (first_at - began) * 1000
