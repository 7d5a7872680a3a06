"""What one running service holds: settings, engine, voices, counters.

Knows nothing about requests. There is one per app, made by `create_app`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, sleep, to_thread
from fastapi import Depends
from starlette.requests import HTTPConnection

from mira.engine import Engine
from mira.errors import NotReady, SynthesisFailed
from mira.progress import Report
from mira.server.admission import Admission, Patience
from mira.server.capacity import Capacity
from mira.server.memory import give_back
from mira.server.starting import Starting
from mira.server.telemetry import Telemetry
from mira.settings import Settings
from mira.types import Voice
from mira.voices import (
    Found,
    Limits,
    NotPrepared,
    Recorded,
    Voices,
    VoiceStore,
    Watcher,
    check_folder,
    open_voices,
)

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_STREAMS = 64
"""At once, however fast the machine: each has threads of its own."""
BEGINNERS = 2
"""For each that computes: so many may begin at once, until more than that have audio in hand."""
REST_S = 20.0
"""Without a stream, until memory is given back: the first audio after that takes longer."""
STOP_S = 10.0
"""For each thing that has to end when the service stops."""
VOICE_WORKERS = 2
"""Threads that read, check and write voices' files: calls need the processors more."""
SEARCHES = 8
"""Threads that look for voices that are not in memory."""
CLONES = 8
"""Threads that calls wait in for a voice to be computed, one after another."""
LOOK_S = 0.5
"""Between two looks at whether the engine is beyond repair."""


