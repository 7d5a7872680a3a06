"""Cartesia's WebSocket, `/tts/websocket`: contexts, each a turn that is written while it speaks.

Source: Cartesia's API reference, and what its SDK and the frameworks' plugins send and wait for.
"""

import asyncio
import math
import uuid
from bisect import bisect_left
from functools import partial

from fastapi import APIRouter
from starlette.websockets import WebSocket

from mira.errors import InvalidRequest, MiraError
from mira.server.cartesia.messages import Steps, WordTimes, cancelled, chunk, done, flush_done
from mira.server.cartesia.requests import MAX_NAME_CHARS, Generation, failure, read_generation
from mira.server.pacing import Piece
from mira.server.sockets.connection import Connection, Message, Turns, connected
from mira.server.state import Running, Service
from mira.server.telemetry import Outcome
from mira.server.turn import Done, Event, Flushed, Interrupted, Turn
from mira.server.utterance import Delivery, Manner
from mira.words.said import SaidWord, Spoken

MOST_CONTEXTS = 32  # on a socket, open at once
EXPIRES_S = 10.0  # a context nobody ends, after its last message and audio: clients gave up by then
IDLE_S = 600.0  # LiveKit keeps a socket for 300 s, spoken on or not

router = APIRouter()


@router.websocket("/tts/websocket")
async def websocket(service: Running, websocket: WebSocket) -> None:
    """Speak as Cartesia's socket does."""
    async with (
        connected(service, websocket) as connection,
        Turns(service, connection.caller, MOST_CONTEXTS).open() as turns,
    ):
        session = Session(service, connection, turns)
        try:
            async for message in connection.messages(IDLE_S, session.refuse, turns):
                await session.take(message)
        finally:
            session.close()


class Session:
    """What one client says, in any number of contexts, and what it is told."""

    def __init__(self, service: Service, connection: Connection, turns: Turns) -> None:
        self._service = service
        self._connection = connection
        self._turns = turns
        self._contexts: dict[str, Context] = {}

    async def refuse(self, error: Exception, context_id: str | None = None) -> None:
        """Tell an error; one that names a context ends it."""
        self._connection.refused(error)
        if context_id is not None:
            self._end(context_id, "failed")
        await self._connection.send({**failure(error), "context_id": context_id or ""})

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
        told = self._end(context_id) or cancelled(0)
        await self._connection.send({**told, "context_id": context_id})

    def _end(self, context_id: str, outcome: Outcome = "interrupted") -> Message:
        """End a context at once; return what tells how far it got, if it was open."""
        interrupted = self._turns.cancel(context_id, outcome)
        context = self._contexts.pop(context_id, None)
        if context is None:
            return {}
        context.drop()
        return context.cancelled(interrupted) if interrupted else {}

    def close(self) -> None:
        """Stop all clocks."""
        for context in self._contexts.values():
            context.drop()

    async def _generate(self, context_id: str, asked: Generation) -> None:
        self._service.check_length(asked.transcript)
        known = self._turns.get(context_id) is not None
        if asked.output_format is not None or not known:
            delivery = asked.delivery  # refused at any time; what a context began with stays
        if not known:
            await self._begin(context_id, asked, delivery)
        self._contexts[context_id].take(asked)

    async def _begin(self, context_id: str, asked: Generation, delivery: Delivery) -> None:
        find = partial(self._service.find, asked.voice_name, self._connection.caller.owner)
        manner = Manner(dictionary=await self._service.dictionary(None))
        turn = Turn(self._service, find, delivery, manner, patience_s=asked.patience_s)
        context = Context(context_id, turn, asked, self._connection)
        self._turns.begin(context_id, turn, context.tell, context.fail)
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
        self._words = WordTimes() if asked.add_timestamps else None
        self._steps = Steps()
        self._sentences = asked.patience_s == 0  # each message is one; no space is between them
        self._text = ""
        self._speaks = False  # there is something to say
        self._added: list[int] = []  # where spaces are that nobody sent
        self._ended = False
        self._flushes = 0  # asked for
        self._flushed = 0  # told
        self._expiry: asyncio.TimerHandle | None = None

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
        if asked.continues:
            self._stay()
        else:
            self._finish()

    async def tell(self, event: Event) -> None:
        """Send what happened."""
        match event:
            case Piece():
                self._stay()
                await self._tell_words(event.words, event.stop_s)
                if event.data:
                    told = chunk(event.data, self._steps.next_ms())
                    await self._send(told | self._flush_id())
            case Flushed():
                self._flushed = event.number
                await self._tell_words((), math.inf)
                await self._send(flush_done(event.number))
            case Done():
                await self._tell_words((), math.inf)
                self.drop()
                await self._send(done())

    async def fail(self, error: Exception) -> None:
        """Send why it can't go on."""
        self.drop()
        await self._send(failure(error))

    def drop(self) -> None:
        """Stop its clock: it is over."""
        self._ended = True
        if self._expiry is not None:
            self._expiry.cancel()

    def cancelled(self, interrupted: Interrupted) -> Message:
        """Tell how far it got, in characters as they were sent, and milliseconds of audio."""
        sent, heard = self._how_far(interrupted.sent), self._how_far(interrupted.heard)
        return {**cancelled(self._flushed), "spoken": {"sent": sent, "heard": heard}}

    def _push(self, part: str) -> None:
        apart = not part or part[0].isspace() or not self._text or self._text[-1].isspace()
        if self._sentences and not apart:
            self._added.append(len(self._text))
            part = f" {part}"
        self._turn.push(part)
        self._text += part
        self._speaks = self._speaks or bool(part.strip())

    def _stay(self) -> None:
        """Begin to wait: what nobody ends, and nobody hears, gives its place back."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._speaks and not self._ended:
            self._expiry = asyncio.get_running_loop().call_later(EXPIRES_S, self._finish)

    def _finish(self) -> None:
        self.drop()
        self._turn.finish()

    def _how_far(self, spoken: Spoken) -> Message:
        chars = spoken.chars - bisect_left(self._added, spoken.chars)
        return {"characters": chars, "ms": round(1000 * spoken.audio_s)}

    def _flush_id(self) -> Message:
        return {"flush_id": self._flushed + 1} if self._flushes else {}

    async def _tell_words(self, words: tuple[SaidWord, ...], until_s: float) -> None:
        if self._words is not None:
            for told in self._words.push(self._text, words, until_s):
                await self._send(told | self._flush_id())

    async def _send(self, message: Message) -> None:
        await self._connection.send({**message, "context_id": self._id})
