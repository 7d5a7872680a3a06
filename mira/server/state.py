"""What one running service holds: settings, engine, voices, counters.

Knows nothing about requests. There is one per app, made by `create_app`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, sleep, to_thread
from fastapi import Depends
from starlette.requests import HTTPConnection

from mira.engine import Engine
from mira.errors import InvalidRequest, NotReady, SynthesisFailed
from mira.progress import Report
from mira.server.admission import Admission
from mira.server.capacity import Capacity
from mira.server.keys import Keys
from mira.server.memory import give_back
from mira.server.starting import Starting
from mira.server.stopping import Stopping
from mira.server.telemetry import Telemetry
from mira.settings import Settings
from mira.stream.phrases import Phrases
from mira.text import Dictionary, DictionaryFile, dictionary_of, prepare
from mira.types import Voice
from mira.voices import (
    NotPrepared,
    Voices,
    VoiceStore,
    Watcher,
    check_folder,
)

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_STREAMS = 64  # at once, however fast the machine: each has a thread of its own
# For each stream that can be computed at once, these may begin, until more than that have audio in
# hand.
BEGINNERS = 2
REST_S = 20.0  # without a stream, until memory is given back: the next first audio takes longer
STOP_S = 10.0  # for each thing that has to end when the service stops
MAX_WORDS = 1000  # in a request's own dictionary
LOOK_S = 0.5  # between two looks at whether the engine is beyond repair
WORKERS = {
    "files": 2,  # read, check and write voices' files: calls need the processors more
    "look": 1,  # at the whole folder, which may take long
    "find": 8,  # voices that are not in memory
    "clone": 8,  # wait for a voice to be computed, so that one on disk waits for no computing
    "words": 2,  # read the dictionaries of requests
    "list": 1,  # write out all voices: with a thousand it takes a while
}
"""Number of threads for each kind of work that calls must not wait for."""


class Service:
    """Ready once the engine is loaded; until then requests are answered 503."""

    def __init__(self, settings: Settings, load: Callable[[Settings, Report], Engine]) -> None:
        self.settings = settings
        self.keys = Keys(settings)
        self.phrases = Phrases(settings.phrases_mb << 20)
        """Sentences that are said again and again."""
        self.telemetry = Telemetry(self.phrases)
        self.telemetry.used = self.keys.used
        self.starting = Starting()
        self.stopping = Stopping()
        self.most_streams = most = settings.max_streams or MOST_STREAMS
        """Number of streams at once that are never exceeded, whatever the engine."""
        self.admission = Admission(Capacity(settings.min_streams, most, most, most), settings)
        self.failure: Exception | None = None
        """Why it will never speak, or never again."""
        self.give_up: Callable[[], object] = lambda: None
        """Called once there is a `failure`: a service that can never speak should end, so that
        whoever supervises it starts another."""
        self.rest: Callable[[], object] = give_back
        """Called on a worker thread once nobody has spoken for a while."""
        self._load = load
        self._engine: Engine | None = None
        self._store: VoiceStore | None = None
        self._words: DictionaryFile | None = None
        self._watchers: list[Watcher] = []
        self._speaking: tuple[Engine, Voices] | None = None
        self._workers = {kind: CapacityLimiter(count) for kind, count in WORKERS.items()}
        self._counted = CapacityLimiter(sum(WORKERS.values()))  # what runs has a place already

    @property
    def ready(self) -> bool:
        """Whether the engine has spoken its warm-up sentence, and can speak now."""
        return self._speaking is not None and self._speaking[0].ready

    @property
    def obstacle(self) -> str | None:
        """Why it can't speak, in words for strangers; None if it can, or is still starting."""
        if self.failure is not None and self._speaking is None:
            return "The engine could not start. The service's log says why."
        if self.ready or self._speaking is None:
            return None
        if self.failure is not None:
            return "The engine broke for good, and the service ends. Its log says why."
        return "The engine broke and is being restarted. Try again in a second."

    def speaking(self, owner: str = "") -> tuple[Engine, Voices]:
        """Give the engine and who it can speak as.

        Args:
            owner: See `Voices.of`.

        Raises:
            NotReady: It is still loading, could not be loaded, or broke and is being restarted.
        """
        if self._speaking is None or not self.ready:
            if self.obstacle is not None:
                raise NotReady(self.obstacle)
            raise NotReady(str(self.starting), self.starting.retry_after_s)
        engine, voices = self._speaking
        return engine, voices.of(owner) if owner else voices

    def check_length(self, text: str) -> None:
        """Raise InvalidRequest for a text that is too long."""
        limit = self.settings.max_text_chars
        if len(text) > limit:
            raise InvalidRequest(
                f"input: {len(text)} characters are more than the limit of {limit}. "
                "Send the text in parts.",
                "input",
                "string_above_max_length",
            )

    async def find(self, name: str | None, owner: str = "") -> Voice:
        """Find who speaks: the voice with this name, or the default one; see `Voices.find`.

        Args:
            name: As a request has it.
            owner: Of the voices that are seen beside those of all.

        Raises:
            NotReady: See `speaking`.
            VoiceNotFound: It can't speak, and the settings are strict.
        """
        _, voices = self.speaking(owner)
        name = name or self.settings.default_voice
        found = voices.at_once(name)
        if found is None:
            found = await self.search(voices.find, name)
        if found.instead:
            log.warning("voice %r: %r speaks instead. %s", name, found.voice.name, found.instead)
            self.telemetry.substituted += 1
        return found.voice

    async def search(self, look: Callable[[str, bool], T], name: str) -> T:
        """Look a voice up that may have to be read or computed, on worker threads.

        Args:
            look: `find` or `exactly` of `Voices`.
        """
        try:
            return await self.on("find", lambda: look(name, False))
        except NotPrepared:
            return await self.on("clone", lambda: look(name, True))

    async def dictionary(self, words: Mapping[str, object] | None) -> Dictionary:
        """Give the words that a request says how to say, over those of the settings' file.

        Raises:
            NotReady: See `speaking`.
            InvalidRequest: An entry can't be used.
        """
        file = self._words.dictionary if self._words else Dictionary()
        if not words:
            return file
        reads_phonemes = self.speaking()[0].reads_phonemes
        read = partial(Dictionary.of, words, MAX_WORDS, reads_phonemes, "dictionary")
        return (await self.on("words", read)).over(file)

    async def on(self, kind: str, work: Callable[[], T]) -> T:
        """Do something on a worker thread. It can't be stopped: whoever is cancelled doesn't wait
        for its end, but it counts until then.

        Args:
            kind: A name in `WORKERS`.
        """
        places, place = self._workers[kind], object()
        await places.acquire_on_behalf_of(place)
        working = asyncio.ensure_future(to_thread.run_sync(work, limiter=self._counted))
        working.add_done_callback(lambda done: places.release_on_behalf_of(place))
        return await asyncio.shield(working)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the engine while the caller answers health checks; end all when they are done.

        What takes too long to end is left to itself: the process is about to end.
        """
        if path := self.keys.path:
            self._watchers.append(Watcher(path.parent, self.keys.refresh, "keys"))
        loading = asyncio.create_task(self._start())
        yield
        if self._store is not None:
            self._store.hurry()  # begin no other recording
        loading.cancel()
        # At once: a thread that loads is left to itself.
        await asyncio.wait([loading], timeout=STOP_S)
        await self._stop()

    async def _start(self) -> None:
        try:
            await self._watch(await self._load_engine())
        except Exception as error:  # noqa: BLE001 - whatever it is, the service ends with it
            self.failure = error
            what = "could not start" if self._speaking is None else "broke for good"
            log.error("the engine %s: %s", what, error)
            self.give_up()

    async def _load_engine(self) -> Engine:
        settings = self.settings
        check_folder(settings.voices_dir)  # before the work of loading a model
        await self.on("look", partial(dictionary_of, settings.dictionary))
        preparing = asyncio.ensure_future(to_thread.run_sync(prepare))  # the other processor can
        self._engine = engine = await to_thread.run_sync(self._load, settings, self.starting.report)
        most = min(self.most_streams, engine.synthesizer.max_streams)
        first = await to_thread.run_sync(engine.synthesizer.measure, most)
        taken = [voice.name for voice in engine.voices]
        self._store = store = VoiceStore(settings, engine, taken)
        store.gone = lambda name: self.phrases.forget(lambda voice: voice.name == name)
        self.phrases.lasts = partial(_lasts, engine, store)
        engine.phrases = self.phrases
        # The default voice alone is looked for here; the watcher looks at all the others.
        voices = await self.on("files", lambda: Voices(settings, engine.voices, store))
        default = await self.on("files", voices.stand_in)
        self.telemetry.incidents = engine.synthesizer.incidents
        least, beginners = min(settings.min_streams, most), BEGINNERS * engine.synthesizer.at_once
        self.admission.capacity = Capacity(least, most, first, beginners)
        if path := settings.dictionary:
            open_file = partial(DictionaryFile, path, engine.reads_phonemes)
            self._words = words = await self.on("look", open_file)
            self._watchers.append(Watcher(path.parent, words.refresh, "dictionary"))
        await preparing
        self._watchers.append(Watcher(settings.voices_dir, partial(store.refresh, clean=True)))
        self._speaking = engine, voices
        if default.name != settings.default_voice:
            log.error("default_voice can't speak; %r stands in", default.name)
        log.info(
            "ready: speaks as %s; %d streams at once to begin with, at most %d",
            default.name,
            self.admission.capacity.limit,
            most,
        )
        return engine

    async def _watch(self, engine: Engine) -> None:
        given_back_after = 0  # streams
        while not engine.synthesizer.failure:
            await sleep(LOOK_S)
            streams = self.telemetry.uses.total()
            if streams != given_back_after and self.admission.idle_s > REST_S:
                given_back_after = streams
                await to_thread.run_sync(self.rest)
        raise SynthesisFailed(engine.synthesizer.failure)

    async def _stop(self) -> None:
        """Close the engine, as soon as no stream needs it; the server has ended them all by now.

        One that it cut off is still active until the block that was being computed is there.
        """
        for watcher in self._watchers:
            await _in_time(to_thread.run_sync(watcher.close), "a folder's watcher")
        if self._store is not None:
            await _in_time(to_thread.run_sync(self._store.close), "a recording")
        await _in_time(self.admission.idle(), "a stream")
        if self._engine is not None:
            await _in_time(to_thread.run_sync(self._engine.close), "the engine")


def _lasts(engine: Engine, store: VoiceStore, voice: Voice) -> bool:
    """Tell whether a voice is one that speaks now, and as it does."""
    recorded = store.recorded.get(voice.name)
    known = store.remembered(recorded) if recorded else None
    return voice in engine.voices or voice == known


async def _in_time(work: Awaitable[None], what: str) -> None:
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
