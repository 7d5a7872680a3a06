"""The sockets of phone agents, each protocol on a real connection to a process of its own.

first            text is written, then flushed, or another word shows that its sentence is over:
                 from sending that to the first audio (`first`), and to the first sample louder
                 than -50 dB (`audible`); on an open socket, 24 kHz PCM. Long sentences begin at a
                 clause, sooner than that: they are no `turns` here
cancel           interrupted after half a second of audio: until the last audio arrived (0: none
                 came after it) and until nothing is computed; `stream-input` closes the socket
crowd            agents who begin in the same moment, word by word, and listen in real time, 8 kHz
                 mu-law: moments at which one of them had nothing left, though more was to come;
                 `failed` turns, 429 among them; `first` since its first word was written
storm            clients that come, interrupt, drop, fall silent: what is left once all are gone.
                 The first round warms up; `done` is what its clients did
idle             what open sockets take, and first audio beside them
same             whether text that comes character by character sounds as text at once, to the byte
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from mira.audio.pcm import from_s16le
from mira.cli.bench.arrivals import REPLIES, sentences
from mira.cli.bench.command import Model, serve_arguments
from mira.cli.bench.listening import leading_silence
from mira.cli.bench.report import percentile, report
from mira.cli.bench.service import Service, running
from mira.errors import InvalidRequest, SynthesisFailed
from mira.stream.clock import Player
from tools.sockets.line import Line, calling
from tools.sockets.protocols import (
    PCM,
    PHONE,
    PROTOCOLS,
    VOICE,
    ElevenLabsSingle,
    Protocol,
)
from tools.sockets.storm import Storm

Row = dict[str, object]
Bench = Callable[[Service], Coroutine[object, object, list[Row]]]

ROUNDS = 4  # over all replies
CANCELS = 12
LISTENERS = 32
WORDS_PER_S = 20.0  # that a language model writes
STORM, STORM_AT_ONCE, STORM_ROUNDS = 1000, 100, 4
IDLE = 500
SETTLE_S = 0.15  # what was interrupted may still compute a window
GONE_S = 120.0  # what half-open sockets have to say lasts 20 s, and they are waited for 30
REST_S = 25.0  # then memory was given back
NEXT = " And"  # shows that a sentence before it is over


def main(model: Model = "", only: str = "first,cancel,crowd,idle,storm,same") -> None:
    """Phone agents' sockets; `--only` takes some of the tables."""
    measures: dict[str, Bench] = {
        "first": first,
        "cancel": cancel,
        "crowd": crowd,
        "idle": idle,
        "storm": storm,
        "same": same,
    }
    wanted = only.split(",")
    if unknown := {*wanted} - {*measures}:
        raise InvalidRequest(f"--only {','.join(unknown)}: some of {', '.join(measures)}.")
    with running(*serve_arguments(model)) as service:
        for name in wanted:
            report(f"sockets {name}", asyncio.run(measures[name](service)), {"model": model})


async def first(
    service: Service, voice: str = VOICE, rounds: int = ROUNDS, texts: tuple[str, ...] = REPLIES
) -> list[Row]:
    """Measure first audio of each protocol, after a flush and after a sentence's end."""
    return [
        _first_row({"protocol": kind.name, "after": "flush" if flush else "sentence"}, found)
        for kind in PROTOCOLS
        for flush in (True, False)
        for found in [await _firsts(service, kind(PCM, voice), flush, texts * rounds)]
    ]


def _first_row(of: Row, found: list[tuple[float, float]]) -> Row:
    firsts, audibles = [first for first, _ in found], [audible for _, audible in found]
    return {
        **of,
        "turns": len(found),
        "first p50 ms": percentile(firsts, 50),
        "first p95 ms": percentile(firsts, 95),
        "audible p50 ms": percentile(audibles, 50),
        "audible p95 ms": percentile(audibles, 95),
        "audible max ms": percentile(audibles, 100),
    }


async def _firsts(
    service: Service, protocol: Protocol, flush: bool, texts: tuple[str, ...]
) -> list[tuple[float, float]]:
    found = []
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(calling(service, protocol))
        for number, text in enumerate(texts):
            context = f"c{number}"
            await line.send(*(protocol.say(word, context) for word in words(text)))
            if await line.drain(0.05) is None:  # the text is there, and nothing is heard of it
                last = protocol.flush(context) if flush else protocol.say(NEXT, context)
                found.append(await _first_audio(line, last))
            if isinstance(protocol, ElevenLabsSingle):
                await stack.aclose()
                line = await stack.enter_async_context(calling(service, protocol))
            else:
                await line.send(*protocol.interrupt(context))
                await line.drain(SETTLE_S)
    return found


