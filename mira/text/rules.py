"""Patterns and their readings in, a text with every match read out.

Knows nothing about what is read.
"""

import re
from collections.abc import Callable, Sequence

Reading = str | Callable[[re.Match[str]], str]
"""A replacement; a callable may return the match itself to leave it as it is."""

Rules = Sequence[tuple[re.Pattern[str], Reading]]

# Digits with thousands commas and decimals: "1,234,567.89", "1234", "3.14", ".5".
NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])|[0-9]{1,400})(?:\.[0-9]{1,400})?"
NOT_IN_WORD = r"(?<![\w.,])"


def rule(pattern: str, reading: Reading, flags: int = 0) -> tuple[re.Pattern[str], Reading]:
    """Compile one rule."""
    return re.compile(pattern, flags), reading


def apply(rules: Rules, text: str) -> str:
    """Read every match of every rule, in order."""
    for pattern, reading in rules:
        text = pattern.sub(reading, text)
    return text


def one_of(words: Sequence[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")"
