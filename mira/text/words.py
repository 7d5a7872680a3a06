"""Abbreviations, Roman numerals, symbols, shouted words in, words that a voice can read out.

Acronyms stay as they are: both voices spell FBI and say NASA. Knows nothing about numbers.
"""

import re

from mira.text.abbreviations import PREPOSITIONS, STARTERS
from mira.text.lexicon import ABBREVIATIONS, BEFORE_NUMBER, BEFORE_ROMAN, RULERS, SYMBOLS, TITLES
from mira.text.numbers import cardinal, ordinal
from mira.text.traced import one_of, rule

_ROMAN = r"(?=[IVXL])((?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))\b(?!['.]\w)"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
# Words that a voice would spell when shouted. Not those that are acronyms too (IT, US, WHO).
_SHOUTED = {
    w.upper() for w in (STARTERS | PREPOSITIONS) if len(w) > 2 and w not in ("who", "all", "can")
} | {"NOT", "VERY", "NEVER", "ALWAYS", "MUST", "STOP", "READ", "HELP", "WANT", "NEED"}
# "E.g. this": the same at the start of a sentence.
_SHORT = {
    short[0].upper() + short[1:]: said.capitalize()
    for short, said in ABBREVIATIONS.items()
    if short[0].islower()
} | ABBREVIATIONS


def _roman(text: str) -> int:
    values = [_VALUES[letter] for letter in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0]))


def _abbreviation(match: re.Match[str]) -> str:
    said = _SHORT[match[0]]
    # The full stop of the last word is the sentence's own as well.
    ends = match[0].endswith(".") and match.end() == len(match.string)
    return said + ("." if ends and not said.endswith(".") else "")


_PERIODS = {"mo": "month", "yr": "year", "hr": "hour", "min": "minute", "wk": "week"}

SHORT_FORMS = (
    rule(r"\b([Ee])xp\b\.? (?=dates?\b)", r"\1xpiration "),
    rule(rf"\b({one_of(list(TITLES))})\.? (?=[A-Z])", lambda m: TITLES[m[1]] + " "),
    rule(r"(?<=[a-z] )St\.(?=$|[,;)]| [a-z])", "Street"),
    rule(r"\bSt\. (?=[A-Z])", "Saint "),
    rule(r"(?<=[a-z] )Dr\.(?=$|[,;)]| [a-z])", "Drive"),
    rule(rf"\b({one_of(list(BEFORE_NUMBER))})\. ?(?=[0-9])", lambda m: BEFORE_NUMBER[m[1]] + " "),
    rule(rf"(?<![\w.]){one_of(list(_SHORT))}(?![\w+#])", _abbreviation),
    rule(r"\b([ap])\.m\.(?= \w|,)", lambda m: m[1].upper() + "M"),
    rule(rf"\b({one_of(BEFORE_ROMAN)}) {_ROMAN}", lambda m: f"{m[1]} {cardinal(_roman(m[2]))}"),
    rule(rf"\b({one_of(RULERS)}) (?!I\b){_ROMAN}", lambda m: f"{m[1]} the {ordinal(_roman(m[2]))}"),
    rule(r"\b[A-Z]{3,12}\b", lambda m: m[0].lower() if m[0] in _SHOUTED else m[0]),
)
SYMBOLS_AND_SPACES = (
    rule(r"(?<=[a-z]{3}) > (?=[A-Z])", ", "),  # Settings > Security
    rule(r"(?<=[a-z])/(mo|yr|hr|min|wk)\b", lambda m: f" per {_PERIODS[m[1]]}"),
    rule(r"\.{3,}|…+", "..."),
    rule(r"\s?-{2,3}\s?|\s[–-]\s|(?<=\w)\s?–\s?(?=\w)", " — "),
    rule(
        r"(?<=[a-z])\s?/\s?(?=(?:month|mo|year|yr|day|week|hour|hr|minute|min|night|person)\b)",
        " per ",
    ),
    rule(r"(?<=[a-z])/(?=[a-z])", " or "),
    rule(r"/", " slash "),
    rule(r"(?<=\w)_+(?=\w)", " "),
    rule(one_of(list(SYMBOLS)), lambda m: f" {SYMBOLS[m[0]]} "),
    rule(r"[_*|\\{}\[\]`^<>]+", " "),
    rule(r"\s{2,}", " "),
    rule(r" ([,.;:!?])(?!\w)", r"\1"),
)
