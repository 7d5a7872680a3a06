"""One stream's life, whatever carries it: its place, its thread, its clock, and how it ends.

    async with Utterance(service, text, voice, delivery).speaking() as chunks:
        async for chunk in chunks:
            ...  # give it to the listener, who is cut off here if that takes too long

However that block is left, the stream ends; and it is left as soon as `cancel` is called. Knows
nothing about HTTP or sockets.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
from contextlib import aclosing, asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from functools import partial

from anyio import CancelScope, move_on_after
from anyio.lowlevel import checkpoint

from mira.audio import FORMATS, AudioStream
from mira.errors import InvalidRequest, SynthesisFailed, one_line
from mira.server.incoming import LONGEST_WHOLE_CHARS, Incoming
from mira.server.state import Service
from mira.stream.ahead import LONGEST_ITEM_S, Ahead
from mira.stream.cancel import Cancel
from mira.stream.clock import StreamClock
from mira.stream.playback import Playback
from mira.text import Dictionary, Mark
from mira.types import Sampling, TimedWord, Voice
from mira.words.said import Said, SaidWord, Spoken

log = logging.getLogger(__name__)

FIRST_AUDIO_S = 10.0  # then a caller is told to come back, if it waits for those before it
LONGEST_WAIT_S = 120.0  # then an engine that makes nothing of a text has failed
FRAMES_MS = (10, 20, 30)
"""What a telephone line takes at once."""
LOOK_S = 0.1  # between two looks at whether anything is computed for a stream that has ended


@dataclass(frozen=True, slots=True)
class Delivery:
    """How speech reaches its listener; see `AudioStream`.

    Raises:
        InvalidRequest: There are no such frames, or none in its format or at its rate.
    """

    format: str
    sample_rate: int
    pace: float = 1.0
    volume: float = 1.0
    words: bool = False  # whether chunks say when each word is heard
    lead_s: float | None = None  # computed before it is taken; None: the setting
    bit_rate: int | None = None  # in bits per second; None: enough for speech
    frame_ms: int | None = None  # what leaves together, as it is played; None: as it comes

    def __post_init__(self) -> None:
        """Refuse frames that can't be had."""
        ms, format = self.frame_ms, FORMATS.get(self.format)
        if ms is None or format is None:
            return
        if ms not in FRAMES_MS:
            wrong = f"{ms} is not one of {', '.join(map(str, FRAMES_MS))}."
        elif not format.sample_bytes:
            plain = ", ".join(name for name, known in FORMATS.items() if known.sample_bytes)
            wrong = f"{format.name} is more than samples. Frames can be had of {plain}."
        elif ms * self.sample_rate % 1000:
            wrong = f"{ms} ms are no whole number of samples at {self.sample_rate} Hz."
        else:
            return
        raise InvalidRequest(f"frame_ms: {wrong}", "frame_ms")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a text is spoken, whoever listens; see `Engine.blocks`."""

    sampling: Sampling = Sampling()
    dictionary: Dictionary = Dictionary()
    keep: bool = False  # so that it need not be computed again; see `Phrases`


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that are ready to leave, and what is known of them.

    An encoder may hold a block back, so a chunk may play longer or shorter than its own bytes; over
    a stream the two agree. After the first, one may have words alone.
    """

    data: bytes
    until_s: float  # what a player has with it, from the stream's beginning; see `AudioStream`
    audio_s: float = 0.0  # that it plays
    synthesis_s: float = 0.0  # since the chunk before, with the wait for a turn to compute
    encode_s: float = 0.0
    words: tuple[SaidWord, ...] = ()
    """Those that are new or corrected, in order of the text, in seconds as a player hears them:
    all that begin before `until_s`, if the listener asked for words, and maybe more."""
    flushes: int = 0  # of the text that have been spoken with it