async def _first_audio(line: Line, *last: dict[str, object]) -> tuple[float, float]:
    """Send what lets the speech begin; return ms until audio, and until it can be heard."""
    began, first_ms, data = time.perf_counter(), 0.0, b""
    await line.send(*last)
    async for at, piece in line.audio():
        first_ms, data = first_ms or (at - began) * 1000, data + piece
        if (silence := leading_silence(from_s16le(data))) is not None:
            return first_ms, first_ms + silence / line.protocol.form.sample_rate * 1000
    raise SynthesisFailed("A turn ended before anything in it could be heard.")


def words(text: str) -> list[str]:
    """Part a text as language models write: each word with the space before it."""
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]


async def cancel(service: Service, voice: str = VOICE, rounds: int = CANCELS) -> list[Row]:
    """Measure interruptions of each protocol."""
    rows = []
    for kind in PROTOCOLS:
        found = [await _interrupted(service, kind(PCM, voice), at) for at in range(rounds)]
        lasts, idles = [last for last, _ in found], [idle for _, idle in found]
        rows.append(
            {
                "protocol": kind.name,
                "turns": rounds,
                "last audio p50 ms": percentile(lasts, 50),
                "last audio max ms": max(lasts),
                "idle p50 ms": percentile(idles, 50),
                "idle p95 ms": percentile(idles, 95),
                "idle max ms": max(idles),
            }
        )
    return rows


async def _interrupted(service: Service, protocol: Protocol, at: int) -> tuple[float, float]:
    """Interrupt a long answer; ms until the last audio came, and until the engine is idle."""
    async with calling(service, protocol) as line:
        await line.send(protocol.say(sentences(20, at), "C"), protocol.flush("C"))
        heard = 0
        async for _, data in line.audio():
            heard += len(data)
            if heard >= protocol.form.bytes_per_s / 2:
                break
        began = time.perf_counter()
        idle = asyncio.create_task(asyncio.to_thread(_idle_at, service, began))
        await line.send(*protocol.interrupt("C"))
        if isinstance(protocol, ElevenLabsSingle):
            line.socket.transport.abort()
        last_at = await line.drain(2 * SETTLE_S)
        last_ms = (last_at - began) * 1000 if last_at else 0.0
        return last_ms, (await idle - began) * 1000


def _idle_at(service: Service, began: float) -> float:
    """Wait until nothing is spoken; return when that was seen."""
    while time.perf_counter() < began + GONE_S:
        if service.get("/health")["active_streams"] == 0:
            return time.perf_counter()
    raise SynthesisFailed(f"A turn was not over {GONE_S:.0f} s after its interruption.")


@dataclass(slots=True)
class Heard:
    """What one listener went through."""

    first_ms: float = 0.0
    audio_s: float = 0.0
    late_ms: list[float] = field(default_factory=list)


async def crowd(
    service: Service, voice: str = VOICE, count: int = LISTENERS, texts: int = 10
) -> list[Row]:
    """Let so many agents speak at once, on each protocol that follows real time."""
    kinds = [kind for kind in PROTOCOLS if kind is not ElevenLabsSingle]
    protocols = [kinds[at % len(kinds)](PHONE, voice) for at in range(count)]
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(calling(service, one)) for one in protocols]
        before, stats = service.process.cpu_times(), service.get("/stats")
        found = await asyncio.gather(
            *(_listen(line, sentences(texts, at)) for at, line in enumerate(lines))
        )
        after = service.process.cpu_times()
    failed = service.get("/stats")["turns"].get("failed", 0) - stats["turns"].get("failed", 0)
    late_ms = [ms for one in found for ms in one.late_ms]
    heard_s = sum(one.audio_s for one in found)
    return [
        {
            "sockets": count,
            "failed": failed,
            "heard s": heard_s,
            "underruns": len(late_ms),
            "late p95 ms": percentile(late_ms, 95) or 0.0,
            "first p50 ms": percentile([one.first_ms for one in found], 50),
            "first p95 ms": percentile([one.first_ms for one in found], 95),
            "cpu s / heard s": (sum(after[:2]) - sum(before[:2])) / heard_s,
        }
    ]


