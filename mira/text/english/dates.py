"""Dates in, words out: 3/5/2024, 2024-03-05T14:30Z, 5 March, "due 3/4", "expires 04/27".

American order: 3/5 is in March; the day comes first where only that is possible, or before full
stops. Knows nothing about times of day, nor about years that stand alone.
"""

import re

from mira.text.english.context import around
from mira.text.english.lexicon import (
    DAY_FOLLOWS,
    FRACTION_OF,
    MONTH_NAMES,
    MONTHS,
    STREET_AFTER,
    WEEKDAY_NAMES,
)
from mira.text.english.numbers import cardinal, ordinal, year
from mira.text.traced import one_of, rule

MAY_MATTER = re.compile(
    r"[0-9]\s?[/.-]\s?[0-9]|'[0-9]{2}|[0-9](?:st|nd|rd|th)\b|\b[QH][1-4]|[1-4]Q|\b[FCS]Y"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
    re.IGNORECASE,
)
"""What a text must contain for these rules to have any work."""

_SAFE = [name for name in MONTH_NAMES if name not in ("March", "May")]
_SHORT = [short for short in MONTHS if short != "may"] + ["sept"]
# "march 5" in small letters may be a verb, "the 5th of may" is none.
_MONTH = (
    "(?:"
    + one_of(
        [
            *MONTH_NAMES,
            *map(str.upper, MONTH_NAMES),
            *map(str.lower, _SAFE),
            *map(str.capitalize, _SHORT),
            *map(str.upper, _SHORT),
            *(short for short in _SHORT if short != "mar"),
        ]
    )
    + r"|(?:march|may)(?= [0-9]{1,2}(?:st|nd|rd|th)\b)|(?<=[a-z] of )(?:march|may))"
)
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th|ST|ND|RD|TH)?"
_YEAR = r"(?:(?:,? |,)([12][0-9]{3})(?![\w%]|[.,]\d| people\b)|,? '([0-9]{2})(?![\w]))?"
_NO_MORE = r"(?![\w:%°]|[.,]\d|/[0-9])"
_NOT_COUNTED = rf"(?! (?!of (?:this|that|the|last|next|each|every)\b)(?:{'|'.join(FRACTION_OF)})\b)"
_NOT_IN_STREET = rf"(?!\.? {STREET_AFTER}\b)"
_TO = r"\s?[-–—]\s?|\s(?:to|thru|through|until|till|and|or|&)\s|/"


def _month(text: str) -> str:
    return MONTHS[text[:3].lower()]


def _day(text: str) -> str:
    return ordinal(int(re.sub(r"\D", "", text)))


def full_year(text: str) -> int:
    """Complete a year of two digits: 24 is 2024, 98 is 1998."""
    if len(text) > 2:
        return int(text)
    return int(text) + (1900 if int(text) > 50 else 2000)


def _said_year(match: re.Match[str], *groups: int) -> str:
    text = next((match[group] for group in groups if match[group]), "")
    return f", {year(full_year(text))}" if text else ""


def _said(month: int, day: int, in_year: str = "") -> str:
    said = f"{MONTH_NAMES[month - 1]} {ordinal(day)}"
    return f"{said}, {year(full_year(in_year))}" if in_year else said


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _is_on_a_day(before: str) -> bool:
    """Tell whether what stands before a day, or before the list it is in, is about days."""
    stop = _before_list(before)
    low = max(0, stop - 24)
    return bool(_LETTER.search(before, low, stop) and _ON_A_DAY.search(before, low, stop))


def _before_list(before: str) -> int:
    """Find where the list of days that goes on after `before` begins: its end, if there is none."""
    listed = before.endswith(_LIST_GOES_ON) and _LISTED.search(before)
    return listed.start() if listed else len(before)


def _iso(match: re.Match[str]) -> str:
    month, day = int(match[3]), int(match[4])
    if not _is_day(month, day) or (match[2] == "." and _NO_DATE.search(around(match)[0])):
        return match[0]
    return _said(month, day, match[1]) + (" at " if match[5] else "")


