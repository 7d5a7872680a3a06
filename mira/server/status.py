"""How the service is: models, health, statistics, metrics.

Knows nothing about how any of it came about.
"""

import time

import psutil
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from mira.errors import ModelNotFound
from mira.server.state import Service

MODELS = ("mira", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")  # one engine; clients have these built in

router = APIRouter(tags=["status"])


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "mira"}


@router.get("/v1/models")
async def list_models() -> dict[str, object]:
    """The names that clients ask for. The same engine answers all of them, and any other."""
    return {"object": "list", "data": [_model(name) for name in MODELS]}


@router.get("/v1/audio/models")
async def list_audio_models() -> dict[str, object]:
    """The same, also as Open WebUI reads it."""
    return await list_models() | {"models": [{"id": name} for name in MODELS]}


@router.get("/v1/models/{model_id}")
async def get_model(model_id: str) -> dict[str, object]:
    """One model."""
    if model_id not in MODELS:
        raise ModelNotFound(f"There is no model {model_id!r}. GET /v1/models lists them.")
    return _model(model_id)


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """Whether the process answers, and may speak: 503 once only another process can.

    Whether it can speak yet is `/health/ready`.
    """
    service = Service.of(request)
    failed = service.failure is not None
    answer = {
        "status": "failed" if failed else "ok",
        "ready": service.ready,
        "active_streams": service.admission.active,
        "uptime_s": round(time.time() - service.telemetry.started_at, 1),
        "error": service.obstacle if failed else None,
    }
    return JSONResponse(answer, 503 if failed else 200)


@router.get("/health/ready")
async def ready(request: Request) -> JSONResponse:
    """200 once the engine has spoken its warm-up sentence, 503 before, and while it restarts.

    Before, `doing` says what is being done; if it is known, `done` and `total` how many bytes of
    it, and `left_s` for how long still.
    """
    service = Service.of(request)
    free = service.admission.free if service.ready else 0
    answer: dict[str, object] = {
        "ready": service.ready,
        "free_streams": free,
        "max_streams": service.admission.max_streams,
        "error": service.obstacle,
    }
    if service.ready:
        return JSONResponse(answer)
    starting = service.starting
    if service.obstacle is None:
        step, left_s = starting.step, starting.left_s
        answer["doing"] = step.what if step else "starting"
        answer["done"], answer["total"] = (step.done, step.total) if step else (0, 0)
        answer["left_s"] = None if left_s is None else round(left_s, 1)
    wait_s = starting.retry_after_s if service.obstacle is None else 1
    return JSONResponse(answer, 503, {"Retry-After": str(wait_s)})


@router.get("/stats")
async def stats(request: Request) -> dict[str, object]:
    """What the service did since it started; percentiles are over the last thousand streams."""
    service = Service.of(request)
    telemetry = service.telemetry
    return {
        "uptime_s": round(time.time() - telemetry.started_at, 1),
        "requests": telemetry.uses.total(),
        "active_streams": service.admission.active,
        "max_streams": service.admission.max_streams,
        "cancelled": telemetry.cancelled,
        "failures": dict(telemetry.failures),
        "incidents": dict(telemetry.incidents),
        "underruns": telemetry.underruns,
        "audio_s": round(telemetry.audio_s, 2),
        **telemetry.percentiles(),
        "voices": dict(telemetry.uses),
        "voice_substitutions": telemetry.substituted,
        "memory_mb": round(psutil.Process().memory_info().rss / 2**20, 1),
    }


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The same for Prometheus."""
    service = Service.of(request)
    admission = service.admission
    free = admission.free if service.ready else 0
    text = service.telemetry.prometheus(admission.active, free, admission.max_streams)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
