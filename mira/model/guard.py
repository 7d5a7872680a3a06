"""A sentence's speech tokens and samples in, a verdict on whether they are still speech out.

A language model now and then says nothing, repeats one sound, falls silent or never ends. Knows
nothing about which model it was, nor what is done about it. Source: such reports from users of
Spark-TTS and MiraTTS (a minute of silence for two sentences; run-on generations).
"""

from collections.abc import Iterator

from mira.model.codec.base import FRAME_RATE
from mira.types import Samples, Sentence
from mira.words.align import Findings

SILENCE = 0.003  # -50 dB of full scale: softer than this is not heard
MAX_REPEATS = 50  # frames, 1 s: a sound held for longer is no speech
MAX_SILENCE_S = 1.5  # within a sentence; a speaker's own pauses stay well below
SLOWEST_CHARS_PER_S = 4.0  # the slowest readers still say more; fast ones say 20
GRACE_S = 2.0  # what any sentence may take on top, so that "Hm." has room
MAX_BEYOND_S = 1.5  # of speech after the last word
MISSED_LETTERS = 10  # of words beside each other that were not heard: fewer may be mumbled
REPEATED = 2  # words that were said again
NOISE_S = 1.0  # of speech that is no word of the sentence


class Degenerate(Exception):
    """What came is no speech any more; the message is the kind, in a word or two."""


class Guard:
    """Watches one sentence; used once, then dropped.

    Args:
        text: What is to be said; its length bounds the audio.
        sample_rate: Of the samples, in Hz.
    """

    def __init__(self, text: str, sample_rate: int) -> None:
        self._max_frames = int((GRACE_S + len(text) / SLOWEST_CHARS_PER_S) * FRAME_RATE)
        self._max_silence = int(MAX_SILENCE_S * sample_rate)
        self.frames = 0  # so far
        self._repeats = 0
        self._last: int | None = None
        self._silence = 0  # samples since the last that can be heard
        self.audible = False  # whether anything could be heard so far

    def token(self, token: int) -> None:
        """Take the next speech token.

        Raises:
            Degenerate: "repetition" or "run-on".
        """
        self.frames += 1
        self._repeats = self._repeats + 1 if token == self._last else 1
        self._last = token
        if self._repeats > MAX_REPEATS:
            raise Degenerate("repetition")
        if self.frames > self._max_frames:
            raise Degenerate("run-on")

    def samples(self, block: Samples) -> None:
        """Take the next block of samples.

        Raises:
            Degenerate: "silence".
        """
        loud = (abs(block) > SILENCE).nonzero()[0]
        if len(loud):
            self.audible = True
            self._silence = len(block) - 1 - int(loud[-1])
        else:
            self._silence += len(block)
        if self._silence > self._max_silence:
            raise Degenerate("silence")

    def beyond(self, speech_s: float) -> None:
        """Take how much was said after the last word, in seconds.

        Raises:
            Degenerate: "babble".
        """
        if speech_s > MAX_BEYOND_S:
            raise Degenerate("babble")


def oddities(findings: Findings, sentence: Sentence, beyond_s: float = 0.0) -> Iterator[str]:
    """Yield what is wrong with a sentence that was listened to, in a word or two each.

    Args:
        findings: Of whoever listened.
        sentence: What was to be said.
        beyond_s: How much was said after the last word, in seconds.
    """
    letters, most, before = 0, 0, -2
    for index in findings.missed:
        here = sum(char.isalnum() for char in sentence.words[index].text)
        letters = letters + here if index == before + 1 else here
        before, most = index, max(most, letters)
    if most >= MISSED_LETTERS:
        yield "words missed"
    if findings.repeated >= REPEATED:
        yield "words repeated"
    if findings.noise_s >= NOISE_S or beyond_s > MAX_BEYOND_S:
        yield "babble"
