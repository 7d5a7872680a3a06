"""An engine in, a real server on a real port out, run in a thread as `mira serve` runs it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI

from mira.engine import Engine
from mira.server.app import create_app
from mira.server.run import listen, make_server
from mira.server.state import Service
from mira.settings import Settings
from mira.synthesizer import Synthesizer
from mira.voices import Voices

Load = Callable[[Settings], Engine]


@dataclass(frozen=True)
class Served:
    """A running service."""

    app: FastAPI
    port: int
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def service(self) -> Service:
        service = self.app.state.service
        assert isinstance(service, Service)
        return service

    @property
    def connections(self) -> int:
        """Sockets of clients that the server has not let go of."""
        return len(self.server.server_state.connections)

    def client(self, **options: Any) -> httpx.Client:
        """One that neither reads the environment nor certificates, nor gives up early."""
        return httpx.Client(base_url=self.url, trust_env=False, verify=False, timeout=30, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.post(path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.get(path, **options)

    def metric(self, name: str) -> float:
        """The sum of a Prometheus metric's samples."""
        families = self.service.telemetry.registry.collect()
        values = [s.value for family in families for s in family.samples if s.name == name]
        assert values, name
        return sum(values)

    def wait_idle(self) -> None:
        """Return once no stream is active."""
        wait_until(lambda: self.service.admission.active == 0)


def wait_until(reached: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Poll what can't notify; fail if it never happens.

    The longer it takes, the more seldom: a request to a process that is still starting takes as
    much of the processor as the start gets.
    """
    began = time.monotonic()
    while not reached():
        waited_s = time.monotonic() - began
        assert waited_s < timeout_s, f"not within {timeout_s} s"
        time.sleep(min(max(0.002, waited_s / 20), 0.25))


def speaking(synthesizer: Synthesizer, **overrides: object) -> tuple[Load, Settings]:
    """A loader and settings for an engine that speaks with it."""
    overrides = {"default_voice": synthesizer.voices[0].name, **overrides}
    return lambda settings: Engine(synthesizer, settings.lead_s), quick(**overrides)


def quick(**overrides: object) -> Settings:
    """Settings that stop at once when a test is over."""
    return Settings.model_validate({"port": 0, "shutdown_timeout_s": 0, **overrides})


def ready_service(synthesizer: Synthesizer, **overrides: object) -> Service:
    """One that can speak, without a server around it."""
    load, settings = speaking(synthesizer, **overrides)
    service = Service(settings, lambda settings, report: load(settings))
    service._speaking = load(settings), cast(Voices, None)
    return service


@contextmanager
def serving(load: Load, settings: Settings, *, ready: bool = True) -> Iterator[Served]:
    """Run a server until the block ends.

    Args:
        ready: Wait until the engine is loaded; otherwise only until connections are accepted.
    """
    if settings.voices_dir == Settings().voices_dir:  # never the folder of whoever runs the tests
        settings = settings.model_copy(update={"voices_dir": Path("/nonexistent/voices")})
    listener = listen(settings)
    app = create_app(settings, lambda settings, report: load(settings))
    server = make_server(app, settings)
    run = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
    served = Served(app, listener.getsockname()[1], server)
    run.start()
    try:
        wait_until(lambda: server.started)
        if ready:
            wait_until(lambda: served.service.ready)
        yield served
    finally:
        server.should_exit = True
        run.join(20)
        listener.close()
        assert not run.is_alive(), "the server did not stop"
