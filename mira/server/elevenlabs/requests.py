"""What ElevenLabs' clients may send, checked at the edge.

They send `null` for whatever they leave to the service. Knows nothing about how it is answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mira.audio import FORMATS, SAMPLE_RATES
from mira.errors import InvalidRequest
from mira.server.openai.requests import MAX_NAME_CHARS, Pace
from mira.server.utterance import Delivery

DEFAULT_OUTPUT = "mp3_44100_128"
MAX_OUTPUT_CHARS = 64


@dataclass(frozen=True, slots=True)
class Output:
    """What one `output_format` stands for."""

    format: str
    sample_rate: int
    bit_rate: int | None = None  # in bits per second
    frame_ms: int | None = None  # Mira's own; see `Delivery`

    @property
    def media_type(self) -> str:
        """What an answer that is nothing else says of itself."""
        return FORMATS[self.format].media_type

    def delivery(self, speed: float | None, *, words: bool = False) -> Delivery:
        """Return how speech is delivered in it.

        Args:
            speed: Factor by which to speak faster; None for the voice's own pace.
            words: Whether to say when each word is heard.
        """
        pace = 1.0 if speed is None else speed
        return Delivery(
            self.format,
            self.sample_rate,
            pace,
            words=words,
            bit_rate=self.bit_rate,
            frame_ms=self.frame_ms,
        )


def _outputs() -> Mapping[str, Output]:
    found = {
        f"{kind}_{rate}": Output(kind, rate) for kind in ("pcm", "wav") for rate in SAMPLE_RATES
    }
    found |= {f"{kind}_8000": Output(kind, 8000) for kind in ("ulaw", "alaw")}
    encoded = [("mp3", 22050, 32), ("mp3", 24000, 48)]
    encoded += [("mp3", 44100, kbps) for kbps in (32, 64, 96, 128, 192)]
    encoded += [("opus", 48000, kbps) for kbps in (32, 64, 96, 128, 192)]
    for kind, rate, kbps in encoded:
        found[f"{kind}_{rate}_{kbps}"] = Output(kind, rate, 1000 * kbps)
    return MappingProxyType(found)


OUTPUTS = _outputs()
"""All that can be asked for, by ElevenLabs' names."""


def find_output(name: str, frame_ms: int | None = None) -> Output:
    """Look an `output_format` up.

    Raises:
        InvalidRequest: There is none of this name, or it can't be had in such frames.
    """
    if name not in OUTPUTS:
        wrong = f"There is no output_format {name!r}. Use one of: {', '.join(OUTPUTS)}."
        raise InvalidRequest(wrong, "output_format", "invalid_output_format")
    output = replace(OUTPUTS[name], frame_ms=frame_ms)
    output.delivery(None)  # refused now, and not when there is something to say
    return output


class VoiceSettings(BaseModel):
    """How to speak. What else ElevenLabs has here is of its own models."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    speed: Pace | None = Field(None, description="How fast to speak, 0.25 to 4; the pitch stays.")


Seed = Annotated[int, Field(ge=0, lt=2**32)]


class TextToSpeech(BaseModel):
    """ElevenLabs' request. Fields that mean nothing here, such as `model_id`, `previous_text` or
    `stability`, are accepted and ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    text: str = Field(description="The text to speak; Markdown and emoji are fine.")
    voice_settings: VoiceSettings | None = None
    seed: Seed | None = Field(
        None, description="A Mira model says the same again with the same one."
    )

    @property
    def speed(self) -> float | None:
        """Factor by which to speak faster; None if it was not sent."""
        return self.voice_settings.speed if self.voice_settings else None


_MOST_LINES = 64


class Line(BaseModel):
    """A text, and who says it."""

    model_config = ConfigDict(strict=True, extra="ignore")

    text: str
    voice_id: Annotated[str, Field(max_length=MAX_NAME_CHARS)]


class TextToDialogue(BaseModel):
    """ElevenLabs' request for its models `eleven_v3` and later; one voice says all of it."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    inputs: Annotated[list[Line], Field(min_length=1, max_length=_MOST_LINES)]
    seed: Seed | None = None

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(line.text for line in self.inputs)

    @property
    def voice_id(self) -> str:
        """Who says it.

        Raises:
            InvalidRequest: Several would.
        """
        names = {line.voice_id for line in self.inputs}
        if len(names) > 1:
            wrong = "inputs: all lines have one voice here. Send a request for each voice."
            raise InvalidRequest(wrong, "inputs")
        return names.pop()
