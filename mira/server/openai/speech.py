"""Text in, speech out: OpenAI's `/v1/audio/speech`.

Knows nothing about how the speech is made.
"""

import base64
import json

from fastapi import APIRouter
from starlette.responses import Response

from mira.audio import FORMATS
from mira.server import errors
from mira.server.openai.requests import SpeechFields, SpeechRequest
from mira.server.response import Framing, SpeechResponse
from mira.server.state import Running, Service
from mira.server.utterance import Delivery, Manner, Utterance
from mira.stream.clock import StreamClock
from mira.types import Sampling, Voice

SPEECH_SAMPLE_RATE = 24000  # OpenAI's `pcm` has no header, so its clients have this built in
TELEPHONE_FORMATS = {"ulaw": 8000, "alaw": 8000}  # what a telephone line carries
PREVIEW_TEXT = "Hello, this is how I sound. Your table for two is booked at half past seven."

router = APIRouter(tags=["speech"])


@router.post("/v1/audio/speech", response_class=Response)
async def speech(service: Running, body: SpeechRequest) -> Response:
    """Speak `input`, as OpenAI's speech endpoint does; bytes leave as they are made."""
    framing = Framing(FORMATS[body.response_format].media_type)
    if body.stream_format == "sse":
        framing = _server_sent_events(body.input)
    rate = body.sample_rate or TELEPHONE_FORMATS.get(body.response_format, SPEECH_SAMPLE_RATE)
    service.check_length(body.input)
    voice = await service.find(body.voice_name)
    return await speak(service, body, voice, body.response_format, rate, framing)


@router.get("/v1/audio/voices/{voice_id}/preview", response_class=Response)
async def preview(service: Running, voice_id: str) -> Response:
    """Speak a sentence in this voice, as MP3; nobody stands in for one that can't speak."""
    _, voices = service.speaking()
    voice = await service.search(voices.exactly, voice_id)
    framing = Framing(FORMATS["mp3"].media_type)
    return await speak(
        service, SpeechFields(input=PREVIEW_TEXT), voice, "mp3", SPEECH_SAMPLE_RATE, framing
    )


async def speak(
    service: Service,
    body: SpeechFields,
    voice: Voice,
    format_name: str,
    sample_rate: int,
    framing: Framing,
) -> Response:
    """Answer with `body.input`, spoken.

    Raises:
        InvalidRequest: An entry of `body.dictionary` can't be used.
    """
    delivery = Delivery(format_name, sample_rate, body.pace, body.volume)
    manner = Manner(Sampling(seed=body.seed), await service.dictionary(body.dictionary))
    return SpeechResponse(Utterance(service, body.input, voice, delivery, manner), framing)


def _server_sent_events(text: str) -> Framing:
    """OpenAI's events. Its token counts are of a model that Mira does not run: what goes in is
    counted in words, what comes out in 20 ms frames, the unit of speech tokens."""

    def event(kind: str, **fields: object) -> bytes:
        return f"data: {json.dumps({'type': kind, **fields})}\n\n".encode()

    def done(clock: StreamClock) -> bytes:
        spoken, heard = len(text.split()), round(clock.audio_s * 50)
        usage = {"input_tokens": spoken, "output_tokens": heard, "total_tokens": spoken + heard}
        return event("speech.audio.done", usage=usage)

    return Framing(
        "text/event-stream",
        lambda data: event("speech.audio.delta", audio=base64.b64encode(data).decode("ascii")),
        done,
        lambda error: event("speech.audio.error", error=errors.body(error)),
    )
