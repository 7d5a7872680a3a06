"""What a Cartesia client may send, checked at the edge, and what is told to it of a failure.

Clients of many versions send fields that only Cartesia knows: they are ignored. Knows nothing about
how it is answered.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mira.audio import SAMPLE_RATES
from mira.errors import InvalidRequest
from mira.server import errors
from mira.server.families import Family
from mira.server.utterance import Delivery

MAX_NAME_CHARS = 256
MAX_EMBEDDING = 4096
BUFFER_DELAY_MS = 3000  # Cartesia's own, for clients that say nothing
FORMATS = {
    ("raw", "pcm_s16le"): "pcm",
    ("raw", "pcm_f32le"): "f32",
    ("raw", "pcm_mulaw"): "ulaw",
    ("raw", "pcm_alaw"): "alaw",
    ("wav", "pcm_s16le"): "wav",
    ("wav", "pcm_f32le"): "wav_f32",
    ("wav", "pcm_mulaw"): "wav_ulaw",
    ("wav", "pcm_alaw"): "wav_alaw",
    ("mp3", ""): "mp3",
}
"""Our name of each format, by its container and encoding there."""

Name = Annotated[str, Field(max_length=MAX_NAME_CHARS)]


class _Lax(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class VoiceChoice(_Lax):
    """Who speaks: by id, or by a list of numbers, which only Cartesia could turn into a voice."""

    mode: Literal["id", "embedding"] = "id"
    id: Name | None = None
    embedding: Annotated[list[float], Field(max_length=MAX_EMBEDDING)] | None = None


class OutputFormat(_Lax):
    """In which form."""

    container: Literal["raw", "wav", "mp3"]
    encoding: Name | None = None
    sample_rate: int
    bit_rate: Annotated[int, Field(ge=8_000, le=320_000)] | None = None
    frame_ms: int | None = None  # Mira's own; see `Delivery`

    @property
    def format(self) -> str:
        """Name of the format here.

        Raises:
            InvalidRequest: It can't be made.
        """
        encoding = "" if self.container == "mp3" else self.encoding or "pcm_s16le"
        found = FORMATS.get((self.container, encoding))
        if found is None:
            known = ", ".join(f"{box} {inside}".strip() for box, inside in FORMATS)
            raise InvalidRequest(
                f"output_format: {self.container} with {encoding} can't be made. One of: {known}.",
                "output_format",
            )
        if self.sample_rate not in SAMPLE_RATES:
            rates = ", ".join(map(str, SAMPLE_RATES))
            raise InvalidRequest(
                f"output_format: {self.sample_rate} Hz can't be made. One of: {rates}.",
                "output_format",
            )
        return found


class GenerationConfig(_Lax):
    """How it is spoken."""

    volume: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0


class Generation(_Lax):
    """A text to speak, or a part of one."""

    transcript: str
    model_id: Name | None = None  # any; one engine answers all
    voice: Name | VoiceChoice | None = None
    output_format: OutputFormat | None = None
    generation_config: GenerationConfig | None = None
    context_id: Name | None = None
    continues: bool | None = Field(None, alias="continue")
    flush: bool | None = None
    add_timestamps: bool | None = None
    add_phoneme_timestamps: bool | None = None
    max_buffer_delay_ms: Annotated[int, Field(ge=0, le=60_000)] | None = None

    @property
    def voice_name(self) -> str | None:
        """Name of the voice; None: the default one."""
        if isinstance(self.voice, VoiceChoice):
            return self.voice.id or "(an embedding)"
        return self.voice

    @property
    def delivery(self) -> Delivery:
        """How it reaches the listener.

        Raises:
            InvalidRequest: It says nothing of that, or what can't be had.
        """
        if self.add_phoneme_timestamps:
            raise InvalidRequest(
                "add_phoneme_timestamps: phonemes are not timed here, because a voice made of a "
                "recording reads letters and has none. Ask for add_timestamps: words.",
                "add_phoneme_timestamps",
            )
        if self.output_format is None:
            wrong = "output_format: this field is required in a context's first message."
            raise InvalidRequest(wrong, "output_format", "missing_required_field")
        how = self.generation_config or GenerationConfig()
        to = self.output_format
        return Delivery(
            to.format,
            to.sample_rate,
            how.speed,
            how.volume,
            bit_rate=to.bit_rate,
            frame_ms=to.frame_ms,
        )

    @property
    def patience_s(self) -> float:
        """How long text may wait for the rest of its sentence."""
        delay_ms = self.max_buffer_delay_ms
        return (BUFFER_DELAY_MS if delay_ms is None else delay_ms) / 1000


def read_generation(message: Mapping[str, Any]) -> Generation:
    """Read a request.

    Raises:
        InvalidRequest: Something in it can't be used; names the field.
    """
    try:
        return Generation.model_validate(message)
    except ValidationError as error:
        raise errors.first_problem(error.errors()[0], within=0) from error


def failure(error: Exception) -> dict[str, object]:
    """Describe a failure as Cartesia does in the middle of a stream.

    It is the end, but not `done`: LiveKit's plugin would take that for an end without a failure.
    """
    told = errors.SHAPES[Family.CARTESIA](errors.body(error))
    return {"type": "error", "done": False, **told, "status_code": errors.status_of(error)}