def _numeric(match: re.Match[str]) -> str:
    """Read day, month and year with one mark between them."""
    first, mark, second, in_year = match.groups()
    before, _ = around(match)
    if len(in_year) == 2 and mark != "/":
        padded = len(first) == len(second) == 2
        if not (_is_on_a_day(before) or (mark == "-" and padded)) or _NO_DATE.search(before):
            return match[0]
    month, day = int(first), int(second)
    if month > 12 or (mark == "." and day <= 12):
        month, day = day, month
    return _said(month, day, in_year) if _is_day(month, day) else match[0]


def _joined_days(joint: str, first: str, second: str) -> str | None:
    """Join two days of one month; None: they are no range and no list."""
    one, other = (int(re.sub(r"\D", "", day)) for day in (first, second))
    if other <= one:
        return None
    word = {"&": "and", "thru": "through", "till": "till"}.get(joint.strip(), joint.strip())
    if joint == "/":
        return f"{ordinal(one)}, {ordinal(other)}"
    return f"{ordinal(one)} {word if word.isalpha() else 'to'} {ordinal(other)}"


def _month_day(match: re.Match[str]) -> str:
    month, the = _month(match[1]), match[2] or ""
    tail = match[0][match.end(3) - match.start() :]
    if not match[5]:
        return f"{month} {the}{_day(match[3])}{_said_year(match, 6, 7)}"
    said = _joined_days(match[4], match[3], match[5])
    # "March 5 and 6 people": nothing that goes on after the second day.
    goes_on = match[4].strip() in ("and", "or", "&") and _COUNTS.match(match.string, match.end())
    if said is None or goes_on:
        return f"{month} {the}{_day(match[3])}{tail}"
    return f"{month} {the}{said}{_said_year(match, 6, 7)}"


def _month_days(match: re.Match[str]) -> str:
    days = re.findall(_DAY, match[2])
    if [*map(_day, days)] != [*map(ordinal, sorted(int(re.sub(r"\D", "", d)) for d in days))]:
        return match[0]
    said = re.sub(_DAY, lambda m: _day(m[0]), match[2]).replace("&", "and")
    return f"{_month(match[1])} {said}"


def _day_month(match: re.Match[str]) -> str:
    before, _ = around(match)
    the, first, joint, second, of, month = match.group(1, 2, 3, 4, 5, 6)
    if _STEP.search(before) or (of and not the and first.isdigit()):
        return match[0]
    days: str | None = _day(first)
    if second:
        days = _joined_days(joint, first, second)
        if days is None:
            return match[0]
    the = the or ("" if before.endswith("the ") else "the ")
    return f"{the}{days} of {_month(month)}{_said_year(match, 7, 8)}"


def _day_month_year(match: re.Match[str]) -> str:
    """Read what is written without spaces: 5-Mar-2024, 05MAR24."""
    return f"the {_day(match[1])} of {_month(match[2])}{_said_year(match, 3)}"


def _month_year(match: re.Match[str]) -> str:
    return f"{MONTH_NAMES[int(match[1]) - 1]} {year(int(match[2]))}"


def _expiry(match: re.Match[str]) -> str:
    """Read month and year of a card: "expires 04/27"."""
    before, _ = around(match)
    month, in_year = match[1], match[2]
    stop = _before_list(before)
    cue = _EXPIRES.search(before, max(0, stop - 36), stop)
    if not cue or cue["on"] or not 1 <= int(month) <= 12:
        return match[0]
    said = f"{MONTH_NAMES[int(month) - 1]} {year(full_year(in_year))}"
    if int(in_year) > 31:
        return said
    card = _CARD.search(before)
    if int(in_year) < 15 or (_OFFER.search(before) and not card):
        return match[0]
    return said if card or len(month) == 2 or cue["short"] else match[0]


