"""Cartesia's view of the voices: `/voices`, which Mira's own clients ask as well, and cloning.

Knows nothing about how a voice sounds.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from fastapi.responses import Response

from mira.server.auth import Asking, may, may_change
from mira.server.cartesia.requests import MAX_NAME_CHARS
from mira.server.families import Family, only
from mira.server.native.voices import as_json, called
from mira.server.openai.voices import Upload, make_voice
from mira.server.openai.voices import delete_voice as remove
from mira.server.state import Running
from mira.types import MAX_TRANSCRIPT_CHARS, Voice
from mira.voices import MAX_STATEMENT_CHARS, Recorded, shown_name

CLONE_PATH = "/voices/clone"
MAX_PAGE = 100

# Mira's own list is at the same path.
router = APIRouter(tags=["Cartesia"], route_class=only(Family.CARTESIA))
Cursor = Annotated[str, Query(max_length=MAX_NAME_CHARS)]


@router.get("/voices", include_in_schema=False, dependencies=[may("read")])
async def list_voices(
    service: Running,
    caller: Asking,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 10,
    starting_after: Cursor = "",
    ending_before: Cursor = "",
    q: Cursor = "",
) -> Response:
    """List the voices that can speak, in pages, those with `q` in their name."""
    _, voices = service.speaking(caller.owner)
    own = {voice.name for voice in voices.own}

    def page() -> Response:
        found = sorted(name for name in voices.names if q.lower() in name.lower())
        left = [name for name in found if name > starting_after]
        if ending_before:
            left = [name for name in found if name < ending_before]
        shown = left[-limit:] if ending_before else left[:limit]
        described = [_describe(name, name in own) for name in shown]
        return as_json({"data": described, "has_more": len(left) > limit, "object": "list"})

    return await service.on("list", page)


@router.post(CLONE_PATH, dependencies=[Depends(may_change)])
async def clone_voice(
    service: Running,
    caller: Asking,
    name: Annotated[str, Form(max_length=MAX_NAME_CHARS)],
    clip: Annotated[UploadFile, File(description="One person speaking, 3 to 10 s.")],
    consent: Annotated[str, Form(max_length=MAX_STATEMENT_CHARS)] = "",
    transcript: Annotated[str, Form(max_length=MAX_TRANSCRIPT_CHARS)] = "",
) -> Response:
    """Make a voice of a recording, or another version of the voice with this name. `consent` and
    `transcript` are as for `POST /v1/audio/voices`."""
    upload = Upload(name, clip, "clip", consent, transcript)
    made = await make_voice(service, caller, upload)
    return as_json(_describe_one(made))


@router.get("/voices/{voice_id}", include_in_schema=False, dependencies=[may("read")])
async def get_voice(service: Running, caller: Asking, voice_id: str) -> Response:
    """Show one voice."""
    return as_json(_describe_one(await called(service, caller, voice_id)))


@router.delete("/voices/{voice_id}", dependencies=[Depends(may_change)], status_code=204)
async def delete_voice(service: Running, caller: Asking, voice_id: str) -> None:
    """Remove a voice, as `DELETE /v1/audio/voices/{id}` does."""
    await remove(service, caller, voice_id)


def _describe_one(voice: Voice | Recorded) -> dict[str, object]:
    recorded = isinstance(voice, Recorded)
    created_at = voice.created_at if isinstance(voice, Recorded) else 0
    return _describe(shown_name(voice.name), not recorded, created_at)


def _describe(name: str, own: bool, created_at: float = 0) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "tagline": "",
        "description": "",
        "language": "en",
        "locales": [],
        "created_at": datetime.fromtimestamp(created_at, UTC).isoformat(),
        "access": "public" if own else "private",
        "visibility": "all",
        "is_owner": not own,
        "is_public": own,
    }
