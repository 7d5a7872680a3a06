"""A sentence's words and where there was voice in, a guess at when each is spoken out.

Needs no library and no language: each word takes as long as its letters, a pause is where a mark
is. What was measured meanwhile holds, and the others are spread over what it leaves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from mira.text.weight import LETTERS_PER_WORD, weight
from mira.types import Sentence, TimedWord, Word
from mira.words.voiced import Voiced

_LETTER_S = 0.065
_PHONEME_S = 0.075
_DRAWN_S = 0.2  # what a word before a mark lasts longer
_PRIOR_S = 1.0  # of speech, before the speaker's own pace counts as much as the usual one
_SLOWEST, _FASTEST = 2.5, 0.4  # times as long as usual: what is more is a mistake
# In seconds: how long the pause is, and by how much earlier or later it is still taken for one.
_PAUSES = (
    (re.compile(r"[.!?…。！？]\W*$"), 0.4, 0.8),
    (re.compile(r"[,;:–—-、，；：]\W*$"), 0.2, 0.5),
)
_LONGEST_SPELT = 4  # capitals: PBX, not STOP that is shouted
_NEXT_S = 0.005  # nearer to the end of a stretch, a word begins after it
_SOUNDLESS = frozenset("ˈˌː‿ .")


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is expected of a word, whoever says it, in seconds."""

    lasts_s: float
    pause_s: float  # after it
    reach_s: float  # how far off its end a pause is still taken for that

    @classmethod
    def of(cls, word: Word) -> "_Usual":
        for mark, pause_s, reach_s in _PAUSES:
            if mark.search(word.text):
                return cls(_lasts_s(word) + _DRAWN_S, pause_s, reach_s)
        return cls(_lasts_s(word), 0.0, 0.0)


