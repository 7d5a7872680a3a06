"""Deepgram's Flux, `/v2/speak`: turns with ids, `Interrupt` with how much was played, `Configure`.

Source: Deepgram's API reference, and what its SDK and the frameworks' plugins send and wait for.
"""

from dataclasses import replace

from fastapi import APIRouter
from starlette.websockets import WebSocket

from mira.errors import MiraError
from mira.server import errors
from mira.server.deepgram.requests import FLUX, VERSION, Asked, Configure, Interrupt, model_id
from mira.server.sockets.connection import Message
from mira.server.sockets.deepgram import failure_code, message_code
from mira.server.sockets.replies import Reply, Session, converse
from mira.server.state import Running
from mira.voices import shown_name

SPEEDS = (0.25, 4.0)

router = APIRouter()


@router.websocket("/v2/speak")
async def websocket(service: Running, websocket: WebSocket) -> None:
    """Speak as Deepgram's Flux does."""
    await converse(service, websocket, Flux)


class Flux(Session):
    """`/v2/speak`: a reply's end is `SpeechMetadata`, an interruption `Interrupt`."""

    kinds = FLUX
    _before_ms = 0  # of audio, in the replies that are over
    _chars = 0  # in all of them

    async def open(self) -> None:
        """Greet the client."""
        name = shown_name(self.voice.name)
        await self.connection.send(
            {
                "type": "Connected",
                "request_id": self.request_id,
                "model_name": name,
                "model_version": VERSION,
                "model_uuids": [model_id(name)],
            }
        )

    async def refuse(self, error: MiraError) -> None:
        """Say what is wrong with a message."""
        self.connection.refused(error)
        await self._error(message_code(error), str(error))

    async def failed(self, error: Exception) -> None:
        """Say what went wrong."""
        await self._error(failure_code(error), str(errors.body(error)["message"]))

    async def control(self, asked: Asked) -> None:
        """Interrupt, or speak at another pace."""
        if isinstance(asked, Interrupt):
            await self._interrupt(asked)
        elif isinstance(asked, Configure):
            await self._configure(asked.speed)

    async def flushed_nothing(self) -> None:
        """Warn."""
        await self._warn("NO_ACTIVE_SPEECH", "There is no text to flush: say Speak before.")

    async def begins(self, reply: Reply) -> None:
        """Say that audio of a reply follows."""
        await self.connection.send({"type": "SpeechStarted", "speech_id": reply.id})

    async def ended(self, reply: Reply) -> None:
        """Say how much it was."""
        self._before_ms += _ms(reply.audio_s)
        self._chars += reply.chars
        if not reply.begun:
            await self.begins(reply)
            if not reply.deaf:
                wrong = "The turn's text has nothing to say in it: no word, number or symbol."
                await self._warn("NO_SYNTHESIZABLE_TEXT", wrong)
        await self.connection.send({"type": "SpeechMetadata", **_metadata(reply)})
        await self.connection.send({"type": "Flushed", "speech_id": reply.id})

    async def leaving(self) -> None:
        """Say how much it was in all."""
        await self.connection.send(
            {
                "type": "SessionMetadata",
                "total_audio_duration_ms": self._before_ms,
                "total_input_character_count": self._chars,
                "total_billable_character_count": self._chars,
            }
        )

    async def _interrupt(self, asked: Interrupt) -> None:
        interrupted = self.cancel()
        if interrupted is None:
            wrong = "There is nothing to interrupt: all that was said has been sent."
            return await self._warn("NO_ACTIVE_SPEECH", wrong)
        part, at = interrupted
        reply, heard, before_ms = part.reply, at.heard, self._before_ms
        self._before_ms += _ms(reply.audio_s)
        self._chars += reply.chars
        if asked.playback_offset is not None:
            self._before_ms = max(before_ms, min(asked.playback_offset.value, self._before_ms))
            played_s = (self._before_ms - before_ms) / 1000
            heard = part.turn.spoken(max(0.0, played_s - reply.done_s))
        chars = part.from_chars + heard.chars
        await self.connection.send(
            {
                "type": "SpeechInterrupted",
                "audio_played_ms": self._before_ms,
                "text_spoken": reply.text[:chars],
                "text_remaining": reply.text[chars:],
                "metadata": _metadata(reply),
            }
        )

    async def _configure(self, speed: float | None) -> None:
        least, most = SPEEDS
        if speed is not None and not least <= speed <= most:
            wrong = f"speed: {speed} is not from {least} to {most}."
            failure = {"code": "SPEED_OUT_OF_RANGE", "field": "speed", "value": speed}
            return await self.connection.send(
                {"type": "ConfigureFailure", **failure, "description": wrong}
            )
        if speed is not None:
            self.delivery = replace(self.delivery, pace=speed)
        applied = {"speed": self.delivery.pace}
        await self.connection.send({"type": "ConfigureSuccess", "applied": applied})

    async def _warn(self, code: str, said: str) -> None:
        await self.connection.send(
            {"type": "Warning", "code": code, "description": said, "warn_msg": said}
        )

    async def _error(self, code: str, said: str) -> None:
        failure = {"type": "Error", "code": code, "description": said}
        await self.connection.send({**failure, "request_id": self.request_id})


def _metadata(reply: Reply) -> Message:
    controls = ("pronunciations_applied", "breaks_applied", "pronunciation_warnings")
    return {
        "speech_id": reply.id,
        "audio_duration_ms": _ms(reply.audio_s),
        "input_character_count": reply.chars,
        "billable_character_count": reply.chars,
        "controls_applied": dict.fromkeys(controls, 0),
    }


def _ms(audio_s: float) -> int:
    return round(1000 * audio_s)
