"""ElevenLabs' view of the voices: `/v1/voices`, and `/v2/voices` in pages.

Knows nothing about how a voice sounds.
"""

import json
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from fastapi.responses import Response

from mira.errors import InvalidRequest
from mira.server.auth import Asking, may, may_change
from mira.server.native.voices import as_json, called
from mira.server.openai.requests import MAX_NAME_CHARS
from mira.server.openai.voices import Upload, make_voice
from mira.server.openai.voices import delete_voice as remove
from mira.server.state import Running
from mira.types import MAX_TRANSCRIPT_CHARS
from mira.voices import MAX_STATEMENT_CHARS, shown_name

ADD_PATH = "/v1/voices/add"
MAX_PAGE = 100
MAX_LABELS_CHARS = 2 * (MAX_STATEMENT_CHARS + MAX_TRANSCRIPT_CHARS)

router = APIRouter(tags=["ElevenLabs"])


@router.get("/v1/voices", dependencies=[may("read")])
async def list_voices(service: Running, caller: Asking) -> Response:
    """List the voices that can speak."""
    _, voices = service.speaking(caller.owner)
    own = {voice.name for voice in voices.own}

    def listed() -> Response:
        return as_json({"voices": [_describe(name, name in own) for name in voices.names]})

    return await service.on("list", listed)


@router.get("/v2/voices", dependencies=[may("read")])
async def search_voices(
    service: Running,
    caller: Asking,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 10,
    next_page_token: Annotated[str, Query(max_length=MAX_NAME_CHARS)] = "",
    search: Annotated[str, Query(max_length=MAX_NAME_CHARS)] = "",
) -> Response:
    """List them in pages, those with `search` in their name. A page's token is its last name."""
    _, voices = service.speaking(caller.owner)
    own = {voice.name for voice in voices.own}

    def page() -> Response:
        found = sorted(name for name in voices.names if search.lower() in name.lower())
        left = [name for name in found if name > next_page_token]
        shown, more = left[:page_size], len(left) > page_size
        return as_json(
            {
                "voices": [_describe(name, name in own) for name in shown],
                "has_more": more,
                "total_count": len(found),
                "next_page_token": shown[-1] if more else None,
            }
        )

    return await service.on("list", page)


@router.post(ADD_PATH, dependencies=[Depends(may_change)])
async def add_voice(
    service: Running,
    caller: Asking,
    name: Annotated[str, Form(max_length=MAX_NAME_CHARS)],
    files: Annotated[list[UploadFile], File(description="One person speaking, 3 to 10 s.")],
    labels: Annotated[
        str,
        Form(
            max_length=MAX_LABELS_CHARS,
            description="JSON: `consent` and `transcript` are as for `POST /v1/audio/voices`.",
        ),
    ] = "",
) -> dict[str, object]:
    """Make a voice of a recording, or another version of the voice with this name. ElevenLabs'
    form has no field for who consented, so a label says it."""
    if len(files) != 1:
        wrong = (
            f"files: here are {len(files)} recordings, and a voice is made of one, because a model "
            "reads a few seconds of it. Send the best one, 3 to 10 s."
        )
        raise InvalidRequest(wrong, "files")
    consent, transcript = _label(labels, "consent"), _label(labels, "transcript")
    upload = Upload(name, files[0], "files", consent, transcript)
    made = await make_voice(service, caller, upload)
    return {"voice_id": shown_name(made.name), "requires_verification": False}


@router.get("/v1/voices/settings/default", dependencies=[may("read")])
async def get_default_settings() -> dict[str, object]:
    """Show the settings of whatever voice. Only `speed` means something here."""
    return {
        "stability": 0.5,
        "similarity_boost": 0.75,
        "style": 0.0,
        "use_speaker_boost": True,
        "speed": 1.0,
    }


@router.get("/v1/voices/{voice_id}/settings", dependencies=[may("read")])
async def get_settings(service: Running, caller: Asking, voice_id: str) -> dict[str, object]:
    """Show a voice's settings: each has the default ones."""
    await called(service, caller, voice_id)
    return await get_default_settings()


@router.get("/v1/voices/{voice_id}", dependencies=[may("read")])
async def get_voice(service: Running, caller: Asking, voice_id: str) -> Response:
    """Show one voice."""
    _, voices = service.speaking()
    name = shown_name((await called(service, caller, voice_id)).name)
    return as_json(_describe(name, name in {own.name for own in voices.own}))


@router.delete("/v1/voices/{voice_id}", dependencies=[Depends(may_change)])
async def delete_voice(service: Running, caller: Asking, voice_id: str) -> dict[str, object]:
    """Remove a voice, as `DELETE /v1/audio/voices/{id}` does."""
    await remove(service, caller, voice_id)
    return {"status": "ok"}


def _label(labels: str, name: str) -> str:
    """Return a label, or nothing of what can't be read: clients send `null` or words of theirs."""
    with suppress(ValueError, RecursionError):
        found = json.loads(labels or "null")
        value = found.get(name) if isinstance(found, dict) else None
        return value if isinstance(value, str) else ""
    return ""


def _describe(name: str, own: bool) -> dict[str, object]:
    return {
        "voice_id": name,
        "name": name,
        "category": "premade" if own else "cloned",
        "labels": {},
        "description": None,
        "preview_url": None,
        "settings": None,
    }
