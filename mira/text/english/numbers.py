"""Numbers written in digits in, American English words out.

Takes ASCII digits only. Knows nothing about the text around a number.
"""

import unicodedata
from functools import lru_cache

from num2words import num2words

DIGITS = "0123456789"
"""Those that can be read here: `isdigit` is true of others too, and `int` not able to read all."""

VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
"""Fractions that are one character."""

_LONGEST = 15  # digits; beyond it nobody says "quadrillion", so the digits are named
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DENOMINATORS = {2: "half", 4: "quarter"}


@lru_cache(maxsize=4096)  # num2words takes 20 to 85 µs, and the same small numbers come again
def cardinal(number: int) -> str:
    """Write a whole number in words: 1234 is "one thousand two hundred thirty-four"."""
    if abs(number) >= 10**_LONGEST:
        return ("minus " if number < 0 else "") + digits(str(abs(number)))
    words: str = num2words(number)
    return words.replace(" and ", " ").replace(",", "")


@lru_cache(maxsize=1024)
def ordinal(number: int) -> str:
    """Write a rank in words: 22 is "twenty-second"."""
    if number >= 10**_LONGEST:
        return digits(str(number)) + "th"
    words: str = num2words(number, to="ordinal")
    return words.replace(" and ", " ").replace(",", "")


def digits(text: str) -> str:
    """Name every digit; other characters are skipped."""
    return " ".join(_DIGITS[int(char)] for char in text if char in DIGITS)


def short(text: str) -> str:
    """Read a number that names something: 12 is "twelve", 123 "one two three"."""
    return cardinal(int(text)) if len(text) < 3 and text[0] != "0" else digits(text)


def name(text: str) -> str:
    """Read a number that names a place in pairs: 204 is "two oh four", 1600 "sixteen hundred".

    From five digits on, and with a zero at its start, digit by digit.
    """
    head, tail = text[:-2], text[-2:]
    if not head or head[0] == "0" or len(text) > 4:
        return short(text)
    if tail == "00":
        return cardinal(int(text)) if head.endswith("0") else f"{cardinal(int(head))} hundred"
    return f"{cardinal(int(head))} {after_hundreds(int(tail))}"


def after_hundreds(number: int) -> str:
    """Say the second of two pairs: the 5 of 1905 is "oh five", the 30 of 7:30 "thirty"."""
    return f"oh {cardinal(number)}" if number < 10 else cardinal(number)


@lru_cache(maxsize=4096)
def number(text: str) -> str:
    """Write in words what has thousands commas and a decimal point: "1,234.5", ".5", "007"."""
    whole, point, rest = text.replace(",", "").partition(".")
    if len(whole) > _LONGEST or (len(whole) > 1 and whole[0] == "0"):
        words = digits(whole)
    else:
        words = cardinal(int(whole)) if whole else ""
    return f"{words} point {digits(rest)}".strip() if point and rest else words


def standard(text: str, dots: bool = False) -> str:
    """Bring a number to the form "1299.99", however its thousands and decimals are marked.

    Args:
        text: Digits with commas, full stops, apostrophes or spaces: "1,299.99", "1.299,99",
            "1'299", "12,50", "1,50,000".
        dots: A full stop before three digits marks thousands.
    """
    text = text.replace("'", "").replace(" ", "")
    at = max(text.rfind(","), text.rfind("."))
    if at < 0:
        return text
    whole, mark, rest = text[:at], text[at], text[at + 1 :]
    other = "." if mark == "," else ","
    thousands = mark in whole or (
        len(rest) == 3 and other not in whole and whole != "0" and (mark == "," or dots)
    )
    whole = whole.replace(mark, "").replace(other, "")
    return whole + rest if thousands else f"{whole}.{rest}"


@lru_cache(maxsize=1024)
def quantity(text: str) -> str:
    """Write in words what is measured: "1,234.5", "1,5", "3/4", "1 1/2", "2½", "½"."""
    if text[-1] in VULGAR:
        above, _, below = unicodedata.normalize("NFKC", text[-1]).partition("⁄")
        whole = text[:-1].strip()
    elif "/" in text:
        whole, _, parts = text.replace("-", " ").rpartition(" ")
        above, _, below = parts.partition("/")
    else:
        return number(standard(text) if "," in text else text)
    part = int(above), int(below or 1)
    return mixed(int(whole), *part) if whole else fraction(*part)


def year(number: int) -> str:
    """Say a year: 1999 is "nineteen ninety-nine", 2005 "two thousand five"."""
    high, low = divmod(number, 100)
    if number < 1000 or number > 9999 or (high % 10 == 0 and low < 10):
        return cardinal(number)
    if low == 0:
        return cardinal(high) + " hundred"
    return f"{cardinal(high)} {after_hundreds(low)}"


def decade(number: int) -> str:
    """Say a decade: 1990 is "nineteen nineties", 90 is "nineties", 1800 is "eighteen hundreds"."""
    return plural(year(number))


def plural(words: str) -> str:
    """Say several of a number: "fifties", "sixes", "one hundreds"."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")


def fraction(above: int, below: int) -> str:
    """Say a fraction: 3/4 is "three quarters", 1/2 "one half", 2/3 "two thirds"."""
    if below == 0 or below > 100:
        return f"{cardinal(above)} over {cardinal(below)}"
    part = _DENOMINATORS.get(below) or ordinal(below)
    if above == 1:
        return f"one {part}"
    return f"{cardinal(above)} {'halves' if below == 2 else part + 's'}"


def mixed(whole: int, above: int, below: int) -> str:
    """Say a whole number and a fraction: 1 1/2 is "one and a half"."""
    part = fraction(above, below)
    article = "an" if below == 8 else "a"
    return f"{cardinal(whole)} and {part.replace('one ', article + ' ', 1) if above == 1 else part}"
