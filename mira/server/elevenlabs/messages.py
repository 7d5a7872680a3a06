"""Messages of ElevenLabs' sockets: what a client asks for in, what it is told out; no I/O.

Knows nothing about turns.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mira.errors import InvalidRequest, NotReady, Overloaded
from mira.server import errors
from mira.server.elevenlabs.alignment import Alignment
from mira.server.elevenlabs.requests import (
    DEFAULT_OUTPUT,
    Output,
    Seed,
    VoiceSettings,
    find_output,
)
from mira.server.openai.requests import MAX_NAME_CHARS
from mira.server.pacing import Piece
from mira.server.turn import Interrupted
from mira.words import SaidWord, Spoken, TimedCharacters

Message = dict[str, object]

IDLE_S = 20.0  # without a word from either side; a client may ask for more
LONGEST_IDLE_S = 180.0
TRUE = ("true", "1", "yes", "on")
POLICY_VIOLATION, INTERNAL_ERROR, TRY_AGAIN = 1008, 1011, 1013  # of RFC 6455

_SEED = TypeAdapter(Seed)
_FRAME_MS = TypeAdapter[int | None](int | None)
_IDLE_S = TypeAdapter(Annotated[float, Field(gt=0, allow_inf_nan=False)])


class Clock(Enum):
    """What the times in a message count from."""

    CONTEXT = "its context's beginning"
    BEFORE = "the end of the message before: its client adds up what is told"
    AUDIO = "the beginning of its own audio: its client adds up how long that is"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a socket's address asks for, for all that is spoken on it."""

    output: Output
    sentences: bool = False
    """Whether each text is a sentence, or several: no space is sent between two, and none waits."""
    clock: Clock = Clock.BEFORE
    dialogue: bool = False
    idle_s: float = IDLE_S
    seed: int | None = None


def read_opening(query: Mapping[str, str], dialogue: bool = False) -> Opening:
    """Read the query of a socket's address; what means nothing here is ignored.

    Args:
        dialogue: Whether it is that of a dialogue, which has times and names of its own.

    Raises:
        InvalidRequest: Something in it can't be used; names the parameter.
    """
    try:
        seed = _SEED.validate_python(query["seed"]) if "seed" in query else None
    except ValidationError as error:
        raise InvalidRequest("seed: a whole number from 0 to 4294967295.", "seed") from error
    try:
        idle_s = _IDLE_S.validate_python(query.get("inactivity_timeout", IDLE_S))
    except ValidationError as error:
        wrong = "inactivity_timeout: a number of seconds, more than 0."
        raise InvalidRequest(wrong, "inactivity_timeout") from error
    try:
        frame_ms = _FRAME_MS.validate_python(query.get("frame_ms"))
    except ValidationError as error:
        raise InvalidRequest("frame_ms: a whole number.", "frame_ms") from error
    synchronous = query.get("sync_alignment", "").lower() in TRUE
    clock = Clock.CONTEXT if synchronous else Clock.BEFORE
    return Opening(
        find_output(query.get("output_format", DEFAULT_OUTPUT), frame_ms),
        sentences=query.get("auto_mode", "").lower() in TRUE,
        clock=Clock.AUDIO if dialogue else clock,
        dialogue=dialogue,
        # Never less: a first audio may take a while on a busy machine.
        idle_s=min(LONGEST_IDLE_S, max(IDLE_S, idle_s)),
        seed=seed,
    )