class Utterance:
    """One text, spoken to one listener once.

    Args:
        text: Whole, or as it comes: see `Incoming`.
        cancel: Ends it from any thread, at once.

    Raises:
        NotReady: The engine can't speak now.
    """

    def __init__(
        self,
        service: Service,
        text: str | Iterable[str | Mark],
        voice: Voice,
        delivery: Delivery,
        manner: Manner = Manner(),
        cancel: Cancel | None = None,
    ) -> None:
        self._engine, _ = service.speaking()
        self._service = service
        self._text = text
        self._manner = manner
        self.voice = voice
        self.delivery = delivery
        self.cancel = cancel or Cancel()
        self.said = Said() if delivery.words else None
        self.handed_s = 0.0  # what a player has with the last chunk that was handed over
        self.first_took_s = (0.0, 0.0)  # to compute and to encode, of the first chunk
        self._playback = Playback(pace=delivery.pace, words=delivery.words, keep=manner.keep)
        self.clock = StreamClock(text_wait_s=lambda: self._playback.waited_for_text_s)
        self._ahead: Ahead[Chunk] | None = None
        self._failure: Exception | None = None  # to make the next chunk
        self._changed = asyncio.Event()

    @property
    def playback(self) -> Playback:
        """Whoever hears it."""
        return self._playback

    @property
    def begun(self) -> bool:
        """Whether there was a first chunk: what fails after it can have no status any more."""
        return self.clock.chunks > 0

    def keep_back(self, for_s: float) -> None:
        """Say that a part of the last chunk is not given to the listener for so long."""
        self.clock.kept_back(for_s)
        self._service.admission.kept_back(self.clock, for_s)

    def spoken(self, audio_s: float | None = None) -> Spoken | None:
        """Return how much of the text was spoken; None if the listener didn't ask for words.

        It may be asked at any time, after an interruption too. Some of what was handed over may be
        still on its way: a listener that knows better says how much it has played.

        Args:
            audio_s: By when, in seconds from the beginning, as a player hears it; None: in all that
                was handed over so far.
        """
        if self.said is None:
            return None
        return self.said.until(self.handed_s if audio_s is None else audio_s)

    @asynccontextmanager
    async def speaking(self) -> AsyncIterator[AsyncIterator[Chunk]]:
        """Yield the chunks, each as soon as it is made; hold a place meanwhile.

        Raises:
            TimeoutError: The listener takes less than it would play.
            Overloaded: There is no place, or no audio for too long.
            SynthesisFailed, NothingToSay, VoiceNotFound: See `Engine.blocks`.
        """
        loop = asyncio.get_running_loop()
        error: BaseException | None = None
        with CancelScope() as scope:
            try:
                with self.cancel.waking(lambda: loop.call_soon_threadsafe(scope.cancel)):
                    async with aclosing(self._chunks(scope)) as chunks:
                        yield chunks
            except BaseException as raised:
                error = self._failure or raised
                if error is raised and scope.cancel_called and not self.cancel.cancelled:
                    error = TimeoutError("its listener takes too little")
                raise
            finally:
                self._account(error)
                await self._end()
        if isinstance(error, Exception):
            raise error

    async def _chunks(self, scope: CancelScope) -> AsyncGenerator[Chunk, None]:
        admission = self._service.admission
        await self._enter(scope)
        self._begin()
        try:
            while (chunk := await self._next()) is not None:
                self._hand_over(chunk)
                admission.ready(self.clock)
                yield chunk
                self.clock.sent()
                admission.sent(self.clock)
        except Exception as failure:  # noqa: BLE001 - raised below
            self._failure = failure
        if self.cancel.cancelled:
            scope.cancel()  # sooner than it is told to: the end would pass for that of the text
            await checkpoint()
        self.clock.done()
        admission.ready(self.clock)  # what ends the body, or says why it breaks, is bounded too
        if self._failure is not None:
            raise self._failure

    async def _enter(self, scope: CancelScope) -> None:
        """Take a place. Who would have to wait for one needs none if all of the text is kept."""
        admission = self._service.admission
        if admission.free:
            return await admission.enter(self.clock, scope)
        if await self._is_kept() and admission.let_by(self.clock, scope):
            return None
        passing = asyncio.ensure_future(self._pass(scope))
        try:
            await admission.enter(self.clock, scope)
        finally:
            passing.cancel()

    async def _pass(self, scope: CancelScope) -> None:
        """Look again once all of a text has come that still came when it had to wait."""
        if isinstance(self._text, Incoming):
            await self._text.ended.wait()
            if await self._is_kept():
                self._service.admission.let_by(self.clock, scope)

    async def _is_kept(self) -> bool:
        """Tell whether nothing has to be computed for it."""
        if not len(self._engine.phrases):
            return False
        text = self._text.whole if isinstance(self._text, Incoming) else self._text
        if not isinstance(text, str) or len(text) > LONGEST_WHOLE_CHARS:
            return False
        manner, words = self._manner, self.delivery.words
        keeps = partial(
            self._engine.keeps, text, self.voice, manner.sampling, manner.dictionary, words
        )
        return await self._service.on("words", keeps)

    def _hand_over(self, chunk: Chunk) -> None:
        self.handed_s = chunk.until_s
        if not chunk.data:
            return self.clock.aside()
        self.clock.ready(chunk.audio_s, chunk.synthesis_s + chunk.encode_s)
        if self.clock.chunks == 1:
            self.first_took_s = chunk.synthesis_s, chunk.encode_s
            self._service.telemetry.first_audio(self.voice.name, self.clock)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()

        def ready() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._changed.set)

        self._ahead = Ahead(
            self._made(),
            lambda chunk: chunk.audio_s,
            self.delivery.lead_s or self._service.settings.lead_s,
            self._playback,
            self.cancel,
            ready,
        )

    async def _next(self) -> Chunk | None:
        """Wait for the next chunk; None: there is no other one."""
        assert self._ahead is not None
        began = self._work_clock()
        while (chunk := self._ahead.poll()) is None and not self._ahead.ended:
            with move_on_after(FIRST_AUDIO_S) as patience:
                await self._changed.wait()
            self._changed.clear()
            if not patience.cancelled_caught:
                continue
            if not self.begun and self.clock.silent_s > FIRST_AUDIO_S:
                self._service.admission.check_late(self.clock)
            if self._work_clock() - began > LONGEST_WAIT_S:
                raise SynthesisFailed(f"No audio came for {LONGEST_WAIT_S:.0f} seconds.")
        return chunk

    def _made(self) -> Generator[Chunk, None, None]:
        """Compute and encode; runs on the stream's own thread."""
        to, rate, now = self.delivery, self._engine.sample_rate, self._work_clock
        audio = AudioStream(rate, to.format, to.sample_rate, to.pace, to.volume, to.bit_rate)
        manner = self._manner
        blocks = self._engine.blocks(
            self._read(),
            self.voice,
            manner.sampling,
            self._playback,
            self.cancel,
            manner.dictionary,
        )
        audio_s = synthesis_s = encode_s = 0.0
        words: tuple[TimedWord, ...] = ()
        begun = ended = False
        with closing(blocks):
            while not ended:
                began = now()
                block = next(blocks, None)
                computed = now()
                ended = block is None
                data = audio.flush() if block is None else audio.push(block.samples)
                words += block.words if block else ()
                flushes = int(block is not None and block.flushed)
                told: tuple[SaidWord, ...] = ()
                if begun := begun or bool(data):  # until then they wait, to be told once
                    told, words = self._tell(audio, words), ()
                synthesis_s += computed - began
                encode_s += now() - computed
                audio_s += 0.0 if block is None else len(block.samples) / rate / to.pace
                if data:
                    chunk = Chunk(data, audio.returned_s, audio_s, synthesis_s, encode_s, told)
                    yield replace(chunk, flushes=flushes)
                    audio_s = synthesis_s = encode_s = 0.0
                elif told or flushes:
                    yield Chunk(data, audio.returned_s, words=told, flushes=flushes)

    def _read(self) -> str | Iterable[str | Mark]:
        """Return the text, and let `said` read it too."""
        if self.said is None:
            return self._text
        if isinstance(self._text, str):
            self.said.reads(self._text)
            return self._text
        return map(self._reads, self._text)

    def _reads(self, part: str | Mark) -> str | Mark:
        if self.said and isinstance(part, str):
            self.said.reads(part)
        return part

    def _tell(self, audio: AudioStream, words: Iterable[TimedWord]) -> tuple[SaidWord, ...]:
        """Return what has to be told of these words, if anybody wants to know."""
        if self.said is None:
            return ()
        return self.said.takes(audio.heard(words))

    def _work_clock(self) -> float:
        """Seconds, of which none pass while text is waited for."""
        return time.perf_counter() - self._playback.waited_for_text_s

    def _account(self, error: BaseException | None) -> None:
        clock, telemetry = self.clock, self._service.telemetry
        unwanted = self.cancel.cancelled or isinstance(error, asyncio.CancelledError)
        cancelled = error is not self._failure and unwanted
        if self.begun and isinstance(error, Exception) and not cancelled:
            why = str(error) if isinstance(error, TimeoutError) else one_line(error)
            log.warning("stream broken after %s: %s", self._how_far(), why)
            telemetry.failed(type(error).__name__)
        elif self.begun and cancelled and self.said:
            log.info("stream interrupted after %s", self._how_far())
        if self._ahead is not None:
            telemetry.ended(clock, cancelled=cancelled)

    def _how_far(self) -> str:
        """Say how much was handed over, without a word of the text."""
        spoken = self.spoken()
        at = f", at character {spoken.chars}" if spoken else ""
        return f"{self.clock.audio_s:.2f} s of audio{at}"

    async def _end(self) -> None:
        """Cancel what is left, and wait until it has ended."""
        self.cancel()
        leaving = asyncio.ensure_future(self._leave())  # goes on when the server cuts this off
        with CancelScope(shield=True):
            await asyncio.shield(leaving)

    async def _leave(self) -> None:
        """Give the place back once nothing is computed for it any more."""
        try:
            with move_on_after(LONGEST_ITEM_S):
                while self._ahead is not None and self._ahead.busy:
                    with move_on_after(LOOK_S):
                        await self._changed.wait()
                    self._changed.clear()
                return
            log.error("a stream computes %.0f s after its end: left alone", LONGEST_ITEM_S)
        finally:
            self._service.admission.leave(self.clock)
