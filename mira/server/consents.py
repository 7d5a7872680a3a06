"""People's consents to voices made of theirs: OpenAI's `/v1/audio/voice_consents`.

They have people's names, so all of it is for those who may change voices. Knows nothing about
voices, but that a consent that one was made with stays.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from mira.server.requests import MAX_NAME_CHARS
from mira.server.state import Service
from mira.server.voices import Name, may_change, recording_in
from mira.voices import Consent, VoiceStore

UPLOADS = "/v1/audio/voice_consents"
MAX_LANGUAGE_CHARS = 64

router = APIRouter(tags=["consents"], dependencies=[Depends(may_change)])


class Renaming(BaseModel):
    """What can be changed of a consent."""

    model_config = ConfigDict(strict=True, extra="ignore")

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARS)


def _store(request: Request) -> VoiceStore:
    _, voices = Service.of(request).speaking()
    return voices.store


@router.post(UPLOADS)
async def add_consent(
    request: Request,
    name: Name,
    language: Annotated[str, Form(max_length=MAX_LANGUAGE_CHARS, description="Such as en-US.")],
    recording: Annotated[UploadFile, File(description="The person saying that they consent.")],
) -> dict[str, object]:
    """Keep a recording of somebody who consents."""
    store, data = _store(request), await recording.read()

    def add() -> Consent:
        with recording_in("recording"):
            return store.add_consent(name, language, data)

    return _describe(await Service.of(request).on_voices(add))


@router.get("/v1/audio/voice_consents")
async def list_consents(
    request: Request,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, object]:
    """The consents, the oldest first, in pages."""
    found = await Service.of(request).on_voices(_store(request).consents.all)
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


@router.get("/v1/audio/voice_consents/{consent_id}")
async def get_consent(request: Request, consent_id: str) -> dict[str, object]:
    """One consent."""
    store = _store(request)
    consent, _ = await Service.of(request).on_voices(lambda: store.consents.get(consent_id))
    return _describe(consent)


@router.post("/v1/audio/voice_consents/{consent_id}")
async def rename_consent(request: Request, consent_id: str, body: Renaming) -> dict[str, object]:
    """Give a consent another name."""
    store = _store(request)
    renamed = await Service.of(request).on_voices(
        lambda: store.rename_consent(consent_id, body.name)
    )
    return _describe(renamed)


@router.delete("/v1/audio/voice_consents/{consent_id}")
async def delete_consent(request: Request, consent_id: str) -> dict[str, object]:
    """Delete a consent that no voice was made with."""
    store = _store(request)
    await Service.of(request).on_voices(lambda: store.remove_consent(consent_id))
    return {"id": consent_id, "object": "audio.voice_consent", "deleted": True}


def _describe(consent: Consent) -> dict[str, object]:
    return {
        "object": "audio.voice_consent",
        "id": consent.id,
        "name": consent.name,
        "language": consent.language,
        "created_at": consent.created_at,
    }
