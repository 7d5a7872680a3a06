"""Roman numerals in, words out: of chapters, wars, kings and sons.

Knows nothing about other numbers.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re

from mira.text.english.abbreviations import STARTERS
from mira.text.english.lexicon import BEFORE_ROMAN, RULERS
from mira.text.english.numbers import cardinal, ordinal
from mira.text.traced import one_of, rule

MAY_MATTER = re.compile(r"[a-z],? (?:[IVXL]{2}|[IVXL]\b|[ivx]{2,5}\b)")
"""What a text must contain for these rules to have any work."""

_COUNTED_SMALL = "Page Pages Item Clause Step Paragraph".split()
_ROMAN = r"(?=[IVXL]{1,9}\b)((?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))\b(?!\.\w|['’](?!s\b)\w)"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_RULES = "King|Queen|Pope|Emperor|Empress|Prince|Princess|Tsar|Czar|Kaiser|Sultan|Duke"
# "Rocky Balboa II" might be a person, these are none.
_THINGS = frozenset(
    """
    the a war fantasy wars quest world windows star super final mega class model vitamin plan
    """.split()
)


def _roman(text: str) -> int:
    values = [_VALUES[letter] for letter in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0]))


def _generation(match: re.Match[str]) -> str:
    """Read the numeral after two words with capitals: a person's, after one a thing's."""
    first, second, number = match[1], match[2], _roman(match[3])
    if second.lower() in STARTERS:
        return match[0]  # "the IV drip"
    named = first and first.split()[0].lower() not in _THINGS | STARTERS
    if named and second.lower() not in _THINGS:
        return f"{first} {second} the {ordinal(number)}"
    return f"{first + ' ' if first else ''}{second} {cardinal(number)}"


RULES = (
    rule(
        rf"\b((?:{one_of(BEFORE_ROMAN)})s?) {_ROMAN}\s?[-–]\s?{_ROMAN}",
        lambda m: f"{m[1]} {cardinal(_roman(m[2]))} to {cardinal(_roman(m[3]))}",
    ),
    rule(
        rf"\bM(?:ar)?k\.? (?![IXL]\b|[IVXL]{{1,9}}\.? [A-Z][a-z]){_ROMAN}",
        lambda m: f"Mark {cardinal(_roman(m[1]))}",
    ),
    rule(rf"\b({one_of(BEFORE_ROMAN)}) {_ROMAN}", lambda m: f"{m[1]} {cardinal(_roman(m[2]))}"),
    # In small letters, either of them, only where it is no word or letter: "page iv", "type II".
    rule(
        rf"\b((?i:{one_of([*BEFORE_ROMAN, *_COUNTED_SMALL])})) "
        r"((?=[ivx]{2}|[IVX]{2})(?i:x{0,3}(?:ix|iv|v?i{0,3})))\b(?!['.]\w)",
        lambda m: f"{m[1]} {cardinal(_roman(m[2].upper()))}",
    ),
    rule(
        r"\b((?i:type|class|phase|stage|grade|level|category)) (I|V)"
        r"(?= (?:errors?|diabet\w{2,5}|trials?|fractures?|collagen|reactions?|drugs?|devices?"
        r"|patients?|cancer|tumou?rs?|evidence)\b)",
        lambda m: f"{m[1]} {cardinal(_roman(m[2]))}",
    ),
    rule(
        rf"\b((?:{_RULES}) [A-Z][a-z]{{2,20}}|{one_of(RULERS)}) (?!I\b){_ROMAN}",
        lambda m: f"{m[1]} the {ordinal(_roman(m[2]))}",
    ),
    rule(
        r"\b(?:([A-Z][a-z]{0,20}\.? [A-Z]\b\.?|[A-Z][a-z]{1,20}) )?"
        r"([A-Z][a-z]{2,20}),? (III?|IV|VII?I?|IX|XI{1,3})\b(?!['’.]\w)",
        _generation,
    ),
)
