"""Cartesia's WebSocket, `/tts/websocket`: contexts, each a turn that is written while it speaks.

Source: Cartesia's API reference, and what its SDK and the frameworks' plugins send and wait for.
"""

import base64
import time
import uuid
from bisect import bisect_left

from fastapi import APIRouter
from starlette.websockets import WebSocket

from mira.errors import InvalidRequest, MiraError
from mira.server.cartesia.requests import MAX_NAME_CHARS, Generation, failure, read_generation
from mira.server.pacing import Piece
from mira.server.sockets.connection import Connection, Message, Turns, connected
from mira.server.state import Running, Service
from mira.server.turn import Done, Event, Flushed, Interrupted, Turn
from mira.words.said import SaidWord, Spoken
from mira.words.views import word_lists

MOST_CONTEXTS = 32  # on a socket, open at once
IDLE_S = 600.0  # LiveKit keeps a socket for 300 s, spoken on or not

router = APIRouter()


@router.websocket("/tts/websocket")
async def websocket(service: Running, websocket: WebSocket) -> None:
    """Speak as Cartesia's socket does."""
    async with (
        connected(websocket) as connection,
        Turns(service, connection.caller, MOST_CONTEXTS).open() as turns,
    ):
        session = Session(service, connection, turns)
        async for message in connection.messages(IDLE_S, session.refuse):
            await session.take(message)


class Session:
    """What one client says, in any number of contexts, and what it is told."""

    def __init__(self, service: Service, connection: Connection, turns: Turns) -> None:
        self._service = service
        self._connection = connection
        self._turns = turns
        self._contexts: dict[str, Context] = {}

    async def refuse(self, error: Exception, context_id: str = "") -> None:
        """Tell an error; one that names a context ends it."""
        self._turns.cancel(context_id)
        await self._connection.send({**failure(error), "context_id": context_id})

    async def take(self, message: Message) -> None:
        """Do what a message asks for."""
        context_id = message.get("context_id")
        if context_id is None:
            context_id = str(uuid.uuid4())
        if not isinstance(context_id, str) or len(context_id) > MAX_NAME_CHARS:
            wrong = f"context_id: a string of up to {MAX_NAME_CHARS} characters is wanted."
            return await self.refuse(InvalidRequest(wrong, "context_id"))
        if message.get("cancel"):
            return await self._cancel(context_id)
        try:
            await self._generate(context_id, read_generation(message))
        except MiraError as error:
            await self.refuse(error, context_id)

    async def _cancel(self, context_id: str) -> None:
        """End a context; say how far it got, in a field that clients pass over."""
        interrupted = self._turns.cancel(context_id)
        context = self._contexts.pop(context_id, None)
        spoken = context.spoken(interrupted) if context and interrupted else {}
        await self._connection.send({**_done(context_id), **spoken})

    async def _generate(self, context_id: str, asked: Generation) -> None:
        if self._turns.get(context_id) is None:
            await self._begin(context_id, asked)
        self._contexts[context_id].take(asked)

    async def _begin(self, context_id: str, asked: Generation) -> None:
        delivery = asked.delivery
        voice = await self._service.find(asked.voice_name, self._connection.caller.owner)
        turn = Turn(self._service, voice, delivery, patience_s=asked.patience_s)
        context = Context(context_id, turn, asked, self._connection)

        async def failed(error: Exception) -> None:
            await self._connection.send({**failure(error), "context_id": context_id})

        self._turns.begin(context_id, turn, context.tell, failed)
        self._contexts = {
            name: open_ for name, open_ in self._contexts.items() if self._turns.get(name)
        }
        self._contexts[context_id] = context


class Context:
    """One turn: its text as it came, and its events as messages."""

    def __init__(
        self, context_id: str, turn: Turn, asked: Generation, connection: Connection
    ) -> None:
        self._id = context_id
        self._turn = turn
        self._connection = connection
        self._timed = bool(asked.add_timestamps)
        self._sentences = asked.patience_s == 0  # each message is one; no space is between them
        self._text = ""
        self._added: list[int] = []  # where spaces are that nobody sent
        self._ended = False
        self._flushes = 0  # asked for
        self._flushed = 0  # told
        self._words: dict[int, SaidWord] = {}  # known and not told, by where they begin
        self._told_chars = 0
        self._told_at = time.perf_counter()

    def take(self, asked: Generation) -> None:
        """Add a message's text, and do what it says of the rest.

        Raises:
            InvalidRequest: It is too long, or comes after the context's end.
            Overloaded, NotAllowed: See `Caller.say`.
        """
        if self._ended:
            wrong = "The context has ended: its last message did not say continue. Begin another."
            raise InvalidRequest(wrong, "context_id", "context_closed")
        self._connection.caller.say(len(asked.transcript))
        self._push(asked.transcript)
        if asked.flush:
            self._flushes += 1
            self._turn.flush()
        if not asked.continues:
            self._ended = True
            self._turn.finish()

    def _push(self, part: str) -> None:
        apart = self._text[-1:].isspace() or part[:1].isspace() or not part or not self._text
        if self._sentences and not apart:
            self._added.append(len(self._text))
            part = f" {part}"
        self._turn.push(part)
        self._text += part

    async def tell(self, event: Event) -> None:
        """Send what happened."""
        match event:
            case Piece():
                await self._tell_words(event.words, event.stop_s)
                if event.data:
                    await self._send(self._chunk(event))
            case Flushed():
                self._flushed = event.number
                await self._tell_words((), float("inf"))
                await self._send(
                    {
                        "type": "flush_done",
                        "flush_done": True,
                        "flush_id": event.number,
                        "done": False,
                        "status_code": 206,
                    }
                )
            case Done():
                await self._tell_words((), float("inf"))
                await self._send(_done(self._id))

    def spoken(self, interrupted: Interrupted) -> Message:
        """Say how far it got, in characters as they were sent, and milliseconds of audio."""
        return {
            "spoken": {
                "sent": self._how_far(interrupted.sent),
                "heard": self._how_far(interrupted.heard),
            }
        }

    def _how_far(self, spoken: Spoken) -> Message:
        chars = spoken.chars - bisect_left(self._added, spoken.chars)
        return {"characters": chars, "ms": round(1000 * spoken.audio_s)}

    def _chunk(self, piece: Piece) -> Message:
        now = time.perf_counter()
        step_ms, self._told_at = round(1000 * (now - self._told_at), 1), now
        chunk: Message = {
            "type": "chunk",
            "data": base64.b64encode(piece.data).decode("ascii"),
            "done": False,
            "status_code": 206,
            "step_time": step_ms,
        }
        return chunk | ({"flush_id": self._flushed + 1} if self._flushes else {})

    async def _tell_words(self, words: tuple[SaidWord, ...], until_s: float) -> None:
        """Tell words before the audio that they begin in, each once: none can be corrected."""
        if not self._timed:
            return
        self._words |= {word.source.start: word for word in words}
        ready = [start for start, word in self._words.items() if word.start_s < until_s]
        told = [self._words.pop(start) for start in sorted(ready)]
        told = [word for word in told if word.source.start >= self._told_chars]
        if told:
            self._told_chars = told[-1].source.stop
            lists = word_lists(self._text, told)
            times = {"type": "timestamps", "word_timestamps": lists}
            await self._send({**times, "done": False, "status_code": 206})

    async def _send(self, message: Message) -> None:
        await self._connection.send({**message, "context_id": self._id})


def _done(context_id: str) -> Message:
    return {"type": "done", "done": True, "status_code": 200, "context_id": context_id}
