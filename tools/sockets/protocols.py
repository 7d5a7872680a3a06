"""How each socket's protocol is spoken, message by message, as the frameworks do it.

Knows nothing about connections.
"""

import base64
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

Message = dict[str, Any]
VOICE = "heart"


@dataclass(frozen=True, slots=True)
class Form:
    """In which form audio is asked for, by each protocol's name of it."""

    elevenlabs: str
    cartesia: str
    deepgram: str
    sample_rate: int
    sample_bytes: int

    @property
    def bytes_per_s(self) -> int:
        """Bytes of a second."""
        return self.sample_rate * self.sample_bytes


PCM = Form("pcm_24000", "pcm_s16le", "linear16", 24000, 2)
PHONE = Form("ulaw_8000", "pcm_mulaw", "mulaw", 8000, 1)


class Protocol(ABC):
    """One protocol; a context is a turn, which those that have none take for what comes next.

    Args:
        form: Of its audio.
        voice: Who speaks.
        idle_s: How long nothing may be said on it, where a client can say so.
    """

    name: ClassVar[str]

    def __init__(self, form: Form = PCM, voice: str = VOICE, idle_s: int = 20) -> None:
        self.form = form
        self.voice = voice
        self.idle_s = idle_s

    @property
    @abstractmethod
    def path(self) -> str:
        """Address of the socket on its service."""

    @abstractmethod
    def say(self, text: str, context: str) -> Message:
        """Add to a turn's text."""

    @abstractmethod
    def flush(self, context: str) -> Message:
        """Have what there is spoken."""

    @abstractmethod
    def end(self, context: str) -> list[Message]:
        """Say that a turn's text is whole."""

    @abstractmethod
    def interrupt(self, context: str) -> list[Message]:
        """Stop a turn; nothing: its client closes the socket."""

    @abstractmethod
    def over(self, message: Message) -> bool:
        """Tell whether a turn is over with this message."""

    def audio(self, message: Message) -> bytes:
        """Take the audio out of a message that is JSON."""
        return b""


class ElevenLabs(Protocol):
    """`multi-stream-input`."""

    name = "ElevenLabs multi"
    _socket = "multi-stream-input"

    @property
    def path(self) -> str:
        """Address of the socket on its service."""
        query = f"output_format={self.form.elevenlabs}&inactivity_timeout={self.idle_s}"
        return f"/v1/text-to-speech/{self.voice}/{self._socket}?{query}"

    def say(self, text: str, context: str) -> Message:
        """Add to a turn's text."""
        return {"text": text, "context_id": context}

    def flush(self, context: str) -> Message:
        """Have what there is spoken."""
        return {"context_id": context, "flush": True}

    def end(self, context: str) -> list[Message]:
        """Say that a turn's text is whole."""
        return [self.flush(context), self._close(context)]

    def interrupt(self, context: str) -> list[Message]:
        """Stop a turn: the first close after a flush only says that its text is whole."""
        return [self._close(context), self._close(context)]

    def _close(self, context: str) -> Message:
        return {"context_id": context, "close_context": True}

    def over(self, message: Message) -> bool:
        """Tell whether a turn is over with this message."""
        return bool(message.get("isFinal"))

    def audio(self, message: Message) -> bytes:
        """Take the audio out of a message."""
        return base64.b64decode(message.get("audio") or "")


class ElevenLabsSingle(ElevenLabs):
    """`stream-input`, one turn a socket."""

    name = "ElevenLabs single"
    _socket = "stream-input"

    def say(self, text: str, context: str) -> Message:
        """Add to the text."""
        return {"text": text}

    def flush(self, context: str) -> Message:
        """Have what there is spoken; without text this would be the end."""
        return {"text": " ", "flush": True}

    def end(self, context: str) -> list[Message]:
        """Say that the text is whole."""
        return [{"text": ""}]

    def interrupt(self, context: str) -> list[Message]:
        """Say nothing."""
        return []


class Cartesia(Protocol):
    """`/tts/websocket`."""

    name = "Cartesia"
    path = "/tts/websocket"

    def say(self, text: str, context: str) -> Message:
        """Add to a turn's text."""
        form = {"encoding": self.form.cartesia, "sample_rate": self.form.sample_rate}
        return {
            "model_id": "sonic",
            "voice": {"mode": "id", "id": self.voice},
            "output_format": {"container": "raw", **form},
            "transcript": text,
            "context_id": context,
            "continue": True,
        }

    def flush(self, context: str) -> Message:
        """Have what there is spoken."""
        return self.say("", context) | {"flush": True}

    def end(self, context: str) -> list[Message]:
        """Say that a turn's text is whole."""
        return [self.say("", context) | {"continue": False}]

    def interrupt(self, context: str) -> list[Message]:
        """Stop a turn."""
        return [{"context_id": context, "cancel": True}]

    def over(self, message: Message) -> bool:
        """Tell whether a turn is over with this message."""
        return bool(message.get("done"))

    def audio(self, message: Message) -> bytes:
        """Take the audio out of a message."""
        return base64.b64decode(message.get("data") or "")


class Deepgram(Protocol):
    """`/v1/speak`."""

    name = "Deepgram"
    _path, _stop, _last = "/v1/speak", "Clear", "Flushed"

    @property
    def path(self) -> str:
        """Address of the socket on its service."""
        form = f"encoding={self.form.deepgram}&sample_rate={self.form.sample_rate}"
        return f"{self._path}?model={self.voice}&{form}"

    def say(self, text: str, context: str) -> Message:
        """Add to a turn's text."""
        return {"type": "Speak", "text": text}

    def flush(self, context: str) -> Message:
        """Have what there is spoken."""
        return {"type": "Flush"}

    def end(self, context: str) -> list[Message]:
        """Say that a turn's text is whole."""
        return [self.flush(context)]

    def interrupt(self, context: str) -> list[Message]:
        """Stop a turn."""
        return [{"type": self._stop}]

    def over(self, message: Message) -> bool:
        """Tell whether a turn is over with this message."""
        return message.get("type") == self._last


class Flux(Deepgram):
    """`/v2/speak`."""

    name = "Deepgram Flux"
    _path, _stop, _last = "/v2/speak", "Interrupt", "SpeechMetadata"


PROTOCOLS: tuple[type[Protocol], ...] = (ElevenLabs, ElevenLabsSingle, Cartesia, Deepgram, Flux)


def read(data: str | bytes, protocol: Protocol) -> tuple[bytes, bool]:
    """Return the audio that a message has, and whether a turn is over with it."""
    if isinstance(data, bytes):
        return data, False
    message = json.loads(data)
    return protocol.audio(message), protocol.over(message)
