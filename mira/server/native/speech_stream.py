"""Text in, raw samples out: `/v1/audio/speech-stream`, for phone clients.

Knows nothing about how the speech is made.
"""

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from mira.server.auth import Asking, may
from mira.server.framing import Framing, json_lines
from mira.server.openai.requests import SampleRate, SpeechFields, VoiceName
from mira.server.openai.speech import speak
from mira.server.state import Running

router = APIRouter(tags=["speech"], dependencies=[may("speak")])


class StreamRequest(SpeechFields):
    """Raw s16le for phone clients."""

    voice: VoiceName | None = None
    sample_rate: SampleRate | None = Field(None, description="Hz; 16000 by default, a setting.")


@router.post("/v1/audio/speech-stream", response_class=Response)
async def speech_stream(service: Running, caller: Asking, body: StreamRequest) -> Response:
    """Speak `input` as raw 16-bit little-endian mono samples, for phone clients."""
    service.check_length(body.input)
    voice = await service.find(body.voice, caller.owner)
    caller.say(len(body.input))
    rate = body.sample_rate or service.settings.stream_sample_rate
    framing = Framing("application/octet-stream")
    if body.word_timestamps:
        framing = json_lines(body.input, "pcm")
    return await speak(service, body, voice, "pcm", rate, framing)
