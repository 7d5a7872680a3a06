"""Who can speak: Mira's `/voices` and OpenAI's `/v1/audio/voices`, two views of the same voices.

Knows nothing about how a voice sounds.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Literal
from unicodedata import normalize

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import Response

from mira.errors import InvalidRequest, NotAllowed, VoiceNotFound
from mira.server.guard import is_own
from mira.server.requests import MAX_NAME_CHARS
from mira.server.state import Service
from mira.types import MAX_TRANSCRIPT_CHARS, Voice
from mira.voices import (
    MAX_STATEMENT_CHARS,
    Clip,
    Consent,
    Recorded,
    Voices,
)

UPLOADS = "/v1/audio/voices"
CONSENT_IDS = "cons_"  # all begin so
LISTED_AT_ONCE = 50  # voices, in about half a millisecond
PAUSE_S = 0.0001

_JSON = "application/json"
_encode = json.JSONEncoder(ensure_ascii=False).encode

router = APIRouter(tags=["voices"])


def may_change(request: Request) -> None:
    """Refuse who may not add, remove or recompute voices.

    Also asked before the body of an upload is read.

    Raises:
        NotAllowed: The settings say no, or a web page of somebody else asks: a form in one could
            be sent here by every browser that can reach this service.
    """
    settings = Service.of(request).settings
    if not settings.change_voices:
        raise NotAllowed("Voices can't be changed over HTTP here: the setting change_voices.")
    origin = request.headers.get("origin")
    if (
        origin
        and not {*settings.cors_origins} & {origin, "*"}
        and not is_own(origin, request.headers.get("host", ""))
    ):
        raise NotAllowed("Web pages of other origins can't change voices: see cors_origins.")


Name = Annotated[str, Form(max_length=MAX_NAME_CHARS)]


@router.post(UPLOADS, dependencies=[Depends(may_change)])
async def add_voice(
    request: Request,
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
    service = Service.of(request)
    _, voices = service.speaking()
    recording = await audio_sample.read()

    def add() -> Recorded:
        given, spoken = _consent(service, voices, consent.strip())
        with recording_in("audio_sample"):
            return voices.store.add(name, recording, transcript, given, spoken, spoken is not None)

    added = await service.on_voices(add)
    return _json(_openai(added) | _details(service, voices, added))


@contextmanager
def recording_in(field: str) -> Iterator[None]:
    """Name a form's field in what is wrong with the recording in it."""
    try:
        yield
    except InvalidRequest as error:
        if error.param == "audio":
            error.param = field
        raise


def _consent(service: Service, voices: Voices, given: str) -> tuple[Consent | None, Clip | None]:
    if given.startswith(CONSENT_IDS):
        return voices.store.consents.get(given)
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


@router.get("/v1/audio/voices")
async def openai_voices(request: Request) -> Response:
    """The voices that can speak, as objects with `id` and `name`: what clients of other servers
    expect."""
    service = Service.of(request)
    _, voices = service.speaking()

    def list_names() -> str:
        return _encode({"voices": [{"id": name, "name": name} for name in voices.names]})

    return Response(await service.on_lists(list_names), media_type=_JSON)


@router.get("/v1/audio/voices/{voice_id}")
async def openai_voice(request: Request, voice_id: str) -> Response:
    """One voice, with the report on its recording."""
    service = Service.of(request)
    voice = await _called(service, voice_id)
    return _json(_openai(voice) | _one(service, voice))


@router.delete("/v1/audio/voices/{voice_id}", dependencies=[Depends(may_change)])
async def delete_voice(request: Request, voice_id: str) -> dict[str, object]:
    """Remove a voice: its recording, transcript and consent, and all that was computed of it.
    Files that somebody put into the folder by hand are moved to its folder `removed`: `kept` names
    them."""
    service = Service.of(request)
    _, voices = service.speaking()
    voice_id = normalize("NFC", voice_id)
    if voice_id in {voice.name for voice in voices.own}:
        raise InvalidRequest(f"{voice_id!r} is the engine's own voice and stays.", "voice")
    if voice_id == service.settings.default_voice:
        raise InvalidRequest(
            f"{voice_id!r} is the default voice: set default_voice to another one first.", "voice"
        )
    kept = await service.on_voices(lambda: voices.store.remove(voice_id))
    return {"id": voice_id, "object": "audio.voice.deleted", "deleted": True, "kept": kept}


