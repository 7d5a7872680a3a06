"""Text in, speech out: Deepgram's `POST /v1/speak`, and Flux's `/v2/speak`.

Knows nothing about how the speech is made.
"""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from starlette.responses import Response

from mira.audio import FORMATS
from mira.server.auth import Asking, may
from mira.server.deepgram.requests import Query, Text, model_id, plain
from mira.server.framing import Framing
from mira.server.request_id import request_id
from mira.server.response import SpeechResponse
from mira.server.state import Running
from mira.server.utterance import Manner, Utterance
from mira.voices import shown_name

router = APIRouter(tags=["Deepgram"], dependencies=[may("speak")])


@router.post("/v1/speak", response_class=Response)
@router.post("/v2/speak", response_class=Response)
async def speak(
    service: Running,
    caller: Asking,
    query: Annotated[Query, InQuery()],
    body: Text,
) -> Response:
    """Speak `text`; bytes leave as they are made. Without an encoding it is MP3."""
    delivery = query.of_request()
    service.check_length(body.text)
    voice = await service.find(query.model, caller.owner)
    caller.say(len(body.text))
    manner = Manner(dictionary=await service.dictionary(None))
    headers = {
        "dg-request-id": request_id(),
        "dg-model-uuid": model_id(shown_name(voice.name)),
        "dg-char-count": str(len(body.text)),
    }
    framing = Framing(FORMATS[delivery.format].media_type, headers=headers)
    text = plain(body.text)
    return SpeechResponse(Utterance(service, text, voice, delivery, manner), framing)