def _slashed_day(match: re.Match[str]) -> str:
    """Read 3/4 as a day where the words around say so; else it may be a fraction."""
    before, after = around(match)
    month, day = int(match[1]), int(match[2])
    if not _is_day(month, day) or ((month, day) == (9, 11) and not _AT_A_TIME.match(after)):
        return match[0]
    if _PART_OF.match(after):
        return match[0]
    listed = before[_before_list(before) :]
    on_a_day = (
        month == day == 1
        or any(int(a) > int(b) for a, b in _PAIR.findall(listed))
        or (
            (month > day or day == 20) and not _NUMERIC.search(before)
        )  # three halves are hardly ever meant
        or _AT_A_TIME.match(after)
        or _OF_A_DAY.match(after)
        or (_is_on_a_day(before) and not _CUT_BY.search(before))
    )
    return _said(month, day) if on_a_day else match[0]


def _dashed_day(match: re.Match[str]) -> str:
    month, day = int(match[1]), int(match[2])
    return _said(month, day) if _is_day(month, day) else match[0]


def _two_slashed_days(match: re.Match[str]) -> str:
    before, after = around(match)
    one, other = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
    halves = {one[1], other[1]} <= {2, 3, 4, 8, 16} and not _is_on_a_day(before)
    if not (_is_day(*one) and _is_day(*other)) or halves or _PART_OF.match(after):
        return match[0]
    return f"{_said(*one)} to {_said(*other)}"


def _fiscal(match: re.Match[str]) -> str:
    name, mark, text, last = match.groups()
    if len(text) == 4:
        said = year(int(text))
    elif mark == "'":
        said = year(full_year(text))
    else:
        said = cardinal(int(text))
    return f"{name} {said}" + (f" to {cardinal(int(last))}" if last else "")


def _quarter(match: re.Match[str]) -> str:
    name, in_year = match[1], match[2]
    return f"{name} {year(full_year(in_year))}"


