"""A sentence's samples in, as they are rendered; when each of its words begins and ends out.

Knows nothing about who speaks, or who wants to know.

Source: pocketsphinx 5.1 (BSD-2-Clause), its search and its acoustic model of American English.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mira.types import Samples, Sentence, TimedWord
from mira.words.pronounce import Pronunciations
from mira.words.resample import RATE, Resampler

_FRAME_S = 0.01
_OFFSET_S = 0.0
_CERTAIN_S = 0.3
"""How far the search has to be beyond a word's end before it is told."""
_MOVED_S = 0.015
_SLICE = RATE // 10  # samples; the search holds the interpreter's lock


@dataclass(frozen=True, slots=True)
class Findings:
    """What is odd about a sentence that was spoken."""

    missed: tuple[int, ...] = ()
    """Indices of the words that were not found."""
    repeated: int = 0
    """Number of words that were said again."""
    noise_s: float = 0.0
    """Seconds of speech that fit no word."""


class Aligner:
    """Finds words. Safe on several threads; one for the process.

    Args:
        pronounce: Says in canonical IPA how a word sounds that the dictionary hasn't.
    """

    def __init__(self, pronounce: Callable[[str], str] | None = None) -> None:
        import pocketsphinx  # of the extras: an installation without a Mira model hasn't it

        self._library: Any = pocketsphinx
        dictionary = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
        self._pronunciations = Pronunciations(dictionary, pronounce)

    def begin(self, sentence: Sentence, sample_rate: int) -> "Alignment":
        """Begin to listen to a sentence, spoken at `sample_rate` Hz."""
        decoder = self._library.Decoder(lm=None, dict=None, loglevel="FATAL")
        arcs: list[tuple[int, int, float, str]] = []
        for index, word in enumerate(sentence.words):
            ways = self._pronunciations(word)
            for number, way in enumerate(ways, 1):
                name = f"w{index}" if number == 1 else f"w{index}({number})"
                decoder.add_word(name, " ".join(way), False)
            if ways:
                arcs.append((len(arcs), len(arcs) + 1, 1.0, f"w{index}"))
        if arcs:
            decoder.reinit_feat()
            decoder.add_fsg("words", decoder.create_fsg("words", 0, len(arcs), arcs))
            decoder.activate_search("words")
        return Alignment(sentence, sample_rate, decoder if arcs else None)


class Alignment:
    """One sentence, listened to by one thread at a time; made by `Aligner.begin`."""

    def __init__(self, sentence: Sentence, sample_rate: int, decoder: Any) -> None:
        self._words = sentence.words
        self._resampler = Resampler(sample_rate)
        self._decoder = decoder
        self._told: dict[int, TimedWord] = {}
        self._samples = 0
        self.findings = Findings()
        if decoder:
            decoder.start_utt()

    def push(self, samples: Samples) -> list[TimedWord]:
        """Listen to [num_samples]; return the words that are newly certain, or have moved."""
        if not self._decoder:
            return []
        self._feed(self._resampler.push(samples))
        return self._news(self._samples / RATE - _CERTAIN_S)

    def finish(self) -> list[TimedWord]:
        """End the sentence; return what is new."""
        if not self._decoder:
            return []
        self._feed(self._resampler.flush())
        self._decoder.end_utt()
        news = self._news(np.inf)
        missed = tuple(index for index in range(len(self._words)) if index not in self._told)
        self.findings = Findings(missed)
        return news

    def close(self) -> None:
        """Give back what it holds."""
        self._decoder = None

    def _feed(self, samples: Samples) -> None:
        pcm = (np.clip(np.nan_to_num(samples), -1, 1) * 32767).astype("<i2")
        self._samples += len(pcm)
        for start in range(0, len(pcm), _SLICE):
            self._decoder.process_raw(pcm[start : start + _SLICE].tobytes())

    def _news(self, until_s: float) -> list[TimedWord]:
        if not self._samples:
            return []
        news = []
        for segment in self._decoder.seg() or ():
            if not segment.word.startswith("w"):
                continue
            index = int(segment.word[1:].partition("(")[0])
            start_s = max(0.0, segment.start_frame * _FRAME_S + _OFFSET_S)
            stop_s = max(start_s, (segment.end_frame + 1) * _FRAME_S + _OFFSET_S)
            before = self._told.get(index)
            moved = not before or abs(before.start_s - start_s) > _MOVED_S
            moved = moved or (before is not None and abs(before.stop_s - stop_s) > _MOVED_S)
            if moved and stop_s <= until_s:
                self._told[index] = TimedWord(self._words[index], start_s, stop_s, index)
                news.append(self._told[index])
        return news
