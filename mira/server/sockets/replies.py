"""What Deepgram's two sockets have in common: text up to a `Flush` is a reply, one after another.

Neither has contexts: a client takes all audio for the reply that it waits for, so nothing of one
may follow its end. Knows nothing about how either of them says what happens.
"""

import asyncio
import itertools
import time
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from mira.errors import MiraError
from mira.server.auth import caller_of
from mira.server.deepgram.requests import (
    Asked,
    Close,
    Flush,
    Kinds,
    Speak,
    left_out,
    plain,
    read_message,
    read_query,
)
from mira.server.pacing import Pacing, Piece
from mira.server.request_id import request_id
from mira.server.sockets.connection import Connection, Message, Turns, connected
from mira.server.state import Service
from mira.server.turn import Done, Event, Interrupted, Turn
from mira.server.utterance import Delivery, Manner
from mira.stream.clock import Player
from mira.types import Voice

MOST_TURNS = 32  # on a socket: one speaks, the others wait for it
IDLE_S = 3600.0  # agents open a socket when a call begins, and may say nothing on it for long
PATIENCE_S = 3.0  # then a part of a sentence is spoken as it stands
# A turn that gets no text for so long gives its place back; what is added later is another one.
LEFT_ALONE_S = 10.0
# LiveKit's plugin sends nothing when it is interrupted. Much later it says `Flush` and `Close`, at
# once, to give the socket back, and what is left to say is not wanted.
STALE_S = 1.0  # since the last text
TOGETHER_S = 0.25


@dataclass(slots=True, eq=False)
class Reply:
    """What a client has spoken up to a `Flush`: mostly one turn."""

    id: str = field(default_factory=lambda: f"dg_sp_{uuid.uuid4().hex[:12]}")
    text: str = ""
    chars: int = 0  # as they were sent
    flushed: bool = False
    deaf: bool = False  # takes no more text, because it failed
    begun: bool = False  # there was audio
    done_s: float = 0.0  # of turns that are over
    audio_s: float = 0.0  # sent
    left_out: list[tuple[int, int]] = field(default_factory=list)
    """From which number of characters of `text` on something counts that it lacks, and how many
    characters that is."""

    def as_sent(self, chars: int) -> int:
        """Return how many characters were sent for the first so many of `text`."""
        return chars + sum(number for at, number in self.left_out if at <= chars)


@dataclass(slots=True, eq=False)
class Part:
    """A turn of a reply."""

    name: str
    reply: Reply
    turn: Turn
    from_chars: int
    """Where it begins in the reply's text."""


