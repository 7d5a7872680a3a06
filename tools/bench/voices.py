"""A folder of many voices, and one that changes while calls speak.

In the first table, with so many voices whose recordings the service has seen before:
ready s          starting the process -> ready
listed s         ready -> all voices are listed
first listed s   the same when it has not seen them before: each is read and checked
listing p50 ms   GET /voices, whole
listing max ms
upload p50 ms    POST /v1/audio/voices with 10 s of audio -> its answer
upload max ms

In the second, all requests of a kind at once, while calls speak in real time:
asked            requests
failed           those that were not answered 200, or calls that broke
slowest ms       the longest answer
lost             voices that should be there and aren't, or the other way round
unfinished       files that a writer left behind
"""

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

import numpy as np

from mira.audio import wav_header
from mira.audio.pcm import to_s16le
from mira.cli.bench.client import Client, Problem
from mira.cli.bench.command import Model, numbers, serve_arguments
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running
from mira.types import Samples
from mira.voices.sample import sample_recording

UPLOADS = "/v1/audio/voices"
LISTINGS = 20
ROUNDS = 5
CALLS = 8
CHANGES = 100
UPLOAD_S = 10.0
SPEECH = "Please hold the line, somebody will be with you in a moment. " * 6


def recording(number: int, seconds: float) -> bytes:
    """Make a WAV file of somebody speaking, another one for each number."""
    samples, rate = _sample()
    samples = np.resize(samples, int(seconds * rate))
    samples[0] = number / 65536
    return wav_header(rate, len(samples)) + to_s16le(samples)


@cache
def _sample() -> tuple[Samples, int]:
    return sample_recording()


def request(service: Service, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the answer's body; empty if it wasn't a 200."""
    with closing(service.connect()) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        return data if answer.status == 200 else b""


def upload(service: Service, name: str, data: bytes) -> bool:
    """Upload a voice; return whether it was made."""
    boundary = secrets.token_hex(16)
    fields = {"name": name, "consent": "Nobody's voice."}
    parts = [
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    parts += [
        f'--{boundary}\r\nContent-Disposition: form-data; name="audio_sample"; '
        f'filename="a.wav"\r\n\r\n'.encode(),
        data,
        f"\r\n--{boundary}--\r\n".encode(),
    ]
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return bool(request(service, "POST", UPLOADS, b"".join(parts), **kind))


def call(service: Service) -> bool:
    """Listen to a text in real time; return whether it came whole."""
    with closing(Client(service.url)) as client:
        try:
            for _, data in client.speak(SPEECH):
                time.sleep(len(data) / 48000)
        except Problem:
            return False
        return True


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _until_listed(service: Service) -> float:
    began = time.perf_counter()
    while json.loads(request(service, "GET", "/voices"))["looking"]:
        time.sleep(0.1)
    return time.perf_counter() - began


def _with_many(count: int, serve: Sequence[str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            (Path(folder) / f"voice {number}.wav").write_bytes(recording(number, 5.0))
        here = ("--set", f"voices_dir={folder}", *serve)
        with running(*here) as service:
            first_listed_s = _until_listed(service)
        with running(*here) as service:
            listed_s = _until_listed(service)
            listings = [
                _timed(partial(request, service, "GET", "/voices")) for _ in range(LISTINGS)
            ]
            data = [recording(-number, UPLOAD_S) for number in range(1, ROUNDS + 1)]
            uploads = [_timed(partial(upload, service, "another", content)) for content in data]
            ready_s = service.ready_s
    return {
        "voices": count,
        "ready s": ready_s,
        "listed s": listed_s,
        "first listed s": first_listed_s,
        "listing p50 ms": percentile(listings, 50),
        "listing max ms": max(listings),
        "upload p50 ms": percentile(uploads, 50),
        "upload max ms": max(uploads),
    }


def _storm(serve: Sequence[str]) -> list[dict[str, object]]:
    took: dict[str, list[float]] = {"upload": [], "delete": [], "refresh": [], "call": []}
    failed = dict.fromkeys(took, 0)

    def ask(kind: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        failed[kind] += not work()
        took[kind].append((time.perf_counter() - began) * 1000)

    with tempfile.TemporaryDirectory() as folder:
        with running("--set", f"voices_dir={folder}", *serve) as service:
            for number in range(CHANGES):
                upload(service, f"gone {number}", recording(number, 3.0))

            def remove(number: int) -> bytes:
                return request(service, "DELETE", f"{UPLOADS}/{quote(f'gone {number}')}")

            refresh = partial(request, service, "POST", "/voices/refresh")
            new = [recording(-number, 3.0) for number in range(1, CHANGES + 1)]
            with ThreadPoolExecutor(CALLS + 3 * CHANGES) as pool:
                for _ in range(CALLS):
                    pool.submit(ask, "call", partial(call, service))
                time.sleep(1)
                for number, data in enumerate(new):
                    pool.submit(ask, "upload", partial(upload, service, f"new {number}", data))
                    pool.submit(ask, "delete", partial(remove, number))
                    pool.submit(ask, "refresh", refresh)
            listed = json.loads(refresh())
            underruns = service.get("/stats")["underruns"]
        recorded = {voice["id"] for voice in listed["voices"] if voice["format"] != "builtin"}
        lost = recorded ^ {f"new {number}" for number in range(CHANGES)}
        unfinished = list(Path(folder).rglob(".part-*"))
    return [
        {
            "request": kind,
            "asked": len(answers),
            "failed": failed[kind],
            "slowest ms": max(answers),
            "underruns": underruns if kind == "call" else "",
            "lost": len(lost) if kind == "upload" else "",
            "unfinished": len(unfinished) if kind == "upload" else "",
        }
        for kind, answers in took.items()
    ]


def main(model: Model = "", counts: str = "1,1000") -> None:
    """Measure a folder of many voices, and one that changes while calls speak."""
    serve, asked = serve_arguments(model), numbers("--counts", counts, int)
    rows = [_with_many(count, serve) for count in asked]
    report("voices", rows, {"model": model})
    report("voices changing", _storm(serve), {"model": model})
