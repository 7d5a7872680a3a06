"""What somebody says in, one of several ways to say the same out.

So that a library is not wrong where people differ: "one hundred and five", "oh" for zero, "the
fifth of March". Applied to both sides of a comparison. Knows nothing about the corpus.
"""

import re

from num2words import num2words

_ONES = "one two three four five six seven eight nine".split()  # noqa: SIM905
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_SAME = {
    "oh": "zero", "o": "zero", "hyphen": "dash", "through": "to", "fourth": "quarter",
    "fourths": "quarters", "mister": "mr", "missus": "mrs", "miz": "ms", "versus": "vs",
    "etcetera": "etc", "et cetera": "etc", "for example": "e g", "that is": "i e",
    "negative": "minus", "hash tag": "hashtag", "kilos": "kilograms", "period": "dot",
    "one half": "half", "a half": "half", "one quarter": "quarter", "a quarter": "quarter",
    "zero point": "point", "pound sterling": "pounds", "oclock": "", "a m": "am", "p m": "pm",
}  # fmt: skip
_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_SAME, key=len, reverse=True))})\b")
_HUNDREDS = re.compile(rf"\b({'|'.join(_ONES)}) thousand ({'|'.join(_ONES)}) hundred\b")
_AND = re.compile(
    r"\b(hundred|thousand|million|billion|dollars?|euros?|pounds?|hours?|minutes?|feet|foot) and\b"
)
_DAY_OF = re.compile(
    rf"\b(?:the )?(\w+th|first|second|third|\w+ (?:first|second|third)) of ({_MONTHS})"
)
_CENTURY = re.compile(r"\btwo thousand (?=(?:ten|eleven|twelve|\w+teen|\w+ty)\b)")


def plain(said: str) -> str:
    """Reduce to letters, spaces between words, and one choice for each matter of taste."""
    text = " ".join(re.sub(r"[^\w\s]", " ", said.lower().replace("'", "").replace("’", "")).split())
    text = _DAY_OF.sub(r"\2 \1", text)
    text = _AND.sub(r"\1", text)
    text = _HUNDREDS.sub(_hundreds, text)
    text = _CENTURY.sub("twenty ", text)
    return _WORDS.sub(lambda match: _SAME[match[0]], text)


def _hundreds(match: re.Match[str]) -> str:
    number = 10 * (_ONES.index(match[1]) + 1) + _ONES.index(match[2]) + 1
    return f"{num2words(number).replace('-', ' ')} hundred"
