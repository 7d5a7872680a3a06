"""Text in, speech out of which it is known when each word begins and ends.

network    the built-in voice's network says how long each phoneme lasts, and the samples are taken
           as hibari itself renders them. Its durations run behind its sound, see LATE_S; a space
           is the beginning of the word after it; the last phoneme before a mark holds the pause
           too, so that word's end isn't known
joined     phrases that were rendered one by one, with silence between: exact where they were joined
flite      Festival Lite's voices, made of recordings of people; it tells where it put each phone
recorded   people; nothing is known but where their silence is
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from hibari import Hibari, dsp

from mira.audio.decode import decode_file
from mira.text import split_sentences
from mira.types import Samples, Sentence
from tests.recogniser import resample

Times = npt.NDArray[np.float64]
"""[words, 2]: when each begins and ends, in seconds; NaN where that isn't known."""

DURATIONS = "/Clip_output_0"  # frames of two hops for each phoneme
LATE_S = 0.035
"""How far the durations run behind the sound: 25 to 30 ms where a word begins after silence, 33 as
the aligner has it, after what that is off with Festival Lite's labels."""
MAX_CHARS = 220
TELEPHONE_RATE = 8000
_EDGE = 10 ** (-45 / 20)  # of the loudest: softer is silence


@dataclass(frozen=True, slots=True)
class Speech:
    """A sentence that was spoken."""

    sentence: Sentence
    samples: Samples
    sample_rate: int
    times: Times

    @property
    def audio_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def sentences(text: str) -> list[Sentence]:
    """Return a text in plain words, as the service cuts it."""
    pieces = split_sentences(text, MAX_CHARS)
    return [piece.sentence for piece in pieces if piece.sentence.text]