def _lasts_s(word: Word) -> float:
    if word.phonemes:
        return _PHONEME_S * max(1, sum(sound not in _SOUNDLESS for sound in word.phonemes))
    letters = sum(weight(char) for char in word.text if char.isalnum())
    bare = re.sub(r"\W+", "", word.text)
    if bare.isupper() and 1 < len(bare) <= _LONGEST_SPELT:
        letters = LETTERS_PER_WORD * len(bare)
    return _LETTER_S * max(LETTERS_PER_WORD // 2, letters) if letters else 0.0


class Spread:
    """One sentence's guesses.

    Args:
        sentence: What is said.
        voiced: Where there is voice; whoever makes this goes on pushing to it.
    """

    def __init__(self, sentence: Sentence, voiced: Voiced) -> None:
        self._words = sentence.words
        self._usual = [_Usual.of(word) for word in sentence.words]
        self._voiced = voiced

    def times(self, measured: Mapping[int, TimedWord], over: bool) -> list[TimedWord]:
        """Guess at all words that were not measured.

        Args:
            measured: By index, their starts in order.
            over: Whether nothing follows what was heard.

        Returns:
            Every word, in order; starts never go backwards, and none stops before it starts. What
            follows the last measured word may be later than all that was heard so far, unless it
            is over.
        """
        pace, times, from_s = self._pace(measured), list[TimedWord](), 0.0
        held = [*sorted(measured), len(self._words)]
        for index in held:
            last = index == len(self._words)
            until_s = measured[index].start_s if not last else None
            if last and over:
                until_s = max(from_s, self._voiced.stop_s or self._voiced.heard_s)
            if until_s is not None:
                from_s = min(from_s, until_s)
            gap = _Gap(len(times), index, from_s, until_s)
            times += self._between(gap, pace)
            if not last:
                times.append(measured[index])
                from_s = measured[index].stop_s
        return times

    def _pace(self, measured: Mapping[int, TimedWord]) -> float:
        """Return how many times longer than usual the speaker takes for a word."""
        took_s = sum(word.stop_s - word.start_s for word in measured.values())
        usual_s = sum(self._usual[index].lasts_s for index in measured)
        return min(_SLOWEST, max(_FASTEST, (_PRIOR_S + took_s) / (_PRIOR_S + usual_s)))

    def _between(self, gap: "_Gap", pace: float) -> list[TimedWord]:
        """Spread the words of a gap over the voice in it, from pause to pause."""
        until_s = gap.until_s if gap.until_s is not None else self._voiced.heard_s
        stretches = self._voiced.between(gap.from_s, until_s)
        if not stretches:  # nothing is heard there, or nothing yet
            begin_s = gap.from_s if gap.until_s is not None else max(gap.from_s, until_s)
            return self._fill(replace(gap, from_s=begin_s), pace, [])
        times: list[TimedWord] = []
        first, joined = gap.first, list[tuple[float, float]]()
        for number, (stretch, after) in enumerate(pairwise(stretches), 1):
            joined.append(stretch)
            said = _Said(_sum(joined), after[0] - stretch[1], _sum(stretches[number:]))
            stop = self._where(replace(gap, first=first), pace, said)
            if stop is not None:
                times += self._fill(_Gap(first, stop, joined[0][0], stretch[1]), pace, joined)
                first, joined = stop, []
        joined.append(stretches[-1])
        return times + self._fill(_Gap(first, gap.stop, joined[0][0], gap.until_s), pace, joined)

    def _where(self, gap: "_Gap", pace: float, said: "_Said") -> int | None:
        """Find the word before which a pause is; None if it seems to be within one."""
        usual_s = sum(self._usual[index].lasts_s for index in range(gap.first, gap.stop))
        if gap.until_s is not None and usual_s:
            pace = (said.before_s + said.after_s) / usual_s
        found, off_s, end_s = gap.first, said.before_s, 0.0  # no word was said before it
        for index in range(gap.first, gap.stop - 1):
            usual = self._usual[index]
            end_s += usual.lasts_s * pace
            off = max(0.0, abs(end_s - said.before_s) - usual.reach_s)
            if off < off_s:
                found, off_s = index + 1, off
        return found if off_s <= said.pause_s else None

    def _fill(
        self, gap: "_Gap", pace: float, stretches: list[tuple[float, float]]
    ) -> list[TimedWord]:
        """Spread words over stretches of speech, whatever pauses are between those."""
        usual_s = sum(self._usual[index].lasts_s for index in range(gap.first, gap.stop))
        if gap.until_s is not None:
            pace = _sum(stretches) / usual_s if usual_s else 0.0
        times: list[TimedWord] = []
        at = _Walk(gap.from_s, stretches, gap.until_s)
        for index in range(gap.first, gap.stop):
            start_s = at.begin()
            stop_s = at.go(self._usual[index].lasts_s * pace)
            times.append(TimedWord(self._words[index], start_s, stop_s, index, estimated=True))
            at.pause(self._usual[index].pause_s)
        return times


@dataclass(frozen=True, slots=True)
class _Gap:
    """Words [first, stop) that nobody measured, and when they are spoken, in seconds."""

    first: int
    stop: int
    from_s: float
    until_s: float | None  # None: when is not known yet


@dataclass(frozen=True, slots=True)
class _Said:
    """A pause, and how much is said before it and after it, in seconds."""

    before_s: float
    pause_s: float
    after_s: float


def _sum(stretches: list[tuple[float, float]]) -> float:
    return sum(stop_s - start_s for start_s, stop_s in stretches)


class _Walk:
    """Walks along the voice: over pauses, and on after its end.

    Args:
        from_s: Where it begins, in seconds.
        stretches: Of voice.
        until_s: Where it ends, however far it goes; None: nowhere.
    """

    def __init__(
        self, from_s: float, stretches: list[tuple[float, float]], until_s: float | None
    ) -> None:
        self.now_s = from_s
        self._stretches = stretches
        self._until_s = until_s

    def begin(self) -> float:
        """Go on to where there is voice; return the time there, in seconds."""
        for start_s, stop_s in self._stretches:
            if stop_s - _NEXT_S > self.now_s:
                self.now_s = max(self.now_s, start_s)
                break
        return self.now_s

    def go(self, voice_s: float) -> float:
        """Go on by so much voice; return the time there, in seconds."""
        for start_s, stop_s in self._stretches:
            if stop_s <= self.now_s:
                continue
            self.now_s = max(self.now_s, start_s)
            here_s = min(voice_s, stop_s - self.now_s)
            self.now_s += here_s
            voice_s -= here_s
            if voice_s <= 0:
                return self.now_s
        self.now_s += voice_s
        if self._until_s is not None:
            self.now_s = min(self.now_s, self._until_s)
        return self.now_s

    def pause(self, pause_s: float) -> None:
        """Pause, where no voice is known that says otherwise."""
        if self._until_s is None and (not self._stretches or self.now_s >= self._stretches[-1][1]):
            self.now_s += pause_s
