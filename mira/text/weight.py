"""A character in, about how long it takes to say out, counted in Latin letters (65 ms each).

Knows nothing about words: digits are weighed as if each were named on its own.
"""

from functools import lru_cache

CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
"""Ranges, for a pattern, of the characters that are words without white space between them."""

LETTERS_PER_WORD = 4
"""How many letters take as long to say as the shortest of words, or a letter that is named."""

# (first, last, weight): a Han character is one syllable of about 250 ms, Hangul slightly less,
# a kana one mora of about 130 ms. A digit is a word: "7" is "seven".
# What mark-up became has no sound.
_RANGES = (
    (0x30, 0x39, 4),
    (0x1100, 0x11FF, 2),
    (0x2E80, 0x2FDF, 4),
    (0x3040, 0x30FF, 2),
    (0x3100, 0x312F, 2),
    (0x31F0, 0x31FF, 2),
    (0x3400, 0x4DBF, 4),
    (0x4E00, 0x9FFF, 4),
    (0xAC00, 0xD7AF, 3),
    (0xE000, 0xF8FF, 0),
    (0xF900, 0xFAFF, 4),
    (0x20000, 0x3FFFF, 4),
)


def max_words(max_chars: int) -> int:
    """Return how many words, however short, take no longer to say than so many Latin letters."""
    return max(1, max_chars // LETTERS_PER_WORD)


@lru_cache(maxsize=4096)
def weight(char: str) -> int:
    """Return how many Latin letters take as long to say as this character."""
    code = ord(char)
    return next((w for first, last, w in _RANGES if first <= code <= last), 1)
