"""When words are heard: what the service says of it, against those who know.

Told: the built-in voice's words (`Block.words`), and the aligner's, which listens in blocks of a
quarter second. Who knows (tools/word_times):

pauses   silence in the samples: exact to 5 ms, but only of words beside one
joined   phrases rendered one by one and joined: exact, but only where they were joined
network  durations of the built-in voice's network: of all words, off by a frame of 25 ms
flite    Festival Lite's labels, where libflite is installed: of all words, other voices
whisper  the recogniser, forced to hear the words; its own noise is in the first table

start, end p50, p95   of the error's size; bias is its signed median. `less bias`: less that
told                  how long after a word's end it was told, in seconds of audio heard
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np

from mira.builtin.pronounce import Pronounce
from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.cli.bench.arrivals import sentences as replies
from mira.cli.bench.report import report
from mira.engine import Engine
from mira.types import Samples, Sentence, TimedWord
from mira.words.align import Aligner
from tests.recogniser import Recogniser
from tools.word_times import hard as hard_cases
from tools.word_times.compare import Error, errors, pauses, row, unbiased
from tools.word_times.listeners import Told, align, recognise
from tools.word_times.spoken import (
    FliteVoice,
    NetworkVoice,
    Speech,
    Times,
    by_telephone,
    recorded,
    sentences,
)

T = TypeVar("T")

SENTENCES = Path(__file__).parents[1] / "word_times" / "sentences.txt"
RECORDINGS = Path(__file__).parents[2] / "tests" / "data" / "voices"
BLOCK_S = 0.25
LONG = 24  # sentences of the long text, about 90 s
FLITE = ("slt", "rms", "awb", "kal16")


class Bench:
    """Those who speak and those who listen, and the rows so far."""

    def __init__(self, worst: int) -> None:
        self.network, self.ears = NetworkVoice(), Recogniser()
        self.aligner = Aligner(Pronounce())
        self.worst = worst
        self.rows: list[dict[str, object]] = []

    def compare(
        self, kind: str, found: Iterable[list[Error]], told: Iterable[Told] = ()
    ) -> list[Error]:
        """Add a row, and print the worst of it."""
        flat = list(chain.from_iterable(found))
        self.rows.append(row(kind, flat, list(told)))
        for error in sorted(flat, key=_size, reverse=True)[: self.worst]:
            words = [word.text for word in error.speech.sentence.words]
            words[error.index] = f"[{words[error.index]}]"
            around = " ".join(words[max(error.index - 3, 0) : error.index + 4])
            print(f"{kind}: {1000 * error.start_s:.0f}, {1000 * error.stop_s:.0f} ms: {around}")
        return flat

    def less_bias(self, kind: str, found: list[Error]) -> None:
        """Add a row without what somebody is always off."""
        self.compare(f"{kind}, less bias", [unbiased(found)])

    def report(self, name: str, **about: object) -> None:
        """Print a table of the rows, and begin another."""
        report(f"words: {name}", self.rows, about)
        self.rows = []


def main(count: int = 60, worst: int = 0) -> None:
    """Word times: `--count` sentences, and the `--worst` errors of each row."""
    spoken = [
        sentence
        for line in SENTENCES.read_text("utf-8").splitlines()[:count]
        for sentence in sentences(line)
    ]
    bench = Bench(worst)
    known(bench, spoken)
    builtin(bench, spoken)
    alignment(bench, spoken)
    people(bench)
    hard(bench, spoken)


def known(bench: Bench, spoken: list[Sentence]) -> None:
    """Measure who judges: on joined phrases, and on Festival Lite's voices."""
    for gap_s in (0.0, 0.15):
        join = partial(bench.network.joined, gap_s=gap_s)
        speeches = _said(map(_phrases, spoken), join)
        for who, listen in _listeners(bench):
            found = bench.compare(
                f"{who}, joined {gap_s:g} s apart", _errors(speeches, listen, lambda s: s.times)
            )
            bench.less_bias(f"{who}, joined {gap_s:g} s apart", found)
    for name in FLITE:
        try:
            voice = FliteVoice(name)
        except OSError:
            print("flite is not installed (libflite.so.1)")
            break
        speeches = _said(spoken, voice.say)
        found_pauses = _errors(speeches, lambda s: pauses(s, s.times), lambda s: s.times)
        bench.compare(f"pauses, flite {name}", found_pauses)
        for who, listen in [*_listeners(bench)][: 2 if name == FLITE[0] else 1]:
            found = bench.compare(
                f"{who}, flite {name}", _errors(speeches, listen, lambda s: s.times)
            )
            bench.less_bias(f"{who}, flite {name}", found)
    bench.report("the judges, where the truth is known")


