"""ElevenLabs' WebSockets: `stream-input`, for one text, and `multi-stream-input`, for contexts.

Source: ElevenLabs' API reference, and what its SDK and the frameworks' plugins send and wait for.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import APIRouter
from starlette.websockets import WebSocket

from mira.errors import InvalidRequest, MiraError
from mira.server.auth import caller_of
from mira.server.elevenlabs.messages import (
    POLICY_VIOLATION,
    Asked,
    Clock,
    Message,
    Opening,
    Replies,
    code_of,
    failure,
    ids_of,
    last_words,
    read_message,
    read_opening,
)
from mira.server.keys import Caller
from mira.server.openai.requests import MAX_NAME_CHARS
from mira.server.pacing import Pacing, Piece
from mira.server.sockets.connection import Connection, Turns, connected
from mira.server.state import Running, Service
from mira.server.turn import Done, Event, Turn
from mira.server.utterance import Manner
from mira.types import Sampling, Voice

MOST_CONTEXTS = 32  # on a socket, open at once
DEFAULT_CONTEXT = "default"  # of clients that name none
PATIENCE_S = 1.0  # with text that may go on, where messages are no sentences
# Of `stream-input`: its clients store what comes, and close the socket to interrupt it.
WHOLE_LEAD_S = 600.0
MOST_REASON_BYTES = 120  # of a close frame, which has room for 123

router = APIRouter()


@router.websocket("/v1/text-to-speech/{voice_id}/stream-input")
async def stream_input(service: Running, websocket: WebSocket, voice_id: str) -> None:
    """Speak one text, and close the socket with 1000."""
    opening = read_opening(websocket.query_params)
    await find(service, caller_of(websocket), voice_id)
    async with (
        connected(service, websocket) as connection,
        Turns(service, connection.caller, 1).open() as turns,
    ):
        session = Single(Speaker(service, connection, turns, opening), voice_id)
        async for message in connection.messages(opening.idle_s, session.refuse, turns):
            await session.take(message)
        await connection.close(POLICY_VIOLATION, "input_timeout_exceeded")


@router.websocket("/v1/text-to-speech/{voice_id}/multi-stream-input")
async def multi_stream_input(service: Running, websocket: WebSocket, voice_id: str) -> None:
    """Speak in contexts, each a turn."""
    await _contexts(service, websocket, voice_id)


@router.websocket("/v1/text-to-dialogue/multi-stream-input")
async def dialogue(service: Running, websocket: WebSocket) -> None:
    """Speak in contexts, each with a voice that its messages name."""
    await _contexts(service, websocket, None)


async def _contexts(service: Service, websocket: WebSocket, voice_id: str | None) -> None:
    opening = read_opening(websocket.query_params, dialogue=voice_id is None)
    await find(service, caller_of(websocket), voice_id)
    async with (
        connected(service, websocket) as connection,
        Turns(service, connection.caller, MOST_CONTEXTS).open() as turns,
    ):
        session = Contexts(Speaker(service, connection, turns, opening), voice_id)
        async for message in connection.messages(opening.idle_s, session.refuse, turns):
            await session.take(message)
        await connection.close(POLICY_VIOLATION, "inactivity_timeout")


async def find(service: Service, caller: Caller, name: str | None) -> Voice:
    """Find who speaks; see `Service.find`.

    Raises:
        InvalidRequest: The name is too long.
    """
    if name and len(name) > MAX_NAME_CHARS:
        raise InvalidRequest(f"A voice's name has at most {MAX_NAME_CHARS} characters.", "voice")
    return await service.find(name, caller.owner)


class Context:
    """One turn as its client writes it.

    Args:
        caller: Whose characters are counted.
        sentences: Whether each text is one; no space is sent between two.
    """

    def __init__(self, caller: Caller, turn: Turn, replies: Replies, sentences: bool) -> None:
        self._caller = caller
        self._turn = turn
        self.replies = replies
        self._sentences = sentences
        self._begun = False
        self._unflushed = False  # there is text that no flush came after
        self._complete = False  # the last message was a flush of what there was
        self._finished = False
        self._used_at = time.monotonic()

    @property
    def quiet_s(self) -> float:
        """How long nothing was said in it, by either side, in seconds."""
        return time.monotonic() - self._used_at

    def use(self) -> None:
        """Say that something happens in it."""
        self._used_at = time.monotonic()

    def take(self, asked: Asked) -> bool:
        """Do what a message asks for. Return whether that is to interrupt.

        Clients close a context in the same way when they have said all and when they are
        interrupted: the difference is a flush, alone in a message, before it.

        Raises:
            InvalidRequest: The text is too long, or comes after the end.
            Overloaded, NotAllowed: See `Caller.say`.
        """
        self.use()
        text = asked.said or ""
        if self._finished:
            if text.strip():
                raise InvalidRequest("The context is closed. Begin another one.", "context_id")
            return bool(asked.close_context)
        if asked.says_turns:  # Pipecat does; LiveKit, which measures the audio, doesn't
            self.replies.clock = Clock.BEFORE
        self._push(text)
        if asked.flush:
            self._flush()
        says = bool(text.strip() or asked.flush)
        if asked.close_context:
            if not says and not self._complete:
                return True
            self.finish()
        elif says:
            self._complete = not text.strip()
        return False

    def finish(self) -> None:
        """Say what there is, and end."""
        if not self._finished:
            self._finished = True
            self._turn.finish()

    def _push(self, text: str) -> None:
        self._begun = self._begun or bool(text.strip())
        if self._begun and text:  # what comes before is only to open it
            self._caller.say(len(text))
            self._turn.push(self.replies.reads(text, apart=self._sentences))
            self._unflushed = True

    def _flush(self) -> None:
        if self._unflushed:  # any number of others mean nothing
            self._unflushed = False
            self._turn.flush()


Ended = Callable[[Exception | None], Awaitable[object]]


class Speaker:
    """Begins turns on one socket, and sends what happens in them."""

    def __init__(
        self, service: Service, connection: Connection, turns: Turns, opening: Opening
    ) -> None:
        self._service = service
        self._opening = opening
        self.connection = connection
        self.turns = turns
        self.idle_s = opening.idle_s

    def check_length(self, asked: Asked) -> None:
        """Raise InvalidRequest for a message whose text is too long."""
        self._service.check_length(asked.said or "")

    async def begin(
        self, name: str, asked: Asked, voice_id: str | None, ids: Message, ended: Ended
    ) -> Context:
        """Begin a turn with what its first message says of it.

        Args:
            name: Of the turn.
            voice_id: Who speaks.
            ids: Fields of each message that say which turn it is of.
            ended: Told once it is over, by what failure if by any.

        Raises:
            MiraError: It can't begin.
        """
        opening, service, caller = self._opening, self._service, self.connection.caller
        manner = Manner(Sampling(seed=opening.seed), await service.dictionary(None))
        delivery = opening.output.delivery(asked.speed)
        pacing = Pacing(delivery) if ids else Pacing(delivery, WHOLE_LEAD_S)
        patience_s = 0.0 if opening.sentences else PATIENCE_S
        who = partial(find, service, caller, voice_id)
        turn = Turn(service, who, delivery, manner, pacing, patience_s)
        replies = Replies(ids, opening.clock, opening.dialogue)
        context = Context(caller, turn, replies, opening.sentences)

        async def tell(event: Event) -> None:
            context.use()
            if isinstance(event, Piece) and (message := context.replies.audio(event)):
                await self.connection.send(message)
            if isinstance(event, Done):
                for message in context.replies.end(event.spoken):
                    await self.connection.send(message)
                await ended(None)

        self.turns.begin(name, turn, tell, ended)
        return context


class Single:
    """One text, from its first message to an empty one."""

    def __init__(self, speaker: Speaker, voice_id: str) -> None:
        self._speaker = speaker
        self._voice_id = voice_id
        self._context: Context | None = None

    async def refuse(self, error: Exception) -> None:
        """Tell an error, and end all."""
        self._speaker.connection.refused(error)
        self._speaker.turns.cancel("", "failed")
        await self._end(error)

    async def take(self, message: Message) -> None:
        """Do what a message asks for."""
        try:
            await self._take(read_message(message))
        except MiraError as error:
            await self.refuse(error)

    async def _take(self, asked: Asked) -> None:
        self._speaker.check_length(asked)
        if self._context is None:
            speaker = self._speaker
            self._context = await speaker.begin("", asked, self._voice_id, {}, self._end)
        if asked.said == "" or asked.close_socket:
            self._context.finish()
        else:
            self._context.take(asked.model_copy(update={"close_context": None}))

    async def _end(self, error: Exception | None) -> None:
        connection = self._speaker.connection
        if error is None:
            return await connection.close()
        said = last_words(error)
        await connection.send(said)
        reason = str(said["message"]).encode()[:MOST_REASON_BYTES].decode(errors="ignore")
        await connection.close(code_of(error), reason)


class Contexts:
    """Turns by the names that a client gives them.

    Args:
        voice_id: Who speaks; None: whoever a context's messages name.
    """

    def __init__(self, speaker: Speaker, voice_id: str | None) -> None:
        self._speaker = speaker
        self._voice_id = voice_id
        self._open: dict[str, Context] = {}
        self._leaving = False

    async def refuse(self, error: Exception, name: str = "") -> None:
        """Tell an error; it ends the context that it is about."""
        self._speaker.connection.refused(error)
        self._speaker.turns.cancel(name, "failed")
        await self._end(name, error)

    async def take(self, message: Message) -> None:
        """Do what a message asks for. What nobody closed gives its place back."""
        for quiet in self._open.values():
            if quiet.quiet_s > self._speaker.idle_s:
                quiet.finish()
        name = message.get("context_id")
        known = name if isinstance(name, str) and name in self._open else ""
        try:
            asked = read_message(message)
            known = asked.context_id or DEFAULT_CONTEXT
            await self._take(known, asked)
        except MiraError as error:
            await self.refuse(error, known)

    async def _take(self, name: str, asked: Asked) -> None:
        self._speaker.check_length(asked)
        context = self._open.get(name)
        if context is None and not self._leaving and (asked.said or asked.voices):
            context = await self._begin(name, asked)
        if context and context.take(asked):
            del self._open[name]
            interrupted = self._speaker.turns.cancel(name)
            if interrupted:
                await self._speaker.connection.send(context.replies.interrupted(interrupted))
        if asked.close_socket:
            self._leaving = True
            for left in self._open.values():
                left.finish()
        await self._leave()

    async def _begin(self, name: str, asked: Asked) -> Context:
        voices = asked.voice_names
        if self._voice_id is None and len(voices) > 1:
            wrong = "voices: a context has one voice here. Begin another one for each."
            raise InvalidRequest(wrong, "voices")
        voice_id = self._voice_id or next(iter(voices), None)

        async def ended(error: Exception | None) -> None:
            await self._end(name, error)

        context = await self._speaker.begin(name, asked, voice_id, ids_of(name), ended)
        self._open[name] = context
        return context

    async def _end(self, name: str, error: Exception | None) -> None:
        self._open.pop(name, None)
        if error is not None:
            ids = ids_of(name) if name else {}
            await self._speaker.connection.send(failure(error, ids))
        await self._leave()

    async def _leave(self) -> None:
        if self._leaving and not self._open:
            await self._speaker.connection.close()
