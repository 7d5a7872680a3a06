"""Telephone numbers of several countries, known by their shape, in, the words to say out.

Knows nothing about numbers that are known by the words around them.
"""

import re

from mira.text.english.context import is_counted
from mira.text.english.numbers import digits
from mira.text.traced import rule

# Not inside another number, nor after a group of its digits.
_BEGIN = r"(?<![\w.,$€£/-])(?<![0-9][ ])(?<![0-9][A-Z][ ])"
_EXTENSION = r"(?:,?\s?(?:x|ext\.?|extension)\s?([0-9]{1,6}))?"
_END = r"(?![\w-]|[.,]\d)"
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}([ .-])(?:0?[1-9]|1[0-2])\1[0-9]{1,2}|(?:[0-9]{1,2}[.-]){2}[0-9]{4}"
)


def _groups(text: str) -> str:
    return ", ".join(map(digits, re.findall("[0-9]+", text)))


def _phone(match: re.Match[str]) -> str:
    text = match[0]
    if _DATE.fullmatch(text) or is_counted(match.string, match.end()):
        return text
    return ("plus " if text[0] == "+" else "") + _groups(text)


def _american(match: re.Match[str]) -> str:
    """Read an area code, an office and a line, the country before and an extension after it."""
    country, area, rest, extension = match.groups()
    said = "plus " if country and country[0] == "+" else ""
    said += _groups(country) + ", " if country else ""
    said += ("eight hundred" if area == "800" else digits(area)) + ", " + _lettered(rest)
    return f"{said}, extension {digits(extension)}" if extension else said


def _lettered(text: str) -> str:
    """Name the digits; say the words of a number that is dialled by its letters."""
    said = []
    for part in re.findall("[0-9]+|[A-Za-z]+", text):
        if part[0].isdigit():
            said.append(digits(part))
        else:
            is_word = re.search("[AEIOUY]", part.upper()) and len(part) > 1
            said.append(part.lower() if is_word else " ".join(part.upper()))
    return ", ".join(said) if text[0].isdigit() else " ".join(said)


def _local(match: re.Match[str]) -> str:
    text, extension = match[1], match[2]
    if is_counted(match.string, match.end()):
        return match[0]
    return _groups(text) + (f", extension {digits(extension)}" if extension else "")


def _inside(match: re.Match[str]) -> str:
    return f"{match[1]} extension {digits(match[2])}"


def _key(match: re.Match[str]) -> str:
    return f"{match[1]}{'star' if match[2] == '*' else 'pound'} {digits(match[3])}".rstrip()


HAS_KEYS = re.compile("[*#]")
# Keys of a telephone: "dial *67", "press #".
KEYS = (
    rule(r"\b((?i:dial|press|enter|hit|pressing|dialing) (?:the )?)([*#])([0-9]{2}|)(?!\w)", _key),
)
RULES = (
    rule(
        _BEGIN
        + r"(\+1[ .-]?|1(?:[ .-]|(?=\()))?\(?([0-9]{3})(?:\) ?|[ .-])([0-9]{3}[ .-]?[0-9]{4})"
        + _EXTENSION
        + _END,
        _american,
    ),
    rule(
        _BEGIN + r"(\+1[ .-]?|1(?:[ .-]|(?=\()))?\(?(8[0-9]{2}|900)(?:\) ?|[ .-])"
        r"((?:[0-9]{1,4}[ .-]?)?[A-Z]{2,10}(?:[ .-]?[A-Z]{2,10})?(?:-?[0-9]{1,4})?)()(?![\w-])",
        _american,
    ),
    rule(r"(?<![\w.])\+[0-9](?:[ ()./-]{0,3}[0-9]){7,17}(?!\w)", _phone),
    # With the zero that other countries dial first: 020 7946 0958, 06.12.34.56.78, (02) 9876 5432.
    rule(
        _BEGIN + r"(?:\(0[0-9]{1,5}\)|0[0-9]{1,5})(?:[ ./-]{1,3}[0-9]{2,8}){1,5}(?![\w-]|[.,/]\d)",
        lambda m: _phone(m) if sum(map(str.isdigit, m[0])) > 8 else m[0],
    ),
    rule(_BEGIN + r"1[38]00[ -][0-9]{3}[ -][0-9]{3}(?![\w-])", _phone),
    rule(_BEGIN + r"13 [0-9]{2} [0-9]{2}(?![\w-])", _phone),
    rule(_BEGIN + r"[6-9][0-9]{4}[ -][0-9]{5}(?![\w-]|[.,]\d)", _phone),
    rule(_BEGIN + r"([0-9]{3}[.-][0-9]{4})" + _EXTENSION + _END, _local),
    rule(r"\b(or|at|to|on|[Dd]ial|[Cc]all|[Tt]ry) x([0-9]{3,5})(?![\w-]|\.\d)", _inside),
    rule(r"(?<![\w.-])1-800(?![\w-]|[ .-]?[0-9])", "one eight hundred"),
)
