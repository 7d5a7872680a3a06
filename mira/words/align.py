"""A sentence's samples in, as they are rendered; when each of its words begins and ends out.

Each hundredth of a second is compared with the sounds that the words are made of, and the likeliest
way through the sentence says which word it is in. Knows nothing about who speaks, or who wants to
know.

Source: the acoustic model and the dictionary of American English in the wheel of pocketsphinx 5.1
(BSD-2-Clause), of which no code is used.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mira.types import Samples, Sentence, TimedWord, Word
from mira.words.acoustic import AcousticModel, Scorer
from mira.words.chain import NO_WORD, Chain, chain
from mira.words.features import FRAME_S, Features
from mira.words.pronounce import Pronunciations
from mira.words.resample import Resampler
from mira.words.search import Search, Stretch

Times = dict[int, tuple[float, float]]
"""Start and stop of words, in seconds, by their index."""

MAX_S = 120.0
"""Longest sentence that is listened to; after that, no more words are found."""
CERTAIN_S = 0.25
"""How much has to be heard after a word before it is told."""
MOVED_S = 0.015
"""A word that moves by less is not told again."""

_EARLY_S = 0.035  # a word is taken to begin so much before it can be heard, after a silence
_LATE_S = 0.015  # and to end so much after, before one
# Shorter gaps are what words begin with: the stop of a "t", an "s" that a telephone leaves out.
_SHORTEST_GAP_S = 0.15
_SHORTEST_PAUSE_S = 0.04  # where there is a mark
_MARK = re.compile(r"[,.;:!?—–…)\"”]\W*$")
_BLOCK_FRAMES = 20  # scored at a time: a megabyte


@dataclass(frozen=True, slots=True)
class Findings:
    """What is odd about a sentence that was spoken.

    A false alarm is rare: in 120 good sentences no word was missed or repeated, and noise was never
    more than 0.06 s. What is odd isn't always found: 19 of 24 words that were cut out, 23 of 24
    repetitions and insertions of a second. In another language most words are "found". See
    docs/words.md.
    """

    missed: tuple[int, ...] = ()
    """Indices of the words that were not found; a word that nobody can say isn't looked for."""
    repeated: int = 0
    """Number of words that were said again."""
    noise_s: float = 0.0
    """Seconds of speech that fit no word."""


class Aligner:
    """Finds words. Safe on several threads; one for the process.

    Args:
        pronounce: Says in canonical IPA how a word sounds that the dictionary hasn't; "" if it
            can't.

    Raises:
        ImportError: pocketsphinx isn't installed.
        CheckpointError: Its files can't be read.
    """

    def __init__(self, pronounce: Callable[[str], str] | None = None) -> None:
        """Load the model; takes 40 ms, and 8 MB."""
        folder = Path(str(files("pocketsphinx"))) / "model" / "en-us"
        self._model = AcousticModel(folder / "en-us")
        self._pronunciations = Pronunciations(folder / "cmudict-en-us.dict", pronounce)

    def begin(self, sentence: Sentence, sample_rate: int) -> "Alignment":
        """Begin to listen to a sentence, spoken at `sample_rate` Hz.

        Costs no more than a few milliseconds, unless `pronounce` takes longer.
        """
        said = [(index, self._pronunciations(word)) for index, word in enumerate(sentence.words)]
        known = [index for index, ways in said if ways]
        if not known:
            return Alignment(sentence.words, None)
        pauses = [True, *(bool(_MARK.search(sentence.words[index].text)) for index in known)]
        unknown = {sum(at < index for at in known) for index, ways in said if not ways}
        states = chain(self._model, [ways for _, ways in said if ways], pauses, unknown)
        listening = _Listening(
            known, states, sample_rate, Scorer(self._model, states.mixtures), pauses, unknown
        )
        return Alignment(sentence.words, listening)

    def knows(self, word: Word) -> bool:
        """Tell whether a word is in the dictionary of English."""
        return self._pronunciations.knows(word)


