"""The model names that clients have built in."""

from fastapi import APIRouter

from mira.errors import ModelNotFound

MODELS = ("mira", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")  # one engine; clients have these built in

router = APIRouter(tags=["models"])


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "mira"}


@router.get("/v1/models")
async def list_models() -> dict[str, object]:
    """List the names that clients ask for. The same engine answers all of them, and any other."""
    return {"object": "list", "data": [_model(name) for name in MODELS]}


@router.get("/v1/audio/models")
async def list_audio_models() -> dict[str, object]:
    """List the same, also as Open WebUI reads it."""
    return await list_models() | {"models": [{"id": name} for name in MODELS]}


@router.get("/v1/models/{model_id}")
async def get_model(model_id: str) -> dict[str, object]:
    """Show one model."""
    if model_id not in MODELS:
        raise ModelNotFound(f"There is no model {model_id!r}. GET /v1/models lists them.")
    return _model(model_id)