def builtin(bench: Bench, spoken: list[Sentence]) -> None:
    """Measure the words that the built-in voice tells."""
    voice = BuiltinSynthesizer()
    told = [words_of(voice, sentence) for sentence in spoken]
    pairs = [(speech, one) for speech, one in told if len(speech.samples)]
    truths: tuple[tuple[str, Callable[[Speech, Told], Times]], ...] = (
        ("pauses", lambda speech, one: pauses(speech, one.times)),
        ("aligner", lambda speech, _: align(bench.aligner, speech, BLOCK_S).times),
        ("whisper", lambda speech, _: recognise(bench.ears, speech)),
    )
    for name, truth in truths:
        found = bench.compare(
            f"built-in, {name}",
            [errors(speech, one.times, truth(speech, one)) for speech, one in pairs],
            [one for _, one in pairs],
        )
        bench.less_bias(f"built-in, {name}", found)
    speech, one = stream_of(Engine(voice), replies(LONG))
    bench.compare(
        "built-in, long text, pauses",
        [errors(speech, one.times, pauses(speech, one.times))],
        [one],
    )
    backwards = int((np.diff(one.times[:, 0]) < 0).sum())
    bench.report("the built-in voice", long_text_s=round(speech.audio_s), backwards=backwards)


def alignment(bench: Bench, spoken: list[Sentence]) -> None:
    """Measure the aligner, at 24 kHz and by telephone."""
    speeches = _said(spoken, bench.network.say)
    whisper = [recognise(bench.ears, speech) for speech in speeches]
    about: dict[str, object] = {}
    for kind, change in (("24 kHz", lambda speech: speech), ("8 kHz mu-law", by_telephone)):
        heard = [change(speech) for speech in speeches]
        told = [align(bench.aligner, speech, BLOCK_S) for speech in heard]
        for name, truths in (
            ("network", [speech.times for speech in speeches]),
            ("pauses", [pauses(speech, speech.times) for speech in speeches]),
            ("whisper", whisper),
        ):
            off = [
                errors(speech, one.times, truth)
                for speech, one, truth in zip(speeches, told, truths)
            ]
            found = bench.compare(f"aligner, {kind}, {name}", off, told)
            bench.less_bias(f"aligner, {kind}, {name}", found)
        first = [errors(s, one.first, s.times) for s, one in zip(speeches, told)]
        bench.compare(f"aligner, {kind}, as first told, network", first)
        audio_s = sum(speech.audio_s for speech in heard)
        about[f"share of a core, {kind}"] = round(sum(one.cpu_s for one in told) / audio_s, 4)
    bench.report("the aligner", **about)


def hard(bench: Bench, spoken: list[Sentence]) -> None:
    """Measure the aligner on what is hard, against the network's durations."""

    def judge(kind: str, speeches: list[Speech]) -> None:
        told = [align(bench.aligner, speech, BLOCK_S) for speech in speeches]
        off = [errors(speech, one.times, speech.times) for speech, one in zip(speeches, told)]
        bench.compare(kind, off, told)

    say = bench.network.say
    for kind, texts in hard_cases.SENTENCES.items():
        said = [sentence for text in texts for sentence in sentences(text)]
        judge(kind, _said(said, say))
        judge(f"{kind}, 8 kHz mu-law", [*map(by_telephone, _said(said, say))])
    speeches = _said(spoken, say)
    for kind, change in hard_cases.CHANGES.items():
        judge(kind, [*map(change, speeches)])
    for speed in hard_cases.SPEEDS:
        judge(f"at {speed:g} of its pace", _said(spoken, partial(say, speed=speed)))
    bench.report("the aligner, on what is hard")


