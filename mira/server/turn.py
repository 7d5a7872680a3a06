"""One turn of an agent, without I/O: text in, as a language model writes it; what is heard out.

    turn = Turn(service, voice, delivery)
    speaking = asyncio.create_task(turn.run(tell))  # tells a socket, say, what happens
    turn.push("Your table ")
    ...
    turn.finish()  # or, when the listener speaks: turn.cancel()

A turn that has nothing to say yet takes no place and no thread. Knows nothing about sockets, nor
about the protocols that they speak.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from mira.errors import NothingToSay
from mira.server.incoming import Incoming
from mira.server.pacing import Pacing, Piece
from mira.server.state import Service
from mira.server.utterance import Delivery, Manner, Utterance
from mira.stream.cancel import Cancel
from mira.types import Voice
from mira.words.said import Spoken

MOST_TEXTS = 16  # of the longest of a request, in one turn: an hour of speech, by default
AHEAD_S = 0.3  # of what has left: computed so that the next piece is there when it may leave


@dataclass(frozen=True, slots=True)
class Flushed:
    """All the text up to a flush was spoken, and told before this."""

    number: int
    """Of the flush, counted from 1."""


@dataclass(frozen=True, slots=True)
class Done:
    """All of the text was spoken, and told before this."""

    spoken: Spoken


@dataclass(frozen=True, slots=True)
class Interrupted:
    """How far a turn had come when it was cancelled."""

    sent: Spoken
    """In all that was told."""
    heard: Spoken
    """By a listener who has played it in real time from its first sample on."""


Event = Piece | Flushed | Done
Tell = Callable[[Event], Awaitable[object]]
Find = Callable[[], Awaitable[Voice]]


class Turn:
    """What one listener is told in one go. Used on one event loop, once.

    Args:
        voice: Who speaks, or what finds that out: a clone whose recording is new takes seconds,
            in which text comes already, and an interruption.
        delivery: In which form; words are told whatever it says of them.
        manner: How.
        pacing: How fast it leaves.
        patience_s: How long text may wait for the rest of its sentence; see `Incoming`.
    """

    def __init__(
        self,
        service: Service,
        voice: Voice | Find,
        delivery: Delivery,
        manner: Manner = Manner(),
        pacing: Pacing | None = None,
        patience_s: float | None = None,
    ) -> None:
        self._service = service
        self._voice = voice
        self._delivery = replace(delivery, words=True, lead_s=AHEAD_S)
        self._manner = manner
        self._pacing = pacing or Pacing(delivery)
        self._cancel = Cancel()
        most_chars = MOST_TEXTS * service.settings.max_text_chars
        self._text = Incoming(self._cancel, most_chars, patience_s)
        self._utterance: Utterance | None = None
        self._asked = asyncio.Event()  # there is something to do
        self._begun = False  # there is something to say
        self._finished = False
        self._interrupted = False
        self._unsaid_flushes = 0  # before that
        self._flushes = 0  # told
        self._sent_s = 0.0

    @property
    def waits(self) -> bool:
        """Whether there was nothing to do in it yet."""
        return not (self._begun or self._finished)

    @property
    def begun(self) -> bool:
        """Whether there was something to say."""
        return self._begun

    @property
    def heard(self) -> bool:
        """Whether there was audio."""
        return self._utterance is not None and self._utterance.begun

    def push(self, text: str) -> None:
        """Add what is to be said next, cut anywhere.

        Raises:
            InvalidRequest: The text grew too long.
        """
        self._text.push(text)
        if not self._begun and text.strip():
            self._begun = True
            self._asked.set()

    def flush(self) -> None:
        """Have all the text so far spoken as it stands."""
        if self._begun:
            self._text.flush()
        else:
            self._unsaid_flushes += 1
            self._asked.set()

    def finish(self) -> None:
        """Say that no more text comes."""
        self._text.end()
        self._finished = True
        self._asked.set()

    def cancel(self) -> Interrupted:
        """End it at once; nothing more is told. May be called again, and when it is over."""
        self._interrupted = True
        self._cancel()
        self._asked.set()
        return Interrupted(self.spoken(self._sent_s), self.spoken(self._pacing.heard_s))

    async def run(self, tell: Tell) -> None:
        """Tell all that happens, in order, until the text has been spoken or is cancelled.

        Text in which there is nothing to say is done without audio.

        Raises:
            NotReady, TimeoutError, Overloaded, SynthesisFailed, VoiceNotFound: See `Utterance`,
                and what finds the voice.
        """
        voice = self._voice if isinstance(self._voice, Voice) else await self._voice()
        while self.waits and not self._interrupted:
            await self._asked.wait()
            self._asked.clear()
            await self._tell_unsaid(tell)
        await self._tell_unsaid(tell)  # those that came while the voice was looked for
        if self._begun and not self._interrupted:
            with suppress(NothingToSay):
                await self._speak(voice, tell)
        if not self._interrupted:
            await tell(Done(self.spoken(self._sent_s)))

    async def _speak(self, voice: Voice, tell: Tell) -> None:
        self._utterance = utterance = Utterance(
            self._service, self._text, voice, self._delivery, self._manner, self._cancel
        )
        self._text.playback = utterance.playback
        async with (
            utterance.speaking() as chunks,
            aclosing(self._pacing.pieces(chunks, utterance.keep_back)) as pieces,
        ):
            async for piece in pieces:
                if self._interrupted:
                    break
                if not self._sent_s and piece.data:
                    self._service.telemetry.turn_began(utterance.clock)
                if piece.data or piece.words:
                    await tell(piece)
                self._sent_s = piece.stop_s
                for _ in range(piece.flushes):
                    await self._tell_flush(tell)

    async def _tell_unsaid(self, tell: Tell) -> None:
        while self._unsaid_flushes:
            self._unsaid_flushes -= 1
            await self._tell_flush(tell)

    async def _tell_flush(self, tell: Tell) -> None:
        if not self._interrupted:
            self._flushes += 1
            await tell(Flushed(self._flushes))

    def spoken(self, audio_s: float) -> Spoken:
        """Return how much of the text is spoken in so many seconds of its audio."""
        spoken = self._utterance.spoken(audio_s) if self._utterance else None
        return spoken or Spoken(0, "", 0.0)
