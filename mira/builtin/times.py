"""The durations of phonemes in, when each word is heard out; then the sound, which corrects that.

Source of the durations: the network of hibari-tts 0.2.1 (Apache-2.0).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from hibari import dsp

from mira.builtin.phonemes import Part
from mira.stream.joining import SILENCE
from mira.types import Samples, TimedWord, Word

EARLY_S = 0.035
"""How much sooner a phoneme is heard than the durations say. Measured on 2,677 words that follow
another without a mark: the noise of an s begins 42 ms before, the closure of a p, t or k 38 ms,
and a recogniser has the words begin 27 to 32 ms before; nine in ten are within 20 ms of that. The
space between two words is a part of the second one."""
LAST_S = 0.05
"""How long the last phoneme before a pause is heard. Its duration has some of the pause in it, up
to 0.3 s: the longer the pause, the longer."""
LONG_S = 0.11
"""A last phoneme that is longer has a pause in it without a mark too: 41 of 62 were followed by at
least 0.1 s of silence, and 4 of 2,615 that were shorter."""
PAUSE_S = 0.04  # a shorter silence may be a p, t or k
MOVED_S = 0.005  # what is not worth a correction
STEP = 60  # samples that are looked at together, 2.5 ms

_STEP_S = STEP / dsp.SR


@dataclass(frozen=True, slots=True)
class _Pause:
    """Where one may be."""

    after: int
    from_s: float
    to_s: float
    joined_s: float
    """Where the words meet if there is none."""


class Times:
    """The words of one part of a sentence, in seconds from its first sample.

    Reckoned from durations, and corrected where there is a silence to see: before the first word,
    at marks, and after the last.

    Args:
        part: What is spoken.
        words: Those of the sentence.
        ends_s: [ids] when each ends, by the durations.
    """

    def __init__(self, part: Part, words: Sequence[Word], ends_s: npt.NDArray[np.float32]) -> None:
        self._loud = np.zeros(0, bool)  # for each step
        self._pauses = deque[_Pause]()
        self._words = [*self._reckoned(part, words, [0.0, *ends_s.tolist()])]
        self._new = {*range(len(self._words))}

    def _reckoned(
        self, part: Part, words: Sequence[Word], edges_s: list[float]
    ) -> Iterator[TimedWord]:
        start_s = 0.0
        for at, said in enumerate(part.words):
            last_s, end_s = edges_s[said.stop - 1], edges_s[said.stop] - EARLY_S
            following = part.words[at + 1 : at + 2]
            may_pause = said.marked or not following or edges_s[said.stop] - last_s > LONG_S
            pauses = may_pause and end_s > last_s + LAST_S
            stop_s = max(start_s, last_s + LAST_S if pauses else end_s)
            yield TimedWord(words[said.index], start_s, stop_s, said.index, said.guessed)
            start_s = stop_s
            if may_pause and following:
                sound_s = edges_s[following[0].start]
                self._pauses.append(_Pause(at, last_s - EARLY_S, sound_s + EARLY_S, end_s))
                start_s = sound_s - EARLY_S if pauses else stop_s

    def push(self, samples: Samples, last: bool = False) -> tuple[TimedWord, ...]:
        """Take what is heard next; return the words that are new or changed: first all.

        Args:
            samples: A multiple of STEP.
            last: Whether the part ends with them.
        """
        loud = np.abs(samples) > SILENCE
        if self._words and loud.any() and not self._loud.any():
            sound_s = len(self._loud) * _STEP_S + int(loud.argmax()) / dsp.SR
            first = self._words[0]
            self._move((0, min(sound_s, first.stop_s), first.stop_s))
        self._loud = np.concatenate([self._loud, loud.reshape(-1, STEP).any(1)])
        heard_s = len(self._loud) * _STEP_S
        while self._pauses and self._pauses[0].to_s <= heard_s:
            self._listen(self._pauses.popleft())
        if last and self._words and self._loud.any():
            silence_s = int(self._loud[::-1].argmax()) * _STEP_S
            end = self._words[-1]
            self._move((len(self._words) - 1, end.start_s, heard_s - silence_s))
        news = tuple(self._words[at] for at in sorted(self._new))
        self._new.clear()
        return news

    def _listen(self, pause: "_Pause") -> None:
        """Correct the words around what may be a pause."""
        at = pause.after
        word, following = self._words[at : at + 2]
        first = int(max(pause.from_s, word.start_s) / _STEP_S)
        stop = int(min(pause.to_s, following.stop_s) / _STEP_S)
        loud = first + np.flatnonzero(self._loud[first:stop])
        if not len(loud):
            return
        edges = np.concatenate([[first - 1], loud])
        widest = int(np.diff(edges).argmax())
        before, after = edges[widest : widest + 2]
        stop_s, start_s = float(before + 1) * _STEP_S, float(after) * _STEP_S
        if start_s - stop_s < PAUSE_S:
            stop_s = start_s = min(max(pause.joined_s, word.start_s), following.stop_s)
        self._move((at, word.start_s, stop_s), (at + 1, start_s, following.stop_s))

    def _move(self, *words: tuple[int, float, float]) -> None:
        """Correct the start and stop of words, if one of them moves so much that it matters."""
        moved = {
            at: replace(self._words[at], start_s=start_s, stop_s=max(start_s, stop_s))
            for at, start_s, stop_s in words
        }
        if any(_distance_s(word, self._words[at]) > MOVED_S for at, word in moved.items()):
            for at, word in moved.items():
                self._words[at] = word
            self._new |= moved.keys()


def _distance_s(one: TimedWord, two: TimedWord) -> float:
    return max(abs(one.start_s - two.start_s), abs(one.stop_s - two.stop_s))
