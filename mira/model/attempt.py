"""Speech tokens of one attempt at a sentence in; blocks that may be heard, with their words, out.

Holds back what may have to be begun anew or faded. Knows nothing about prompts, or how tokens are
rendered.
"""

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import numpy as np

from mira.model.codec.stream import StreamingDecoder
from mira.model.guard import SILENCE, Degenerate, Guard, oddities
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Block, Samples, Sentence, TimedWord
from mira.words.follow import Follower

log = logging.getLogger(__name__)

FADE_MS = 20  # of a sentence that has to be cut off
PATIENCE_S = 0.6  # a listener who has as much to play is not kept waiting
SPARE_S = 0.15  # who has less to play goes without measured words rather than wait
_LOOK_S = 0.1  # how often who waits for a turn looks whether anybody still wants it
_NO_WORDS = Sentence("")


@dataclass(frozen=True, slots=True)
class Ears:
    """Who listens to what is said, and whether that decides anything."""

    follower: Follower = field(default_factory=Follower)
    guard: bool = False
    """Whether a sentence whose words are not heard is begun anew, or cut off."""
    last: bool = False
    """Whether it is begun anew no more: what can't be heard any better is said all the same."""
    one_by_one: threading.Lock = field(default_factory=threading.Lock)
    """Held by the one stream that listens: it is many small steps, and those of 16 streams at the
    same time left the language model's thread a quarter of its own."""


class Attempt:
    """One attempt at a sentence; used once, then dropped.

    Args:
        sentence: What is to be said.
        sample_rate: Of its blocks, in Hz.
        playback: Who hears it.
        cancel: Ends it at the next token.
        ears: Who else hears it.
        count: Told of what went wrong and was dealt with here.
    """

    def __init__(
        self,
        sentence: Sentence,
        sample_rate: int,
        playback: Playback,
        cancel: Cancel,
        ears: Ears,
        count: Callable[[str], object],
    ) -> None:
        self._sentence = sentence
        self._playback, self._cancel = playback, cancel
        self._one_by_one = ears.one_by_one
        self._decides = ears.guard
        self._again = ears.guard and not ears.last
        self._count = count
        self._guard = Guard(sentence.text, sample_rate)
        asked = playback.words or ears.guard
        follower = ears.follower if asked else Follower()
        self._following = follower.begin(sentence if asked else _NO_WORDS, sample_rate, self._turn)
        self._held = np.zeros(0, np.float32)  # until it can be heard, then what may have to fade
        self._fade = FADE_MS * sample_rate // 1000  # samples
        self._begun = False  # something was yielded

    def blocks(
        self,
        tokens: Generator[int, None, None],
        decoder: StreamingDecoder,
        most: int,
    ) -> Iterator[Block]:
        """Yield the sentence, or raise Degenerate as long as nothing of it was heard.

        Args:
            tokens: Of the attempt.
            decoder: Renders them.
            most: So many tokens are too many.
        """
        rendered = self._render(tokens, decoder, most)
        with closing(rendered), closing(self._following):
            try:
                for samples in rendered:
                    yield from self._take(samples)
                words = self._finish()
            except Degenerate as degenerate:
                if not self._heard:
                    raise
                log.warning("%s: a sentence was cut off", degenerate)
                self._count(f"cut off: {degenerate}")
                self._cut_off()
                words = self._following.finish()
            yield Block(self._held, words)

    @property
    def _heard(self) -> bool:
        """Whether the listener hears of it, or is about to."""
        return self._begun or (self._guard.audible and not self._again)

    def _render(
        self,
        tokens: Generator[int, None, None],
        decoder: StreamingDecoder,
        most: int,
    ) -> Generator[Samples, None, None]:
        with closing(tokens):  # leaving early frees the language model's slot
            for token in tokens:
                self._cancel.check()  # here, not a chunk later
                self._guard.token(token)
                yield from decoder.push(token)
        if self._guard.frames >= most:
            raise Degenerate("limit reached")
        yield from decoder.flush()
        if not self._guard.audible:
            raise Degenerate("no speech")

    def _take(self, samples: Samples) -> Iterator[Block]:
        """Yield what can be heard now, all but what may have to fade."""
        self._held = np.concatenate([self._held, samples])
        self._following.push(samples)
        self._guard.samples(samples)
        if not self._guard.audible or len(self._held) <= self._fade:
            return
        if self._waits:
            self._following.listen()
        else:
            self._begun = True
            yield Block(self._held[: -self._fade], self._following.news())
            self._held = self._held[-self._fade :]
            self._following.listen()  # the listener has the block meanwhile
        if self._decides:
            self._guard.beyond(self._following.beyond_s)

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Wait for a turn to listen, as long as the listener can wait for the next block."""
        left_s = self._playback.left_s() or 0.0
        most_s = left_s - SPARE_S if self._playback.live else float("inf")
        waited_s, granted = 0.0, self._one_by_one.acquire(blocking=False)
        while not granted and waited_s < most_s:
            self._cancel.check()
            granted = self._one_by_one.acquire(timeout=min(_LOOK_S, most_s - waited_s))
            waited_s += _LOOK_S
        try:
            yield granted
        finally:
            if granted:
                self._one_by_one.release()

    @property
    def _waits(self) -> bool:
        """Whether nobody misses what is held back until all words were heard."""
        if self._begun or not self._again:
            return False
        return not self._playback.live or (self._playback.left_s() or 0.0) > PATIENCE_S

    def _finish(self) -> tuple[TimedWord, ...]:
        """End the sentence, return what is new of its words, and say if they are odd."""
        words, findings = self._following.finish(), self._following.findings
        if findings is None:  # in another language, maybe
            return words
        beyond_s = self._following.beyond_s
        for kind in oddities(findings, self._sentence, beyond_s):
            if self._waits:
                raise Degenerate(kind)
            log.warning(
                "%s: of %d words %d were not heard, %d were said again; %.1f s were no words, and "
                "%.1f s came after the last one",
                kind,
                len(self._sentence.words),
                len(findings.missed),
                findings.repeated,
                findings.noise_s,
                beyond_s,
            )
            self._count(kind)
        return words

    def _cut_off(self) -> None:
        """Fade what is held out, and let go what comes after it."""
        # What was not yielded yet may begin with the last word.
        last = np.flatnonzero(abs(self._held) > SILENCE)[-1:]
        self._held = self._held[: max([0, *last]) + self._fade]
        fade = min(self._fade, len(self._held))
        self._held[len(self._held) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
