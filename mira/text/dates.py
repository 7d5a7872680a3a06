"""Dates, times of day, years in, words out.

American order: 3/5 is in March. Knows nothing about quantities.
"""

import re

from mira.text.lexicon import MONTHS
from mira.text.numbers import cardinal, decade, ordinal, year
from mira.text.traced import one_of, rule

_MONTH = one_of([*MONTHS.values(), *(m.capitalize() for m in MONTHS), "Sept"])
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?"
_YEAR_AFTER = r"(?:,? ([12][0-9]{3})(?![\w%]|[.,]\d))?"
_HALF = r"[AaPp](?:\.[Mm]\.?|[Mm])(?![A-Za-z])"
_CLOCK = rf"[0-9]{{1,2}}(?::[0-9]{{2}})?\s?(?:{_HALF})?"


def _month(text: str) -> str:
    return MONTHS[text[:3].lower()]


def _day(text: str) -> str:
    return ordinal(int(re.sub(r"\D", "", text)))


def _on(month: int, day: int, full_year: int) -> str:
    return f"{list(MONTHS.values())[month - 1]} {ordinal(day)}, {year(full_year)}"


def _in_year(text: str | None) -> str:
    return f", {year(int(text))}" if text else ""


def _iso(match: re.Match[str]) -> str:
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return _on(month, day, int(match[1])) + (" at " if match[4] else "")


def _slashed(match: re.Match[str]) -> str:
    month, day, full_year = int(match[1]), int(match[3]), int(match[4])
    if month > 12:
        month, day = day, month  # only possible in the other order
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    if len(match[4]) == 2:
        full_year += 1900 if full_year > 50 else 2000
    return _on(month, day, full_year)


def _month_day(match: re.Match[str]) -> str:
    said = f"{_month(match[1])} {_day(match[2])}"
    if match[3]:
        said += f" to {_day(match[3])}"
    return said + _in_year(match[4])


def _day_month(match: re.Match[str]) -> str:
    return f"{match[1] or 'the '}{_day(match[2])} of {_month(match[3])}{_in_year(match[4])}"


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    half = match[4]
    if hour > 24 or minute > 59 or (match[3] and int(match[3]) > 59):
        return match[0]
    said = cardinal(hour)
    if minute:
        said += f" oh {cardinal(minute)}" if minute < 10 else f" {cardinal(minute)}"
    elif not half and not match[3]:
        said += " o'clock" if 0 < hour <= 12 else " hundred"
    if match[3]:
        seconds = int(match[3])
        said += f" and {cardinal(seconds)} second{'' if seconds == 1 else 's'}"
    return said + _said_half(match, half)


def _hour(match: re.Match[str]) -> str:
    hour = int(match[1])
    return cardinal(hour) + _said_half(match, match[2]) if hour <= 24 else match[0]


def _said_half(match: re.Match[str], half: str | None) -> str:
    if not half:
        return ""
    # The last full stop of "p.m." may be the sentence's own.
    ends = half.endswith(".") and match.end() == len(match.string)
    return f" {half[0].upper()}M{'.' if ends else ''}"


RULES = (
    rule(
        rf"(?<![\w.,:/-])({_CLOCK})\s?[-–—]\s?(?=[0-9]{{1,2}}(?::[0-9]{{2}}|\s?{_HALF}))",
        r"\1 to ",
    ),
    rule(r"(?<![\w.-])([0-9]{4})-([0-9]{2})-([0-9]{2})(?:(T)(?=[0-9])|(?![\w-]))", _iso),
    rule(
        r"(?<![\w./])([0-9]{1,2})([/.-])([0-9]{1,2})\2([12][0-9]{3}|[0-9]{2})(?![\w/]|[.-]\d)",
        _slashed,
    ),
    rule(
        rf"\b({_MONTH})\.? ({_DAY})(?:\s?[-–]\s?({_DAY}))?{_YEAR_AFTER}(?![\w:%]|[.,]\d)",
        _month_day,
    ),
    rule(rf"(?<![\w.,:/-])([Tt]he )?({_DAY})(?: of)? ({_MONTH})\b\.?{_YEAR_AFTER}", _day_month),
    rule(
        rf"(?<![\w.,:])([0-9]{{1,2}}):([0-9]{{2}})(?::([0-9]{{2}}))?Z?(?:\s?({_HALF}))?(?![\w:])",
        _time,
    ),
    rule(rf"(?<![\w.,:])([0-9]{{1,2}})\s?({_HALF})", _hour),
    rule(r"(?<![\w.,])'?([0-9]{1,3}0|[0-9]0)'?s\b", lambda m: decade(int(m[1]))),
    rule(
        r"(?<![\w.,$€£¥₹])(1[5-9][0-9]{2}|20[0-9]{2})\s?[-–]\s?(1[5-9][0-9]{2}|20[0-9]{2})(?![\w%]|[.,]\d)",
        lambda m: f"{year(int(m[1]))} to {year(int(m[2]))}",
    ),
    # A bare number like a year is one, unless it counts something: "1800 people".
    rule(
        r"(?<![\w.,$€£¥₹+*/=#-])(?<![$€£¥₹+*/=<>-] )(1[5-9][0-9]{2}|20[0-9]{2})"
        r"(?![\w%°'\"²]|[.,:/]\d|[-–/]\w|\s?[+*×x/=<>]\s?[0-9]| [a-z]{3,}s\b"
        r"|\s?(?:people|km|kg|m|g|ml|mg|W|mph|lbs?|ft|USD|EUR|dollars)\b)",
        lambda m: year(int(m[1])),
    ),
)
