"""Text in, speech out: ElevenLabs' `/v1/text-to-speech`, and `/v1/text-to-dialogue`.

Knows nothing about how the speech is made.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from mira.server.auth import Asking, may
from mira.server.elevenlabs.alignment import json_lines, json_object
from mira.server.elevenlabs.requests import (
    DEFAULT_OUTPUT,
    MAX_OUTPUT_CHARS,
    Output,
    TextToDialogue,
    TextToSpeech,
    find_output,
)
from mira.server.framing import Framing
from mira.server.keys import Caller
from mira.server.openai.requests import FRAMES_SAID, MAX_NAME_CHARS
from mira.server.response import SpeechResponse
from mira.server.state import Running, Service
from mira.server.utterance import Manner, Utterance
from mira.types import Sampling

router = APIRouter(prefix="/v1", tags=["ElevenLabs"], dependencies=[may("speak")])

VoiceId = Annotated[str, Path(max_length=MAX_NAME_CHARS)]


async def _output(
    output_format: Annotated[
        str,
        Query(
            max_length=MAX_OUTPUT_CHARS,
            description="Such as mp3_44100_128, pcm_24000, ulaw_8000 or opus_48000_64.",
        ),
    ] = DEFAULT_OUTPUT,
    frame_ms: Annotated[int | None, Query(description=FRAMES_SAID)] = None,
) -> Output:
    return find_output(output_format, frame_ms)


AskedOutput = Annotated[Output, Depends(_output)]


@router.post("/text-to-speech/{voice_id}", response_class=Response)
@router.post("/text-to-speech/{voice_id}/stream", response_class=Response)
async def convert(
    service: Running,
    caller: Asking,
    voice_id: VoiceId,
    body: TextToSpeech,
    output: AskedOutput,
) -> Response:
    """Speak `text`; bytes leave as they are made."""
    return await _speak(service, caller, voice_id, body, output, None)


@router.post("/text-to-speech/{voice_id}/with-timestamps", response_class=Response)
async def convert_with_timestamps(
    service: Running,
    caller: Asking,
    voice_id: VoiceId,
    body: TextToSpeech,
    output: AskedOutput,
) -> Response:
    """Speak `text`, and say when each of its characters is heard."""
    return await _speak(service, caller, voice_id, body, output, json_object)


@router.post("/text-to-speech/{voice_id}/stream/with-timestamps", response_class=Response)
async def stream_with_timestamps(
    service: Running,
    caller: Asking,
    voice_id: VoiceId,
    body: TextToSpeech,
    output: AskedOutput,
) -> Response:
    """Speak `text` in lines of JSON, each with audio and when its characters are heard."""
    return await _speak(service, caller, voice_id, body, output, json_lines)


@router.post("/text-to-dialogue", response_class=Response)
@router.post("/text-to-dialogue/stream", response_class=Response)
async def converse(
    service: Running,
    caller: Asking,
    body: TextToDialogue,
    output: AskedOutput,
) -> Response:
    """Speak the text of all `inputs`, one after another in one voice."""
    said = TextToSpeech(text=body.text, seed=body.seed)
    return await _speak(service, caller, body.voice_id, said, output, None)


async def _speak(
    service: Service,
    caller: Caller,
    voice_id: str,
    body: TextToSpeech,
    output: Output,
    aligned: Callable[[str], Framing] | None,
) -> Response:
    service.check_length(body.text)
    voice = await service.find(voice_id, caller.owner)
    caller.say(len(body.text))
    delivery = output.delivery(body.speed, words=aligned is not None)
    manner = Manner(Sampling(seed=body.seed), await service.dictionary(None))
    framing = aligned(body.text) if aligned else Framing(output.media_type)
    return SpeechResponse(Utterance(service, body.text, voice, delivery, manner), framing)
