"""Text in, speech out: Cartesia's `/tts/bytes` and `/tts/sse`.

Knows nothing about how the speech is made.
"""

import uuid
from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from mira.audio import FORMATS
from mira.server.auth import Asking, may
from mira.server.cartesia.messages import events
from mira.server.cartesia.requests import Generation
from mira.server.framing import Framing
from mira.server.keys import Caller
from mira.server.response import SpeechResponse
from mira.server.state import Running, Service
from mira.server.utterance import Delivery, Manner, Utterance

router = APIRouter(prefix="/tts", tags=["Cartesia"], dependencies=[may("speak")])


@router.post("/bytes", response_class=Response)
async def speak_bytes(service: Running, caller: Asking, body: Generation) -> Response:
    """Speak `transcript`; bytes leave as they are made."""
    delivery = body.delivery
    framing = Framing(FORMATS[delivery.format].media_type)
    return await _speak(service, caller, body, delivery, framing)


@router.post("/sse", response_class=Response)
async def speak_events(service: Running, caller: Asking, body: Generation) -> Response:
    """Speak `transcript` in server-sent events, with `add_timestamps` also when each word is
    heard."""
    delivery = replace(body.delivery, words=bool(body.add_timestamps))
    framing = events(body.transcript, body.context_id or str(uuid.uuid4()))
    return await _speak(service, caller, body, delivery, framing)


async def _speak(
    service: Service, caller: Caller, body: Generation, delivery: Delivery, framing: Framing
) -> Response:
    service.check_length(body.transcript)
    voice = await service.find(body.voice_name, caller.owner)
    caller.say(len(body.transcript))
    manner = Manner(dictionary=await service.dictionary(None))
    return SpeechResponse(Utterance(service, body.transcript, voice, delivery, manner), framing)