_WEEKDAY = one_of(WEEKDAY_NAMES)
_ON_A_DAY = re.compile(
    rf"\b(?i:{'|'.join(DAY_FOLLOWS)}|{_WEEKDAY}s?)"
    r"(?: (?:is|was|for|of|on|the|date|it))?[,:]?(?: the)? ?\(?\Z"
)
# The days before it in a list.
_LISTED = re.compile(
    r"(?:[0-9]{1,2}/[0-9]{1,2}(?:,? (?:and|or|to|through|until|till|&) |,\s|\s?[-–]\s?)){1,4}\Z"
)
_JOINTS = ("and", "or", "to", "through", "until", "till", "&")
_LIST_GOES_ON = ("-", "–", "- ", "– ", ", ", *map("{} ".format, _JOINTS))
_LETTER = re.compile("[A-Za-z]")
_PAIR = re.compile("([0-9]{1,2})/([0-9]{1,2})")
_NO_DATE = re.compile(
    r"(?i)\b(?:version|v|release|firmware|build|update|code|pin|sort|lock|combination|ip|serial|part"
    r"|model|sku|order|account|case|ticket|reference|number|no)\b[^.;!?]{0,25}\Z"
)
_CUT_BY = re.compile(
    r"(?i)\b(?:cut|reduc\w{1,4}|lower\w{0,3}|dropp?\w{0,3}|fell|ris\w{1,3}|rose|gr[eo]w\w{0,3}"
    r"|increas\w{1,3}|decreas\w{1,3}|multipl\w{1,4}|divid\w{1,3}|down|up)\b[^.;!?]{0,25} by \Z"
)
_NUMERIC = re.compile(
    r"(?i)(?:[=+*×÷<>(-] ?|\b(?:fraction|equals|ratio|scored?|rate|rated|time|beat|meter|vision"
    r"|odds|gave|give|got|tuned|plus|minus|times|over) (?:it |of |a |is |was |me )?)\Z"
)
_AT_A_TIME = re.compile(
    rf",? \(?{_WEEKDAY}\b|"
    r",? (?:(?:at|@|around) (?:[0-9]|noon)|(?:from|between) [0-9]"
    r"|[0-9]{1,2}(?::[0-9]{2}|\s?[-–]\s?[0-9]{1,2}\b|\s?[AaPp]\.?[Mm]\b))"
)
_OF_A_DAY = re.compile(
    r" (?:meeting|appointment|call|order|delivery|payment|invoice|statement|visit|flight|event"
    r"|session|deadline|release|game|show|class|reservation|booking|shipment|charge|email|message)\b"
)
_PART_OF = re.compile(
    rf"(?: (?:and|to|or) [0-9]/[0-9]{{1,2}})?(?: ?[\"″%]|[ -](?:{'|'.join(FRACTION_OF)})\b)"
)
_STEP = re.compile(
    r"(?i)\b(?:step|chapter|part|phase|room|unit|level|version|season|episode|gate|suite|apt\.?) \Z"
)
_COUNTS = re.compile(
    r" (?!(?:at|from|in|are|is|was|were|both|only|for|if|or|and|to|would|will|then|this|next|each"
    r"|work|we|you|i|but|as|with|between|because|so)\b)[a-z]"
)
_EXPIRES = re.compile(
    r"(?i)\b(?:(?:expir(?:es?|ed|ing|y|ation)|(?P<short>exp)\b\.?"
    r"|(?:valid|good) (?:thru|through|until|till|to))(?: dates?)?"
    r"(?:,? (?:for example|like|such as|say|maybe)|'s)?"
    r"(?: (?:on (?:the|your|my|that|this|its) (?:card|front|back|license|file|label)"
    r"|is|was|of|in|as|at|end|says|reads|shows|it|the|listed|(?P<on>on|by))){0,4}?[:,]? ?\(?)\Z"
)
_CARD = re.compile(
    r"(?i)\b(?:cards?|debit|credit|visa|mastercard|amex|discover|licen[sc]e|passport|permit|id"
    r"|account|cvv|cvc|security code|exp|insurance|registration)\b"
)
_OFFER = re.compile(
    r"(?i)\b(?:offers?|sales?|deals?|coupons?|promo\w{0,6}|discounts?|trial|quotes?|session|voucher"
    r"|password|listing|bid|membership|subscription|points|hold|window|return|warranty|ticket|pass"
    r"|reservation|milk|food)\b"
)

# Any date, only to know that there is one.
_ANY = (
    rf"(?:{_MONTH}\.? {_DAY}(?:,? [12][0-9]{{3}})?|{_DAY} {_MONTH}\b\.?(?:,? [12][0-9]{{3}})?"
    rf"|{_MONTH}\.?,? (?:[12][0-9]{{3}}|'[0-9]{{2}})|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
    r"|[0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{4}|[0-9]{2})|(?:0[1-9]|1[0-2])/[12][0-9]{3})"
)

RULES = (
    rule(rf"(?<![\w/.-])({_ANY})\s?[-–—]\s?(?=(?:{_WEEKDAY},? )?{_ANY}(?!\w))", r"\1 to "),
    rule(rf"(?<![\w/.-])([0-9]{{1,2}}/[0-9]{{1,2}})\s?[-–—]\s?(?={_WEEKDAY}\b)", r"\1 to "),
    rule(
        r"(?<![\w.-])([12][0-9]{3})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?:(T)(?=[0-9])|(?![\w-]|\.\d))",
        _iso,
    ),
    rule(
        r"(?<![\w./-])([0-9]{1,2})([/.-])([0-9]{1,2})\2([12][0-9]{3}|[0-9]{2})(?![\w/]|[.-]\d)",
        _numeric,
    ),
    rule(
        rf"(?<![\w/.-])({_DAY})-({_MONTH})-([12][0-9]{{3}}|[0-9]{{2}})(?![\w/-])", _day_month_year
    ),
    rule(
        rf"(?<![\w/.-])([0-3][0-9])({'|'.join(s.upper() for s in MONTHS)})((?:20)?[0-9]{{2}})"
        r"(?![\w/-])",
        _day_month_year,
    ),
    rule(rf"(?<![\w/.-])({_DAY})-({_MONTH})()(?![\w/-])", _day_month_year),
    rule(
        rf"\b({_MONTH})\.? ({_DAY}(?:, {_DAY}){{1,5}},? (?:and|or|&) {_DAY}){_NO_MORE}"
        rf"{_NOT_COUNTED}",
        _month_days,
    ),
    rule(
        rf"\b({_MONTH})\.? (the )?({_DAY})(?:({_TO})({_DAY})(?![\w:%]|[.,/]\d))?{_YEAR}{_NO_MORE}"
        rf"{_NOT_COUNTED}",
        _month_day,
    ),
    rule(
        rf"(?<![\w.,:/$€£-])([Tt]he )?({_DAY})(?:({_TO})({_DAY}))?( of)? ({_MONTH})\b(?!'s)"
        rf"{_NOT_IN_STREET}\.?{_YEAR}",
        _day_month,
    ),
    rule(
        rf"\b({_MONTH})\.?,? '([0-9]{{2}})(?!\w)",
        lambda m: f"{_month(m[1])} {year(full_year(m[2]))}",
    ),
    rule(
        rf"(?<=\()({one_of([s.capitalize() for s in _SHORT])})\. ([0-9]{{2}})(?=\))",
        lambda m: f"{_month(m[1])} {cardinal(int(m[2]))}" if int(m[2]) > 31 else m[0],
    ),
    rule(r"(?<![\w./-])(0?[1-9]|1[0-2])/((?:19|20)[0-9]{2})(?![\w/]|[.,-]\d)", _month_year),
    rule(r"(?<![\w./-])(0?[1-9]|1[0-2])\s?[/-]\s?([0-9]{2})(?![\w/]|[.,-]\d)", _expiry),
    rule(rf"\b([Ee])(?:xp|XP)\b\.?(:?) (?={one_of(MONTH_NAMES)})", r"\1xpires\2 "),
    rule(r"\b([0-9]{1,3}(?:st|nd|rd|th))\s?[-–]\s?(?=[0-9]{1,3}(?:st|nd|rd|th)\b)", r"\1 to "),
    rule(
        r"(?<![\w./$-])([0-9]{1,2})/([0-9]{1,2})\s?[-–]\s?([0-9]{1,2})/([0-9]{1,2})(?![\w/]|[.,-]\d)",
        _two_slashed_days,
    ),
    rule(r"(?<![\w./$-])([0-9]{1,2})/([0-9]{1,2})(?![\w/%]|[.,-]\d|\s?=)", _slashed_day),
    rule(r"(?<=\b[Oo]n )([0-9]{1,2})-([0-9]{1,2})(?= (?:at|@) (?:[0-9]|noon))", _dashed_day),
    rule(
        r"\b(FY|CY|SY)[ -]?(')?([12][0-9]{3}|[0-9]{2})(?:[-–/]([0-9]{2}))?(?![\w%/-]|[.,]\d)",
        _fiscal,
    ),
    rule(
        r"\b([1-4])Q ?'?([0-9]{2}|20[0-9]{2})(?![\w%/-]|[.,]\d)",
        lambda m: f"{ordinal(int(m[1]))} quarter {year(full_year(m[2]))}",
    ),
    rule(r"\b([QH][1-4])\s?[-–]\s?(?=[QH][1-4]\b)", r"\1 to "),
    rule(
        r"\b([QH][1-4])(?: |/|-|,? ?')((?:19|20)[0-9]{2}|(?<=')[0-9]{2})(?![\w%/-]|[.,]\d)",
        _quarter,
    ),
)
"""They are sure of what they read, so they come before codes are looked for."""