@dataclass(slots=True)
class Service:
    """Ready once `start` has loaded the engine; until then requests are answered 503."""

    settings: Settings
    load: Callable[[Settings, Report], Engine]
    admission: Admission = field(init=False)
    telemetry: Telemetry = field(init=False, default_factory=Telemetry)
    starting: Starting = field(init=False, default_factory=Starting)
    failure: Exception | None = field(init=False, default=None)  # why it will never speak (again)
    give_up: Callable[[], object] = field(init=False, default=lambda: None)
    """Called once there is a `failure`: a service that can never speak should end, so that whoever
    supervises it starts another."""
    rest: Callable[[], object] = field(init=False, default=give_back)
    """Called on a worker thread once nobody has spoken for a while."""
    _engine: Engine | None = field(init=False, default=None)
    _store: VoiceStore | None = field(init=False, default=None)
    _watcher: Watcher | None = field(init=False, default=None)
    _voice_work: CapacityLimiter = field(init=False)
    _refreshes: CapacityLimiter = field(init=False)
    _searches: CapacityLimiter = field(init=False)
    _clones: CapacityLimiter = field(init=False)
    _lists: CapacityLimiter = field(init=False)
    _speaking: tuple[Engine, Voices] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._voice_work = CapacityLimiter(VOICE_WORKERS)
        # Of their own: a look at the whole folder may take long, and calls come first.
        self._refreshes = CapacityLimiter(1)
        self._searches = CapacityLimiter(SEARCHES)
        self._lists = CapacityLimiter(1)
        self._clones = CapacityLimiter(CLONES)  # so that a voice on disk waits for no computing
        settings, most = self.settings, self.most_streams
        self.admission = Admission(
            Capacity(settings.min_streams, most, most, most),
            Patience(settings.queue_s, settings.stall_timeout_s, settings.full_stall_timeout_s),
        )

    @property
    def most_streams(self) -> int:
        """Number of streams at once that are never exceeded, whatever the engine."""
        return self.settings.max_streams or MOST_STREAMS

    @property
    def ready(self) -> bool:
        """Whether the engine has spoken its warm-up sentence, and can speak now."""
        return self._speaking is not None and self._speaking[0].ready

    @property
    def obstacle(self) -> str | None:
        """Why it can't speak, in words for strangers; None if it can, or is still starting."""
        if self.ready:
            return None
        if self.failure is not None and self._speaking is not None:
            return "The engine broke for good, and the service ends. Its log says why."
        if self.failure is not None:
            return "The engine could not start. The service's log says why."
        if self._speaking is not None:
            return "The engine broke and is being restarted. Try again in a second."
        return None

    def speaking(self) -> tuple[Engine, Voices]:
        """The engine and who it can speak as.

        Raises:
            NotReady: It is still loading, could not be loaded, or broke and is being restarted.
        """
        if self._speaking is None or not self.ready:
            if self.obstacle is not None:
                raise NotReady(self.obstacle)
            raise NotReady(str(self.starting), self.starting.retry_after_s)
        return self._speaking

    async def find(self, name: str) -> Found:
        """The voice with this name, or the default one; see `Voices.find`.

        Raises:
            NotReady: See `speaking`.
            VoiceNotFound: It can't speak, and the settings are strict.
        """
        _, voices = self.speaking()
        found = voices.at_once(name)
        if found is not None:
            return found
        return await self.search(voices.find, name)

    async def search(self, look: Callable[[str, bool], T], name: str) -> T:
        """Look a voice up that may have to be read or computed, on worker threads.

        Args:
            look: `find` or `exactly` of `Voices`.
        """
        try:
            return await to_thread.run_sync(look, name, False, limiter=self._searches)
        except NotPrepared:
            return await to_thread.run_sync(look, name, True, limiter=self._clones)

    async def called(self, name: str) -> Voice | Recorded | None:
        """The voice with exactly this name, whether it can speak or not.

        Raises:
            NotReady: See `speaking`.
        """
        _, voices = self.speaking()
        if voices.called(name) is None and voices.store.looking:
            await to_thread.run_sync(voices.store.look_for, name, limiter=self._searches)
        return voices.called(name)

    async def refresh(self) -> None:
        """Look at the voices' folder now.

        Raises:
            NotReady: See `speaking`.
        """
        _, voices = self.speaking()
        await to_thread.run_sync(voices.store.refresh, True, limiter=self._refreshes)

    async def on_voices(self, work: Callable[[], T]) -> T:
        """Do something with voices' files, on a worker thread."""
        return await to_thread.run_sync(work, limiter=self._voice_work)

    async def on_lists(self, work: Callable[[], T]) -> T:
        """Write a list of all voices, on a worker thread: with a thousand it takes a while."""
        return await to_thread.run_sync(work, limiter=self._lists)

    async def start(self) -> None:
        """Load the engine on a worker thread, so that health checks are answered meanwhile.

        Then watch it, until it is beyond repair or the caller cancels this.
        """
        try:
            settings = self.settings
            check_folder(settings.voices_dir)  # before the work of loading a model
            report = self.starting.report
            self._engine = engine = await to_thread.run_sync(self.load, settings, report)
            most = min(self.most_streams, engine.synthesizer.max_streams)
            first = await to_thread.run_sync(engine.synthesizer.measure, most)
            taken = [voice.name for voice in engine.voices]
            self._store = store = VoiceStore(
                settings.voices_dir, engine, Limits.of(settings), taken
            )
            # The default voice alone is looked for here; the watcher looks at all the others.
            voices = await self.on_voices(lambda: open_voices(settings, engine.voices, store))
            default = await self.on_voices(voices.stand_in)
            self.telemetry.watch(engine.synthesizer.incidents)
            self.admission.capacity = Capacity(
                min(settings.min_streams, most), most, first, BEGINNERS * engine.synthesizer.at_once
            )
            self._watcher = Watcher(settings.voices_dir, partial(store.refresh, clean=True))
            self._speaking = engine, voices
            if default.name != settings.default_voice:
                log.error("default_voice can't speak; %r stands in", default.name)
            log.info(
                "ready: speaks as %s; %d streams at once to begin with, at most %d",
                default.name,
                self.admission.max_streams,
                most,
            )
            given_back_after = 0  # streams
            while not engine.synthesizer.failure:
                await sleep(LOOK_S)
                streams = self.telemetry.uses.total()
                if streams != given_back_after and self.admission.idle_s > REST_S:
                    given_back_after = streams
                    await to_thread.run_sync(self.rest)
            raise SynthesisFailed(engine.synthesizer.failure)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service ends with it
            self.failure = error
            what = "could not start" if self._speaking is None else "broke for good"
            log.error("the engine %s: %s", what, error)
            self.give_up()

    def hurry(self) -> None:
        """Begin no other recording: somebody wants the service to end."""
        if self._store is not None:
            self._store.hurry()

    async def stop(self) -> None:
        """Close the engine, as soon as no stream needs it; the server has ended them all by now.

        One that it cut off is still active until the block that was being computed is there. What
        takes too long is left to itself: the process is about to end.
        """
        if self._watcher is not None:
            await self._in_time(to_thread.run_sync(self._watcher.close), "the voices' folder")
        if self._store is not None:
            await self._in_time(to_thread.run_sync(self._store.close), "a recording")
        await self._in_time(self.admission.idle(), "a stream")
        if self._engine is not None:
            await self._in_time(to_thread.run_sync(self._engine.close), "the engine")

    async def _in_time(self, work: Coroutine[Any, Any, None], what: str) -> None:
        ending = asyncio.ensure_future(work)  # a thread in it can't be cancelled, nor waited for
        done, _ = await asyncio.wait([ending], timeout=STOP_S)
        if done:
            ending.result()
        else:
            log.error("%s did not end within %.0f s", what, STOP_S)


async def _running(connection: HTTPConnection) -> Service:
    service = connection.app.state.service
    assert isinstance(service, Service)
    return service


Running = Annotated[Service, Depends(_running)]
"""The service that a request or a WebSocket came to."""
