"""Text in, speech out: OpenAI's `/v1/audio/speech`.

Knows nothing about how the speech is made.
"""

import base64
import json
import logging
from collections.abc import Generator
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from mira.audio import FORMATS, AudioStream
from mira.errors import InvalidRequest
from mira.server import errors
from mira.server.openai.requests import SpeechFields, SpeechRequest
from mira.server.response import Chunk, Framing, SpeechResponse, Stream, encode
from mira.server.state import Running, Service
from mira.stream.cancel import Cancel
from mira.stream.clock import StreamClock
from mira.stream.playback import Playback
from mira.types import Sampling, Voice

log = logging.getLogger(__name__)

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
    voice = await find_voice(service, body.input, body.voice_name)
    return respond(service, body, voice, body.response_format, rate, framing)


@router.get("/v1/audio/voices/{voice_id}/preview", response_class=Response)
async def preview(service: Running, voice_id: str) -> Response:
    """A sentence in this voice, as MP3; nobody stands in for one that can't speak."""
    _, voices = service.speaking()
    voice = await service.search(voices.exactly, voice_id)
    framing = Framing(FORMATS["mp3"].media_type)
    body = SpeechFields(input=PREVIEW_TEXT)
    return respond(service, body, voice, "mp3", SPEECH_SAMPLE_RATE, framing)


async def find_voice(service: Service, text: str, name: str | None) -> Voice:
    """Find who speaks, before anything is computed: the voice with this name or the default one.

    Raises:
        InvalidRequest: The text is too long.
        NotReady: See `Service.speaking`.
        VoiceNotFound: It can't speak, and the settings are strict.
    """
    limit = service.settings.max_text_chars
    if len(text) > limit:
        raise InvalidRequest(
            f"input: {len(text)} characters are more than the limit of {limit}. "
            "Send the text in parts.",
            "input",
            "string_above_max_length",
        )
    name = name or service.settings.default_voice
    found = await service.find(name)
    if found.instead:
        log.warning("voice %r: %r speaks instead. %s", name, found.voice.name, found.instead)
        service.telemetry.substitution()
    return found.voice


def respond(
    service: Service,
    body: SpeechFields,
    voice: Voice,
    format_name: str,
    sample_rate: int,
    framing: Framing,
) -> Response:
    """Answer with `body.input` spoken by `voice`."""
    engine, _ = service.speaking()
    playback, cancel = Playback(pace=body.pace), Cancel()

    def chunks() -> Generator[Chunk, None, None]:
        audio = AudioStream(
            engine.sample_rate,
            format_name,
            sample_rate=sample_rate,
            pace=body.pace,
            volume=body.volume,
        )
        sampling = Sampling(seed=body.seed)
        blocks = engine.blocks(body.input, voice, sampling, playback, cancel)
        yield from encode(blocks, engine.sample_rate, audio, playback)

    return SpeechResponse(
        Stream(chunks(), service.settings.lead_s, playback, cancel, voice.name),
        framing,
        {
            "X-Voice-Used": _ascii(voice.name),
            "X-Sample-Rate": str(sample_rate),
            # Proxies that collect a body before they pass it on would undo all the hurry.
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
        },
        service.admission,
        service.telemetry,
    )


def _ascii(name: str) -> str:
    """As it can stand in a header: percent-encoded, where it isn't printable ASCII."""
    return quote(name, safe=" !\"#$&'()*+,/:;<=>?@[\\]^`{|}")


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
