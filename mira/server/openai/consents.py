"""People's consents to voices made of theirs: OpenAI's `/v1/audio/voice_consents`.

They have people's names, so all of it is for those who may change voices. Knows nothing about
voices, but that a consent that one was made with stays.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from mira.server.auth import Asking, may_change
from mira.server.openai.requests import MAX_NAME_CHARS
from mira.server.openai.voices import Name, recording_in
from mira.server.state import Running, Service
from mira.voices import Consent, VoiceStore

MAX_LANGUAGE_CHARS = 64

router = APIRouter(
    prefix="/v1/audio/voice_consents", tags=["consents"], dependencies=[Depends(may_change)]
)


class Renaming(BaseModel):
    """What can be changed of a consent."""

    model_config = ConfigDict(strict=True, extra="ignore")

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARS)


@router.post("")
async def add_consent(
    service: Running,
    caller: Asking,
    name: Name,
    language: Annotated[str, Form(max_length=MAX_LANGUAGE_CHARS, description="Such as en-US.")],
    recording: Annotated[UploadFile, File(description="The person saying that they consent.")],
) -> dict[str, object]:
    """Keep a recording of somebody who consents."""
    store, data = _store(service), await recording.read()

    def add() -> Consent:
        with recording_in("recording"):
            return store.add_consent(name, language, data, caller.owner)

    return _describe(await service.on("files", add))


@router.get("")
async def list_consents(
    service: Running,
    caller: Asking,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, object]:
    """List the consents, the oldest first, in pages."""
    found = await service.on("files", _store(service).consents.of(caller.owner).all)
    ids = [consent.id for consent in found]
    begin = ids.index(after) + 1 if after in ids else 0
    page = found[begin : begin + limit]
    return {
        "object": "list",
        "data": [_describe(consent) for consent in page],
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
        "has_more": begin + limit < len(found),
    }


@router.get("/{consent_id}")
async def get_consent(service: Running, caller: Asking, consent_id: str) -> dict[str, object]:
    """Show one consent."""
    consents = _store(service).consents.of(caller.owner)
    return _describe(await service.on("files", lambda: consents.describe(consent_id)))


@router.post("/{consent_id}")
async def rename_consent(
    service: Running, caller: Asking, consent_id: str, body: Renaming
) -> dict[str, object]:
    """Give a consent another name."""
    store = _store(service)
    rename = partial(store.rename_consent, consent_id, body.name, caller.owner)
    return _describe(await service.on("files", rename))


@router.delete("/{consent_id}")
async def delete_consent(service: Running, caller: Asking, consent_id: str) -> dict[str, object]:
    """Delete a consent that no voice was made with."""
    store = _store(service)
    await service.on("files", lambda: store.remove_consent(consent_id, caller.owner))
    return {"id": consent_id, "object": "audio.voice_consent", "deleted": True}


def _store(service: Service) -> VoiceStore:
    _, voices = service.speaking()
    return voices.store


def _describe(consent: Consent) -> dict[str, object]:
    return {
        "object": "audio.voice_consent",
        "id": consent.id,
        "name": consent.name,
        "language": consent.language,
        "created_at": consent.created_at,
    }
