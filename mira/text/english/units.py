"""Measures in, words out: "5 km", "a 5-lb bag", "72°F", "5'10\"", "3/4 in", "20-25 mg/dL".

The unit tells that a number is a measure, so these are read before codes, dates and plain
numbers. A unit that is a word or a letter too ("in", "A", "m") is one only where its
neighbours say so. Knows nothing about money.
"""

import re

from mira.text.english.context import own_stop
from mira.text.english.measures import PER, UNITS
from mira.text.english.modifiers import describes
from mira.text.english.numbers import VULGAR, number, quantity
from mira.text.traced import Edit, rule

_NUMBER = (
    r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])(?:\.[0-9]{1,400})?|[0-9]{1,6},[0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,400}(?:\.[0-9]{1,400})?|\.[0-9]{1,400})"
)
_FRACTION = r"(?:(?:[0-9]{1,4}[ -])?[0-9]{1,3}/[0-9]{1,3})"
_AMOUNT = rf"(?:{_FRACTION}|(?:[0-9]{{1,9}} ?)?[{VULGAR}]|{_NUMBER})"
_START = r"(?<![\w.,:/$€£-])"
_MINUS = r"(?:(?<![\w)\].,])(?P<minus>[-+]))?(?<![\w.,:/$€£])(?<![\w)\].,]-)"
_RANGE = (
    rf"(?=[-+.0-9{VULGAR}]){_MINUS}(?P<low>{_AMOUNT})"
    rf"(?:(?P<dash>\s?[-–—]\s?)(?P<below>-)?(?P<high>{_AMOUNT}))?"
)
_SCALE = r"(?P<scale> (?:hundred|thousand|million|billion|trillion))?"
_WORD = r"(?:(?:sq|cu)\.? ?(?=[a-z])|fl\.? ?(?=oz))?[A-Za-zµΩ]{1,6}(?:[²³]|\^?[23](?![\w.]))?"

_PLACES = frozenset(
    "room suite apt apartment unit gate seat row platform bay terminal code pin section block "  # noqa: SIM905
    "flight level type group building door aisle dock form plan option step part line zone lane "
    "version number no exit".split()
)
_PLACE_BEFORE = re.compile(
    rf"\b(?:{'|'.join(sorted(_PLACES - {'no'}))})s?\b[^.;!?]{{0,30}}\Z", re.IGNORECASE
)
_WORD_BEFORE = re.compile(r"([A-Za-z]{1,20})[ #.]{1,2}[-–\d.,]{0,12}\Z")
_DURATION = re.compile(
    r"(?:\b(?:in|wait(?:ed)?|for|after|about|took|takes?|every|within|least|only|another|just|last|"
    r"next|timeout|be|ETA|of|than|up to)|[0-9][hm])(?: about| another)? ?[-–\d.,]{0,8}\Z",
    re.IGNORECASE,
)
_GOING = re.compile(
    r"\b(?:turn|exit|keep|merge|bear|continue|drive|walk|left|right)\b", re.IGNORECASE
)
_AGO = re.compile(
    r" (?:ago|later|left|early|late|wait|call|break|drive|walk|meeting|delay|read|timeout|ride|"
    r"session|video|clip|hold|from now)\b"
)
_COUNTED = re.compile(
    r" (?:people|users|views|downloads|customers|records|rows|subscribers|fans)\b"
)
_TEMPERED = re.compile(
    r"(?:\b(?:is|was|it's|at|to|of|about|around|near|below|above|under|over|reach(?:es|ed)?|hits?|"
    r"high|low|nearly|almost|temperature|fever|between|from|feels like|currently|degrees) |[-–:] ?|"
    r"[~(])"
    r"[-–\d.]{0,8}\Z",
    re.IGNORECASE,
)
_WEATHER = re.compile(
    r" (?:out|outside|inside|today|tonight|tomorrow|water|wash|oven|with|"
    r"and (?:sunny|clear|cloudy|rainy)|in the shade)\b"
)
_SIZE_BEFORE = re.compile(
    r"(?:(?:\b|[0-9])(?:ft|foot|feet|by) |\d ?[x×] ?|\b[x×] |['\"] )[\d./¼½¾⅛⅜⅝⅞ ]{0,10}\Z"
)
_SIZE_AFTER = re.compile(
    r"\.(?! ?[A-Z0-9])(?=\s|,|$)| ?[x×] ?\d|[ -](?:long|wide|tall|deep|high|thick|across|diagonal|"
    r"by|in (?:length|width|height|diameter|size)|of (?:rain|snow|rainfall|snowfall|water|ice)|"
    r"diameter|waist|inseam|screen|monitor|tv|TV|display|tablet|laptop|pipe|hose|screws?|"
    r"nails?|bolts?|wheels?|rims?|pizza|rain|snow|heels?|blade|drain|mount|frame|speaker|"
    r"mattress|pan|skillet|knife|board|tile|wrench|cable)\b|[,;)]|$"
)
_CIRCUIT = re.compile(
    r" (?:fuse|breaker|circuit|outlet|charger|service|plug|current|load|panel|adapter|supply)\b"
)