class Alignment:
    """One sentence, listened to by one thread at a time; made by `Aligner.begin`.

    Times don't depend on how samples were cut. A word is told by the first `push` that ends
    CERTAIN_S after it, or by `finish`; one that comes again has moved. Starts are in order of the
    words. Words that nobody can say are never told.
    """

    def __init__(self, words: Sequence[Word], listening: "_Listening | None") -> None:
        self.findings = Findings()
        """What is odd, after `finish`."""
        self._words = words
        self._listening = listening
        self._told: dict[int, TimedWord] = {}

    def push(self, samples: Samples) -> list[TimedWord]:
        """Listen to [num_samples]; return the words that are newly certain, or have moved."""
        if not self._listening:
            return []
        self._listening.push(samples)
        return self._news(self._listening.path(), self._listening.heard_s - CERTAIN_S)

    def finish(self) -> list[TimedWord]:
        """End the sentence; return what is new."""
        if not self._listening:
            return []
        self._listening.flush()
        path = self._listening.whole_path()
        self.findings = self._listening.findings(path)
        return self._news(path, np.inf)

    def close(self) -> None:
        """Give back what it holds. May be called again."""
        self._listening = None

    def _news(self, path: list[Stretch], until_s: float) -> list[TimedWord]:
        assert self._listening
        found = self._listening.times(path)
        known = {index: (told.start_s, told.stop_s) for index, told in self._told.items()}
        times = {at: times for at, times in found.items() if times[1] <= until_s or at in known}
        times |= _between(found, {at: times for at, times in known.items() if at not in found})
        news = []
        for index, (start_s, stop_s) in sorted(times.items()):
            before = known.get(index)
            if not before or max(abs(before[0] - start_s), abs(before[1] - stop_s)) > MOVED_S:
                news.append(TimedWord(self._words[index], start_s, stop_s, index))
        self._told |= {word.index: word for word in news}
        return news


def _between(found: Times, lost: Times) -> Times:
    """Return the times of words that were told and are found no more, in order with the others."""
    settled = {}
    for index, (start_s, stop_s) in lost.items():
        earliest_s = max((found[at][0] for at in found if at < index), default=0.0)
        latest_s = min((found[at][0] for at in found if at > index), default=np.inf)
        start_s = min(max(start_s, earliest_s), latest_s)
        settled[index] = start_s, min(max(stop_s, start_s), latest_s)
    return settled


class _Listening:
    """What one sentence takes: everything from samples to the likeliest way."""

    def __init__(
        self,
        indices: list[int],
        states: Chain,
        sample_rate: int,
        scorer: Scorer,
        pauses: list[bool],
        unknown: set[int],
    ) -> None:
        self._indices = indices
        self._states = states
        self._resampler = Resampler(sample_rate)
        self._features = Features()
        self._scorer = scorer
        self._search = Search(states)
        self._pauses = pauses
        self._unknown = unknown
        self._loud: list[npt.NDArray[np.bool_]] = []

    @property
    def heard_s(self) -> float:
        return self._search.frames * FRAME_S

    def push(self, samples: Samples) -> None:
        self._hear(self._features.push(self._resampler.push(samples)))

    def flush(self) -> None:
        self._hear(self._features.push(self._resampler.flush()))
        self._hear(self._features.flush())

    def path(self) -> list[Stretch]:
        return self._search.path() if self._search.frames else []

    def whole_path(self) -> list[Stretch]:
        return self._search.whole_path() if self._search.frames else []

    def times(self, path: list[Stretch]) -> Times:
        """Return when each word is said first."""
        times: Times = {}
        said = [stretch for stretch in path if self._states.words[stretch.unit] != NO_WORD]
        before_s, next_word = 0.0, 0
        for at, stretch in enumerate(said):
            word = self._states.words[stretch.unit]
            after = said[at + 1] if at + 1 < len(said) else None
            start_s, stop_s = stretch.start * FRAME_S, stretch.stop * FRAME_S
            if self._is_pause(word, start_s - before_s):
                start_s += min(_EARLY_S, (stop_s - start_s) / 2)
            else:
                start_s = before_s
            before_s = stop_s
            if not after or self._is_pause(word + 1, after.start * FRAME_S - stop_s):
                stop_s = max(start_s, stop_s - _LATE_S)
            if word >= next_word:
                times[self._indices[word]] = start_s, stop_s
                next_word = word + 1
        return times

    def findings(self, path: list[Stretch]) -> Findings:
        said = [word for stretch in path if (word := self._states.words[stretch.unit]) != NO_WORD]
        missed = {*range(len(self._indices))} - {*said}
        loud = np.concatenate([*self._loud, np.zeros(0, np.bool_)])
        noise = self._states.is_noise
        frames = sum(
            int(loud[stretch.start : stretch.stop].sum())
            for stretch in path
            if noise[stretch.unit] and self._states.begins[stretch.unit] not in self._unknown
        )
        return Findings(
            tuple(self._indices[word] for word in sorted(missed)),
            len(said) - len({*said}),
            frames * FRAME_S,
        )

    def _is_pause(self, gap: int, gap_s: float) -> bool:
        if gap == 0:
            return gap_s > 0
        return gap_s > (_SHORTEST_PAUSE_S if self._pauses[gap] else _SHORTEST_GAP_S)

    def _hear(self, features: npt.NDArray[np.float32]) -> None:
        features = features[: max(0, round(MAX_S / FRAME_S) - self._search.frames)]
        for start in range(0, len(features), _BLOCK_FRAMES):
            block = features[start : start + _BLOCK_FRAMES]
            self._search.push(*self._scorer(block))
            # Louder than on average: speech, not what is between.
            self._loud.append(block[:, 0, 0] > 0)
