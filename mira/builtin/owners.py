"""Words in, and the tokens that a front end made of them; which word each character is of, out.

The front end cuts words, joins them, leaves some out and writes others in another way ("Dr." as
"Doctor"). Characters that are the same before and after tell which is which, and what is between
two of them comes from what was between these two. Knows nothing about sounds.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise, takewhile

import numpy as np
import numpy.typing as npt

Owners = npt.NDArray[np.intp]

MAX_CELLS = 1_000_000
"""Of the table that finds equal characters: about 5 ms. A sentence has 220 characters."""


def owners(words: Sequence[str], tokens: Sequence[str]) -> tuple[list[list[int]], set[int]]:
    """Find out which word each token is of. Neither words nor tokens are in another order.

    Returns:
        For each token the number of a word for each of its characters, in order; there are none
        where there are no words. And the words whose part could only be guessed, by the number of
        their characters.
    """
    before, after = [*map(_bare, words)], [*map(_bare, tokens)]
    of = np.repeat(np.arange(len(words)), [*map(len, before)])
    if not len(of):
        return [[] for _ in tokens], set()
    source, target = "".join(before), "".join(after)
    ends = [*accumulate(map(len, after))]
    if source == target:
        guessed: set[int] = set()
    else:
        of, counts, guessed = _traced(of, _equal(source, target), len(target))
        for start, end in pairwise([0, *ends]):
            if end > start:  # a stray letter makes no word
                votes = of[start:end][counts[start:end]]
                of[start:end] = np.bincount(votes).argmax() if len(votes) else of[start]
    shares = [of[start:end].tolist() for start, end in pairwise([0, *ends])]
    for share in shares:
        if len({*share}) > 1:
            guessed |= {*share}
    return shares, guessed


def _bare(text: str) -> str:
    return "".join(text.split()).casefold().replace("’", "'")


def _traced(
    of: Owners, equal: Sequence[tuple[int, int]], length: int
) -> tuple[Owners, npt.NDArray[np.bool_], set[int]]:
    """Follow characters through a change.

    Returns:
        Whose each of `length` characters is; whether it comes from characters of theirs, and was
        not put in beside them; and the words between which it had to be guessed.
    """
    traced, counts = np.zeros(length, np.intp), np.ones(length, np.bool_)
    guessed: set[int] = set()
    edges = [(-1, -1), *equal, (len(of), length)]
    for (source, target), (next_source, next_target) in pairwise(edges):
        between, wanted = of[source + 1 : next_source], next_target - target - 1
        if wanted and not len(between):
            between = of[max(source, 0)][None]
            counts[target + 1 : next_target] = False
        elif wanted and between[0] != between[-1]:
            guessed |= {*between.tolist()}
        places = np.arange(wanted) * len(between) // max(wanted, 1)
        traced[target + 1 : next_target] = between[places]
        if next_target < length:
            traced[next_target] = of[next_source]
    return traced, counts, guessed


def _equal(source: str, target: str) -> list[tuple[int, int]]:
    """Return the places of the longest common subsequence in both; none if that takes too long."""
    start = _num_equal(source, target)
    end = _num_equal(source[start:][::-1], target[start:][::-1])
    middle, other = source[start : len(source) - end], target[start : len(target) - end]
    pairs = _common(middle, other) if len(middle) * len(other) <= MAX_CELLS else iter(())
    return [
        *((at, at) for at in range(start)),
        *((start + one, start + two) for one, two in pairs),
        *((len(source) - at, len(target) - at) for at in range(end, 0, -1)),
    ]


def _num_equal(source: str, target: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(source, target)))


def _common(source: str, target: str) -> Iterator[tuple[int, int]]:
    letters = np.array([*target])
    lengths = np.zeros((len(source) + 1, len(target) + 1), np.int32)
    for at, letter in enumerate(source):
        longer = np.maximum(lengths[at, 1:], lengths[at, :-1] + (letters == letter))
        np.maximum.accumulate(longer, out=lengths[at + 1, 1:])
    pairs = []
    one, two = len(source), len(target)
    while one and two:
        if source[one - 1] == target[two - 1]:
            one, two = one - 1, two - 1
            pairs.append((one, two))
        elif lengths[one - 1, two] >= lengths[one, two - 1]:
            one -= 1
        else:
            two -= 1
    return reversed(pairs)