def _is_unit(match: re.Match[str], unit: str, gap: str) -> bool:
    """Tell whether what may be a word, a letter of a code or another unit is this unit."""
    text, start, stop = match.string, match.start(), match.end("unit")
    low, after = match["low"], text[stop : stop + 24]
    number_only = "." in low or "," in low or low[-1] in VULGAR
    if unit == "in":
        if re.match(r" ?\d| (?:the|a|an|my|your|our|his|her|their|this|that)\b", after):
            return False
        return bool(
            (gap == "-" and after[:1] != "-")
            or _SIZE_BEFORE.search(text, max(0, start - 20), match.end("low"))
            or (_SIZE_AFTER.match(text, stop) and (after or number_only or gap == ""))
        )
    if len(unit) > 1:
        return not (unit == "ha" and after.startswith(" ha"))
    if gap == "-" and unit not in "mLgWVh":
        return False
    before = _WORD_BEFORE.search(text, max(0, start - 40), start)
    if (before and before[1].lower() in _PLACES) or re.match(r" [0-9A-Z](?!\w)", after):
        return False
    if unit in "WV":
        return not re.match(r"\.? (?:[A-Z][a-z]|[0-9])", after)
    if unit == "A":
        return number_only or bool(_CIRCUIT.match(text, stop)) or "V" in text[start - 3 : start]
    if unit == "s" and gap == "" and re.fullmatch("[12][0-9]{2}0", low):
        return False  # a decade
    if unit == "s":
        return number_only or gap == " " or bool(_lasts(text, start, stop))
    return True


def _lasts(text: str, start: int, stop: int) -> bool:
    """Tell whether what may be meters, millions or a decade is a time."""
    if _AGO.match(text, stop):
        return True
    low = max(0, start - 30)
    return bool(_DURATION.search(text, low, start)) and not _GOING.search(text, low, start)


def _unit_of(match: re.Match[str]) -> str:
    """Find the unit as the table has it; "": the word is none."""
    unit = match["unit"].replace("^", "")
    if unit not in UNITS:
        unit = f"{unit[:2]} {unit[2:].lstrip('. ')}"  # sq. ft., fl.oz
    return unit if unit in UNITS else ""


def _measure(match: re.Match[str]) -> str | list[Edit]:
    text, gap = match.string, match["gap"]
    unit = _unit_of(match)
    glued = match["scale"] and not gap  # "1919 thousands"
    if not unit or glued or not _is_unit(match, unit, gap):
        return match[0]
    one, many = UNITS[unit]
    if unit == "m" and not match["per"] and not match["high"]:
        if _COUNTED.match(text, match.end()):
            one = many = "million"
        elif _lasts(text, match.start(), match.end()) and "/" not in match["low"]:
            one, many = "minute", "minutes"
    if unit == "pt" and text.startswith((" font", " type"), match.end()):
        one, many = "point", "points"
    # "5-lbs bag", but "12-pks of soda".
    joined = (
        gap == "-" and unit != "pks" and text[match.end() : match.end() + 1] in (" ", "-", ".", ")")
    )
    said = one if joined or _is_single(match) else many
    said += "".join(map(_per, re.split("/", match["per"] or "")[1:]))
    edits = [*_said(match), (said, match.start("unit"), match.end())]
    if gap != " ":
        edits.insert(-1, (" ", *match.span("gap")))
    return edits


