"""Sockets that are opened, spoken on, interrupted and dropped at random.

Knows nothing about how it is told whether anything is left of them.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.exceptions import WebSocketException

from mira.cli.bench.arrivals import REPLIES, sentences
from mira.cli.bench.service import Service
from tools.sockets.line import Line, opened
from tools.sockets.protocols import PHONE, PROTOCOLS, VOICE

LISTENS_S = 0.5  # at most, before it does what it came for
CONTEXTS = ("A", "B", "C")
RUBBISH: tuple[str | bytes, ...] = (
    "{",
    "[]",
    "null",
    '"',
    '{"type": 1}',
    '{"context_id": [], "text": {}}',
    b"\0" * 100,
)


@dataclass(slots=True)
class Storm:
    """A number of clients, so many at a time; each seed brings others.

    Args:
        voice: That each asks for.
    """

    service: Service
    seed: int
    voice: str = VOICE
    silent: list[Line] = field(default_factory=list)
    """Those that are half open: they read nothing any more, and answer nothing."""

    async def blow(self, count: int, at_once: int, ends: "Ends | None" = None) -> Counter[str]:
        """Let them come; return how many did what they came for, or what kept them from it."""
        did: Counter[str] = Counter()
        places = asyncio.Semaphore(at_once)
        ends = ends or ENDS

        async def one(number: int) -> None:
            dice = random.Random(f"{self.seed} {number}")
            (name,) = dice.choices([*ends], [often for often, _ in ends.values()])
            async with places:
                did[await self._come(dice, name, ends[name][1])] += 1

        await asyncio.gather(*(one(number) for number in range(count)))
        return did

    def leave(self) -> None:
        """Close the silent ones' connections."""
        while self.silent:
            self.silent.pop().socket.transport.abort()

    async def _come(self, dice: random.Random, name: str, end: "End") -> str:
        try:
            line = await opened(self.service, dice.choice(PROTOCOLS)(PHONE, self.voice))
        except (OSError, WebSocketException):
            return "was refused"
        try:
            with suppress(WebSocketException):
                await end(line, dice)
        except TimeoutError:
            name = "heard nothing"
        if name == SILENT:
            self.silent.append(line)
        else:
            line.socket.transport.abort()
        return name


End = Callable[[Line, random.Random], Awaitable[object]]
Ends = dict[str, tuple[int, End]]


async def speak(line: Line, dice: random.Random) -> None:
    """Write a short text or a long one, in parts, into some contexts."""
    for context in dice.sample(CONTEXTS, dice.choice((1, 1, 2))):
        text = dice.choice((dice.choice(REPLIES), sentences(6, dice.randrange(len(REPLIES)))))
        cut = dice.randrange(len(text))
        await line.send(*(line.protocol.say(part, context) for part in (text[:cut], text[cut:])))
        if dice.random() < 0.5:
            await line.send(line.protocol.flush(context))


async def listen(line: Line, dice: random.Random) -> None:
    """Speak, and hear what comes for a moment."""
    await speak(line, dice)
    with suppress(TimeoutError):
        async with asyncio.timeout(dice.uniform(0, LISTENS_S)):
            while line.socket.close_code is None:
                await line.hear()


async def hear_all(line: Line, dice: random.Random) -> None:
    """Have a short text spoken to its end."""
    await line.send(line.protocol.say(dice.choice(REPLIES), "A"), *line.protocol.end("A"))
    async for _ in line.audio():
        pass


async def interrupt(line: Line, dice: random.Random) -> None:
    """Interrupt, and be interrupted again in what is said then."""
    for _ in range(2):
        await listen(line, dice)
        for context in CONTEXTS:
            await line.send(*line.protocol.interrupt(context))


async def close(line: Line, dice: random.Random) -> None:
    """Close the socket as it should be."""
    await listen(line, dice)
    await line.socket.close()


async def half_close(line: Line, dice: random.Random) -> None:
    """End one's own half of the connection, and wait for a moment."""
    await listen(line, dice)
    line.socket.transport.write_eof()
    await asyncio.sleep(dice.uniform(0, LISTENS_S))


async def say_nothing(line: Line, dice: random.Random) -> None:
    """Wait for a moment."""
    await asyncio.sleep(dice.uniform(0, LISTENS_S))


async def talk_rubbish(line: Line, dice: random.Random) -> None:
    """Send what no protocol has, between what it has."""
    await speak(line, dice)
    for rubbish in dice.sample(RUBBISH, 3):
        await line.socket.send(rubbish)
    await listen(line, dice)


async def fall_silent(line: Line, dice: random.Random) -> None:
    """Speak, and read nothing from then on, not even a ping."""
    await speak(line, dice)
    line.socket.transport.pause_reading()


SILENT = "falls silent"
ENDS: Ends = {
    "hears all": (1, hear_all),
    "interrupts": (6, interrupt),
    "drops": (4, listen),
    "drops at once": (2, speak),
    "closes": (2, close),
    "closes its half": (2, half_close),
    "says nothing": (1, say_nothing),
    "talks rubbish": (1, talk_rubbish),
    SILENT: (1, fall_silent),
}
"""What clients come for, and how often."""
