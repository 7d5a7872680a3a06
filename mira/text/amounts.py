"""Quantities in, words out: money, measures, percentages, fractions, ranges, plain numbers.

No digit is left after it. Knows nothing about codes and dates, which must have been read before.
"""

import re
import unicodedata

from mira.text.codes import MIXED
from mira.text.lexicon import CURRENCIES, MONTHS, SCALES, UNITS
from mira.text.numbers import cardinal, digits, fraction, mixed, number, ordinal
from mira.text.traced import one_of, rule

# Digits with thousands commas and decimals: "1,234,567.89", "1234", "3.14", ".5".
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])|[0-9]{1,400})(?:\.[0-9]{1,400})?"
_SYMBOL = "[$€£¥₹₩]"
_CURRENCY_CODE = one_of([c for c in CURRENCIES if len(c) == 3])
_SCALE = r"(?:\s?(?P<scale>hundred|thousand|million|billion|trillion|[kKmMbBtT]|bn|mn|tn|mm)\b)?"
_FIRST = r"(?<![\w.,])"
_LAST = r"(?![\w]|[.,]\d)"
_VULGAR = "¼½¾⅐-⅞"
# Over any other number, two small numbers with a slash are a day: 12/25.
_COMMON_DENOMINATORS = {*range(2, 11), 12, 16, 20, 32, 64, 100}


def _money(match: re.Match[str]) -> str:
    parts = match.groupdict()
    sign = "minus " if parts["minus"] else ""
    one, many, cent, cents = CURRENCIES[parts["unit"].upper()]
    amount, scale = parts["amount"], parts["scale"]
    if parts.get("upto"):
        return f"{sign}{number(amount)} to {number(parts['upto'])} {many}"
    if scale:
        return f"{sign}{number(amount)} {SCALES.get(scale.lower(), scale)} {many}"
    whole, _, rest = amount.replace(",", "").partition(".")
    if not rest or len(rest) > 2 or not cent:
        return f"{sign}{number(amount)} {one if amount == '1' else many}"
    hundredths = int(rest.ljust(2, "0"))
    said = [f"{number(whole)} {one if int(whole) == 1 else many}"] if int(whole) else []
    if hundredths or not said:
        said.append(f"{cardinal(hundredths)} {cent if hundredths == 1 else cents}")
    return sign + " and ".join(said)


def _unit(match: re.Match[str]) -> str:
    one, many = UNITS[match[2]]
    return f"{match[1]} {one if match[1] in ('1', '1.0') else many}"


def _degrees(match: re.Match[str]) -> str:
    scale = {"C": " Celsius", "F": " Fahrenheit", "K": " Kelvin"}.get(match[2] or "", "")
    return f"{match[1]} degree{'' if match[1] == '1' else 's'}{scale}"


def _vulgar(match: re.Match[str]) -> str:
    above, _, below = unicodedata.normalize("NFKC", match[2]).partition("⁄")
    if not below or not above:
        return match[0]
    if match[1]:
        return mixed(int(match[1]), int(above), int(below))
    return fraction(int(above), int(below))


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match[1]), int(match[2])
    special = {
        (24, 7): "twenty-four seven",
        (50, 50): "fifty-fifty",
        (9, 11): "nine eleven",
        (7, 11): "seven eleven",
    }
    if (above, below) in special:
        return special[above, below]
    if below in (5, 10, 100) and above >= below:
        return f"{cardinal(above)} out of {cardinal(below)}"
    if 0 < above < below and below in _COMMON_DENOMINATORS:
        return fraction(above, below)
    if 1 <= above <= 12 and 1 <= below <= 31 and above != below:
        return f"{list(MONTHS.values())[above - 1]} {ordinal(below)}"
    return f"{cardinal(above)} over {cardinal(below)}"


def _thousand(match: re.Match[str]) -> str:
    if match[2] == "K" and len(match[1]) < 3:
        return f"{number(match[1])} K"  # 4K video, a 10K run
    return f"{number(match[1])} {SCALES[match[2].lower()]}"


def _times(match: re.Match[str]) -> str:
    return f"{number(match[1])} {'times' if match[2] else 'x'}{match[2] or ''}"


def _glued(match: re.Match[str]) -> str:
    text, said = match.string, number(match[0])
    before = " " if match.start() and text[match.start() - 1].isalnum() else ""
    after = " " if match.end() < len(text) and text[match.end()].isalnum() else ""
    return before + said + after