class Session(ABC):
    """What one client says, and what it is told.

    Args:
        delivery: Of its audio; samples alone.
    """

    kinds: Kinds

    def __init__(
        self,
        service: Service,
        connection: Connection,
        turns: Turns,
        voice: Voice,
        delivery: Delivery,
        manner: Manner,
    ) -> None:
        self.connection = connection
        self.voice = voice
        self.delivery = delivery
        self.request_id = request_id()
        self._service = service
        self._turns = turns
        self._manner = manner
        self._parts: list[Part] = []  # not over, in order
        self._reply: Reply | None = None  # that gets the next text
        self._part: Part | None = None  # the same
        self._names = itertools.count()
        self._player = Player()
        self._added_at = self._flushed_at = 0.0
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None

    @abstractmethod
    async def open(self) -> None:
        """Greet the client."""

    @abstractmethod
    async def refuse(self, error: MiraError) -> None:
        """Say what is wrong with a message; the socket goes on."""

    @abstractmethod
    async def control(self, asked: Asked) -> None:
        """Do what one of this protocol's own messages asks for."""

    @abstractmethod
    async def flushed_nothing(self) -> None:
        """Answer a `Flush` before which there was no text."""

    @abstractmethod
    async def ended(self, reply: Reply) -> None:
        """Say that all of a reply was spoken, or will never be."""

    @abstractmethod
    async def failed(self, error: Exception) -> None:
        """Say why a reply can't go on; its end is told after it."""

    async def begins(self, reply: Reply) -> None:
        """Say that audio of a reply follows."""
        return

    async def leaving(self) -> None:
        """Say the last there is to say."""
        return

    async def take(self, message: Message) -> None:
        """Do what a message asks for."""
        if self._closing:
            return
        try:
            asked = read_message(message, self.kinds)
            match asked:
                case Speak():
                    self._speak(asked.text)
                case Flush():
                    await self._flush()
                case Close():
                    await self._close()
                case _:
                    await self.control(asked)
        except MiraError as error:
            await self.refuse(error)

    def begin(self, reply: Reply) -> Part:
        """Begin another turn of a reply.

        Raises:
            Overloaded: Too many wait.
        """
        pacing = Pacing(self.delivery, player=self._player)
        turn = Turn(
            self._service, self.voice, self.delivery, self._manner, pacing, patience_s=PATIENCE_S
        )
        part = Part(str(next(self._names)), reply, turn, len(reply.text))

        async def tell(event: Event) -> None:
            await self._tell(part, event)

        async def failed(error: Exception) -> None:
            await self._fail(part, error)

        self._turns.begin(part.name, turn, tell, failed)
        self._parts.append(part)
        self._part = part
        return part

    def cancel(self) -> tuple[Part, Interrupted] | None:
        """End all at once; return which turn was being spoken, and how far it got."""
        parts, self._parts = self._parts, []
        self._reply = self._part = None
        self._player = Player()  # a client that interrupts plays no more of what it has
        # One that is over may still be telling so.
        ended = {name: self._turns.cancel(name) for name in self._turns.names}
        interrupted = ended.get(parts[0].name) if parts else None
        return (parts[0], interrupted) if interrupted else None

    def leave(self) -> None:
        """Stop the clock: the client is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def _speak(self, text: str) -> None:
        self._service.check_length(text)
        self._added_at = time.monotonic()
        reply = self._reply = self._reply or Reply()
        reply.chars += len(text)
        if reply.deaf:
            return
        try:
            self.connection.caller.say(len(text))
            reply.left_out += [(len(reply.text) + at, number) for at, number in left_out(text)]
            if text := plain(text):
                self._push(reply, text)
        except MiraError:
            reply.deaf = True  # no other text of it is spoken: it would lack what was in between
            raise

    def _push(self, reply: Reply, text: str) -> None:
        part = self._part or self.begin(reply)
        most_chars = self._service.settings.max_text_chars
        if len(reply.text) - part.from_chars + len(text) > most_chars:
            part.turn.finish()  # what waits on a socket is bounded by their number: another goes on
            part = self.begin(reply)
        part.turn.push(text)
        reply.text += text
        if self._timer is None:
            self._wait(LEFT_ALONE_S)

    def _wait(self, for_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(for_s, self._look)

    def _look(self) -> None:
        """End the turn that gets no text any more."""
        self._timer = None
        if self._part is None:
            return
        left_s = self._added_at + LEFT_ALONE_S - time.monotonic()
        if left_s > 0:
            return self._wait(left_s)
        self._part.turn.finish()
        self._part = None

    async def _flush(self) -> None:
        self._flushed_at = time.monotonic()
        if self._reply is None:
            return await self.flushed_nothing()
        self.finish(self._reply)

    def finish(self, reply: Reply) -> None:
        """Say that no more text comes for a reply.

        Raises:
            Overloaded: Too many turns wait.
        """
        part = self._part or self.begin(reply)  # without text, so as to end in order
        reply.flushed = True
        self._reply = self._part = None
        part.turn.finish()

    async def _close(self) -> None:
        self._closing = True
        if self._reply is not None:
            self._flushed_at = time.monotonic()
            self.finish(self._reply)
        if self._given_up():
            self.cancel()
        if not self._parts:
            await self._say_goodbye()

    def _given_up(self) -> bool:
        """Tell whether the client wants nothing of what is left."""
        stale = self._flushed_at - self._added_at > STALE_S
        together = time.monotonic() - self._flushed_at < TOGETHER_S
        return stale and together and any(part.reply.begun for part in self._parts)

    async def _say_goodbye(self) -> None:
        await self.leaving()
        await self.connection.close()

    async def _tell(self, part: Part, event: Event) -> None:
        reply = part.reply
        if part not in self._parts:
            return
        match event:
            case Piece(data=data, stop_s=stop_s) if data:
                if not reply.begun:
                    reply.begun = True
                    await self.begins(reply)
                await self.connection.send(data)
                reply.audio_s = reply.done_s + stop_s
            case Done(spoken):
                reply.done_s += spoken.audio_s
                reply.audio_s = reply.done_s
                await self._over(part)

    async def _fail(self, part: Part, error: Exception) -> None:
        reply = part.reply
        if part not in self._parts:  # it was cancelled meanwhile
            return
        reply.deaf = True
        for other in [other for other in self._parts if other.reply is reply]:
            if other is not part:
                self._turns.cancel(other.name, "failed")
                self._parts.remove(other)
        if self._part is not None and self._part.reply is reply:
            self._part = None
        await self.failed(error)
        await self._over(part)

    async def _over(self, part: Part) -> None:
        reply = part.reply
        self._parts.remove(part)
        if reply.flushed and not any(other.reply is reply for other in self._parts):
            await self.ended(reply)
        if self._closing and not self._parts:
            await self._say_goodbye()


async def converse(service: Service, websocket: WebSocket, kind: type[Session]) -> None:
    """Speak on a socket until it ends.

    Raises:
        InvalidRequest, VoiceNotFound, NotReady: Before it is accepted.
    """
    query = read_query(websocket.query_params)
    delivery = query.of_socket()
    voice = await service.find(query.model, caller_of(websocket).owner)
    manner = Manner(dictionary=await service.dictionary(None))
    async with (
        connected(service, websocket) as connection,
        Turns(service, connection.caller, MOST_TURNS, in_order=True).open() as turns,
    ):
        session = kind(service, connection, turns, voice, delivery, manner)
        try:
            await session.open()
            async for message in connection.messages(IDLE_S, session.refuse, turns):
                await session.take(message)
        finally:
            session.leave()
