"""Settings in, an ASGI application out.

Knows nothing about any endpoint's work.
"""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from mira.engine import Engine
from mira.progress import Report
from mira.server import errors
from mira.server.auth import check_may_change, host_check, key_check
from mira.server.cartesia import speech as cartesia_speech
from mira.server.cartesia import voices as cartesia_voices
from mira.server.deepgram import speech as deepgram_speech
from mira.server.elevenlabs import account
from mira.server.elevenlabs import speech as elevenlabs_speech
from mira.server.elevenlabs import voices as elevenlabs_voices
from mira.server.handshake import socket_guard
from mira.server.middleware import BodyLimit, head_as_get, served_limit
from mira.server.native import phrases, speech_stream, status
from mira.server.native import voices as native_voices
from mira.server.openai import consents, models, speech, voices
from mira.server.page import home
from mira.server.request_id import request_ids
from mira.server.sockets import cartesia, deepgram, flux
from mira.server.sockets import elevenlabs as elevenlabs_sockets
from mira.server.state import Service
from mira.settings import Settings

EXPOSED_HEADERS = ("X-Voice-Used", "X-Sample-Rate", "X-Request-Id", "Server-Timing")
# Each takes time that other requests wait for. ElevenLabs' clients send up to 25 recordings; they
# are told then why there may be one.
MAX_FORM_FIELDS, MAX_FORM_FILES = 16, 25


class _App(FastAPI):
    """Says in its documentation that a key is needed, where one is: a browser then asks for it."""

    def openapi(self) -> dict[str, Any]:
        """Describe every endpoint."""
        found = super().openapi()
        if self.state.service.keys.needed:
            found["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            found["security"] = [{"key": []}]
        return found


def create_app(settings: Settings, load: Callable[[Settings, Report], Engine]) -> FastAPI:
    """Build the service. Nothing is loaded before the application starts.

    Args:
        load: Makes the engine, and reports how far it is; called once, on a worker thread, when
            the application starts.

    Raises:
        InvalidSettings: The API keys can't be used.
    """
    service = Service(settings, load)
    app = _App(
        title="Mira",
        version=version("mira-speech"),
        description="Streaming text-to-speech, with OpenAI's speech API.",
        lifespan=lambda app: service.running(),
        docs_url=None,  # they would load their scripts from elsewhere: see `page.home`
        redoc_url=None,
        redirect_slashes=False,  # clients do not repeat a POST at another address
        responses=errors.DOCUMENTED,
        form_limits={"max_fields": MAX_FORM_FIELDS, "max_files": MAX_FORM_FILES},
    )
    app.state.service = service
    errors.install(app, service.telemetry.failed)
    for module in (
        account,  # before OpenAI's models, whose path is the same
        elevenlabs_speech,
        elevenlabs_voices,
        elevenlabs_sockets,
        deepgram_speech,
        deepgram,
        flux,
        speech,
        voices,
        consents,
        models,
        cartesia,
        cartesia_speech,
        cartesia_voices,  # before Mira's own, whose path is the same
        speech_stream,
        phrases,
        native_voices,
        status,
        home,
    ):
        app.include_router(module.router)
    # The last one is the first to see a request.
    app.add_middleware(served_limit, max_streams=service.most_streams)
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        max_upload_bytes=settings.max_recording_bytes + settings.max_body_bytes,
        uploads=(
            voices.router.prefix,
            consents.router.prefix,
            elevenlabs_voices.ADD_PATH,
            cartesia_voices.CLONE_PATH,
        ),
        may_upload=partial(check_may_change, settings),
    )
    app.add_middleware(head_as_get)
    app.add_middleware(socket_guard, settings=settings, telemetry=service.telemetry)
    app.add_middleware(key_check, keys=service.keys, count=service.telemetry.failed)
    app.add_middleware(host_check, names=(settings.host, *settings.allowed_hosts))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )
    app.add_middleware(request_ids)
    return app