def _is_single(match: re.Match[str]) -> bool:
    """Tell whether the unit has no plural: one of it, a part of one, or before a noun."""
    low, parts = match["low"], match.groupdict()
    if not parts.get("high") and not parts.get("scale"):
        # Half a mile is no miles.
        part = low in VULGAR or re.fullmatch("[0-9]+/[0-9]+", low)
        if part or low in ("1", "1.0", "1.00"):
            return True
    text, start, stop = match.string, match.start(), match.end()
    if before := _FIRST_OF_TWO.search(text, max(0, start - 16), start):
        start = before.start()
    return describes(text, start, _listed(text, stop)) or describes(text, start, stop)


def _listed(text: str, stop: int) -> int:
    """Find the end of a second measure of the same noun: "a 12 V, 5 A charger"."""
    other = _OTHER.match(text, stop)
    if not other or (other[1] not in UNITS and other[1].isalpha()):
        return stop
    # Of the same kind after a word: not "5 GB and 2 TB drives".
    same = other[0].startswith(",") or text.endswith(other[1], 0, stop)
    return other.end() if same else stop


def _said(match: re.Match[str]) -> list[Edit]:
    """Write out the numbers of a measure, and what is before and between them."""
    parts = match.groupdict()
    edits = []
    for group in ("minus", "low", "dash", "below", "high", "plus"):
        if text := parts.get(group):
            said = {
                "minus": "minus " if text == "-" else "plus ",
                "dash": " to ",
                "below": "minus ",
                "plus": " plus",
            }
            edits.append((said.get(group) or quantity(text), *match.span(group)))
    return edits


def _per(unit: str) -> str:
    unit = unit.replace("^2", "²").replace("^3", "³")
    if unit in UNITS:
        return f" per {UNITS[unit][0]}"
    bare = unit.rstrip("²³")
    power = {"²": " squared", "³": " cubed"}.get(unit[len(bare) :], "")
    return f" per {UNITS.get(bare, (PER.get(bare, bare),))[0]}{power}"


def _one(match: re.Match[str]) -> list[Edit]:
    """Say what comes after "per", or a slash after a word: "3 cents/min."."""
    said = UNITS[match[2].replace(".", "")][0] + own_stop(match)
    unit = (said, match.start(2), match.end())
    return [(" per ", *match.span(1)), unit] if match[1] == "/" else [unit]


def _every(match: re.Match[str]) -> str:
    """Read how often a medicine is taken: "q.6h.", "q4h"."""
    return "every hour" if match[1] == "1" else f"every {number(match[1])} hours"


_SIGNS = {
    "C": " Celsius", "F": " Fahrenheit", "K": " Kelvin", "N": " north", "S": " south",
    "E": " east", "W": " west",
}  # fmt: skip


def _degrees(match: re.Match[str]) -> str | list[Edit]:
    sign = match["sign"] or ""
    said = f" degree{'' if _is_single(match) else 's'}{_SIGNS.get(sign, '')}"
    return [*_said(match), (said, match.end("high" if match["high"] else "low"), match.end())]


def _letter_degrees(match: re.Match[str]) -> str | list[Edit]:
    text, start, stop = match.string, match.start(), match.end()
    tempered = _TEMPERED.search(text, max(0, start - 20), start)
    if tempered and _PLACE_BEFORE.search(text, max(0, start - 40), start):
        tempered = None  # "your seat is 14C"
    tempered = tempered or _WEATHER.match(text, stop)
    return _degrees(match) if "." in match["low"] or tempered else match[0]


_OTHER = re.compile(
    r"(?:,|,? (?:and|or|&)| to) [0-9]{1,4}(?:\.[0-9]{1,2})?[ -]?([\"']|[A-Za-z]{1,4}\b)"
)
_FIRST_OF_TWO = re.compile(r"(?<![\w.,])[0-9]{1,4}(?:\.[0-9]{1,2})?[ -]?[A-Za-z]{1,4}, \Z")
_QUOTE_LOOK = 200
_OF_HEIGHT = re.compile(r"(?:\b(?:is|am|was|about|over|under|at|than)|'[sm]) \Z")
_ENDS = ("", ".", ",", ";")
_FEET_AFTER = re.compile(r" ?(?:to|[-–]) ?[0-9.]{1,6}'(?!\w)")
_FEET_BEFORE = re.compile(r"(?<!\w)[0-9.]{1,6}' ?(?:to|[-–]) ?\Z")
_TALL = re.compile(r" (?:tall|long|wide|deep|high|by)\b")


