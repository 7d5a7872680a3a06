"""A part of one sentence in, the best place for a pause out.

Knows nothing about where sentences end. All indices are into the part.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import accumulate

from mira.text.english.abbreviations import (
    COORDINATORS,
    DAYS_AND_MONTHS,
    PREPOSITIONS,
    SUBJECTS,
    SUBORDINATORS,
)
from mira.text.weight import CJK

_CLAUSE_WIDE = "，、；：。！？"
_CLAUSE = ",;:—–،؛-"
_TOKEN = re.compile(rf"[{CJK}][{_CLAUSE_WIDE}」』）]*|[^\s{CJK}]+")
_IS_CJK = re.compile(rf"[{CJK}]")
_CAPITALS = re.compile(r"[A-Z]{2}(?![\w'])")
_UNKNOWN = re.compile("[A-Za-z]{1,2}")
_SPACE = re.compile("[ \n]")
_CLOSERS = "\"'”’»)]*_"

_FIRST_MIN_WORDS = 4
_WORDS_PER_CJK = 0.7  # 250 ms against 360 ms


Inside = Callable[[int], bool]
"""Tells whether an index is the middle of what is read as one."""


def first_cut(text: str, ended: bool, max_words: int, is_inside: Inside) -> int | None:
    """Find where to end the first piece early; None: leave the sentence whole, or wait.

    The answer for a text is the answer for every longer one, because each step below looks
    only at words that are complete, and only as far as the number of words it waited for.

    Args:
        text: The sentence so far; no sentence ends inside it.
        ended: The sentence ends with the text.
        max_words: The longest first piece.
        is_inside: Where it must not end.
    """
    tokens = list(_TOKEN.finditer(text))
    if not ended and tokens and _UNKNOWN.fullmatch(tokens[-1][0]):
        tokens.pop()  # it may become "OR" or "Oregon", "Fri" or "From": see `_place`
    words = list(accumulate(map(_words, tokens)))
    begun, few, late = words[-1] if words else 0, _FIRST_MIN_WORDS, max_words + 4
    if begun <= max_words:
        return None
    kinds = [
        _place(*tokens[at : at + 3]) if few <= words[at] <= late else ""
        for at in range(len(tokens) - 1)
    ]
    # (words of which more must have begun, where to cut, after how many words at least and at
    # most, and whether at the last such place)
    steps = (
        (max_words, "mark", few, max_words, False),
        (max_words + 2, "clause", few, max_words, False),
        (late + 2, "mark", max_words, late, False),
        (late + 2, "clause", max_words, late, False),
        (late + 2, "preposition", few, max_words, True),
        (late + 2, "space", few, max_words, True),
    )
    for needed, where, low, high, last in steps:
        clauses_may_decide = ended and needed <= max_words + 2
        if begun <= needed and not clauses_may_decide:
            return None
        cuts = [
            token.end()
            for at, token in enumerate(tokens[:-1])
            if low <= words[at] <= high
            and kinds[at] == where
            and _is_whole(text[: token.end()])
            and not is_inside(token.end())
        ]
        if cuts:
            return cuts[-1 if last else 0]
    return None


def length_cut(text: str, is_inside: Inside) -> int:
    """Find where to cut a sentence that is too long.

    Args:
        text: All that fits, and one character more.
        is_inside: Where it should not be cut.

    Returns:
        An index in [1, len(text) - 1].
    """
    room = len(text) - 1
    for pattern in _BY_LENGTH:
        cuts = [m.end() for m in pattern.finditer(text, room // 3) if m.end() <= room]
        cuts = [cut for cut in cuts if not is_inside(cut)]
        whole = [cut for cut in cuts if _is_whole(text[:cut])]
        if whole or cuts:
            return (whole or cuts)[-1]
    spaces = [space.start() for space in _SPACE.finditer(text, 1)]
    if spaces:
        return next((at for at in reversed(spaces) if not is_inside(at)), spaces[-1])
    while room > 1 and _sticks(text[room]) and len(text) - room < 16:
        room -= 1
    return room


_WORDS_OF_CLAUSE = "|".join(sorted(SUBORDINATORS | COORDINATORS))
_BY_LENGTH = (
    re.compile(rf"[;:—–؛][{re.escape(_CLOSERS)}]{{0,4}}(?=\s)|[；：]"),
    re.compile(rf"[,،][{re.escape(_CLOSERS)}]{{0,4}}(?=\s(?!\d|[A-Z]{{2}}\b))|[，、]"),
    re.compile(rf"(?=\s(?:{_WORDS_OF_CLAUSE})\s)", re.IGNORECASE),
)


def _words(token: re.Match[str]) -> float:
    if _IS_CJK.match(token[0]):
        return _WORDS_PER_CJK
    return any(map(str.isalnum, token[0]))


def _place(token: re.Match[str], word: re.Match[str], after: re.Match[str] | None = None) -> str:
    """Tell what kind of place to breathe is between a token and the next word."""
    mark, apart = token[0].rstrip(_CLOSERS)[-1:], word.start() > token.end()
    if token[0] in ("-", "–") and word[0][:3].lower() in DAYS_AND_MONTHS:
        return ""  # "Mon - Fri"
    # Not inside "March 5, 2024", "Room 4, 5 and 6" or "Portland, OR".
    goes_on = word[0][0].isdigit() or _CAPITALS.match(word[0])
    if mark and (mark in _CLAUSE_WIDE or (apart and mark in _CLAUSE and not goes_on)):
        return "mark"
    plain = _plain(word)
    if not apart:
        return ""
    if after and (plain in SUBORDINATORS or (plain in COORDINATORS and _plain(after) in SUBJECTS)):
        return "clause"
    return "preposition" if plain in PREPOSITIONS else "space"


def _plain(token: re.Match[str]) -> str:
    return token[0].lower().replace("’", "'").strip("\"'“”‘*_,;:")


def _is_whole(text: str) -> bool:
    """Tell whether no Markdown is open at the end of the text: it could not be read in halves."""
    return (
        text.count("[") == text.count("]")
        and text.count("](") <= text.count(")")
        and text.count("`") % 2 == 0
        and text.count("**") % 2 == 0
    )


def _sticks(char: str) -> bool:
    return char == "\u200d" or unicodedata.category(char).startswith("M")
