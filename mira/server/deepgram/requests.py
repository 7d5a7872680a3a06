"""What a Deepgram client may send, checked at the edge: a query, and a socket's messages.

Clients of many versions send fields that only Deepgram knows: they are ignored. Knows nothing about
how it is answered.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mira.audio import SAMPLE_RATES
from mira.errors import InvalidRequest
from mira.server import errors
from mira.server.openai.requests import FRAMES_SAID
from mira.server.utterance import Delivery

MAX_NAME_CHARS = 256
DEFAULTS = {
    "linear16": ("pcm", 24000),
    "mulaw": ("ulaw", 8000),
    "alaw": ("alaw", 8000),
    "mp3": ("mp3", 22050),
    "opus": ("opus", 48000),
    "flac": ("flac", 48000),
    "aac": ("aac", 22050),
}
"""Our name of each encoding, and the rate in Hz of who asks for none."""
IN_WAV = {"pcm": "wav", "ulaw": "wav_ulaw", "alaw": "wav_alaw"}
"""Our name of each format, by that of its samples, where an answer is a file."""
SAMPLES = ("linear16", "mulaw", "alaw")
"""Encodings of a socket: each of its messages is nothing but samples."""
VERSION = version("mira-speech")

_CONTROL = re.compile(r'\\{\s*"word"\s*:\s*"((?:[^"\\]|\\.){0,256})"[^{}]{0,1024}\\}')

Name = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
Pace = Annotated[float, Field(ge=0.25, le=4.0)]


class Query(BaseModel):
    """How to speak, in an address's query. Any `model` will do: it is who speaks."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: Name | None = Field(None, description="Name of a voice; the default one speaks for any.")
    encoding: Name | None = Field(None, description=f"One of {', '.join(DEFAULTS)}.")
    sample_rate: int | None = Field(None, description="Hz; each encoding has one of its own.")
    container: Name | None = Field(
        None, description="Whether linear16, mulaw or alaw is in a WAV file: wav, or none."
    )
    bit_rate: int | None = Field(None, ge=8_000, le=320_000, description="Bits per second.")
    speed: Pace = Field(1.0, description="How fast to speak, 0.25 to 4; the pitch stays.")
    frame_ms: int | None = Field(None, description=FRAMES_SAID)
    callback: Name | None = Field(None, description="Refused: nothing is sent anywhere else.")

    def of_request(self) -> Delivery:
        """Tell how an HTTP answer reaches the listener.

        Raises:
            InvalidRequest: It can't be had.
        """
        if self.callback:
            wrong = "callback: audio is the answer here, and sent nowhere else. Leave it out."
            raise InvalidRequest(wrong, "callback")
        delivery = self._delivery("mp3", tuple(DEFAULTS))
        if self.container != "none":
            return replace(delivery, format=IN_WAV.get(delivery.format, delivery.format))
        return delivery

    def of_socket(self) -> Delivery:
        """Tell how a socket's audio reaches the listener.

        Raises:
            InvalidRequest: It can't be had.
        """
        return self._delivery("linear16", SAMPLES)

    def _delivery(self, default: str, known: tuple[str, ...]) -> Delivery:
        encoding = (self.encoding or default).lower()
        if encoding not in known:
            wrong = f"encoding: {encoding!r} can't be made here. Use one of: {', '.join(known)}."
            raise InvalidRequest(wrong, "encoding")
        format, usual_rate = DEFAULTS[encoding]
        rate = self.sample_rate or usual_rate
        if rate not in SAMPLE_RATES:
            rates = ", ".join(map(str, SAMPLE_RATES))
            wrong = f"sample_rate: {rate} Hz can't be made. Use one of: {rates}."
            raise InvalidRequest(wrong, "sample_rate")
        return Delivery(format, rate, self.speed, bit_rate=self.bit_rate, frame_ms=self.frame_ms)


class Text(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(strict=True, extra="ignore")

    text: str = Field(description="The text to speak; Markdown and emoji are fine.")


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class Speak(_Message):
    """What is to be said next, cut anywhere."""

    text: str


class Flush(_Message):
    """The end of a turn's text."""


class Clear(_Message):
    """An interruption of Aura."""


class Close(_Message):
    """The end of what is said on the socket."""


class Offset(_Message):
    """How much the listener has played since the socket was opened."""

    type: Literal["time_ms"] = "time_ms"
    value: int = Field(ge=0, le=2**53)


class Interrupt(_Message):
    """An interruption of Flux."""

    playback_offset: Offset | None = None


class Configure(_Message):
    """Another pace, from the next turn on; its range is for the answer to check."""

    speed: float | None = None


Asked = Speak | Flush | Clear | Close | Interrupt | Configure
Kinds = Mapping[str, type[Asked]]
AURA: Kinds = {"Speak": Speak, "Flush": Flush, "Clear": Clear, "Close": Close}
FLUX: Kinds = {
    "Speak": Speak,
    "Flush": Flush,
    "Interrupt": Interrupt,
    "Configure": Configure,
    "Close": Close,
}
"""Messages of each protocol, by their `type`."""


def read_query(query: Mapping[str, str]) -> Query:
    """Read the query of a socket's address.

    Raises:
        InvalidRequest: Something in it can't be used; names the field.
    """
    try:
        return Query.model_validate(dict(query))
    except ValidationError as error:
        raise errors.first_problem(error.errors()[0], within=0) from error


def read_message(message: Mapping[str, object], kinds: Kinds) -> Asked:
    """Read a message of a socket.

    Raises:
        InvalidRequest: It is none of these kinds, or something in it can't be used.
    """
    named = message.get("type")
    kind = kinds.get(named) if isinstance(named, str) else None
    if kind is None:
        wrong = f"type: one of {', '.join(kinds)} is wanted."
        raise InvalidRequest(wrong, "type")
    try:
        return kind.model_validate(message)
    except ValidationError as error:
        raise errors.first_problem(error.errors()[0], within=0) from error


def plain(text: str) -> str:
    """Take Deepgram's controls out of a text: each word that is told how it sounds stays a word."""
    return _CONTROL.sub(r"\1", text) if "\\{" in text else text


def left_out(text: str) -> Iterator[tuple[int, int]]:
    """Yield what `plain` leaves out of a text, in order.

    Yields:
        From which number of characters of the plain text on something counts as said, and how many
        characters it is: what is before a control's word with that word's first one, the rest with
        its last.
    """
    removed = 0
    for control in _CONTROL.finditer(text) if "\\{" in text else ():
        (start, stop), (first, last) = control.span(), control.span(1)
        at = start - removed
        yield at + 1, first - start
        yield at + max(last - first, 1), stop - last
        removed += first - start + stop - last


def model_id(name: str) -> str:
    """Make the UUID that a voice has for Deepgram's clients, the same each time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))