@router.get("/voices")
async def list_voices(request: Request) -> Response:
    """All voices, who is the default, which other names lead to which, and the files in the folder
    that can't be used, with the reason."""
    return await _listing(Service.of(request))


# Before /voices/{voice_id}, which would take "refresh" for a name.
@router.get("/voices/refresh")
@router.post("/voices/refresh")
async def refresh_voices(request: Request) -> Response:
    """Look at the folder now, and list what is there. It is looked at by itself as well."""
    service = Service.of(request)
    await service.refresh()
    return await _listing(service)


@router.post("/voices/clear-cache", dependencies=[Depends(may_change)])
async def clear_cache(request: Request) -> dict[str, object]:
    """Drop what was computed from recordings; it is computed again when it is needed."""
    service = Service.of(request)
    _, voices = service.speaking()
    return {"cleared": await service.on_voices(voices.store.clear_cache)}


@router.get("/voices/{voice_id}")
async def get_voice(request: Request, voice_id: str) -> Response:
    """One voice, with the report on its recording."""
    service = Service.of(request)
    return _json(_one(service, await _called(service, voice_id)))


async def _listing(service: Service) -> Response:
    _, voices = service.speaking()
    return Response(await service.on_lists(lambda: _list(service, voices)), media_type=_JSON)


def _list(service: Service, voices: Voices) -> str:
    """Voice by voice, with pauses: whoever wants the interpreter meanwhile, such as the thread that
    sends audio, would wait 5 ms for it, or for one long call of the encoder to end."""
    recorded = voices.store.recorded
    described = [_encode(_describe_own(service, voice)) for voice in voices.own]
    for number, name in enumerate(sorted(recorded), 1):
        described.append(_encode(_describe(service, voices, recorded[name])))
        if number % LISTED_AT_ONCE == 0:
            time.sleep(PAUSE_S)
    rest = {
        "total": len(described),
        "default_voice": voices.default,
        "unusable": voices.store.unusable,
        "aliases": voices.aliases,
        "looking": voices.store.looking,
    }
    return f'{_encode(rest)[:-1]}, "voices": [{", ".join(described)}]}}'


async def _called(service: Service, name: str) -> Voice | Recorded:
    voice = await service.called(name)
    if voice is None:
        raise VoiceNotFound(f"There is no voice {name!r}. GET /voices lists them.")
    return voice


def _one(service: Service, voice: Voice | Recorded) -> dict[str, object]:
    if isinstance(voice, Voice):
        return _describe_own(service, voice)
    _, voices = service.speaking()
    return _details(service, voices, voice)


def _describe_own(service: Service, voice: Voice) -> dict[str, object]:
    return {
        "id": voice.name,
        "name": voice.name,
        "format": "builtin",
        "can_speak": True,
        "cached": True,  # nothing has to be computed before it can speak
        "usage_count": service.telemetry.uses[voice.name],
    }


def _describe(service: Service, voices: Voices, voice: Recorded) -> dict[str, object]:
    return {
        "id": voice.name,
        "name": voice.name,
        "format": voice.format,
        "can_speak": voices.store.can_speak,
        "cached": voices.store.prepared(voice),
        "usage_count": service.telemetry.uses[voice.name],
        "version": voice.version,
        "created_at": voice.created_at,
        # Not their words: whoever reaches the port could read what others said, and their names.
        "transcript": bool(voice.transcript),
        "consent": voice.consent is not None,
        "quality": voice.quality.grade,
    }


def _details(service: Service, voices: Voices, voice: Recorded) -> dict[str, object]:
    return _describe(service, voices, voice) | {
        "quality": voice.quality.to_json(),
        "note": voices.note(voice),
    }


def _openai(voice: Voice | Recorded) -> dict[str, object]:
    created = voice.created_at if isinstance(voice, Recorded) else 0
    return {"object": "audio.voice", "type": "audio_sample", "created_at": created}


def _json(content: Mapping[str, object]) -> Response:
    """Without FastAPI's walk through every value."""
    return Response(_encode(content), media_type=_JSON)