def _closes(match: re.Match[str], mark: str) -> bool:
    """Tell whether the mark after a number is the end of a quotation: press "5"."""
    text, at = match.string, match.start()
    opened = text.rfind(mark, max(0, at - _QUOTE_LOOK), at)
    before, after = text[max(0, opened - 1) : opened], text[opened + 1 : opened + 2]
    return opened >= 0 and before in ("", " ", "(", ":") and after != " "


def _inches(match: re.Match[str]) -> str | list[Edit]:
    if _closes(match, '"') or re.fullmatch("[12][0-9]{3}", match["low"]):  # in 1984"
        return match[0]
    said = " inch" if _is_single(match) else " inches"
    return [*_said(match), (said, match.end("high" if match["high"] else "low"), match.end())]


def _feet(match: re.Match[str]) -> str | list[Edit]:
    text, start, stop = match.string, match.start(), match.end()
    said_so = _OF_HEIGHT.search(text, max(0, start - 20), start) and text[stop : stop + 1] in _ENDS
    tall = _TALL.match(text, stop) or text.endswith("by ", 0, start)
    upto = _FEET_AFTER.match(text, stop) or _FEET_BEFORE.search(text, max(0, start - 12), start)
    fits = describes(text, start, stop) or describes(text, start, _listed(text, stop))
    if not (said_so or tall or upto or fits) or _closes(match, "'"):
        return match[0]
    said = " foot" if _is_single(match) else " feet"
    return [*_said(match), (said, match.end("low"), match.end())]


