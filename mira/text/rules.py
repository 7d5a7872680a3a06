"""What a rule is: a pattern, and how its matches are read.

Knows nothing about what is read.
"""

import re
from collections.abc import Callable, Sequence

Reading = str | Callable[[re.Match[str]], str]
"""What to say for a match: a text in which "\\1" is the first group, or what makes one.

A callable may return the match itself to leave it as it is.
"""

Rules = Sequence[tuple[re.Pattern[str], Reading]]

# Digits with thousands commas and decimals: "1,234,567.89", "1234", "3.14", ".5".
NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])|[0-9]{1,400})(?:\.[0-9]{1,400})?"


def rule(pattern: str, reading: Reading, flags: int = 0) -> tuple[re.Pattern[str], Reading]:
    """Compile one rule."""
    return re.compile(pattern, flags), reading


def one_of(words: Sequence[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")"