class NetworkVoice:
    """The built-in voice as hibari renders it, and its network's own durations."""

    def __init__(self) -> None:
        self._hibari = Hibari()
        model = onnx.load(self._hibari.model_path)
        value = onnx.helper.make_tensor_value_info(DURATIONS, onnx.TensorProto.FLOAT, ["sounds"])
        model.graph.output.append(value)
        self._session = ort.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )

    def say(self, sentence: Sentence, speed: float = 1.0) -> Speech | None:
        """Speak; None if the voice makes of the words more or fewer than there are."""
        (phonemes,) = self._hibari.phonemize(sentence.text)[:1] or [""]
        sounds = [sound for sound in phonemes if sound in self._hibari.vocab]
        inputs = {
            "ids": np.asarray([self._hibari.ids(phonemes)], np.int64),
            "speed": np.asarray([speed], np.float32),
        }
        *outputs, frames = self._session.run(None, inputs)
        *spectra, f0 = (output[0] for output in outputs)
        ends = np.cumsum(frames)[:-1] * 2 * dsp.HOP / dsp.SR - LATE_S  # of each before `sounds`
        times = [
            (ends[word.start], ends[word.stop] if word.whole else np.nan) for word in _runs(sounds)
        ]
        if len(times) != len(sentence.words):
            return None
        samples = dsp.synth(*spectra, f0, np.random.default_rng(0)).astype(np.float32)
        return Speech(sentence, samples * np.float32(1.8), dsp.SR, np.asarray(times))

    def joined(self, phrases: Sequence[str], gap_s: float) -> Speech | None:
        """Speak phrases one by one and join what is audible of them, `gap_s` between.

        Only the first word's start and the last one's end are known of each.
        """
        gap = np.zeros(int(gap_s * dsp.SR), np.float32)
        parts, times, at = [np.zeros(dsp.SR // 5, np.float32)], [], 0.2
        for phrase in phrases:
            spoken = self.say(Sentence.of(phrase))
            if spoken is None:
                return None
            start, stop = audible(spoken.samples)
            words = np.full((len(phrase.split()), 2), np.nan)
            words[0, 0], words[-1, 1] = at, at + (stop - start) / dsp.SR
            parts += [spoken.samples[start:stop], gap]
            at += (stop - start + len(gap)) / dsp.SR
            times.append(words)
        sentence = Sentence.of(" ".join(phrases))
        return Speech(sentence, np.concatenate(parts), dsp.SR, np.concatenate(times))


@dataclass(frozen=True, slots=True)
class _Run:
    """The phonemes [start, stop) of a word, the space before them included."""

    start: int
    stop: int
    whole: bool  # no mark comes after it, nor the end


def _runs(sounds: Sequence[str]) -> Iterator[_Run]:
    start = 0
    for place in range(1, len(sounds) + 1):
        if place == len(sounds) or sounds[place] == " ":
            said = [at for at in range(start, place) if sounds[at].isalpha()]
            if said:
                whole = said[-1] + 1 == place < len(sounds)
                yield _Run(start, said[-1] + 1, whole)
            start = place


class FliteVoice:
    """One of Festival Lite's voices, in its shared libraries of version 1 (Debian: libflite1).

    Raises:
        OSError: They are not installed.
    """

    def __init__(self, name: str) -> None:
        self._flite, *_ = (
            ctypes.CDLL(f"libflite{part}.so.1", ctypes.RTLD_GLOBAL)
            for part in ("", "_usenglish", "_cmulex")
        )
        voice = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1")
        self._flite.flite_init()
        make = self._typed(voice, f"register_cmu_us_{name}", ctypes.c_void_p)
        self._voice = make(None)
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        self._synth = self._typed(self._flite, "flite_synth_text", pointer, text, pointer)
        self._relation = self._typed(self._flite, "utt_relation", pointer, pointer, text)
        self._head = self._typed(self._flite, "relation_head", pointer, pointer)
        self._next = self._typed(self._flite, "item_next", pointer, pointer)
        self._float = self._typed(self._flite, "ffeature_float", ctypes.c_float, pointer, text)
        self._wave = self._typed(self._flite, "utt_wave", ctypes.POINTER(_Wave), pointer)
        self._delete = self._typed(self._flite, "delete_utterance", None, pointer)

    def say(self, sentence: Sentence) -> Speech | None:
        """Speak; None if the voice makes of the words more or fewer than there are."""
        spoken = self._synth(sentence.text.encode("ascii", "ignore"), self._voice)
        try:
            wave = self._wave(spoken).contents
            pcm = np.ctypeslib.as_array(wave.samples, (wave.num_samples,))
            samples, sample_rate = pcm.astype(np.float32) / np.float32(32768), wave.sample_rate
            times = np.asarray(list(self._times(spoken)))
        finally:
            self._delete(spoken)
        if len(times) != len(sentence.words):
            return None
        return Speech(sentence, samples, sample_rate, times)

    def _times(self, spoken: int) -> Iterator[tuple[float, float]]:
        word = self._head(self._relation(spoken, b"Word"))
        first = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
        last = b"R:SylStructure.daughtern.daughtern.R:Segment.end"
        while word:
            yield self._float(word, first), self._float(word, last)
            word = self._next(word)

    @staticmethod
    def _typed(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
        function = getattr(library, name)
        function.restype, function.argtypes = result, list(arguments) or [ctypes.c_void_p]
        return function


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


def recorded(path: Path) -> Speech:
    """Read a recording of a person, and the transcript beside it; no word's time is known."""
    samples, sample_rate = decode_file(path)
    sentence = Sentence.of(" ".join(path.with_suffix(".txt").read_text("utf-8").split()))
    return Speech(sentence, samples, sample_rate, np.full((len(sentence.words), 2), np.nan))


def by_telephone(speech: Speech) -> Speech:
    """Send speech through 8 kHz mu-law (G.711)."""
    samples = np.clip(resample(speech.samples, speech.sample_rate, TELEPHONE_RATE), -1, 1)
    sign, size = np.sign(samples), np.log1p(255 * np.abs(samples)) / np.log(256)
    coded = np.rint(size * 127) / 127
    line = sign * np.expm1(coded * np.log(256)) / 255
    return replace(speech, samples=line.astype(np.float32), sample_rate=TELEPHONE_RATE)


def audible(samples: Samples) -> tuple[int, int]:
    """Return the first audible sample and the one after the last."""
    loud = np.flatnonzero(np.abs(samples) > _EDGE * np.abs(samples).max(initial=0))
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, 0)
