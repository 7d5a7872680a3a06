"""A telephone call in which Mira speaks, stops when the caller does, and ends when they hang up.

    mira serve
    python examples/audiosocket.py   # needs `pip install websockets`, which Mira has installed

Asterisk answers the telephone. In its extensions.conf:

    exten => 100,1,Answer()
     same => n,AudioSocket(${UUID()},127.0.0.1:9092)

An agent puts its language model where `reply` is, and its recogniser where `is_loud` is.

Source: AudioSocket's messages, docs.asterisk.org; Deepgram's socket, with Mira's `frame_ms`.
"""

import argparse
import array
import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator

from websockets.asyncio.client import ClientConnection, connect

# What Mira is asked for is what AudioSocket takes: 16-bit samples, 8000 a second, each message 20
# ms of them, sent when they are to be played. Nothing here has to cut, or to keep time.
SPEAK = "/v1/speak?encoding=linear16&sample_rate=8000&frame_ms=20&model="
HANG_UP, AUDIO = 0x00, 0x10  # kinds of AudioSocket's messages
LOUD, LOUD_FRAMES = 1000, 10  # mean of 16-bit samples; 20 ms each, in a row, until it is speech
REPLIES = (
    "Thank you for calling. Your table for two is booked for tomorrow evening at half past seven.",
    "Of course. Which time would you like?",
)


async def reply(number: int) -> AsyncIterator[str]:
    """Yield what is said next, in parts, as a language model writes it."""
    for word in REPLIES[min(number, 1)].split():
        yield f"{word} "


def is_loud(frame: bytes) -> bool:
    """Tell whether somebody speaks in 20 ms of the caller's side."""
    samples = array.array("h", frame)  # little-endian, as this machine is
    return sum(map(abs, samples)) > LOUD * len(samples)


async def messages(caller: asyncio.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    """Yield AudioSocket's messages, each a kind and its bytes, until the caller hangs up."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            kind, size = struct.unpack(">BH", await caller.readexactly(3))
            if kind == HANG_UP:
                return
            yield kind, await caller.readexactly(size)


class Call:
    """One call: what the caller says in, what they hear out."""

    def __init__(self, mira: ClientConnection, line: asyncio.StreamWriter) -> None:
        self._mira = mira
        self._line = line
        self._replies = 0
        self._saying: asyncio.Task[None] | None = None  # until all of it was heard
        self._clears = 0  # sent, and not answered yet

    def say(self) -> None:
        """Begin the next reply."""
        self._saying = asyncio.create_task(self._say(self._replies))
        self._replies += 1

    async def _say(self, number: int) -> None:
        async for part in reply(number):
            await self._mira.send(json.dumps({"type": "Speak", "text": part}))
        await self._mira.send('{"type": "Flush"}')

    def stop(self) -> None:
        """Ask for no more of the reply."""
        if self._saying is not None:
            self._saying.cancel()
            self._saying = None

    async def play(self) -> None:
        """Pass on what Mira says, until its socket is closed."""
        async for message in self._mira:
            if isinstance(message, str):
                kind = json.loads(message)["type"]
                self._clears -= kind == "Cleared"
                if kind == "Flushed" and not self._clears:
                    self._saying = None
            elif not self._clears:  # else it was on its way
                self._line.write(struct.pack(">BH", AUDIO, len(message)) + message)
                await self._line.drain()

    async def listen(self, caller: asyncio.StreamReader) -> None:
        """Hear the caller until they hang up; one who interrupts is answered."""
        loud = 0
        async for kind, data in messages(caller):
            if kind == AUDIO:
                loud = loud + 1 if is_loud(data) else 0
            if loud == LOUD_FRAMES and self._saying is not None:
                self.stop()
                self._clears += 1
                await self._mira.send('{"type": "Clear"}')  # Mira computes no more of it
                self.say()


async def answer(url: str, caller: asyncio.StreamReader, line: asyncio.StreamWriter) -> None:
    """Speak with one caller. Leaving closes Mira's socket, which ends all that is computed."""
    async with connect(url) as mira:
        call = Call(mira, line)
        call.say()
        sides = {asyncio.create_task(call.listen(caller)), asyncio.create_task(call.play())}
        _, going = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        call.stop()
        for side in going:
            side.cancel()
    line.close()


async def main() -> None:
    """Answer calls until Ctrl-C."""
    options = argparse.ArgumentParser()
    options.add_argument("--mira", default="ws://127.0.0.1:5100")
    options.add_argument("--voice", default="heart")
    options.add_argument("--port", type=int, default=9092)
    asked = options.parse_args()
    url = asked.mira + SPEAK + asked.voice
    server = await asyncio.start_server(lambda *call: answer(url, *call), "127.0.0.1", asked.port)
    print("waiting for calls on port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
