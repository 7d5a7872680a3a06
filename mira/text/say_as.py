"""A text and what its sender says that it is in, the words to say out.

A text that can't be what it is said to be is None: it is read like any other. Knows nothing
about tags.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re
from collections.abc import Callable

from mira.text.english import codes, times
from mira.text.english.dates import full_year
from mira.text.english.lexicon import ADDRESS_MARKS, MONTH_NAMES
from mira.text.english.numbers import DIGITS, fraction, mixed, number, ordinal, year
from mira.text.traced import Rules, Traced

_NUMBER = re.compile(r"([+−-]?)\s?([0-9]{1,3}(?:,[0-9]{3}){1,6}|[0-9]{0,400})(\.[0-9]{1,400})?")
_SIGNS = {"+": "plus ", "": ""}
_RANK = re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:st|nd|rd|th)?", re.IGNORECASE)
_FRACTION = re.compile(r"(?:([0-9]{1,9})\s?[+ ]\s?)?([0-9]{1,9})\s?[/⁄]\s?([0-9]{1,9})")
_INITIALS = re.compile(r"(?:[^\W\d_]\.){2,20}[^\W\d_]?")
_CHARACTERS = re.compile(r"[0-9A-Za-z]+|[^\W_]+|[^\w\s]|_")
_DATE_PART = re.compile(r"[0-9]{1,8}|[^\W\d_]{3,20}")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4])([0-5][0-9])([0-5][0-9])?(?=\s?(?:[ap]\.?m\b|\Z))", re.I)
_DURATION = re.compile(r"([0-9]{1,3})\s?['′]\s?([0-9]{1,2})\s?(?:\"|''|″)")


def say_as(kind: str, form: str, text: str, english: bool = True) -> str | None:
    """Say a text that was sent as something.

    Args:
        kind: What it is, as in SSML: "telephone", "date" …
        form: Order of the parts of a date or a time: "mdy".
        text: Without mark-up.
        english: Words may be written in English; otherwise only digits and letters are set apart.

    Returns:
        What to say, which may have numbers that are read like any; None: `text` itself.
    """
    text, form = " ".join(text.split()), form.strip().lower()
    if kind in ("number", "numeric") and form in _KINDS:
        kind = form
    say = _KINDS.get(kind)
    if say is None or not text:
        return None
    if not english:
        return _apart(text) if say in (_telephone, _characters) else None
    return say(text, form)


def spell(text: str, english: bool = True) -> str | None:
    """Name every letter and digit, with a pause where there is a space or a dash."""
    return say_as("characters", "", text, english)


def _apart(text: str) -> str | None:
    return " ".join(filter(str.isalnum, text)) or None


def _characters(text: str, form: str) -> str | None:
    groups = (_named(group.strip(".,;:!?()[]")) for group in re.split(r"[\s-]+", text))
    return ", ".join(filter(None, groups)) or None


def _named(group: str) -> str:
    if _INITIALS.fullmatch(group):
        group = group.replace(".", "")
    said = []
    for run in _CHARACTERS.findall(group):
        if run[0].isascii() and run[0].isalnum():
            said.append(codes.spell(run))
        elif run[0].isalnum():
            said += run.upper()
        elif run in ADDRESS_MARKS:
            said.append(ADDRESS_MARKS[run])
    return " ".join(said)


def _telephone(text: str, form: str) -> str | None:
    grouped = re.sub(r"\A(\+?1)?([0-9]{3})([0-9]{3})([0-9]{4})\Z", r"\1-\2-\3-\4", text)
    grouped = re.sub(r"\A([0-9]{3})([0-9]{4})\Z", r"\1-\2", grouped.removeprefix("-"))
    said = _by_rules(grouped, codes.NUMBERS)
    if said is not None:
        return said
    return _characters(re.sub(r"[^\w+]+", " ", grouped), form)


def _cardinal(text: str, form: str) -> str | None:
    match = _NUMBER.fullmatch(text)
    if not match or not (match[2] or match[3]):
        return None
    whole = match[2].replace(",", "").lstrip("0")
    if match[2] and not whole:
        whole = "0"
    return _SIGNS.get(match[1], "minus ") + number(whole + (match[3] or ""))


def _ordinal(text: str, form: str) -> str | None:
    match = _RANK.fullmatch(text)
    return ordinal(int(match[1].replace(",", ""))) if match else None


def _fraction(text: str, form: str) -> str | None:
    match = _FRACTION.fullmatch(text)
    if not match:
        return None
    whole, above, below = match[1], int(match[2]), int(match[3])
    return mixed(int(whole), above, below) if whole else fraction(above, below)


def _date(text: str, form: str) -> str | None:
    order = re.sub(r"[^dmy]|(.)(?=\1)", "", form)
    parts = [part for part in _DATE_PART.findall(text) if part.lower() != "the"]
    if len(parts) == 1 and parts[0].isdigit() and len(parts[0]) in (6, 8):
        order = order or "ymd"
        parts = _by_width(parts[0], order)
    if len(parts) == 3 and len(parts[0]) == 4 and parts[0].isdigit():
        order = "ymd"  # whatever is said
    values = dict(zip(order, parts))
    return _said_date(values) if order and len(parts) == len(order) == len(values) else None


def _by_width(text: str, order: str) -> list[str]:
    """Cut a date without marks into its parts."""
    parts, at = [], 0
    for part in order:
        stop = at + (len(text) - 4 if part == "y" else 2)
        parts.append(text[at:stop])
        at = stop
    return parts


def _said_date(values: dict[str, str]) -> str | None:
    said = []
    if "m" in values:
        month = values["m"]
        named = [name for name in MONTH_NAMES if name.lower().startswith(month.lower())]
        if month.isdigit() and 1 <= int(month) <= 12:
            named = [MONTH_NAMES[int(month) - 1]]
        said += named[:1] or [""]
    if "d" in values:
        day = values["d"]
        said.append(ordinal(int(day)) if day.isdigit() and 1 <= int(day) <= 31 else "")
    if "y" in values:
        said.append(_said_year(values["y"]))
    if not all(said):
        return None
    if len(said) == 3:
        return f"{said[0]} {said[1]}, {said[2]}"
    return " ".join(said)


def _said_year(text: str) -> str:
    if not text.isdigit() or len(text) > 4:
        return ""
    return year(full_year(text) if len(text) == 2 else int(text))


def _time(text: str, form: str) -> str | None:
    duration = _DURATION.fullmatch(text)
    if duration:
        parts = zip(duration.groups(), ("minute", "second"))
        return " and ".join(times.counted(int(count), unit) for count, unit in parts)
    if text.isdigit() and len(text) < 3 and int(text) <= 24:
        text += ":00"
    clock = _CLOCK.match(text)
    if clock:
        text = ":".join(filter(None, clock.groups())) + text[clock.end() :]
    return _by_rules(text, times.RULES)


def _currency(text: str, form: str) -> str | None:
    return f"{form.upper()} {text}" if len(form) == 3 and _NUMBER.fullmatch(text) else None


def _beep(text: str, form: str) -> str:
    return "beep"


def _by_rules(text: str, rules: Rules) -> str | None:
    """Read a text by rules; None: some of it was left."""
    said = Traced(text)
    said.apply(rules)
    return None if said.text == text or any(char in DIGITS for char in said.text) else said.text


_KINDS: dict[str, Callable[[str, str], str | None]] = {
    **dict.fromkeys(("telephone", "phone"), _telephone),
    **dict.fromkeys(
        "characters spell-out spell verbatim letters digits digit number-digit".split(), _characters
    ),
    **dict.fromkeys(("cardinal", "number", "numeric"), _cardinal),
    "ordinal": _ordinal,
    "fraction": _fraction,
    "date": _date,
    "time": _time,
    "currency": _currency,
    **dict.fromkeys(("expletive", "bleep"), _beep),
}
