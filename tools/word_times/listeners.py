"""Speech in, when its words are heard out: by the aligner that is measured, and by a recogniser.

The recogniser is Whisper tiny.en, forced to hear the words that were said: where its decoder looked
when it wrote each of them. It sees 20 ms at once, and its noise is more than that.
"""

import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer

from mira.types import TimedWord
from mira.words.align import Aligner
from tests.recogniser import RECOGNISER_RATE, Recogniser, resample
from tools.word_times.spoken import Speech, Times

_STEP_S = 0.02  # of its encoder


@dataclass(slots=True)
class Told:
    """What a listener told about one sentence.

    Attributes:
        first: [words, 2] as first told.
        times: [words, 2] in the end.
        told_s: [words] seconds of the sentence that had been heard when it was first told.
        estimated: Number of words that were first told as estimates.
        corrected: Number of words that were told more than once.
        cpu_s: What it computed.
    """

    times: Times
    first: Times = field(init=False)
    told_s: Times = field(init=False)
    estimated: int = 0
    corrected: set[int] = field(default_factory=set)
    cpu_s: float = 0.0

    def __post_init__(self) -> None:
        self.first, self.told_s = self.times.copy(), self.times[:, 0].copy()

    def takes(self, words: list[TimedWord] | tuple[TimedWord, ...], heard_s: float) -> None:
        """Note words that came when `heard_s` of the sentence had."""
        for word in words:
            if np.isnan(self.told_s[word.index]):
                self.first[word.index] = word.start_s, word.stop_s
                self.told_s[word.index] = heard_s
                self.estimated += word.estimated
            else:
                self.corrected.add(word.index)
            self.times[word.index] = word.start_s, word.stop_s


def unknown(speech: Speech) -> Times:
    """Return [words, 2] of nothing."""
    return np.full((len(speech.sentence.words), 2), np.nan)


def align(aligner: Aligner, speech: Speech, block_s: float) -> Told:
    """Let the aligner listen in blocks, as a stream brings them."""
    told, length = Told(unknown(speech)), int(block_s * speech.sample_rate)
    began = time.process_time()
    alignment = aligner.begin(speech.sentence, speech.sample_rate)
    try:
        for start in range(0, len(speech.samples), length):
            heard_s = min(start + length, len(speech.samples)) / speech.sample_rate
            told.takes(alignment.push(speech.samples[start : start + length]), heard_s)
        told.takes(alignment.finish(), speech.audio_s)
    finally:
        alignment.close()
    told.cpu_s = time.process_time() - began
    return told


def recognise(ears: Recogniser, speech: Speech) -> Times:
    """Let the recogniser say where it hears each word."""
    model: Any = ears.model
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", "en")
    heard = resample(speech.samples, speech.sample_rate, RECOGNISER_RATE)
    features = model.feature_extractor(heard)
    frames = features.shape[-1]
    tokens = [tokenizer.encode(f" {word.text}") for word in speech.sentence.words]
    flat = [token for word in tokens for token in word]
    (found,) = model.model.align(
        model.encode(pad_or_trim(features)), list(tokenizer.sot_sequence), [flat], [frames]
    )
    path = np.asarray(found.alignments)
    begins = path[np.pad(np.diff(path[:, 0]), (1, 0), constant_values=1).astype(bool), 1] * _STEP_S
    edges = np.concatenate([[0], np.cumsum([len(word) for word in tokens])])
    last = min(int(edges[-1]), len(begins) - 1)
    return np.asarray([(begins[a], begins[min(b, last)]) for a, b in pairwise(edges)])
