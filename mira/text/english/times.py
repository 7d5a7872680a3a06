"""Times of day, time zones and durations in, words out: 7:05 pm, 17:45, 9-11am, UTC+2, 2h 30m.

Also verses and ratios, which are written like times. Knows nothing about dates.
"""

import re

from mira.text.english.context import Kind, around, kind_of, own_stop
from mira.text.english.lexicon import BOOKS, MONTH_NAMES, SHORT_BOOKS, WEEKDAY_NAMES, ZONES
from mira.text.english.numbers import after_hundreds, cardinal
from mira.text.traced import one_of, rule

MAY_MATTER = re.compile(
    r"[0-9]:[0-9]|[0-9]\s?(?:[AaPp]\b|[AaPp]\.?\s?[Mm]|[dhms]\b|h[0-9])|[0-9]{4} ?(?:hours|hrs)"
    r"|[0-9]\s?[-–—]\s?(?:noon|mid|clos)|(?:oon|idnight)\s?[-–—]|(?:GMT|UTC)\s?[+-]|\b24"
    r"|(?:a|c|pe|ia)/[A-Z]| 0[0-9]{3}\b|[0-9]{4}Z"
)
"""What a text must contain for these rules to have any work."""

_HALF = r"[AaPp](?:\.\s?[Mm]\.?|[Mm])(?![A-Za-z])"
_MARKED = rf"(?:[0-9]{{1,2}}:[0-9]{{2}}(?:\s?{_HALF})?|[0-9]{{1,2}}\s?{_HALF})"
_DASH = r"\s?[-–—]\s?"
_FREE = r"(?<![\w.,:/$€£¥₹-])"


def counted(number: int, unit: str) -> str:
    """Say so many of a unit: "one hour", "two hours"."""
    return f"{cardinal(number)} {unit}{'' if number == 1 else 's'}"


def _clock_words(hour: int, minute: int, half: bool) -> str:
    if hour == minute == 0 and not half:
        return "midnight"
    said = cardinal(hour)
    if minute:
        return f"{said} {after_hundreds(minute)}"
    return said if half else f"{said} o'clock" if 0 < hour <= 12 else f"{said} hundred"


def _time(match: re.Match[str]) -> str:
    first, second, third, zone, half = match.groups()
    hour, minute, seconds = int(first), int(second), int(third or 0)
    before, after = around(match)
    if not half:
        if third is None and (_RATIO_BEFORE.search(before) or _RATIO_AFTER.match(after)):
            return f"{cardinal(hour)} to {cardinal(minute)}"
        if minute < 60 and seconds < 60 and (read := _duration(match, before, after)):
            return read
    if hour > 24 or minute > 59 or seconds > 59:
        return match[0]
    said = _clock_words(hour, minute, bool(half) or bool(re.match(" o'clock", after)))
    if seconds:
        said += f" and {counted(seconds, 'second')}"
    return said + _utc(zone) + _said_half(match, half)


def _duration(match: re.Match[str], before: str, after: str) -> str | None:
    """Read 5:32 as minutes and seconds, 1:30:00 as hours, where the words around say so."""
    first, second, third = int(match[1]), int(match[2]), match[3]
    named = _UNIT_AFTER.match(after)
    if not (named or _LASTED.search(before) or _LONG.match(after)):
        return None
    if third is not None:
        parts = [(first, "hour"), (second, "minute"), (int(third), "second")]
    elif named and named[1][0] == "h":
        parts = [(first, "hour"), (second, "minute")]
    else:
        parts = [(first, "minute"), (second, "second")]
    *head, last = [counted(number, unit) for number, unit in parts if number] or ["zero seconds"]
    return f"{', '.join(head)} and {last}" if head else last


def _named_duration(match: re.Match[str]) -> str:
    """Read 5:32 min: the unit belongs to what was read."""
    said = _duration(match, "", match[4])
    return said if said and int(match[2]) < 60 else match[0]


def _hour(match: re.Match[str]) -> str:
    hour = int(match[1])
    return cardinal(hour) + _said_half(match, match[2]) if hour <= 24 else match[0]


def _glued(match: re.Match[str]) -> str:
    """Read 530pm, and 5.30 pm."""
    said = _clock_words(int(match[1]), int(match[2]), half=True)
    return said + _said_half(match, match[3])


def _said_half(match: re.Match[str], half: str | None) -> str:
    return f" {half[0].upper()}M{own_stop(match)}" if half else ""


def _offset(match: re.Match[str]) -> str:
    sign = "plus" if match[2] == "+" else "minus"
    minutes = f" {cardinal(int(match[4]))}" if match[4] and int(match[4]) else ""
    return f"{match[1]} {sign} {cardinal(int(match[3]))}{minutes}"


def _utc(zone: str | None) -> str:
    """Read what ends an ISO time: Z, +05:30."""
    if not zone:
        return ""
    hours, minutes = (int(zone[1:3]), int(zone[-2:])) if len(zone) > 1 else (0, 0)
    if not hours:
        return " UTC"
    sign = "plus" if zone[0] == "+" else "minus"
    return f" UTC {sign} {cardinal(hours)}{f' {cardinal(minutes)}' if minutes else ''}"