async def _listen(line: Line, text: str) -> Heard:
    heard, player, protocol = Heard(), Player(), line.protocol

    async def write() -> None:
        for word in words(text):
            await line.send(protocol.say(word, "C"))
            await asyncio.sleep(1 / WORDS_PER_S)
        await line.send(*protocol.end("C"))

    began = time.perf_counter()
    writing = asyncio.create_task(write())
    async for at, data in line.audio():
        audio_s = len(data) / protocol.form.bytes_per_s
        room_s = player.takes(audio_s, at)
        if room_s is None:
            heard.first_ms = (at - began) * 1000
        elif room_s < 0:
            heard.late_ms.append(-room_s * 1000)
        heard.audio_s += audio_s
    await writing
    return heard


async def storm(
    service: Service,
    voice: str = VOICE,
    count: int = STORM,
    rounds: int = STORM_ROUNDS,
    rest_s: float = REST_S,
) -> list[Row]:
    """Let clients come and go, and see what is left of them."""
    rows = [_left({"round": "before", "sockets": 0}, service, {})]
    for number in range(rounds):
        clients = Storm(service, number, voice)
        began = time.perf_counter()
        done = await clients.blow(count, STORM_AT_ONCE)
        blew_s = time.perf_counter() - began
        await asyncio.to_thread(_wait, service, len(clients.silent))
        clients.leave()
        await asyncio.to_thread(_wait, service, 0)
        await asyncio.sleep(rest_s)
        rows.append(_left({"round": number, "sockets": count}, service, done) | {"s": blew_s})
    return rows


def _wait(service: Service, sockets: int) -> None:
    """Wait until nothing is said, and no more than so many sockets are open."""
    ends_at = time.perf_counter() + GONE_S
    while time.perf_counter() < ends_at:
        stats = service.get("/stats")
        speaking = stats["contexts"] or stats["active_streams"]
        if not speaking and sum(stats["sockets"].values()) <= sockets:
            return
        time.sleep(0.1)
    raise SynthesisFailed(
        f"{GONE_S:.0f} s after a storm {stats['contexts']} turns and {stats['sockets']} are open."
    )


def _left(of: Row, service: Service, done: Mapping[str, int]) -> Row:
    stats, process = service.get("/stats"), service.process
    return {
        **of,
        "s": 0.0,
        "tasks": stats["tasks"],
        "threads": process.num_threads(),
        "open files": process.num_fds(),
        "contexts": stats["contexts"],
        "speaking": stats["active_streams"],
        "rss MB": process.memory_info().rss / 2**20,
        "turns": stats["turns"],
        "failures": stats["failures"],
        "done": dict(done),
    }


async def idle(
    service: Service, voice: str = VOICE, count: int = IDLE, rounds: int = ROUNDS
) -> list[Row]:
    """Measure first audio, open sockets on which nothing is said, and measure it again."""

    async def row(num_open: int) -> Row:
        rss = service.process.memory_info().rss
        found = await _firsts(service, PROTOCOLS[0](PCM, voice), True, REPLIES * rounds)
        mb: Row = {"idle sockets": num_open, "MB more": (rss - before) / 2**20}
        return _first_row(mb, found)

    before = service.process.memory_info().rss
    rows = []
    await row(0)  # warms up
    before = service.process.memory_info().rss
    rows.append(await row(0))
    before = service.process.memory_info().rss
    async with AsyncExitStack() as stack:
        for at in range(count):
            protocol = PROTOCOLS[at % len(PROTOCOLS)](PCM, voice, 180)
            await stack.enter_async_context(calling(service, protocol))
        await asyncio.sleep(1.0)
        rows.append(await row(count))
    return rows


async def same(service: Service, voice: str = VOICE, text: str = sentences(4, 5)) -> list[Row]:
    """Compare text that comes character by character with text at once."""
    ways = ([text], [*text])
    heard = await asyncio.gather(
        *(_whole(service, kind(PCM, voice), parts) for kind in PROTOCOLS for parts in ways)
    )
    return [
        {
            "protocol": kind.name,
            "audio s": len(heard[at]) / PCM.bytes_per_s,
            "same": heard[at] == heard[at + 1],
        }
        for kind, at in zip(PROTOCOLS, itertools.count(step=2), strict=False)
    ]


async def _whole(service: Service, protocol: Protocol, parts: list[str]) -> bytes:
    async with calling(service, protocol) as line:
        await line.send(*(protocol.say(part, "C") for part in parts), *protocol.end("C"))
        return b"".join([data async for _, data in line.audio()])
