"""Text in, speech out: OpenAI's `/v1/audio/speech`.

Knows nothing about how the speech is made.
"""

from fastapi import APIRouter
from starlette.responses import Response

from mira.audio import FORMATS
from mira.server.auth import Asking, may
from mira.server.framing import Framing, json_lines, server_sent_events
from mira.server.openai.requests import SpeechFields, SpeechRequest
from mira.server.response import SpeechResponse
from mira.server.state import Running, Service
from mira.server.utterance import Delivery, Manner, Utterance
from mira.types import Sampling, Voice

SPEECH_SAMPLE_RATE = 24000  # OpenAI's `pcm` has no header, so its clients have this built in
TELEPHONE_FORMATS = {"ulaw": 8000, "alaw": 8000}  # what a telephone line carries
PREVIEW_TEXT = "Hello, this is how I sound. Your table for two is booked at half past seven."

router = APIRouter(tags=["speech"], dependencies=[may("speak")])


@router.post("/v1/audio/speech", response_class=Response)
async def speech(service: Running, caller: Asking, body: SpeechRequest) -> Response:
    """Speak `input`, as OpenAI's speech endpoint does; bytes leave as they are made."""
    framing = Framing(FORMATS[body.response_format].media_type)
    if body.stream_format == "sse":
        framing = server_sent_events(body.input)
    elif body.word_timestamps:
        framing = json_lines(body.input, body.response_format)
    rate = body.sample_rate or TELEPHONE_FORMATS.get(body.response_format, SPEECH_SAMPLE_RATE)
    service.check_length(body.input)
    voice = await service.find(body.voice_name, caller.owner)
    caller.say(len(body.input))
    return await speak(service, body, voice, body.response_format, rate, framing)


@router.get("/v1/audio/voices/{voice_id}/preview", response_class=Response)
async def preview(service: Running, caller: Asking, voice_id: str) -> Response:
    """Speak a sentence in this voice, as MP3; nobody stands in for one that can't speak."""
    _, voices = service.speaking(caller.owner)
    voice = await service.search(voices.exactly, voice_id)
    caller.say(len(PREVIEW_TEXT))
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
        InvalidRequest: An entry of `body.dictionary` can't be used, or there are no such frames.
    """
    delivery = Delivery(
        format_name,
        sample_rate,
        body.pace,
        body.volume,
        body.word_timestamps,
        frame_ms=body.frame_ms,
    )
    manner = Manner(Sampling(seed=body.seed), await service.dictionary(body.dictionary))
    return SpeechResponse(Utterance(service, body.input, voice, delivery, manner), framing)
