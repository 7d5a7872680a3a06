"""A sentence in, a tone as long as the sentence out: a synthesizer that needs no model.

Obeys the contract of the real ones (tests/test_synthesizer.py), counts what it does, and can be
told to be slow, to wait and to break.
"""

import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

import numpy as np

from mira.errors import InvalidRequest, SynthesisFailed, VoiceNotFound
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.stream.turns import Turns
from mira.text import Break, pause_s, split_sentences, together_s
from mira.types import Block, Samples, Sampling, Sentence, TimedWord, Voice

ANNA, BEN = Voice("anna"), Voice("ben")


@dataclass
class ToySynthesizer:
    """Speaks each sentence as a tone; which one depends on the sentence and the voice.

    Args:
        block_s: Audio in a block; the last of a sentence is shorter.
        compute_s: Time that a block takes.
        s_per_char: Audio per character of a sentence.
        tail_s: Faint noise after a sentence.
        fail_at: The block of each sentence, counted from 0, that is not made but fails.
        error: What it fails with.
        before_block: Called before each block with its number in the sentence; may wait.
        fingerprint: Empty, it can't clone.
        while_cloning: Called with the name; may wait or fail.
    """

    block_s: float = 0.1
    compute_s: float = 0.0
    s_per_char: float = 0.05
    tail_s: float = 0.0
    fail_at: int | None = None
    error: Exception = field(default_factory=lambda: SynthesisFailed("The toy is broken."))
    before_block: Callable[[int], object] = lambda number: None
    voices: tuple[Voice, ...] = (ANNA, BEN)
    sample_rate: int = 24000
    max_chars: int = 220
    at_once: int = 1024
    max_streams: int = 4096
    reads_phonemes: bool = True
    ready: bool = True
    failure: str = ""
    incidents: Counter[str] = field(default_factory=Counter)
    fingerprint: str = ""
    while_cloning: Callable[[str], object] = lambda name: None

    clones: int = field(init=False, default=0)  # made
    opened: int = field(init=False, default=0)  # generators that began
    closed: int = field(init=False, default=0)  # generators that ended, whichever way
    shut: bool = field(init=False, default=False)  # by `close`
    blocks: int = field(init=False, default=0)  # made
    samples: int = field(init=False, default=0)  # made
    _turns: Turns = field(init=False)
    _changed: threading.Condition = field(init=False, default_factory=threading.Condition)

    def __post_init__(self) -> None:
        """Let `at_once` compute at a time."""
        self._turns = Turns(self.at_once)

    def measure(self, most: int) -> int:
        """Claim to be fast enough for everybody."""
        return most

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """Hear how high it is: tokens of another recording are others."""
        if not self.fingerprint:
            raise InvalidRequest("A toy can't clone.", "voice")
        self.while_cloning(name)
        self._count(clones=1)
        crossings = int(np.abs(np.diff(np.signbit(samples).astype(int))).sum())
        rate = round(crossings / len(samples) * sample_rate / 20)
        return Voice(name, tuple((rate + i) % 4096 for i in range(32)), transcript=transcript)

    def synthesize(
        self,
        sentence: Sentence,
        voice: Voice,
        sampling: Sampling = Sampling(),
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[Block, None, None]:
        """Yield the tone block by block; see `Synthesizer`."""
        if voice not in self.voices and not (self.fingerprint and voice.global_tokens):
            raise VoiceNotFound(f"The toy can't speak as {voice.name!r}.")
        phonemes = "".join(word.phonemes for word in sentence.words if self.reads_phonemes)
        whole = np.concatenate([self.tone(sentence.text + phonemes, voice), self._tail()])
        playback, cancel = playback or Playback(), cancel or Cancel()
        length = max(1, round(self.block_s * self.sample_rate))
        self._count(opened=1)
        try:
            for number, start in enumerate(range(0, len(whole), length)):
                with self._turns.turn(playback, cancel):
                    self.before_block(number)
                    time.sleep(self.compute_s)
                    if number == self.fail_at:
                        raise self.error
                    block = whole[start : start + length]
                    self._count(blocks=1, samples=len(block))
                begin = range(start, start + len(block))
                timed = self._timed(sentence)
                yield Block(
                    block, tuple(w for w in timed if int(w.start_s * self.sample_rate) in begin)
                )
        finally:
            self._count(closed=1)

    def _tail(self) -> Samples:
        samples = np.full(round(self.tail_s * self.sample_rate), 0.001, np.float32)
        samples[::2] *= -1
        return samples

    def _timed(self, sentence: Sentence) -> Iterator[TimedWord]:
        """Each character takes as long as any other."""
        stop = 0
        for index, word in enumerate(sentence.words):
            start = sentence.text.index(word.text, stop)
            stop = start + len(word.text)
            yield TimedWord(word, start * self.s_per_char, stop * self.s_per_char, index)

    def close(self) -> None:
        """Remember it."""
        self.shut = True

    def tone(self, sentence: str, voice: Voice) -> Samples:
        """The whole sentence."""
        number = voice.global_tokens[0] if voice.global_tokens else self.voices.index(voice)
        frequency = 200 + 300 * number % 3000 + zlib.crc32(sentence.encode()) % 100
        num_samples = max(1, round(len(sentence) * self.s_per_char * self.sample_rate))
        phase = np.arange(num_samples) * (2 * np.pi * frequency / self.sample_rate)
        tone = (0.5 * np.sin(phase)).astype(np.float32)
        tone[-1] = 0.5  # it ends in sound, exactly there
        return tone

    def whole(self, text: str, voice: Voice = ANNA) -> Samples:
        """All sentences of a text, one after another, and the pauses between them."""
        spoken: list[Samples] = []
        said, following, asked_s = "", Break.NONE, None
        for piece in split_sentences(text):
            following = max(following, piece.before)
            asked_s = together_s(asked_s, piece.pause_s)
            if not (words := piece.sentence.text):
                continue
            if said or asked_s is not None:
                marked_s = pause_s(said, following)
                spoken.append(self.silence(marked_s if asked_s is None else asked_s))
            spoken.append(self.tone(words, voice))
            said, following, asked_s = words, Break.NONE, None
        spoken.append(self.silence(asked_s or 0.0))
        return np.concatenate(spoken)

    def silence(self, duration_s: float) -> Samples:
        """Of its rate."""
        return np.zeros(round(duration_s * self.sample_rate), np.float32)

    @property
    def audio_s(self) -> float:
        """Made so far."""
        return self.samples / self.sample_rate

    def wait(self, until: Callable[["ToySynthesizer"], bool], timeout_s: float = 20.0) -> None:
        """Return as soon as the counters are so; fail if they never are."""
        with self._changed:
            reached = self._changed.wait_for(lambda: until(self), timeout_s)
        assert reached, f"after {timeout_s} s: {self}"

    def wait_closed(self) -> None:
        """Return as soon as every generator that began has ended."""
        self.wait(lambda toy: toy.opened == toy.closed)

    def wait_idle(self, quiet_s: float = 0.3, timeout_s: float = 20.0) -> None:
        """Return once no block has been made for `quiet_s`."""
        deadline = time.monotonic() + timeout_s
        made = -1
        while made != self.blocks:
            made = self.blocks
            assert time.monotonic() < deadline, f"still busy: {self}"
            time.sleep(quiet_s)

    def _count(self, **more: int) -> None:
        with self._changed:
            for name, number in more.items():
                setattr(self, name, getattr(self, name) + number)
            self._changed.notify_all()
