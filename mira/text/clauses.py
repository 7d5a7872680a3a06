"""A stretch of text inside one sentence in, the best place to breathe out.

Knows nothing about where sentences end. All indices are into the stretch.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from mira.text.abbreviations import COORDINATORS, PREPOSITIONS, SUBJECTS, SUBORDINATORS
from mira.text.weight import CJK

_CLAUSE_WIDE = "，、；：。！？"
_CLAUSE = ",;:—–،؛-"
_TOKEN = re.compile(rf"[{CJK}][{_CLAUSE_WIDE}」』）]*|[^\s{CJK}]+")
_IS_CJK = re.compile(rf"[{CJK}]")
_CLOSERS = "\"'”’»)]*_"

_FIRST_MIN_WORDS = 4
_WORDS_PER_CJK = 0.7  # 250 ms against 360 ms


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int
    words: float  # how many words the stretch has up to and with this token


_Finder = Callable[[str, list[_Token], int, int], int | None]


def first_cut(text: str, ended: bool, max_words: int) -> int | None:
    """Where to end the first piece early, or None to leave the sentence whole (or to wait).

    The answer for a text is the answer for every longer one, because each step below looks
    only at words that are complete, and only as far as the number of words it waited for.

    Args:
        text: The sentence so far; no sentence ends inside it.
        ended: The sentence ends with the text.
        max_words: The longest first piece.
    """
    tokens = _tokens(text)
    if not tokens:
        return None
    begun = tokens[-1].words
    late = max_words + 4
    # (more words than this must have begun, how to find a cut, after how many words, at most)
    steps: tuple[tuple[int, _Finder, int, int], ...] = (
        (max_words, _after_punctuation, _FIRST_MIN_WORDS, max_words),
        (max_words + 2, _before_clause, _FIRST_MIN_WORDS, max_words),
        (late + 2, _after_punctuation, max_words, late),
        (late + 2, _before_clause, max_words, late),
        (late + 2, _least_bad, _FIRST_MIN_WORDS, max_words),
    )
    for needed, find, low, high in steps:
        clauses_may_decide = ended and needed <= max_words + 2 and begun > max_words
        if begun <= needed and not clauses_may_decide:
            return None
        cut = find(text, tokens, low, high)
        if cut is not None:
            return cut
    return None


def length_cut(text: str) -> int:
    """Where to cut a sentence that is too long.

    Args:
        text: All that fits, and one character more.

    Returns:
        An index in [1, len(text) - 1].
    """
    room = len(text) - 1
    for pattern in _BY_LENGTH:
        cuts = [m.end() for m in pattern.finditer(text, room // 3) if m.end() <= room]
        whole = [cut for cut in cuts if _is_whole(text[:cut])]
        if whole or cuts:
            return (whole or cuts)[-1]
    space = max(text.rfind(" ", 1), text.rfind("\n", 1))
    if space > 0:
        return space
    while room > 1 and _sticks(text[room]) and len(text) - room < 16:
        room -= 1
    return room


_WORDS_OF_CLAUSE = "|".join(sorted(SUBORDINATORS | COORDINATORS))
_BY_LENGTH = (
    re.compile(rf"[;:—–؛][{re.escape(_CLOSERS)}]{{0,4}}(?=\s)|[；：]"),
    re.compile(rf"[,،][{re.escape(_CLOSERS)}]{{0,4}}(?=\s(?!\d))|[，、]"),
    re.compile(rf"(?=\s(?:{_WORDS_OF_CLAUSE})\s)", re.IGNORECASE),
)


def _tokens(text: str) -> list[_Token]:
    tokens, words = [], 0.0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if _IS_CJK.match(token):
            words += _WORDS_PER_CJK
        elif any(map(str.isalnum, token)):
            words += 1
        tokens.append(_Token(token, match.start(), match.end(), words))
    return tokens


def _after_punctuation(text: str, tokens: list[_Token], low: int, high: int) -> int | None:
    for token, after in pairwise(tokens):
        if not low <= token.words <= high:
            continue
        bare = token.word.rstrip(_CLOSERS)
        wide = bare[-1:] in _CLAUSE_WIDE and bare
        apart = after.start > token.end and bare[-1:] in _CLAUSE and bare
        # Not inside "March 5, 2024" or "Room 4, 5 and 6".
        if (wide or (apart and not after.word[0].isdigit())) and _is_whole(text[: token.end]):
            return token.end
    return None


def _before_clause(text: str, tokens: list[_Token], low: int, high: int) -> int | None:
    for token, word, after in zip(tokens, tokens[1:], tokens[2:]):
        if not low <= token.words <= high or word.start == token.end:
            continue
        begins = _plain(word) in SUBORDINATORS or (
            _plain(word) in COORDINATORS and _plain(after) in SUBJECTS
        )
        if begins and _is_whole(text[: token.end]):
            return token.end
    return None


def _least_bad(text: str, tokens: list[_Token], low: int, high: int) -> int | None:
    """Before the last preposition that fits, or else wherever the words run out."""
    spaced = [
        (token, word)
        for token, word in pairwise(tokens)
        if low <= token.words <= high and word.start > token.end and _is_whole(text[: token.end])
    ]
    before = [token.end for token, word in spaced if _plain(word) in PREPOSITIONS]
    if before:
        return before[-1]
    return spaced[-1][0].end if spaced else None


def _plain(token: _Token) -> str:
    return token.word.lower().replace("’", "'").strip("\"'“”‘*_,;:")


def _is_whole(text: str) -> bool:
    """Whether no Markdown is open at the end of the text: it could not be read in halves."""
    return (
        text.count("[") == text.count("]")
        and text.count("](") <= text.count(")")
        and text.count("`") % 2 == 0
        and text.count("**") % 2 == 0
    )


def _sticks(char: str) -> bool:
    return char == "\u200d" or unicodedata.category(char).startswith("M")
