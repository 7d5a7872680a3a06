"""OpenAI's view of the voices: `/v1/audio/voices`, with the recordings that voices are made of.

Knows nothing about how a voice sounds.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal
from unicodedata import normalize

from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.responses import Response

from mira.errors import InvalidRequest
from mira.server.auth import Asking, may, may_change
from mira.server.keys import Caller
from mira.server.native.voices import as_json, called, details
from mira.server.openai.requests import MAX_NAME_CHARS
from mira.server.state import Running, Service
from mira.types import MAX_TRANSCRIPT_CHARS, Voice
from mira.voices import MAX_STATEMENT_CHARS, Clip, Consent, Consents, Recorded

CONSENT_IDS = "cons_"  # all begin so

router = APIRouter(prefix="/v1/audio/voices", tags=["voices"])
Name = Annotated[str, Form(max_length=MAX_NAME_CHARS)]


@router.post("", dependencies=[Depends(may_change)])
async def add_voice(
    service: Running,
    caller: Asking,
    name: Name,
    audio_sample: Annotated[UploadFile, File(description="One person speaking, 3 to 10 s.")],
    consent: Annotated[
        str,
        Form(
            max_length=MAX_STATEMENT_CHARS,
            description="The id of a consent, or who consented to what, in words.",
        ),
    ] = "",
    transcript: Annotated[
        str, Form(max_length=MAX_TRANSCRIPT_CHARS, description="What is said, word for word.")
    ] = "",
    type: Annotated[Literal["audio_sample"], Form()] = "audio_sample",
) -> Response:
    """Make a voice of a recording, or another version of the voice with this name."""
    made = await make_voice(
        service, caller, Upload(name, audio_sample, "audio_sample", consent, transcript)
    )
    return _voice(service, caller, made)


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording that is to become a voice."""

    name: str
    """What the voice is to be called."""
    sample: UploadFile
    field: str
    """In which it was sent, for what is wrong with it."""
    consent: str
    """The id of one, or who consented to what in words; may be empty."""
    transcript: str
    """What is said, word for word; may be empty."""


async def make_voice(service: Service, caller: Caller, upload: Upload) -> Recorded:
    """Make a voice of an uploaded recording: one of all, or the caller's own.

    Raises:
        InvalidRequest: The recording can't be used, or a consent is asked for.
        ConsentNotFound: None has this id.
        StorageFailed: The folder can't be written.
    """
    _, voices = service.speaking(caller.owner)
    recording = await upload.sample.read()

    def add() -> Recorded:
        consents = voices.store.consents.of(caller.owner)
        given, spoken = _consent(service, consents, upload.consent.strip())
        stored = voices.to_add(upload.name)
        with recording_in(upload.field):
            return voices.store.add(
                stored, recording, upload.transcript, given, spoken, spoken is not None
            )

    return await service.on("files", add)


@contextmanager
def recording_in(field: str) -> Iterator[None]:
    """Name a form's field in what is wrong with the recording in it."""
    try:
        yield
    except InvalidRequest as error:
        if error.param == "audio":
            error.param = field
        raise


def _consent(
    service: Service, consents: Consents, given: str
) -> tuple[Consent | None, Clip | None]:
    if given.startswith(CONSENT_IDS):
        return consents.get(given)
    if given:
        return Consent(statement=given, created_at=int(time.time())), None
    if service.settings.require_consent:
        raise InvalidRequest(
            "consent: say who consents that a voice is made of theirs, such as 'Anna Smith agreed "
            "on 2 May', or give the id of a consent (POST /v1/audio/voice_consents).",
            "consent",
            "missing_required_field",
        )
    return None, None


@router.get("", dependencies=[may("read")])
async def list_voices(service: Running, caller: Asking) -> Response:
    """List the voices that can speak, as objects with `id` and `name`: what clients of other
    servers expect."""
    _, voices = service.speaking(caller.owner)

    def names() -> Response:
        return as_json({"voices": [{"id": name, "name": name} for name in voices.names]})

    return await service.on("list", names)


@router.get("/{voice_id}", dependencies=[may("read")])
async def get_voice(service: Running, caller: Asking, voice_id: str) -> Response:
    """Show one voice, with the report on its recording."""
    return _voice(service, caller, await called(service, caller, voice_id))


@router.delete("/{voice_id}", dependencies=[Depends(may_change)])
async def delete_voice(service: Running, caller: Asking, voice_id: str) -> dict[str, object]:
    """Remove a voice: its recording, transcript and consent, and all that was computed of it.
    Files that somebody put into the folder by hand are moved to its folder `removed`: `kept` names
    them."""
    _, voices = service.speaking(caller.owner)
    voice_id = normalize("NFC", voice_id)
    if voice_id in {voice.name for voice in voices.own}:
        raise InvalidRequest(f"{voice_id!r} is the engine's own voice and stays.", "voice")
    if voice_id == service.settings.default_voice and not caller.owner:
        raise InvalidRequest(
            f"{voice_id!r} is the default voice: set default_voice to another one first.", "voice"
        )
    kept = await service.on("files", lambda: voices.remove(voice_id))
    return {"id": voice_id, "object": "audio.voice.deleted", "deleted": True, "kept": kept}


def _voice(service: Service, caller: Caller, voice: Voice | Recorded) -> Response:
    created = voice.created_at if isinstance(voice, Recorded) else 0
    found = {"object": "audio.voice", "type": "audio_sample", "created_at": created}
    return as_json(found | details(service, caller, voice))