RULES = (
    rule(rf"({_SYMBOL}\s?{_NUMBER})\s?[-–—]\s?(?={_SYMBOL}\s?[0-9])", r"\1 to "),
    rule(rf"(?:{_FIRST}([0-9]{{1,9}}) ?)?([{_VULGAR}])", _vulgar),
    rule(
        rf"(?P<minus>(?<!\w)-)?(?:(?<=\b[A-Z])|(?<=\bUS)|(?<![\w]))(?P<unit>{_SYMBOL})\s?"
        rf"(?P<amount>{_NUMBER})(?:\s?[-–]\s?(?P<upto>{_NUMBER})(?!\w))?{_SCALE}",
        _money,
    ),
    rule(
        rf"(?P<minus>(?<!\w)-)?\b(?P<unit>{_CURRENCY_CODE})\s?(?P<amount>{_NUMBER})" + _SCALE,
        _money,
    ),
    rule(
        rf"(?P<minus>(?<!\w)-)?{_FIRST}(?P<amount>{_NUMBER}){_SCALE}"
        rf"\s?(?P<unit>{_CURRENCY_CODE}\b|[€£¥₹₩](?!\w))",
        _money,
    ),
    rule(rf"{_FIRST}({_NUMBER})\s?¢", lambda m: f"{m[1]} cent{'' if m[1] == '1' else 's'}"),
    rule(
        rf"{_FIRST}([1-9])\s?'\s?(1[01]|[0-9])(?:\"|''|(?![\w']))",
        lambda m: f"{number(m[1])} foot {number(m[2])}",
    ),
    rule(
        rf"{_FIRST}([0-9]{{1,9}}) ([0-9]{{1,2}})/([0-9]{{1,3}})(?![\w/])",
        lambda m: mixed(int(m[1]), int(m[2]), int(m[3])),
    ),
    rule(r"(?<![\w.,/])([0-9]{1,4})/([0-9]{1,4})(?![\w/])", _fraction),
    rule(
        rf"{_FIRST}({_NUMBER})\s?[-–—]\s?(?={_NUMBER}(?![\w-]{{0,20}}-\d))(?!.{{0,60}}=)", r"\1 to "
    ),
    rule(rf"(?<=[0-9]) ?- ?(?={_NUMBER})(?=.{{0,60}}=)", " minus "),
    rule(r"(?<![\w)\]])[-](?=\.?[0-9])", "minus "),
    rule(rf"{_FIRST}({_NUMBER})\s?°\s?([CFK]\b)?", _degrees),
    rule(
        rf"{_FIRST}({_NUMBER})[\s-]?({one_of([u for u in UNITS if u != 'K'])})(?![\w'/²³])", _unit
    ),
    rule(rf"{_FIRST}({_NUMBER})([kKMB]|bn)\b", _thousand),
    rule(rf"{_FIRST}([0-9]{{1,3}}):([0-9]{{1,3}})(?![\w:]|[.,]\d)", r"\1 to \2"),
    rule(
        r"\b([0-9]{1,2})([0-9]{2})p\b", lambda m: f"{cardinal(int(m[1]))} {cardinal(int(m[2]))} p"
    ),
    rule(r"(?<=[A-Z])-(?=[0-9])", " "),
    rule(rf"{_FIRST}({_NUMBER})\s?[x×]\s?(?=[0-9])", r"\1 by "),
    rule(
        rf"{_FIRST}({_NUMBER})x\b( (?:as|more|faster|slower|better|larger|bigger|cheaper))?", _times
    ),
    rule(
        r"(?<![\w.])([0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:st|nd|rd|th)\b",
        lambda m: ordinal(int(m[1].replace(",", ""))),
    ),
    rule(r"(?<=[0-9])\s?\*\*\s?(?=[0-9])", " to the power of "),
    rule(r"(?<=[0-9])\s?[*×]\s?(?=[0-9])", " times "),
    rule(r"(?<=[0-9])\s/\s(?=[0-9])", " divided by "),
    rule(rf"(?<![\w.,])({_NUMBER}){_LAST}", lambda m: number(m[1])),
    rule(r"(?<![\w.])\.([0-9]{1,400})(?!\w)", lambda m: f"point {digits(m[1])}"),
    MIXED,
    rule(r"[0-9]{1,400}", _glued),
)