def _military(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    known = match[1][0] == "0" or _AT.search(around(match)[0])
    if hour > 24 or minute > 59 or not known:
        return match[0]
    return f"{_four_digits(match[1], match[2])} hours"


def _leading_zero(match: re.Match[str]) -> str:
    """Read "at 0615" and "0800 to 1700"."""
    if kind_of(match.string, match.start(2), match.end()) is Kind.CODE:
        return match[0]
    said = match[1] + _four_digits(match[2], match[3])
    return f"{said} to {_four_digits(match[5], match[6])}" if match[4] else said


def _zulu(match: re.Match[str]) -> str:
    """Read the time of pilots and ships: 1845Z."""
    if int(match[1]) > 23 or kind_of(match.string, match.start(), match.end()) is Kind.CODE:
        return match[0]
    return f"{_four_digits(match[1], match[2])} Zulu"


def _four_digits(hour: str, minute: str) -> str:
    """Say a time without a mark: 0615 is "zero six fifteen", 1700 "seventeen hundred"."""
    zero = "zero " if hour[0] == "0" else ""
    said = after_hundreds(int(minute)) if int(minute) else "hundred"
    return f"{zero}{cardinal(int(hour))} {said}"


_ORDINALS = {"1": "First ", "2": "Second ", "3": "Third "}
_PARTS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def _compound(match: re.Match[str]) -> str:
    """Read 2h 30m, 1d 4h, 3m20s, 1h30."""
    if match[4] is not None:
        if _AT.search(around(match)[0]) and int(match[3]) <= 24:
            return _clock_words(int(match[3]), int(match[4]), half=False)
        return f"{counted(int(match[3]), 'hour')} {cardinal(int(match[4]))}"
    parts = re.findall(r"([0-9]+)\s?([dhms])", match[0])
    units = [unit for _, unit in parts]
    if units != sorted(units, key="dhms".index) or len({*units}) < len(units):
        return match[0]
    return " ".join(counted(int(number), _PARTS[unit]) for number, unit in parts)


def _verse(match: re.Match[str]) -> str:
    ordinal, book, short, chapter, first, last = match.groups()
    said = _ORDINALS[ordinal] if ordinal else ""
    said += f"{book or SHORT_BOOKS[short]} {cardinal(int(chapter))} {cardinal(int(first))}"
    return f"{said} to {cardinal(int(last))}" if last else said


def _half_letters(match: re.Match[str]) -> str:
    """Write out 9a-5p."""
    return f"{match[1]} {match[2].upper()}M to {match[3]} {match[4].upper()}M"


_RATIO_BEFORE = re.compile(
    r"(?i)\b(?:ratios?|odds|scale|mix(?:ed|ture)?|aspect|dilut\w{1,4}|proportions?)\b[^.;!?]{0,25}\Z"
)
_RATIO_AFTER = re.compile(
    r"(?i)[ -](?:ratio|scale|mix|odds|dilution|aspect|split|favou?rite|monitor|display|screen"
    r"|video format|crop|gear|compression)\b"
)
_UNIT_AFTER = re.compile(r"\s?(min|mins|minutes?|hours?|hrs?|h)\b")
_LASTED = re.compile(
    r"(?i)\b(?:last(?:s|ed)|took|takes|duration|length|runtime|running time|run time|elapsed"
    r"|remaining|(?:hold|wait|talk|call|finish|record|lap|average|total|best|winning) time|timer"
    r"|pace|finish(?:ed)? in|clocked|ran for|long|stopwatch|countdown|up for|waited|on hold for"
    r"|talked for|time limit|record|uptime)(?: (?:is|was|of|for|at|in|about|exactly|only|just|under"
    r"|over|shows|showed|reads?|him|her|us|them|me))*:? ?\Z"
)
_LONG = re.compile(
    r"(?i)(?: long\b|[ -](?:call|video|recording|song|clip|track|segment|hold|wait|mile|marathon"
    r"|pace|remaining|left on|per mile|voicemail|podcast|episode|film|movie|lap)\b)"
)
_AT = re.compile(r"(?i)\b(?:at|by|until|till|from|to|before|after|between|and|around) \Z")

_ZONE = one_of(ZONES)
_DAY = one_of([*WEEKDAY_NAMES, *MONTH_NAMES])

RULES = (
    rule(
        rf"(?<![\w.])(?:([123]) )?\b(?:({one_of(BOOKS)})|({one_of(SHORT_BOOKS)})\.)"
        r" ([0-9]{1,3}):([0-9]{1,3})"
        rf"(?:[-–]([0-9]{{1,3}}))?(?![\w:]|[.,]\d|\s?{_HALF})",
        _verse,
    ),
    rule(
        rf"{_FREE}([0-9]{{1,2}}(?::[0-9]{{2}})?)\s?([ap]){_DASH}([0-9]{{1,2}}(?::[0-9]{{2}})?)\s?"
        r"([ap])(?![\w'])",
        _half_letters,
    ),
    rule(rf"{_FREE}([0-9]{{1,2}}:[0-9]{{2}})\s?([ap])(?![\w']|\.\w)", r"\1 \2m"),
    rule(r"\b([Aa]t [0-9]{1,2})([ap])(?![\w']|\.\w)", r"\1 \2m"),
    # "12:00-1 pm": a half of the day for both, so no "o'clock".
    rule(rf"{_FREE}([0-9]{{1,2}}):00{_DASH}(?=[0-9]{{1,2}}(?::[0-9]{{2}})?\s?{_HALF})", r"\1 to "),
    # One of the two is known to be a time.
    rule(rf"{_FREE}({_MARKED}){_DASH}(?=[0-9]{{1,2}}(?![\w%/-]|[:.,]\d)|{_MARKED})", r"\1 to "),
    rule(rf"{_FREE}([0-9]{{1,2}}){_DASH}(?={_MARKED})", r"\1 to "),
    rule(
        rf"{_FREE}({_MARKED}|[0-9]{{1,2}}){_DASH}(?=(?:noon|midnight|clos(?:e|ing))\b)", r"\1 to "
    ),
    rule(rf"{_FREE}({_MARKED}){_DASH}(?=(?:{_DAY})\b)", r"\1 to "),
    rule(rf"\b([Nn]oon|[Mm]idnight){_DASH}(?=[0-9]{{1,2}}\b|{_MARKED}|midnight\b)", r"\1 to "),
    rule(rf"(?<![\w.,:$€£¥₹-])({_MARKED})\s?/\s?(?={_MARKED})", r"\1 or "),
    rule(rf"(?<=[0-9AaPpMm.] )({one_of(list(map(str.lower, ZONES)))})\b", lambda m: m[1].upper()),
    rule(rf"(?:(?<=[AaPp][Mm] )|(?<=[AaPp]\.[Mm]\. ))({_ZONE})\s?/\s?(?=[0-9]{{1,2}})", r"\1, "),
    rule(r"\b(GMT|UTC)\s?([+-])\s?([0-9]{1,2})(?::?([0-9]{2}))?(?![\w:]|[.,]\d)", _offset),
    rule(r"\b(Africa|America|Asia|Atlantic|Australia|Europe|Pacific)/(?=[A-Z])", r"\1, "),
    rule(
        rf"{_FREE}([0-9]{{1,3}}):([0-9]{{2}})(?::([0-9]{{2}}))?(\s?(?:mins?\.?|minutes?|hours?|hrs?\.?))(?!\w)",
        _named_duration,
    ),
    rule(
        rf"(?<![\w.,:])([0-9]{{1,2}}):([0-9]{{2}})(?::([0-9]{{2}})(?:\.[0-9]{{1,9}})?)?"
        rf"(Z|\+[0-9]{{2}}:?[0-9]{{2}}|(?:(?<=:[0-9]{{2}}:[0-9]{{2}})|(?<=\.[0-9]{{3}}))-[0-9]{{2}}:?[0-9]{{2}})?"
        rf"(?:\s?({_HALF}))?(?:(?![\w:]|,[0-9]{{3}})|(?=-?ish\b))",
        _time,
    ),
    rule(rf"{_FREE}(1[0-2]|0?[1-9])[.:]?([0-5][0-9])\s?({_HALF})", _glued),
    rule(rf"(?<![\w.,:])([0-9]{{1,2}})\s?({_HALF})", _hour),
    rule(r"(?<![\w.,:/$-])([0-2][0-9])([0-5][0-9])\s?(?:hours|hrs)\b", _military),
    rule(
        r"\b((?:[Aa]t|[Bb]y|[Ff]rom|[Uu]ntil|[Tt]ill|[Bb]efore|[Aa]fter|[Bb]etween"
        r"|(?:[Ss]et|uled|ooked|due) for) )"
        r"(0[0-9])([0-5][0-9])(?:( ?(?:[-–]|to|until) ?)([0-2][0-9])([0-5][0-9]))?"
        r"(?![\w%-]|[.,:/]\d| (?:hours|hrs)\b)",
        _leading_zero,
    ),
    rule(r"(?<![\w.,:/$#-])([0-2][0-9])([0-5][0-9])Z(?![\w-])", _zulu),
    rule(
        rf"{_FREE}(?:((?:[0-9]{{1,3}}\s?[dhm],? ?){{1,3}}(?<=[dhm, ])[0-9]{{1,2}}\s?([hms]))"
        r"|([0-9]{1,2})h([0-5][0-9]))(?![\w²³/])",
        _compound,
    ),
    rule(r"(?<![\w.,:])24\s?[x×/-]\s?7\s?[x×/]\s?365(?!\w)", "twenty-four seven three sixty-five"),
    rule(r"(?<![\w.,:])24\s?[x×-]\s?7(?![\w:]|[.,]\d)", "twenty-four seven"),
)
