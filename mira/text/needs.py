"""A pattern in, sets of what a text needs to have one of out: if it has none, there is no match.

To look for a pattern takes some microseconds, to know that it is in vain a tenth of one; most
are, in most texts. What a text has is its characters, and the kinds of two that stand together.
Knows nothing about what the patterns are for.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import pairwise
from operator import or_
from re import _parser as parser  # type: ignore[attr-defined]  # no public one reads patterns
from typing import Any

# Bits of characters: one for each of ASCII and one for all others.
_ASCII = [*map(chr, range(128))]
_OTHER = 1 << 128
_ALL = (_OTHER << 1) - 1


class _Kinds(dict[int, str]):
    """The kind of a character: one that stands for all of them, by its code.

    All digits are a "0", capitals an "A", small letters an "a"; what isn't ASCII is a DEL.
    """

    def __missing__(self, code: int) -> str:
        return "\x7f"


def _kind(char: str) -> str:
    if char.isalnum():
        return "0" if char.isdigit() else "A" if char.isupper() else "a"
    return char if char.isprintable() else " " if char.isspace() else "\x7f"


_KIND = _Kinds({ord(char): _kind(char) for char in _ASCII})
_KINDS = sorted({*_KIND.values()})
_NUMBERS = {kind: at for at, kind in enumerate(_KINDS)}
_PAIRS_AT = 130
_ALWAYS = 1 << 129  # every text has it
ANYTHING = _ALWAYS | _ALL


def had_by(text: str) -> int:
    """Return the set of what a text has, a bit for each."""
    kinds = text.translate(_KIND)
    pairs = map(_pair, {*pairwise(kinds)})
    return reduce(or_, pairs, reduce(or_, map(_bit, {*text}), _ALWAYS))


@lru_cache(maxsize=4096)
def _bit(char: str) -> int:
    return 1 << ord(char) if char < "\x80" else _OTHER


@lru_cache(maxsize=4096)
def _pair(pair: tuple[str, str]) -> int:
    one, other = map(_NUMBERS.__getitem__, pair)
    return 1 << (_PAIRS_AT + one * len(_KINDS) + other)


_LETTERS = reduce(or_, map(_bit, filter(str.isalpha, _ASCII)))
_DIGITS = reduce(or_, map(_bit, filter(str.isdigit, _ASCII)))
_SPACES = reduce(or_, map(_bit, filter(str.isspace, _ASCII)))
_CATEGORIES = {
    "CATEGORY_DIGIT": _DIGITS | _OTHER,
    "CATEGORY_SPACE": _SPACES | _OTHER,
    "CATEGORY_WORD": _LETTERS | _DIGITS | _bit("_") | _OTHER,
}
# How often one meets them in a text, roughly: to ask for what is rare says most.
_OFTEN = {" ": 8, "a": 20, "A": 3, "0": 3}
_TOO_OFTEN = 100
_MOST = 4  # of a branch


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of a pattern matches: characters that may be at its ends, and what it needs."""

    first: int = 0
    last: int = 0
    may_be_empty: bool = True
    needed: tuple[int, ...] = ()


def needs(pattern: str, flags: int = 0) -> tuple[int, int, int]:
    """Find three sets, as `had_by` has them, of which a text with a match has one each.

    What a match has around it, by a look-behind or a look-ahead, counts too. `ANYTHING` if there
    are no three.
    """
    tree = parser.parse(pattern, flags)
    found = _rarest(_sequence(tree, tree.state.flags).needed)
    first, second, third, *_ = [*found, ANYTHING, ANYTHING, ANYTHING]
    return first, second, third


def _rarest(needed: Iterable[int]) -> list[int]:
    found: list[int] = []
    for one in sorted({*needed}, key=_frequency):
        if _frequency(one) < _TOO_OFTEN and not any(a & one == a for a in found):
            found.append(one)
    return found[:_MOST]


