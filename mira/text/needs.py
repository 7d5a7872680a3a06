"""A pattern in, sets of characters out: a text that has none of one of them has no match.

To look for a pattern takes some microseconds, to know that it is in vain a tenth of one; most
are, in most texts. Knows nothing about what the patterns are for.
"""

import re
from collections.abc import Iterable
from functools import lru_cache, reduce
from operator import or_
from re import _parser as parser  # type: ignore[attr-defined]  # no public one reads patterns
from typing import Any

_OTHER = 1 << 128
"""All the characters that are not ASCII."""
_ALL = (_OTHER << 1) - 1
_MOST = 3
"""How many sets are worth a look, the smallest first."""


def characters(text: Iterable[str]) -> int:
    """Return the set of a text's characters, a bit for each."""
    return reduce(or_, map(_bit, set(text)), 0)


@lru_cache(maxsize=4096)
def _bit(char: str) -> int:
    return 1 << ord(char) if char < "\x80" else _OTHER


_ASCII = [*map(chr, range(128))]
_LETTERS = characters(filter(str.isalpha, _ASCII))
_DIGITS = characters(filter(str.isdigit, _ASCII))
_CATEGORIES = {
    "CATEGORY_DIGIT": _DIGITS | _OTHER,
    "CATEGORY_SPACE": characters(filter(str.isspace, _ASCII)) | _OTHER,
    "CATEGORY_WORD": _LETTERS | _DIGITS | _bit("_") | _OTHER,
}


def needs(pattern: str, flags: int = 0) -> tuple[int, ...]:
    """Find sets, as `characters` has them, of which every match has one character each.

    What a match has around it, by a look-behind or a look-ahead, counts too.
    """
    tree = parser.parse(pattern, flags)
    return tuple(_smallest(_sequence(tree, tree.state.flags)))


def _smallest(sets: Iterable[int]) -> list[int]:
    found: list[int] = []
    for one in sorted(set(sets), key=int.bit_count):
        if one.bit_count() < _LETTERS.bit_count() and not any(a & one == a for a in found):
            found.append(one)
    return found[:_MOST]


def _sequence(items: Any, flags: int) -> list[int]:
    """Find the sets that all the parts of a pattern need, one after another."""
    return [one for op, argument in items for one in _part(str(op), argument, flags)]


def _part(op: str, argument: Any, flags: int) -> list[int]:
    if op in ("LITERAL", "NOT_LITERAL", "RANGE", "IN", "CATEGORY"):
        return [_one_of(op, argument, flags)]
    if op == "SUBPATTERN":
        _, added, dropped, inside = argument
        return _sequence(inside, (flags | added) & ~dropped)
    if op == "BRANCH":
        return _any_of([_sequence(branch, flags) for branch in argument[1]])
    if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _sequence(argument[2], flags) if argument[0] else []
    if op == "ASSERT":
        return _sequence(argument[1], flags)
    if op == "ATOMIC_GROUP":
        return _sequence(argument, flags)
    return []


def _any_of(branches: list[list[int]]) -> list[int]:
    """Find what a text needs for one of some patterns: for each set of the first, the nearest."""
    first, *others = branches
    found = []
    for one in first:
        for other in others:
            one |= min(other, key=lambda a: (a | one).bit_count(), default=_ALL)
        found.append(one)
    return found


def _one_of(op: str, argument: Any, flags: int) -> int:
    """Return the set of what one character may be."""
    if op == "IN":
        kinds = [(str(kind), inside) for kind, inside in argument]
        return reduce(or_, (_one_of(kind, inside, flags) for kind, inside in kinds))
    if op == "CATEGORY":
        return _CATEGORIES.get(str(argument), _ALL)
    if op == "LITERAL":
        argument = argument, argument
    elif op != "RANGE":
        return _ALL
    first, last = argument
    found = characters(map(chr, range(first, min(last, 127) + 1))) | (_OTHER if last > 127 else 0)
    if flags & re.IGNORECASE and found & (_LETTERS | _OTHER):
        # The sign for kelvins is a "k" too.
        found |= _OTHER | (_LETTERS if last > 127 else _swapped(first, last))
    return found


def _swapped(first: int, last: int) -> int:
    return characters(chr(code).swapcase() for code in range(first, last + 1))
