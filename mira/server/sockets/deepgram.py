"""Deepgram's WebSocket, `/v1/speak`, which it calls Aura.

Source: Deepgram's API reference, and what its SDK and the frameworks' plugins send and wait for.
"""

import itertools
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket

from mira.errors import InvalidRequest, MiraError
from mira.server import errors
from mira.server.deepgram.requests import AURA, VERSION, Asked, model_id
from mira.server.sockets.connection import Message
from mira.server.sockets.replies import Part, Reply, Session, converse
from mira.server.state import Running
from mira.server.turn import Interrupted
from mira.voices import shown_name
from mira.words.said import Spoken

router = APIRouter()


@router.websocket("/v1/speak")
async def websocket(service: Running, websocket: WebSocket) -> None:
    """Speak as Deepgram's Aura does."""
    await converse(service, websocket, Aura)


class Aura(Session):
    """`/v1/speak`: a reply's end is `Flushed`, an interruption `Clear`."""

    kinds = AURA

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._numbers = itertools.count()

    async def open(self) -> None:
        """Greet the client."""
        name = shown_name(self.voice.name)
        await self.connection.send(
            {
                "type": "Metadata",
                "request_id": self.request_id,
                "model_name": name,
                "model_version": VERSION,
                "model_uuid": model_id(name),
            }
        )

    async def refuse(self, error: MiraError) -> None:
        """Warn; the frameworks and the SDK each read another field."""
        self.connection.refused(error)
        said = str(error)
        warning = {"type": "Warning", "code": message_code(error)}
        await self.connection.send({**warning, "description": said, "warn_msg": said})

    async def control(self, asked: Asked) -> None:
        """Clear; say how far it got, in a field that clients pass over."""
        cleared = {"type": "Cleared", "sequence_id": next(self._numbers)}
        await self.connection.send({**cleared, **spoken(self.cancel())})

    async def flushed_nothing(self) -> None:
        """End nothing, in order: after the turns before it."""
        self.finish(Reply())

    async def ended(self, reply: Reply) -> None:
        """Say that a reply was flushed."""
        await self.connection.send({"type": "Flushed", "sequence_id": next(self._numbers)})

    async def failed(self, error: Exception) -> None:
        """Say what went wrong."""
        said = str(errors.body(error)["message"])
        failure = {"type": "Error", "code": failure_code(error), "description": said}
        await self.connection.send({**failure, "err_msg": said, "request_id": self.request_id})


def spoken(at: tuple[Part, Interrupted] | None) -> Message:
    """Say how far an interrupted reply got: in all that was sent, and as a listener heard it."""
    if at is None:
        return {}
    part, interrupted = at

    def how_far(spoken: Spoken) -> Message:
        audio_s = part.reply.done_s + spoken.audio_s
        chars = part.reply.as_sent(part.from_chars + spoken.chars)
        return {"characters": chars, "ms": round(1000 * audio_s)}

    return {"spoken": {"sent": how_far(interrupted.sent), "heard": how_far(interrupted.heard)}}


def message_code(error: MiraError) -> str:
    """Name Deepgram's code of what is wrong with a message."""
    if isinstance(error, InvalidRequest):
        too_long = error.code == "string_above_max_length"
        return "BIG-0000" if too_long else "MESSAGE-0000"
    return failure_code(error)


def failure_code(error: Exception) -> str:
    """Name Deepgram's code of a failure to speak."""
    return "DATA-0000" if isinstance(error, InvalidRequest) else "NET-0000"
