"""tests/text/corpus, read by ours, by the built-in voice alone and by what else is installed.

ours         written to words, compared by their letters with the right answers
voice alone  the built-in voice's front end, given what is written: right when it makes of it the
             phonemes that it makes of a right answer, stress marks aside
others       nemo-text-processing, WeTextProcessing and gruut, where they can be imported,
             compared as ours are; where only the taste differs (tools/taste.py), both are right

The last rows are milliseconds of processor time for a sentence. A second table has those for each
hundred characters of 4,096 that are one symbol or a few, over and over: the worst ten.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from mira.cli.bench.report import percentile, report
from tools.bad_input import UNITS, ms_per_hundred
from tools.corpus import Pair, categories, letters, read
from tools.taste import plain

_STRESS_AND_MARKS = re.compile(r"[ˈˌ\W]+")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads.

    Attributes:
        say: what is written -> what is compared.
        is_right: whether that is right for a pair.
    """

    say: Callable[[str], str]
    is_right: Callable[[Pair, str], bool]


def main(wrong: str = "") -> None:
    """Read the corpus; `--wrong CATEGORY`, or `--wrong all`, prints what is read wrongly."""
    readers = {name: reader for name in READERS if (reader := _loaded(name))}
    missing = ", ".join(name for name in READERS if name not in readers)
    report("reading", compare(readers, categories(), wrong), {"missing": missing})
    report("reading, a few symbols over and over", slowest(UNITS), {})


def compare(
    readers: Mapping[str, Reader], corpus: Mapping[str, list[Pair]], wrong: str = ""
) -> list[dict[str, object]]:
    """Return the right answers for each category; what a sentence costs in the last rows."""
    columns = {name: _column(reader, name, corpus, wrong) for name, reader in readers.items()}
    kinds = next(iter(columns.values()))
    return [{"category": kind, **{name: columns[name][kind] for name in columns}} for kind in kinds]


def slowest(units: Iterable[str]) -> list[dict[str, object]]:
    """Return the ten that take most, each at its best of three."""
    took = [(min(ms_per_hundred(unit) for _ in range(3)), unit) for unit in units]
    return [
        {"repeated": repr(unit), "ms per 100 characters": ms}
        for ms, unit in sorted(took, reverse=True)[:10]
    ]


def _loaded(name: str) -> Reader | None:
    began = time.perf_counter()
    try:
        reader = READERS[name]()
    except ImportError:
        return None
    reader.say("Ready.")
    print(f"{name}: ready after {time.perf_counter() - began:.1f} s")
    return reader


def _column(
    reader: Reader, name: str, corpus: Mapping[str, list[Pair]], wrong: str
) -> dict[str, object]:
    column: dict[str, object] = {}
    took: list[float] = []
    right = 0
    for kind, pairs in corpus.items():
        right_here = 0
        for pair in pairs:
            began = time.process_time()
            said = reader.say(pair.written)
            took.append((time.process_time() - began) * 1000)
            if reader.is_right(pair, said):
                right_here += 1
            elif wrong in (kind, "all"):
                print(f"\n{kind}, {name}: {pair.written}\n  is  {said}\n  not {pair.spoken[0]}")
        column[kind] = f"{right_here} of {len(pairs)}"
        right += right_here
    column["all"] = f"{right} of {len(took)}"
    column["percent"] = 100 * right / len(took)
    column["ms, median"] = percentile(took, 50)
    column["ms, p95"] = percentile(took, 95)
    return column


def _ours() -> Reader:
    return Reader(read, Pair.agrees)


def _voice_alone() -> Reader:
    front_end = import_module("hibari.g2p").G2P()

    def phonemes(text: str) -> str:
        return _STRESS_AND_MARKS.sub("", str(front_end(text)))

    def is_right(pair: Pair, said: str) -> bool:
        return any(said == phonemes(spoken) for spoken in pair.spoken)

    return Reader(phonemes, is_right)


def library(say: Callable[[str], str]) -> Reader:
    """Return a reader of words, who is right where only the taste differs."""

    def is_right(pair: Pair, said: str) -> bool:
        found = letters(plain(said))
        return any(found == letters(plain(spoken)) for spoken in pair.spoken)

    return Reader(say, is_right)


def _nemo() -> Reader:
    module = import_module("nemo_text_processing.text_normalization.normalize")
    normalizer = module.Normalizer(input_case="cased", lang="en")
    return library(partial(normalizer.normalize, punct_post_process=True))


def _wetextprocessing() -> Reader:
    return library(import_module("tn.english.normalizer").Normalizer().normalize)


def _gruut() -> Reader:
    sentences = import_module("gruut").sentences

    def say(text: str) -> str:
        return " ".join(sentence.text_spoken for sentence in sentences(text, lang="en-us"))

    return library(say)


READERS: dict[str, Callable[[], Reader]] = {
    "ours": _ours,
    "voice alone": _voice_alone,
    "NeMo": _nemo,
    "WeTextProcessing": _wetextprocessing,
    "gruut": _gruut,
}
