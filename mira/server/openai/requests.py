"""What a client may send, checked at the edge.

Knows nothing about how it is answered.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from mira.audio import FORMATS, SAMPLE_RATES

MAX_INSTRUCTIONS_CHARS = 4096  # OpenAI's own limit
MAX_NAME_CHARS = 256
FRAMES_SAID = (
    "Frames of 10, 20 or 30 ms, each sent when a telephone line is to play it, the last filled up "
    "with silence; of formats that are nothing but samples."
)
"""What `frame_ms` is, wherever it is asked for."""


def _one_of(*choices: object) -> AfterValidator:
    def check(value: object) -> object:
        if value not in choices:
            raise ValueError(f"{value!r} is not one of {', '.join(map(str, choices))}.")
        return value

    return AfterValidator(check)


SampleRate = Annotated[int, _one_of(*SAMPLE_RATES)]
FormatName = Annotated[str, _one_of(*FORMATS)]
Pace = Annotated[float, Field(ge=0.25, le=4.0)]
Volume = Annotated[float, Field(ge=0.0, le=10.0)]
VoiceName = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]


class VoiceId(BaseModel):
    """OpenAI's way to name a custom voice."""

    model_config = ConfigDict(strict=True, extra="ignore")

    id: str = Field(min_length=1, max_length=MAX_NAME_CHARS)


_WORD = {
    "anyOf": [
        {"type": "string", "description": "A respelling."},
        {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("say", "ipa", "cmu")},
            "additionalProperties": False,
        },
    ]
}
# Checked where it is read, on another thread: a thousand words take a while.
Words = Annotated[
    dict[str, object], WithJsonSchema({"type": "object", "additionalProperties": _WORD})
]


class SpeechFields(BaseModel):
    """What every endpoint that speaks takes. Fields that Mira does not know are ignored, as clients
    add some that only other servers use."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    input: str = Field(description="The text to speak; Markdown and emoji are fine.")
    speed: Pace = Field(1.0, description="How fast to speak, 0.25 to 4; the pitch stays.")
    tempo: Pace = Field(1.0, description="The same as `speed`; the two multiply.")
    volume: Volume = Field(1.0, description="Gain, 0 to 10.")
    seed: int | None = Field(
        None, ge=0, lt=2**32, description="A Mira model says the same again with the same one."
    )
    dictionary: Words | None = Field(
        None,
        description="Words and how they are said, over those of the service's own dictionary: a "
        "respelling, or an object with `say` (a respelling) and `ipa` or `cmu` (phonemes).",
    )
    frame_ms: int | None = Field(None, description=FRAMES_SAID)
    word_timestamps: bool = Field(
        False,
        description="Whether to say when each word is heard: as events beside the audio's, or the "
        "answer becomes lines of JSON with both.",
    )

    @property
    def pace(self) -> float:
        """Factor by which to speak faster than the voice itself."""
        return self.speed * self.tempo


class SpeechRequest(SpeechFields):
    """OpenAI's request, with `sample_rate`, `tempo`, `volume`, `seed`, `dictionary` and
    `word_timestamps` beside its own fields."""

    model: str = Field(
        "mira", max_length=MAX_NAME_CHARS, description="Any name; one engine answers all."
    )
    voice: VoiceName | VoiceId | None = Field(
        None, description="A name, or an object with its `id`; the default voice by default."
    )
    instructions: Annotated[str, Field(max_length=MAX_INSTRUCTIONS_CHARS)] | None = Field(
        None, description="Accepted, and without effect: the engine takes no directions."
    )
    response_format: FormatName = Field("mp3", description=f"One of {', '.join(FORMATS)}.")
    stream_format: Literal["audio", "sse"] = "audio"
    sample_rate: SampleRate | None = Field(
        None, description="Hz; 24000 by default, 8000 for ulaw and alaw."
    )

    @property
    def voice_name(self) -> str | None:
        """Name of the voice, whichever way it was sent; None if it was not."""
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice
