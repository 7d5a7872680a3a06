"""Cards, accounts, tracking numbers, rooms, flights and versions in, the words to say out.

Knows nothing about quantities: every number here names something, by its shape or its context.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re

from mira.text.english import phones
from mira.text.english.context import Kind, around, is_counted, kind_of
from mira.text.english.numbers import DIGITS, digits, name, number, short
from mira.text.traced import one_of, rule

_RUNS = re.compile(r"[0-9]+|[^\W\d_]+")
_ISO_DATE = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_DAY = re.compile(
    r"[0-9]{1,2}([-. ])[0-9]{1,2}\1(?:19|20)?[0-9]{2}|[0-9]{4}([-. ])[0-9]{1,2}\2[0-9]{1,2}"
)


def spell(text: str) -> str:
    """Name letters and digits one by one, with a pause where the code has a mark."""
    groups = []
    for group in re.split(r"[^0-9A-Za-z/]+", text.replace("/", " / ")):
        if group == "/":
            groups.append("slash")
            continue
        groups.append(" ".join(digits(c) if c in DIGITS else c.upper() for c in group))
    return ", ".join(filter(None, groups))


def _spell(match: re.Match[str]) -> str:
    return spell(match[0])


def _place(text: str) -> str:
    """Read the name of a room or a flight: "two oh four", "twenty-four ninety", "four B"."""
    low, dash, high = text.partition("-")
    if dash and low.isdigit() and high.isdigit() and int(high) > int(low):
        return f"{name(low)} to {name(high)}"
    return " ".join(run.upper() if run.isalpha() else name(run) for run in _RUNS.findall(text))


def _by_context(match: re.Match[str]) -> str:
    """Read what the words around it say is a code or a place; leave everything else."""
    text, start, stop = match[0], match.start(), match.end()
    groups = text.count(" ")
    if groups and is_counted(match.string, stop):  # "call 911 24 hours a day"
        stop = match.string.rindex(" ", start, stop)
    said = text[: stop - start]
    if _ISO_DATE.fullmatch(said) or ("/" in said and not any(map(str.isalpha, said))):
        return text  # a day
    kind = kind_of(match.string, start, stop)
    if kind is Kind.CODE or (kind is None and _is_like_the_code_before(match)):
        return spell(said) + text[len(said) :]
    if kind is Kind.PLACE:
        first, space, rest = text.partition(" ")
        return _place(first) + space + rest
    if match.string[start - 1 : start] == "#" and not groups and not text.isdigit():
        return _place(text)  # "12 Elm St #4B"
    return text


def _is_like_the_code_before(match: re.Match[str]) -> bool:
    """Tell whether a number is as long as the code before: "Ticket 500123 replaces 500122"."""
    text, start = match.string, match.start()
    before = _NUMBER_BEFORE.search(text, max(0, start - 40), start)
    if not before or len(before[1]) != len(match[0]) or not match[0].isdigit():
        return False
    is_code = kind_of(text, *before.span(1)) is Kind.CODE
    return is_code and not is_counted(text, match.end())


def _lettered_place(match: re.Match[str]) -> str:
    known = kind_of(match.string, match.start(), match.end()) is Kind.PLACE
    return _place(match[0]) if known else match[0]


def _places(match: re.Match[str]) -> str:
    """Read the first and the last of some places: "gates B1-B4", "seats 12A-C"."""
    return f"{match[1]} {_place(match[2])} to {_place(match[3])}"


def _lower_case(match: re.Match[str]) -> str:
    known = kind_of(match.string, match.start(), match.end()) is Kind.CODE
    return spell(match[0]) if known else match[0]


_PAGE = re.compile(r"(?i)\b(?:pages?|lines?|chapter|section|verse|over|than|about) \Z")


def _emergency(match: re.Match[str]) -> str:
    before, _ = around(match, 10)
    is_none = _PAGE.search(before) or is_counted(match.string, match.end())
    return match[0] if is_none else digits(match[0])


_NUMBER_BEFORE = re.compile(r"(?<![\w.,$-])([0-9]{5,12})(?: [a-z,]{1,14}){1,4} \Z")
_CARD = re.compile(
    r"\b(?:card|account|acct|ending|digits|number|visa|mastercard|amex|debit|credit)\b"
)


def _masked(match: re.Match[str]) -> str:
    """Read the last digits of a card of which the others are stars."""
    before = around(match, 30)[0].lower()
    if not match[0].strip(".- 0123456789") and not _CARD.search(before):
        return match[0]  # "wait ... 15 more"
    said_so = re.search(r"(?:end\w*(?: in| with)?|last four) ?\(?$", before)
    return ("" if said_so else "ending in ") + digits(match[1])


def _grouped(match: re.Match[str]) -> str:
    text = match[0]
    if sum(map(str.isdigit, text)) < 8 or _DAY.fullmatch(text):
        return text
    return text if is_counted(match.string, match.end()) else spell(text)


def _promotion(match: re.Match[str]) -> str:
    """Read a code that is made of a word: "SAVE20"."""
    return f"{match[1]}{match[2].lower()} {short(match[3])}"


def _version(match: re.Match[str]) -> str:
    parts = match[2].split(".")
    dot = " dot " if len(parts) == 4 and not match[1] else " point "
    said = dot.join(number(part) for part in parts)
    if match[3]:
        said += f" {match[3] if len(match[3]) > 2 else ' '.join(match[3].upper())}"
    if match[4]:
        said += f" {number(match[4])}"
    return f"version {said}" if match[1] else said


def _mixed(match: re.Match[str]) -> str:
    """Read letters and digits in one word."""
    runs = _RUNS.findall(match[0])
    if len(runs) > 2:
        return spell(match[0])
    return " ".join(short(run) if run[0] in DIGITS else run for run in runs)


def _long(match: re.Match[str]) -> str:
    text = match[0]
    is_sum = len(text) <= 15 and text[0] != "0"
    if is_sum and (text.endswith("000") or is_counted(match.string, match.end())):
        return text  # a round sum, not a code
    return ", ".join(digits(text[i : i + 3]) for i in range(0, len(text), 3))


_BEGIN = r"(?<![\w$€£¥₹@/-])(?<![0-9][.,])(?<![$€£¥₹] )"
_END = r"(?![\w%°-]|[.,:/][0-9])"
_GROUP = r"[A-Z0-9]{1,40}(?:[-/][A-Z0-9]{1,40}){0,8}"
_SOFTWARE = one_of(
    """
    python version node java php ruby go ios android ubuntu macos release django windows firmware
    chrome firefox safari build update app software kernel linux openssl bluetooth wi-fi usb hdmi
    """.split()
)
_SEVERAL = one_of(
    """
    seats gates rooms units apartments suites rows bays docks exits lots spaces stalls lockers
    booths tables lanes doors zones aisles cells buildings sections
    """.split()
)

MAY_BE_LETTERED = re.compile("[0-9](?: |-|–)?[A-Z]|[A-Z][0-9]{1,3}[-–][0-9]")
# Used before the rules for measures: seat 14C is no temperature, "LZ 123 456 789 GB" no file.
LETTERED = (
    rule(
        rf"\b((?i:{_SEVERAL})) (?:(?=[A-Z])|(?=[0-9]{{1,4}}[A-Z]))"
        r"([A-Z]?[0-9]{1,4}[A-Z]?) ?[-–] ?"
        r"((?<=[A-Z][-– ])(?:[0-9]{1,4})?[A-Z]|(?<![A-Z][-– ])[A-Z]?[0-9]{1,3})(?![\w%-]|[.,]\d)",
        _places,
    ),
    rule(rf"{_BEGIN}[0-9]{{1,4}} ?[A-Z](?![\w'’/°%-]| [0-9])", _lettered_place),
    rule(r"(?<!\w)[A-Z]{2}(?: ?[0-9]){9} ?[A-Z]{2}(?!\w)", _spell),
)
NUMBERS = (
    *phones.RULES,
    # Spelled as it is written: "A-B-C-1-2-3", "9-1-1".
    rule(r"(?<![\w-])(?=[A-Z-]{0,40}[0-9])[A-Z0-9](?:-[A-Z0-9]){2,20}(?![\w-])", _spell),
    rule(r"(?<=#)[0-9]{2,6}-[0-9]{3,6}(?![\w-])", _spell),
    # The cards' own groups, then numbers of people and firms: 123-45-6789, 12-3456789.
    rule(r"(?<![\w.])(?:[0-9]{4}[ -]){3}[0-9]{3,4}(?![\w-]| [0-9])", _spell),
    rule(r"(?<![\w.])3[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5}(?![\w-])", _spell),
    rule(r"(?<![\w.-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])", _spell),
    rule(r"(?<![\w.-])[0-9]{2}-[0-9]{7}(?![\w-])", _spell),
    rule(
        r"(?<![\w.])(?:[*•·xX#.]{2,4}[ -]?){1,4}(?<=[*•·xX #-])([0-9]{2,5})(?![\w-]|[.,]\d)",
        _masked,
    ),
    # Parcels, bank accounts, vehicles.
    rule(r"(?<!\w)1Z(?: ?[0-9A-Z]){16}(?!\w)", _spell),
    rule(r"(?<!\w)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?(?!\w)", _spell),
    # Postal codes: SW1A 1AA, K1A 0B6.
    rule(
        r"(?<![\w-])[A-Z]{1,2}[0-9]{1,2}[A-Z]? [0-9](?!GB|TB)[ABD-HJLNP-UW-Z]{2}(?![\w-])", _spell
    ),
    rule(r"(?<![\w-])[ABCEGHJ-NPR-TVXY][0-9][A-Z][ -]?[0-9][A-Z][0-9](?![\w-])", _spell),
    rule(
        r"\b((?i:promo|coupon|discount|voucher|promotion|referral|offer)(?: code)?:?(?: is)? \"?)"
        r"([A-Z]*[AEIOUY][A-Z]*)([0-9]{1,4})\b",
        _promotion,
    ),
    rule(
        rf"\b((?i:{_SOFTWARE})\s)v?([0-9]{{1,4}})\.([0-9]{{1,4}})(?![\w.]\d)(?!\w)",
        lambda m: f"{m[1]}{number(m[2])} point {number(m[3])}",
    ),
    rule(
        r"(?<![\w.,$€£/-])(v?[0-9]{1,6}(?:\.[0-9]{1,6}){2})[-–]"
        r"(?=v?[0-9]{1,6}(?:\.[0-9]{1,6}){2}(?![\w-]|\.\d))",
        r"\1 to ",
    ),
    rule(
        r"(?<![\w.,$€£/-])(?:(?:(?<=ersion )|(?<=ersions ))v|(v)(?=[0-9]))?"
        r"([0-9]{1,6}(?:\.[0-9]{1,6}){2,5})"
        r"(?:-?(alpha|beta|rc|dev|[a-z])(?:\.?([0-9]{1,3}))?)?(?![\w]|\.\d)",
        _version,
    ),
    rule(r"(?<![\w.])(v)([0-9]{1,6}(?:\.[0-9]{1,6})?)()()(?![\w]|\.\d)", _version),
    rule(
        rf"{_BEGIN}(?=[A-Z/-]{{0,20}}[0-9]){_GROUP}"
        rf"(?: (?:(?=[A-Z]{{0,4}}[0-9]){_GROUP}|[A-Z]{{2,4}}(?= [0-9]{{2}}))){{0,12}}{_END}",
        _by_context,
    ),
    rule(
        r"(?<![\w.,@/-])(?=[A-Z0-9]{0,20}[a-z])(?=[A-Za-z]{0,20}[0-9])(?![0-9]{1,9}[a-z]{1,3}\b)[A-Za-z0-9]{4,40}(?![\w-])",
        _lower_case,
    ),
    rule(
        rf"{_BEGIN}(?:911(?! (?:were|are|have|had)\b)"
        rf"|[2-9](?:11|88)(?= (?:[Ll]ifeline|[Hh]otline|operator|line|service)\b)){_END}",
        _emergency,
    ),
    rule(r"(?<![\w.,$€£¥₹/-])[0-9]{2,6}(?:[ -][0-9]{2,6}){2,7}(?![\w%-]|[.,:/]\d)", _grouped),
    # Digits among capitals, more than one change from one to the other: "X7K2QP", "A4B-729X".
    rule(
        r"(?<![\w.-])(?=[A-Z][A-Z-]{0,20}[0-9][0-9-]{0,20}[A-Z]|[0-9-]{1,20}[A-Z][A-Z-]{0,20}[0-9])"
        r"[A-Z0-9]{1,30}(?:-[A-Z0-9]{1,30}){0,6}(?![\w-])",
        _spell,
    ),
    rule(r"(?<![\w.,$€£¥₹-])[0-9]{7,400}(?![\w%]|[.,]\d)", _long),
)
# Used after every quantity has been read: what still mixes letters and digits is a name.
MIXED = (
    # "rule 5.3b": the point is said.
    rule(
        r"(?<![\w.])([0-9]{1,6}\.[0-9]{1,6})([A-Za-z])(?!\w)",
        lambda m: f"{number(m[1])} {m[2].upper()}",
    ),
    rule(r"(?=[^\W\d_]{0,40}-?[0-9])[^\W_]{1,40}(?:-[0-9]{1,9}\b)?", _mixed),
)