class _Lax(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


_Name = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
_MOST_INPUTS = 64  # of a message


class _Input(_Lax):
    text: str
    voice_id: _Name | None = None
    new_turn: bool | None = None


class Asked(_Lax):
    """One message of a client."""

    text: str | None = None
    context_id: _Name | None = None
    flush: bool | None = None
    close_context: bool | None = None
    close_socket: bool | None = None
    voice_settings: VoiceSettings | None = None
    voices: Annotated[list[_Name], Field(max_length=_MOST_INPUTS)] | None = None
    """Of a dialogue: who will speak in it."""
    inputs: Annotated[list[_Input], Field(max_length=_MOST_INPUTS)] | None = None
    """Of a dialogue: text and who says it."""

    @property
    def said(self) -> str | None:
        """What is to be spoken; None if the message is about something else."""
        if self.inputs is not None:
            return "".join(part.text for part in self.inputs)
        return self.text

    @property
    def says_turns(self) -> bool:
        """Whether it says of a dialogue's text if a turn begins with it."""
        return any(part.new_turn is not None for part in self.inputs or ())

    @property
    def voice_names(self) -> tuple[str, ...]:
        """Voices that it names, in order, each once."""
        named = [part.voice_id for part in self.inputs or () if part.voice_id]
        return tuple(dict.fromkeys([*(self.voices or ()), *named]))

    @property
    def speed(self) -> float | None:
        """Factor by which to speak faster; None if it was not sent."""
        return self.voice_settings.speed if self.voice_settings else None


def read_message(message: Mapping[str, Any]) -> Asked:
    """Read a message.

    Raises:
        InvalidRequest: Something in it can't be used; names the field.
    """
    try:
        return Asked.model_validate(message)
    except ValidationError as error:
        raise errors.first_problem(error.errors()[0], within=0) from error


class Replies:
    """What the client is told of one context.

    Args:
        ids: Fields that name the context in every message.
        clock: What times count from; may be changed before anything is told.
        dialogue: Whether fields have the names that they have there.
    """

    def __init__(self, ids: Mapping[str, object], clock: Clock, dialogue: bool = False) -> None:
        self.clock = clock
        self._ids = ids
        self._names = _DIALOGUE if dialogue else _SPEECH
        self._text = ""
        self._alignment = Alignment()
        self._held: list[SaidWord] = []  # until there is audio: clients take messages for that
        self._added: list[int] = []  # where spaces are that the client didn't send
        self._told_ms = 0  # where the client's clock is that adds times up

    def reads(self, part: str, *, apart: bool = False) -> str:
        """Add what comes next in the text, and return it as it is to be spoken.

        Args:
            apart: Whether a space belongs after it, sent or not.
        """
        self._text += part
        if apart and part and not part[-1].isspace():
            self._added.append(len(self._text))
            self._text += " "
            return f"{part} "
        return part

    def audio(self, piece: Piece) -> Message | None:
        """Write a piece, with the characters that are heard in it; None if it has no audio."""
        self._held += piece.words
        if not piece.data:
            return None
        words, self._held = self._held, []
        timed = self._alignment.takes(self._text, words, piece.stop_s)
        audio = base64.b64encode(piece.data).decode("ascii")
        return self._message(audio, timed, piece.start_s)

    def end(self, spoken: Spoken) -> list[Message]:
        """Write the characters that are left, if any, and that all has been spoken."""
        timed = self._alignment.takes(self._text, self._held, spoken.audio_s)
        timed.extend(self._alignment.rest(self._text, spoken.audio_s))
        rest = [self._message("", timed, spoken.audio_s)] if timed.characters else []
        return [*rest, self._final()]

    def interrupted(self, how_far: Interrupted) -> Message:
        """Write that nothing more comes, and how far it got, in a field that clients pass over."""
        spoken = {"sent": self._how_far(how_far.sent), "heard": self._how_far(how_far.heard)}
        return self._final() | {"spoken": spoken}

    def _how_far(self, spoken: Spoken) -> Message:
        added = sum(at < spoken.chars for at in self._added)
        return {"characters": spoken.chars - added, "ms": round(1000 * spoken.audio_s)}

    def _final(self) -> Message:
        return {"audio": None, self._names.final: True, **self._ids}

    def _message(self, audio: str, timed: TimedCharacters, start_s: float) -> Message:
        lists = self._lists(timed, start_s)
        # Clients read one or the other, and don't fall back.
        alignments = dict.fromkeys(self._names.alignments, lists)
        return {"audio": audio, self._names.final: None, **alignments, **self._ids}

    def _lists(self, timed: TimedCharacters, start_s: float) -> Message | None:
        if not timed.characters:
            return None
        starts = [round(1000 * time_s) for time_s in timed.starts_s]
        stops = [round(1000 * time_s) for time_s in timed.stops_s]
        lasts = [stop - start for start, stop in zip(starts, stops, strict=True)]
        since_ms = self._told_ms if self.clock is Clock.BEFORE else 0
        if self.clock is Clock.AUDIO:
            since_ms = round(1000 * start_s)
        self._told_ms = stops[-1]
        names = self._names
        starts = [start - since_ms for start in starts]
        lists = dict.fromkeys(names.starts, starts) | dict.fromkeys(names.lasts, lasts)
        return {"chars": timed.characters, **lists}


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of fields: of those that clients spell in several ways, all."""

    final: str
    alignments: tuple[str, ...]
    starts: tuple[str, ...]
    lasts: tuple[str, ...]


_SPEECH = _Names(
    "isFinal",
    ("alignment", "normalizedAlignment"),
    ("charStartTimesMs", "charsStartTimesMs"),
    ("charDurationsMs", "charsDurationsMs"),
)
_DIALOGUE = _Names("is_final", ("alignment",), ("char_start_times_ms",), ("char_durations_ms",))


def ids_of(context_id: str) -> Message:
    """Name a context as each client reads it."""
    return {"contextId": context_id, "context_id": context_id}


def failure(error: Exception, ids: Mapping[str, object]) -> Message:
    """Describe a failure on a socket of many contexts; it ends the one that is named."""
    message = errors.body(error)["message"]  # in both: clients show one or the other
    said = {"error": message, "message": message, "code": code_of(error)}
    return said | ({"isFinal": True, "is_final": True, **ids} if ids else {})


def last_words(error: Exception) -> Message:
    """Describe a failure on a socket of one context, which is closed then."""
    said = errors.body(error)
    code = said["code"] or said["type"]
    return {"message": said["message"], "error": code, "code": code_of(error)}


def code_of(error: Exception) -> int:
    """Return the code with which a socket is closed after a failure."""
    if isinstance(error, Overloaded | NotReady):
        return TRY_AGAIN
    return POLICY_VIOLATION if errors.status_of(error) < INTERNAL_STATUS else INTERNAL_ERROR


INTERNAL_STATUS = 500