_DEGREE = r"\s?(?:[°º˚]|deg\b\.?|degrees?(?=\s?[CF]\b))"
_SIDE = r"(?:'|\"|\s?(?:feet|ft|inches|inch|in|meters|cm|mm|m|px|yd)\b)"
RULES = (
    rule(rf"{_START}({_AMOUNT}(\"|''|'))\s?[-–—]\s?(?={_AMOUNT}\2(?![\w\"]))", r"\1 to "),
    rule(r"(?<![\w.])(?:q\.? ?|Q)([1-9][0-9]?) ?h(?:rs?)?\b(\.(?= [a-z0-9]|[,;]))?", _every),
    # The same unit twice: "5 kg-10 kg", "20%-30%".
    rule(
        rf"{_START}({_AMOUNT}\s?([A-Za-zµ%]{{1,5}}))\s?[-–—]\s?(?={_AMOUNT}\s?\2(?!\w))", r"\1 to "
    ),
    rule(
        rf"{_START}({_NUMBER}\s?([kKMG]bps|mc?g|[kMG]?Hz|[GMT]B))\s?/\s?(?={_NUMBER}\s?\2(?!\w))",
        r"\1 slash ",
    ),
    rule(rf"{_START}([0-9]{{2,4}})/(?=[0-9]{{1,4}}\s?[kKMG]bps\b)", r"\1 slash "),
    rule(rf"{_START}([0-9]{{3}}V)/(?=[0-9]{{3}}V\b)", r"\1 or "),
    rule(r"(?<![\w.,/])([0-9]{2,3})/(?=[0-9]{2,3}\s?mm ?Hg\b)", r"\1 over "),
    rule(r"(?<![\w.,/])([0-9]{2,3})/(?=[0-9]{2,3}\s?(?:Hz|V)\b)", r"\1 or "),
    rule(
        rf"{_START}({_NUMBER}\s?[a-zA-Zµ]{{1,3}})/(?=[0-9.]{{1,5}}\s?(?:m[Ll]|L|hr?s?|min)\b)",
        r"\1 per ",
    ),
    rule(
        rf"{_START}([0-9]{{1,3}})\s?[x×]\s?(?={_NUMBER}\s?(?:m?[gL]|kg|ml|lb|oz|[MGT]B)\b)",
        r"\1 times ",  # packs
    ),
    # In American and metric units.
    rule(
        rf"{_START}({_NUMBER}\s?(?:lbs?|oz|mi|ft|in|gal|°?[FC]))\s?/\s?"
        rf"(?=-?{_NUMBER}\s?(?:k?g|k?m|cm|m?L|°?[FC])\b)",
        r"\1 or ",
    ),
    rule(
        rf"{_START}({_NUMBER}\s?(?:kg|km|cm|mL|m|L))\s?/\s?"
        rf"(?={_NUMBER}\s?(?:lbs?|oz|mi|ft|in|gal)\b)",
        r"\1 or ",
    ),
    rule(r"(?<=[0-9]V)\s?/\s?(?=[0-9.]{1,4}\s?m?A\b)", ", "),
    rule(r"(?<![\w.,:])([1-9][0-9]?)p\b", r"\1 pence"),
    rule(r"(?<=[0-9])\s?(?:kt|KT|k|K)\b(?= (?:gold|yellow|white|rose)\b)", " karat"),
    # The sides of what is measured: "8.5 x 11 in", "10' x 12'", "3x4x5 cm".
    rule(
        rf"(?:(?<=[0-9'\"][x×])|{_START})({_AMOUNT}{_SIDE}?)\s?[x×]\s?"
        rf"(?={_AMOUNT}{_SIDE}?(?:\s?[x×]\s?{_AMOUNT})?{_SIDE})",
        r"\1 by ",
    ),
    rule(
        rf"{_START}([1-9])'\s?(1[01]|[0-9])([{VULGAR}]?)(?:\"|''|(?![\w'/:-]|[.,][0-9]))",
        lambda m: f"{number(m[1])} foot {quantity(m[2] + m[3])}",
    ),
    rule(
        rf"{_START}(-?{_NUMBER}{_DEGREE}(?:\s?[CF]\b)?)\s?[-–—]\s?(?=-?[0-9]{{1,3}}\s?[°º˚])",
        r"\1 to ",
    ),
    rule(
        rf"{_RANGE}{_DEGREE}(?:\s?(?P<sign>[CFKNSEW](?![\w'])))?",
        _degrees,
    ),
    rule(
        rf"{_MINUS}(?P<low>[0-9]{{1,3}}(?:\.[0-9])?)(?:(?P<dash>\s?[-–]\s?)(?P<below>-)?"
        r"(?P<high>[0-9]{2,3}))?\s?(?P<sign>[CF])(?![\w'#+]|\.\w)",
        _letter_degrees,
    ),
    rule(
        rf"{_RANGE}{_SCALE}(?P<plus>\+(?=[ A-Za-z]))?(?P<gap>[ -]?)(?P<unit>ft-lbs?|mm Hg|{_WORD})"
        r"(?P<per>(?:\.?/[A-Za-zµ]{1,12}(?:[²³]|\^[23])?(?!\w)){0,2})"
        r"(?:\.(?=,|;| [a-z0-9(]))?(?![\w'²³^]|\.\w|(?<= [A-Z])-\d)",  # not "2023 W-2"
        _measure,
    ),
    rule(rf"{_RANGE}(?:\"|'')(?![\w\"])", _inches),
    rule(
        r"(\bper |\beach |(?<=[a-z]{2})/|(?<=[0-9s]) an? )"
        r"((?:sq|fl)\.? (?:ft|oz)|lb|oz|gal|kg|mo|yr|hr|wk|min|kWh|GB|TB|mi|ft|km)\b(\.?)(?![\w])",
        _one,
    ),
    rule(rf"{_START}(?P<low>{_NUMBER})'(?![\w'])", _feet),
    # Weights in trade: "5# of flour", "a 10# bag"; elsewhere it is a key of the phone.
    rule(rf"{_START}({_NUMBER}) ?#(?= of (?!your|my|the|each)[a-z])", r"\1 pounds"),
    rule(rf"{_START}({_NUMBER})#(?= (?:bag|sack|box|case|test|dumbbell)(?:e?s)?\b)", r"\1 pound"),
)