def people(bench: Bench) -> None:
    """Measure the aligner on recordings of people: by their pauses, and by the recogniser."""
    speeches = [recorded(path) for path in sorted(RECORDINGS.glob("allison*.wav"))]
    for kind, change in (("as recorded", lambda speech: speech), ("8 kHz mu-law", by_telephone)):
        told = [align(bench.aligner, change(speech), BLOCK_S) for speech in speeches]
        pairs = list(zip(speeches, told))
        by_pauses = [errors(s, one.times, pauses(s, one.times)) for s, one in pairs]
        bench.compare(f"people, {kind}, pauses", by_pauses, told)
        by_ears = [errors(s, one.times, recognise(bench.ears, s)) for s, one in pairs]
        found = bench.compare(f"people, {kind}, whisper", by_ears, told)
        bench.less_bias(f"people, {kind}, whisper", found)
    bench.report("people")


def words_of(voice: BuiltinSynthesizer, sentence: Sentence) -> tuple[Speech, Told]:
    """Let a synthesizer speak a sentence, and note what it tells."""
    blocks = voice.synthesize(sentence, voice.voices[0])
    return _told(((block.samples, block.words) for block in blocks), sentence, voice.sample_rate)


def stream_of(engine: Engine, text: str) -> tuple[Speech, Told]:
    """Let an engine speak a text, and note what it tells."""
    words = tuple(word for sentence in sentences(text) for word in sentence.words)
    blocks = engine.blocks(text, engine.voices[0])
    sentence = Sentence(" ".join(word.text for word in words), words)
    return _told(((block.samples, block.words) for block in blocks), sentence, engine.sample_rate)


def _told(
    blocks: Iterable[tuple[Samples, tuple[TimedWord, ...]]], sentence: Sentence, sample_rate: int
) -> tuple[Speech, Told]:
    parts, told = [], Told(np.full((len(sentence.words), 2), np.nan))
    began, heard_s = time.process_time(), 0.0
    for samples, words in blocks:
        told.takes(words, heard_s)  # they leave with their block's beginning
        heard_s += len(samples) / sample_rate
        parts.append(samples)
    told.cpu_s = time.process_time() - began
    speech = Speech(sentence, np.concatenate(parts), sample_rate, told.times)
    return speech, told


def _said(spoken: Iterable[T], say: Callable[[T], Speech | None]) -> list[Speech]:
    """Return those that have as many words as are written."""
    return [speech for sentence in spoken if (speech := say(sentence)) is not None]


def _phrases(sentence: Sentence) -> list[str]:
    """Cut a sentence into phrases of one to three words, the same each time."""
    words, phrases = sentence.text.split(), []
    while words:
        length = 1 + len(words) % 3
        phrases.append(" ".join(words[:length]))
        words = words[length:]
    return phrases


def _listeners(bench: Bench) -> Iterator[tuple[str, Callable[[Speech], Times]]]:
    yield "aligner", lambda speech: align(bench.aligner, speech, BLOCK_S).times
    yield "whisper", lambda speech: recognise(bench.ears, speech)


def _errors(
    speeches: Iterable[Speech], found: Callable[[Speech], Times], truth: Callable[[Speech], Times]
) -> list[list[Error]]:
    return [errors(speech, found(speech), truth(speech)) for speech in speeches]


def _size(error: Error) -> float:
    return float(np.nanmax([abs(error.start_s), abs(error.stop_s), 0.0]))
