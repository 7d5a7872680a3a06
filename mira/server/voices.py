"""Who can speak: `/voices` and its OpenAI cousin `/v1/audio/voices`.

Knows nothing about how a voice sounds.
"""

from fastapi import APIRouter, Request

from mira.errors import VoiceNotFound
from mira.server.state import Service
from mira.types import Voice

router = APIRouter(tags=["voices"])


def _describe(service: Service, voice: Voice) -> dict[str, object]:
    return {
        "id": voice.name,
        "name": voice.name,
        "format": "clone" if voice.global_tokens else "builtin",
        "cached": True,  # nothing has to be computed before it can speak
        "usage_count": service.telemetry.uses[voice.name],
    }


def _listing(request: Request) -> dict[str, object]:
    service = Service.of(request)
    _, voices = service.speaking()
    described = [_describe(service, voice) for voice in voices.all]
    return {"total": len(described), "default_voice": voices.default.name, "voices": described}


@router.get("/v1/audio/voices")
async def openai_voices(request: Request) -> dict[str, object]:
    """The voices as objects with `id` and `name`, as clients of other servers expect."""
    _, voices = Service.of(request).speaking()
    return {"voices": [{"id": name, "name": name} for name in voices.names]}


@router.get("/voices")
async def list_voices(request: Request) -> dict[str, object]:
    """All voices, who is the default, and how often each has spoken."""
    return _listing(request)


# Before /voices/{voice_id}, which would take "refresh" for a name.
@router.get("/voices/refresh")
@router.post("/voices/refresh")
async def refresh_voices(request: Request) -> dict[str, object]:
    """The voices that there are now. Those of the built-in engine never change."""
    return _listing(request)


@router.post("/voices/clear-cache")
async def clear_cache(request: Request) -> dict[str, object]:
    """Drop what was computed from recordings. The built-in engine computes nothing."""
    Service.of(request).speaking()
    return {"cleared": 0}


@router.get("/voices/{voice_id}")
async def get_voice(request: Request, voice_id: str) -> dict[str, object]:
    """One voice."""
    service = Service.of(request)
    _, voices = service.speaking()
    for voice in voices.all:
        if voice.name == voice_id:
            return _describe(service, voice)
    raise VoiceNotFound(f"There is no voice {voice_id!r}. GET /voices lists them.")
