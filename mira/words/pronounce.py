"""A word of a sentence in, the ways in which it may be said out, in the acoustic model's phones.

The dictionary stays in its file, which is sorted: a word is found by halving. Knows nothing about
sound.

Source: CMUdict as it is in the wheel of pocketsphinx 5.1 (BSD-2-Clause).
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice, product
from pathlib import Path

from mira.files import SortedLines
from mira.types import Word
from mira.words.phones import phones

Phones = tuple[str, ...]

MAX_WAYS = 8
"""Most pronunciations of one word: each is searched for."""
MAX_PHONES = 60
"""Longest of them; what has more is no word."""
_KNOWN = 4096  # words remembered, of all streams
_BARE = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)
_PARTS = re.compile(r"[^\W_]+(?:'[^\W_]+)*'?")
_VARIANT = re.compile(rb"\(\d+\)$")
_ENDINGS: dict[str, tuple[Phones, ...]] = {
    "'s": (("S",), ("Z",), ("AH", "Z")),
    "'d": (("D",),),
    "'ll": (("AH", "L"),),
}
_LONGEST_INITIALS = 5


class Pronunciations:
    """Says how words sound. Safe on several threads.

    Args:
        path: Of CMUdict.
        pronounce: Says in canonical IPA how a word sounds that CMUdict hasn't; "" if it can't.

    Raises:
        CheckpointError: The file is missing or empty.
    """

    def __init__(self, path: Path, pronounce: Callable[[str], str] | None = None) -> None:
        self._lines = SortedLines(path, _key, "pocketsphinx")
        self._pronounce = pronounce or (lambda word: "")
        self._text_ways = lru_cache(_KNOWN)(self._read)

    def __call__(self, word: Word) -> tuple[Phones, ...]:
        """Return the ways to say a word, at most MAX_WAYS; none for what nobody can say.

        A voice that goes by the letters may not say a word by its phonemes, so those of its text
        are among them.
        """
        ways = [phones(word.phonemes)] if word.phonemes else []
        ways += self._text_ways(word.text)
        return tuple(dict.fromkeys(way for way in ways if 0 < len(way) <= MAX_PHONES))[:MAX_WAYS]

    def knows(self, word: Word) -> bool:
        """Tell whether the dictionary has a word, or all its parts: most are English then."""
        found = _BARE.search(word.text.replace("’", "'").lower())
        if not found:
            return False
        return any(self._find(found[0])) or all(
            any(self._find(part)) for part in _PARTS.findall(found[0])
        )

    def _read(self, text: str) -> tuple[Phones, ...]:
        """Find a word, or each of its parts, as in "mother-in-law"."""
        found = _BARE.search(text.replace("’", "'"))
        if not found:
            return ()
        bare = found[0]
        ways = [*self._initials(bare), *self._find(bare.lower())]
        if ways:
            return tuple(ways)
        parts = _PARTS.findall(bare)
        if len(parts) < 2:
            return tuple(self._guess(bare))
        said = [[*self._find(part.lower())] or [*self._guess(part)] for part in parts]
        return tuple(sum(way, ()) for way in islice(product(*said), MAX_WAYS))

    def _guess(self, word: str) -> Iterator[Phones]:
        """Yield what is known of the word without its ending, or what others say of it."""
        stem, mark, ending = word.lower().rpartition("'")
        for said in _ENDINGS.get(mark + ending, ()):
            yield from (way + said for way in self._find(stem))
        if said := phones(self._pronounce(word)):
            yield said

    def _initials(self, word: str) -> Iterator[Phones]:
        """Yield how capitals sound one by one: "IT" may be said so."""
        if word.isupper() and 1 < len(word) <= _LONGEST_INITIALS:
            letters = [[*self._find(f"{letter.lower()}.")][:1] for letter in word]
            yield from (sum(way, ()) for way in product(*letters))

    def _find(self, word: str) -> Iterator[Phones]:
        """Yield what the dictionary has for a word in small letters."""
        for line in self._lines.of(word.encode()):
            yield tuple(line.decode().split()[1:])


def _key(line: bytes) -> bytes:
    """Return the word of a line, without the number of a variant: "a(2) EY" is of "a"."""
    word, _, _ = line.partition(b" ")
    return _VARIANT.sub(b"", word)
