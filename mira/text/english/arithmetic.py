"""Fractions, ratios, scores, sums and powers in, words out.

Knows nothing about money, measures, codes and dates, which must have been read before.
"""

import re

from mira.text.english.lexicon import MONTH_NAMES
from mira.text.english.numbers import (
    VULGAR,
    cardinal,
    fraction,
    mixed,
    name,
    number,
    ordinal,
    quantity,
)
from mira.text.traced import rule

_LOOK = 40
# Over any other number, two small numbers with a slash are a day: 12/25.
_COMMON_DENOMINATORS = {*range(2, 11), 12, 16, 20, 32, 64, 100}
_PAIRS = {
    (24, 7): "twenty-four seven",
    (9, 11): "nine eleven",
    (20, 20): "twenty twenty",
    (7, 11): "seven eleven",
}
_GRADES = frozenset(
    "give gives gave rate rated rates rating score scored scores scoring got say grade pain star "  # noqa: SIM905
    "stars review".split()
)
_SCORED = frozenset(("scored", "answered", "scoring"))
_PRESSURES = frozenset(("pressure", "bp", "reading"))
_STEPS = frozenset(
    "page part step slide item attempt try day round pages parts steps slides items".split()  # noqa: SIM905
)
_SIGHT = re.compile(r" (?:vision|eyesight|sight|in (?:my|your|his|her|the|both|one) )")
_AN = re.compile(r"\b(?:it|them|us|you|that) an? \Z")
_OUT_OF = re.compile(
    r" (?:stars?|points?|correct|on|rating|review|score|people|customers|users|patients|times|"
    r"doctors|dentists|in)\b"
)


def _clause_words(text: str, start: int) -> list[str]:
    """List the words of the clause before an index, in small letters."""
    clause = text[max(0, start - _LOOK) : start].lower()
    at = max(clause.rfind(mark) for mark in ".?!")
    return clause[at + 1 :].replace(":", " ").split()


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match[1]), int(match[2])
    text, start, stop = match.string, match.start(), match.end()
    if (above, below) in _PAIRS:
        return _PAIRS[above, below]
    if above + below == 100 and above >= 50:
        return f"{cardinal(above)} {cardinal(below)}"  # a 60/40 split
    before = _clause_words(text, start)
    if above == 20 and below > 10 and (_SIGHT.match(text, stop) or "vision" in before):
        return f"twenty {cardinal(below)}"
    if above <= below and before and before[-1] in _STEPS:
        return f"{cardinal(above)} of {cardinal(below)}"
    if above >= below and text[stop : stop + 2].lstrip().startswith("="):
        return f"{cardinal(above)} divided by {cardinal(below)}"
    scored = above <= below >= 10 and _SCORED.intersection(before)
    if scored or (
        below in (5, 10, 100) and not (above > below and _PRESSURES.intersection(before))
    ):
        graded = _GRADES.intersection(before) or _AN.search(text, max(0, start - 12), start)
        if (
            scored
            or above >= below
            or above == 0
            or below == 100
            or graded
            or _OUT_OF.match(text, stop)
        ):
            return f"{cardinal(above)} out of {cardinal(below)}"
    if 0 < above < below and below in _COMMON_DENOMINATORS:
        return fraction(above, below)
    if 1 <= above <= 12 and 1 <= below <= 31 and above != below:
        return f"{MONTH_NAMES[above - 1]} {ordinal(below)}"
    over = name(match[1]) if _PRESSURES.intersection(before) else cardinal(above)
    return f"{over} over {cardinal(below)}"


def _share(match: re.Match[str]) -> str:
    above, below = int(match[2]), int(match[3])
    if not above or below < 2:
        return match[0]
    return mixed(int(match[1]), above, below) if match[1] else fraction(above, below)


def _record(match: re.Match[str]) -> str:
    """Say a season's wins, losses and draws: "seven and oh", "twelve, four and one"."""
    *first, last = [cardinal(int(part)) if int(part) else "oh" for part in match[2].split("-")]
    return f"{match[1]}{', '.join(first)} and {last}"


def _beats(match: re.Match[str]) -> str:
    return " ".join(cardinal(int(part)) for part in match[0].split("/"))


def _power(match: re.Match[str]) -> str:
    said = f"{number(match[1])} times ten to the power of "
    return said + ("minus " if "-" in match[2] else "") + cardinal(abs(int(match[2])))


_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def _superscript(match: re.Match[str]) -> str:
    power = match[0].translate(_RAISED)
    if power in ("2", "3", "1"):
        return match[0]
    return " to the power of " + number(power.lstrip("-")).join(
        ("minus ", "") if power[0] == "-" else ("", "")
    )


