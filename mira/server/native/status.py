"""How the service is: health, statistics, metrics.

Knows nothing about how any of it came about.
"""

import asyncio
import time
from dataclasses import asdict

import psutil
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from mira.server.auth import may
from mira.server.native.phrases import about_phrases
from mira.server.state import Running, Service

router = APIRouter(tags=["status"])


@router.get("/health")
async def health(service: Running) -> JSONResponse:
    """Tell whether the process answers, and may speak: 503 once only another process can.

    Whether it can speak yet is `/health/ready`.
    """
    failed = service.failure is not None
    answer = {
        "status": "failed" if failed else "ok",
        "ready": service.ready,
        "active_streams": service.admission.active,
        "uptime_s": _uptime_s(service),
        "error": service.obstacle if failed else None,
    }
    return JSONResponse(answer, 503 if failed else 200)


@router.get("/health/ready")
async def ready(service: Running) -> JSONResponse:
    """Answer 200 once the engine has spoken its warm-up sentence; 503 before, and on a restart.

    Before, `doing` says what is being done; if it is known, `done` and `total` how many bytes of
    it, and `left_s` for how long still.
    """
    answer: dict[str, object] = {
        "ready": service.ready,
        "free_streams": _free(service),
        "max_streams": service.admission.capacity.limit,
        "error": service.obstacle,
    }
    if service.ready:
        return JSONResponse(answer)
    if service.obstacle is not None:
        return JSONResponse(answer, 503, {"Retry-After": "1"})
    starting, left_s = service.starting, service.starting.left_s
    answer |= {
        "doing": starting.step.what,
        "done": starting.step.done,
        "total": starting.step.total,
        "left_s": None if left_s is None else round(left_s, 1),
    }
    return JSONResponse(answer, 503, {"Retry-After": str(starting.retry_after_s)})


@router.get("/stats", dependencies=[may("operate")])
async def stats(service: Running) -> dict[str, object]:
    """Show what the service did since its start; percentiles are over the last thousand streams."""
    telemetry = service.telemetry
    return {
        "uptime_s": _uptime_s(service),
        "requests": telemetry.uses.total(),
        "active_streams": service.admission.active,
        "max_streams": service.admission.capacity.limit,
        "sockets": {name: count for name, count in telemetry.sockets.items() if count},
        "contexts": telemetry.contexts,
        "turns": dict(telemetry.turns),
        "cancelled": telemetry.cancelled,
        "failures": dict(telemetry.failures),
        "incidents": dict(telemetry.incidents),
        "underruns": telemetry.underruns,
        "audio_s": round(telemetry.audio_s, 2),
        **telemetry.percentiles(),
        "voices": dict(telemetry.uses),
        "voice_substitutions": telemetry.substituted,
        "phrases": about_phrases(service),
        "keys": {name: asdict(used) for name, used in telemetry.used().items()},
        "tasks": len(asyncio.all_tasks()),
        "memory_mb": round(psutil.Process().memory_info().rss / 2**20, 1),
    }


@router.get("/metrics", dependencies=[may("operate")])
async def metrics(service: Running) -> Response:
    """Show the same to Prometheus."""
    active, most = service.admission.active, service.admission.capacity.limit
    text = service.telemetry.prometheus(active, _free(service), most)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _free(service: Service) -> int:
    return service.admission.capacity.free if service.ready else 0


def _uptime_s(service: Service) -> float:
    return round(time.time() - service.telemetry.started_at, 1)