@lru_cache(maxsize=4096)
def _frequency(needed: int) -> int:
    often = 0
    for at in range(needed.bit_length()):
        if needed >> at & 1:
            one, other = divmod(max(0, at - _PAIRS_AT), len(_KINDS))
            pair = at >= _PAIRS_AT
            often += _OFTEN.get(_KINDS[one], 1) * _OFTEN.get(_KINDS[other], 1) if pair else 2
    return often


@lru_cache(maxsize=4096)
def _pairs(lasts: int, firsts: int) -> int:
    """Return the set of all pairs of one of each."""
    ones, others = _kinds(lasts), _kinds(firsts)
    return reduce(or_, (_pair((one, other)) for one in ones for other in others), 0)


@lru_cache(maxsize=4096)
def _kinds(chars: int) -> set[str]:
    return {_KIND[code] for code in range(129) if chars >> code & 1}


def _sequence(items: Any, flags: int) -> _Part:
    """Put the parts of a pattern together, one after another."""
    first, last, may_be_empty = 0, 0, True
    needed: list[int] = []
    before = 0  # what may be directly before; nothing is known of it at first
    for op, argument in items:
        part = _part(str(op), argument, flags)
        needed += part.needed
        if before and not part.may_be_empty and (str(op) != "ASSERT" or argument[0] > 0):
            needed.append(_pairs(before, part.first))
        if str(op) == "ASSERT":
            if argument[0] < 0 and not part.may_be_empty:
                before = part.last
            continue
        if may_be_empty:
            first |= part.first
        if part.may_be_empty:
            last, before = last | part.last, before and before | part.last
        else:
            last, before, may_be_empty = part.last, part.last, False
    return _Part(first, last, may_be_empty, tuple(needed))


def _part(op: str, argument: Any, flags: int) -> _Part:
    if op in ("LITERAL", "NOT_LITERAL", "ANY", "RANGE", "IN", "CATEGORY"):
        one = _one_of(op, argument, flags)
        return _Part(one, one, False, (one,))
    if op == "SUBPATTERN":
        _, added, dropped, inside = argument
        return _sequence(inside, (flags | added) & ~dropped)
    if op == "BRANCH":
        return _any_of([_sequence(branch, flags) for branch in argument[1]])
    if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _repeated(argument[0], _sequence(argument[2], flags))
    if op == "ASSERT":
        return _sequence(argument[1], flags)
    if op == "ATOMIC_GROUP":
        return _sequence(argument, flags)
    # A look-around for what is not there, a place, or a group once more.
    return _Part() if op in ("ASSERT_NOT", "AT") else _Part(_ALL, _ALL)


def _repeated(least: int, part: _Part) -> _Part:
    if not least:
        return _Part(part.first, part.last)
    again = () if least == 1 or part.may_be_empty else (_pairs(part.last, part.first),)
    return _Part(part.first, part.last, part.may_be_empty, part.needed + again)


def _any_of(branches: list[_Part]) -> _Part:
    """Join branches: for each set that the first needs, the nearest of each other one's."""
    found = []
    needed, *others = [_rarest(branch.needed) for branch in branches]
    for one in needed:
        for other in others:
            one |= min(other, key=lambda a: (a | one).bit_count(), default=ANYTHING)
        found.append(one)
    return _Part(
        reduce(or_, (branch.first for branch in branches)),
        reduce(or_, (branch.last for branch in branches)),
        any(branch.may_be_empty for branch in branches),
        tuple(found),
    )


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
    chars = [*map(chr, range(first, min(last, 127) + 1))]
    if flags & re.IGNORECASE:
        chars += [char.swapcase() for char in chars]
    found = reduce(or_, map(_bit, chars), _OTHER if last > 127 else 0)
    if flags & re.IGNORECASE and found & (_LETTERS | _OTHER):
        found |= _OTHER | (_LETTERS if last > 127 else 0)  # the sign for kelvins is a "k" too
    return found
