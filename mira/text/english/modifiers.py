"""An amount and the words around it in, whether it describes the noun that follows out.

"a five dollar bill" has one dollar, "five dollars of it" has many. Looks at 40 characters on
either side. Knows nothing about what is measured.
"""

import re

from mira.text.english.abbreviations import (
    COORDINATORS,
    PREPOSITIONS,
    STARTERS,
    SUBJECTS,
    SUBORDINATORS,
)
from mira.text.english.measures import ADJECTIVES, MEASURED, NOT_MEASURED

_LOOK = 40
_AFTER = re.compile(r"[ -](?:[48]K )?([A-Za-z][\w-]{0,30})(?: ([a-z]{1,20}))?")
_PER = re.compile(r"(?:-(?:a|per|an)-|(?: (?:a|an|per) | ?/ ?))[a-z]{2,9}\b(?: ([a-z-]{2,20}))?")

_ARTICLES = frozenset("a an".split())  # noqa: SIM905
_DETERMINERS = _ARTICLES | frozenset(
    "the this that these those each every any another one no your my our his her its their "  # noqa: SIM905
    "which what's whose per single double two three four five six seven eight nine ten twelve "
    "several some few multiple many both 2 3 4 5 6 7 8 9 10".split()
)
_FUNCTION_WORDS = (
    STARTERS | PREPOSITIONS | SUBJECTS | SUBORDINATORS | COORDINATORS | NOT_MEASURED
) - {"only", *(MEASURED - {"can"})}


def describes(text: str, start: int, stop: int, price: bool = False) -> bool:
    """Tell whether the amount `text[start:stop]` stands before the noun that it describes.

    Args:
        text: The sentence.
        start: Where the amount begins.
        stop: Where it ends.
        price: It is money, which describes whatever is many: "$5 lattes", not "5 g carbs".
    """
    if text[stop : stop + 1] not in (" ", "-", "/"):
        return False
    if per := _PER.match(text, stop):
        leads_on = (per[1] or "of") not in _FUNCTION_WORDS
        return text[stop] == "-" or (leads_on and _determiner(text, start) in _ARTICLES)
    after = _AFTER.match(text, stop)
    if not after:
        return False
    word = after[1].lower()
    if text[stop] == "-":
        return word not in ("and", "or", "to", "ish")
    article = _determiner(text, start)
    if word == "off" and article:
        return _leads_on(after)
    if (after[2] or "").removesuffix("s") in MEASURED and (
        word in ADJECTIVES or word in MEASURED or after[1][0].isupper()
    ):
        return True
    if article in _ARTICLES:
        known = word in MEASURED or word in ("and", "or")
        return known or word not in _FUNCTION_WORDS or _leads_on(after)
    if word in _FUNCTION_WORDS:
        return False
    if article and after[1][0].islower():
        return not word.endswith(("ed", "ly", "ing")) or _leads_on(after)
    many = word.endswith("s") and (price or _is_many(word)) and not word.endswith("ss")
    return many or word in MEASURED


def _is_many(word: str) -> bool:
    """Tell whether it is the plural of what is measured: "bulbs", "boxes", "batteries"."""
    ones = word[:-1], word.removesuffix("es"), word.removesuffix("ies") + "y"
    return any(one in MEASURED for one in ones)


def _determiner(text: str, start: int) -> str:
    """Find the article or the like that the amount at `start` belongs to; "": none."""
    before = text[max(0, start - _LOOK) : start].rstrip("'\"(+~-")
    if not before.endswith(" "):
        return ""
    *_, first, second = ["", "", *before[:-1].lower().rsplit(" ", 2)]
    if second in _DETERMINERS:
        return second
    return first if first in _DETERMINERS and second in ADJECTIVES else ""


def _leads_on(after: re.Match[str]) -> bool:
    """Tell whether a noun follows the adjective: "a $5 monthly fee", "the $50 prepaid card"."""
    return (after[2] or "the") not in _FUNCTION_WORDS