def _screen(match: re.Match[str]) -> str:
    return f"{_pair(match[1])} by {_pair(match[2])}"


def _pair(text: str) -> str:
    """Read the pixels of a screen: 1920 is "nineteen twenty", 480 "four eighty"."""
    high, low = divmod(int(text), 100)
    if low < 10 or high == 0:
        return cardinal(int(text))
    return f"{cardinal(high)} {cardinal(low)}"


_RECORD = r"(?<![\w.,:/-])([0-9]{1,3}-[0-9]{1,3}(?:-[0-9]{1,3})?)"
_SUM = r"(?=[-+*/×÷x0-9., ()]{0,40}=)"
FIRST = (
    rule(
        r"(?<![\w.,:/-])(?:([0-9]{1,4})[ -])?([0-9]{1,2})/([0-9]{1,3})(?= (?:of|cups?|miles?|inch|"
        r"inches|hours?|teaspoons?|tablespoons?|pounds?|full|empty|complete|done|majority|price|size|mark)\b)",
        _share,
    ),
    rule(rf"(){_RECORD}(?= record\b)", _record),
    rule(rf"\b((?i:an?|the|your|our|their|his|her|its|another) ){_RECORD}(?= start\b)", _record),
    # A team's: "they are 7-3 this season", "went 12-4".
    rule(
        r"\b((?:is|are|was|were|now|went|finished|started|sit|sits|[a-z]'re|improved to|fell to) )"
        rf"{_RECORD}(?= (?:(?:this|last) season|(?:on|to start|for) the (?:season|year)"
        r"|in (?:conference|division|league) play)\b)",
        _record,
    ),
    rule(
        rf"\b((?:[Ww]ent|finished) ){_RECORD}"
        r"(?=[.,;!?]?$|[,;]|[.!?] | (?:at home|on the road|last year|against)\b)",
        _record,
    ),
    rule(
        r"(?<![\w.,:/-])([1-9]|1[0-2])/([1-9]|1[0-2])c\b",  # on television
        lambda m: f"{cardinal(int(m[1]))}, {cardinal(int(m[2]))} central",
    ),
    rule(r"(?<![\w.,:/-])([0-9]{1,2})/([0-9]{1,2})(?= (?:ARM|arm|adjustable)\b)", _beats),
    # Beats of a bar: "in 3/4 time".
    rule(
        r"(?<![\w.,:/-])([2-9]|12)/(2|4|8|16)(?= time signature\b)"
        r"|(?:(?<=\b[Ii]n )|(?<=\ba ))([2-9]|12)/(2|4|8|16)(?= (?:time|meter)\b(?! ?-))",
        _beats,
    ),
    rule(r"(?<![\w.,])([0-9]{3,4})[x×]([0-9]{3,4})(?![\w.,-]\d|\w| [a-z]{1,2}\b)", _screen),
    rule(r"\b401\(?k\)?(?!\w)", "four oh one K"),
    rule(r"\b403\(?b\)?(?!\w)", "four oh three B"),
)
RULES = (
    rule(r"(?<![\w.,-])([0-9]{1,9}(?:\.[0-9]{1,9})?)e([+-]?[0-9]{1,3})(?![\w.-]\w|\w)", _power),
    rule(
        r"(?<=[0-9)\w])(?:⁻[⁰¹²³⁴-⁹]{1,9}|[⁴-⁹⁰][⁰¹²³⁴-⁹]{0,9}|[¹²³][⁰¹²³⁴-⁹]{1,9})", _superscript
    ),
    rule(rf"(?<![\w.,])(?:[0-9]{{1,9}} ?)?[{VULGAR}]", lambda m: quantity(m[0])),
    rule(
        r"(?<![\w.,/-])([0-9]{1,9})[ -]([0-9]{1,2})/([0-9]{1,3})(?![\w/])",
        lambda m: mixed(int(m[1]), int(m[2]), int(m[3])),
    ),
    rule(r"(?<![\w.,/])([0-9]{1,4})/([0-9]{1,4})(?![\w/])", _fraction),
    rule(
        r"(?<![\w,/])([0-9]{1,2}\.[0-9])\s?/\s?(?=(?:[45](?:\.0)?|10)(?![\w/]|\.\d))", r"\1 out of "
    ),
    rule(r"(?<![\w.,-])50-50(?![\w-])", "fifty-fifty"),
    rule(rf"(?<=[0-9)]) ?- ?(?=\(?[0-9.]){_SUM}", " minus "),
)
