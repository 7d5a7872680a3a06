"""Who can speak, with all that is known of each voice: Mira's own `/voices`.

Knows nothing about how a voice sounds.
"""

import json
import time
from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from mira.errors import NotAllowed, VoiceNotFound
from mira.server.auth import Asking, may, may_change
from mira.server.keys import Caller
from mira.server.state import Running, Service
from mira.types import Voice
from mira.voices import Recorded, Voices, shown_name

LISTED_AT_ONCE = 50  # voices, in about half a millisecond
PAUSE_S = 0.0001

router = APIRouter(prefix="/voices", tags=["voices"])
_encode = json.JSONEncoder(ensure_ascii=False).encode


@router.get("", dependencies=[may("read")])
async def list_voices(service: Running, caller: Asking) -> Response:
    """List all voices, who is the default, which other names lead to which, and the files in the
    folder that can't be used, with the reason."""
    _, voices = service.speaking(caller.owner)
    uses = dict(service.telemetry.uses)  # here, for it changes while the list is made
    listed = await service.on("list", partial(_list, voices, uses))
    return Response(listed, media_type="application/json")


# Before /voices/{voice_id}, which would take "refresh" for a name.
@router.get("/refresh", dependencies=[may("voices")])
@router.post("/refresh", dependencies=[may("voices")])
async def refresh_voices(service: Running, caller: Asking) -> Response:
    """Look at the folder now, and list what is there. It is looked at by itself as well."""
    _, voices = service.speaking()
    await service.on("look", partial(voices.store.refresh, True))
    return await list_voices(service, caller)


@router.post("/clear-cache", dependencies=[Depends(may_change)])
async def clear_cache(service: Running, caller: Asking) -> dict[str, object]:
    """Drop what was computed from recordings; it is computed again when it is needed."""
    if caller.owner:
        raise NotAllowed("This key changes its own voices only, and the cache is of all voices.")
    _, voices = service.speaking()
    service.phrases.forget()
    return {"cleared": await service.on("files", voices.store.clear_cache)}


@router.get("/{voice_id}", dependencies=[may("read")])
async def get_voice(service: Running, caller: Asking, voice_id: str) -> Response:
    """Show one voice, with the report on its recording."""
    return as_json(details(service, caller, await called(service, caller, voice_id)))


async def called(service: Service, caller: Caller, name: str) -> Voice | Recorded:
    """Find the voice that a caller calls exactly so, whether it can speak or not.

    Raises:
        NotReady: See `Service.speaking`.
        VoiceNotFound: There is none.
    """
    _, voices = service.speaking(caller.owner)
    if voices.called(name) is None and voices.store.looking:
        await service.on("find", partial(voices.look_for, name))
    voice = voices.called(name)
    if voice is None:
        raise VoiceNotFound(f"There is no voice {name!r}. GET /voices lists them.")
    return voice


def details(service: Service, caller: Caller, voice: Voice | Recorded) -> dict[str, object]:
    """Describe one voice, with the whole report on its recording."""
    _, voices = service.speaking()
    found = _describe(voices, service.telemetry.uses, voice)
    if isinstance(voice, Recorded):
        found |= {"quality": voice.quality.model_dump(mode="json"), "note": voices.note(voice)}
        if caller.name and caller.may("voices"):
            consent = voice.consent
            found["said"] = voice.transcript
            found["consented"] = (consent.statement or consent.name) if consent else ""
    return found


def as_json(content: object) -> Response:
    """Answer without FastAPI's walk through every value."""
    return Response(_encode(content), media_type="application/json")


def _list(voices: Voices, uses: Mapping[str, int]) -> str:
    """Describe voice by voice, with pauses: the thread that sends audio wants the interpreter
    meanwhile, and would wait 5 ms for it, or for one long call of the encoder to end."""
    described = []
    recorded = voices.recorded
    everybody: list[Voice | Recorded] = [
        *voices.own,
        *(recorded[name] for name in sorted(recorded)),
    ]
    for number, voice in enumerate(everybody, 1):
        described.append(_encode(_describe(voices, uses, voice)))
        if number % LISTED_AT_ONCE == 0:
            time.sleep(PAUSE_S)
    rest = {
        "total": len(described),
        "default_voice": voices.default,
        "unusable": voices.unusable,
        "aliases": voices.aliases,
        "looking": voices.store.looking,
    }
    return f'{_encode(rest)[:-1]}, "voices": [{", ".join(described)}]}}'


def _describe(
    voices: Voices, uses: Mapping[str, int], voice: Voice | Recorded
) -> dict[str, object]:
    found: dict[str, object] = {
        "id": shown_name(voice.name),
        "name": shown_name(voice.name),
        "format": "builtin",
        "can_speak": True,
        "cached": True,  # nothing has to be computed before it can speak
        "usage_count": uses.get(voice.name, 0),
    }
    if isinstance(voice, Recorded):
        found |= {
            "format": voice.format,
            "can_speak": voices.store.can_speak,
            "cached": voices.store.prepared(voice),
            "version": voice.version,
            "created_at": voice.created_at,
            # Not their words: whoever reaches the port could read what others said and are called.
            "transcript": bool(voice.transcript),
            "consent": voice.consent is not None,
            "quality": voice.quality.grade,
        }
    return found
