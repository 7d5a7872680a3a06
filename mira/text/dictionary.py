"""Words and how they are said in; a text in which they are said so out.

Knows nothing about files and requests, nor about how anything else in a text is read.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial

from mira.errors import InvalidRequest
from mira.text import sounds
from mira.text.clean import clean
from mira.text.traced import Edit, Traced
from mira.text.weight import CJK

MAX_WORD_CHARS = 64
MAX_SAY_CHARS = 200
MAX_ADDED_CHARS = 2000
"""What respellings may add to one piece of text, which is then read as a whole, before any of it is
heard. Words that would add more stay as they are written."""

_KEYS = ("say", "ipa", "cmu")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN = re.compile(rf"(?! )(?:[A-Za-z0-9]| (?! |\Z)){{1,{MAX_WORD_CHARS}}}")
# What a word begins with: letters and digits, a character that is a word, or a mark.
_RUN = re.compile(rf"[^\W_{CJK}]+|\S")
_CJK = re.compile(f"[{CJK}]")
_SENTENCE_ENDS = frozenset(".!?…")


@dataclass(frozen=True, slots=True)
class Entry:
    """How a word is said."""

    say: str | None = None
    """What is written in its place, "" for nothing; None: it stays as it is."""
    phonemes: str = ""
    """How it sounds, in the canonical IPA of `sounds`, for a voice that reads phonemes."""


class Dictionary:
    """Entries by the word that they are for; it never changes.

    A word is found where it stands as a whole, in the same capitals and small letters; of several
    that begin there, the longest. What an entry wrote, no other one reads. What a person wrote is
    made into one by `of`.
    """

    def __init__(self, entries: Mapping[str, Entry] | None = None) -> None:
        self._layers: tuple[_Layer, ...] = (_Layer(entries),) if entries else ()

    @classmethod
    def of(
        cls,
        written: Mapping[str, object],
        max_entries: int,
        reads_phonemes: bool = True,
        where: str = "",
    ) -> "Dictionary":
        """Make one of what a person wrote.

        Args:
            written: Word -> a respelling, or a table with `say` (a respelling) and at most one of
                `ipa` and `cmu`; see `sounds`.
            max_entries: The most that there may be.
            reads_phonemes: Whether the voice does. One that reads letters needs each `say`.
            where: Name of what was written, for the message and the field of an error.

        Raises:
            InvalidRequest: An entry can't be used; `param` says which.
        """
        if len(written) > max_entries:
            found = f"{len(written)} entries are more than the limit of {max_entries}."
            raise InvalidRequest(f"{where}: {found}" if where else found, where or None)
        entries: dict[str, Entry] = {}
        for word, value in written.items():
            try:
                cleaned, entry = _word(word), _entry(value, reads_phonemes)
                if entries.setdefault(cleaned, entry) != entry:
                    raise InvalidRequest("there is another entry for this word: leave out one.")
            except InvalidRequest as error:
                shown = (word if word.isprintable() else repr(word))[:MAX_WORD_CHARS]
                name = f"{where}.{shown}" if where else shown
                raise InvalidRequest(f"{name}: {error}", name) from error
        return cls(entries)

    def __len__(self) -> int:
        return sum(map(len, self._layers))

    def over(self, other: "Dictionary") -> "Dictionary":
        """Return one with the entries of both; where both have a word, this one's."""
        both = Dictionary()
        both._layers = self._layers + other._layers
        return both

    def apply(self, text: Traced) -> None:
        """Say every word of a clean text that is in here as its entry says.

        What has a sound already stays as it is.
        """
        if not self._layers:
            return
        found = list(self._found(text))
        for start, stop, entry in found:
            if entry.phonemes:
                text.sounds[text.source(start, stop)] = entry.phonemes
        text.edit(_edits(text.text, found))

    def _found(self, text: Traced) -> Iterator[tuple[int, int, Entry]]:
        """Yield which characters of the text are words of this dictionary."""
        written, at, added = text.text, 0, 0
        is_end = cache(partial(_is_end, written))
        for run in _RUN.finditer(written):
            start = run.start()
            layers = [layer for layer in self._layers if run[0] in layer.begins]
            if not layers or start < at or not _is_start(written, start):
                continue
            matches = [layer.longest(written, start, is_end) for layer in layers]
            word = max(matches, key=len)
            if not word or _has_sound(text, start, start + len(word)):
                continue
            entry = layers[matches.index(word)].entries[word]
            more = max(0, len(entry.say or "") - len(word))
            if added + more <= MAX_ADDED_CHARS:
                at, added = start + len(word), added + more
                yield start, at, entry


class _Layer:
    """Words in alphabetical order, each with the longest other one that it begins with.

    All words that a text begins with at some place are in the chain of the last one that is not
    after the text in that order: to find them takes as long for ten as for ten thousand.
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self.begins = {_begin(word) for word in entries}
        self._words = sorted(entries)
        self._shorter: dict[str, str] = {}
        chain: list[str] = []
        for word in self._words:
            while chain and not word.startswith(chain[-1]):
                chain.pop()
            self._shorter[word] = chain[-1] if chain else ""
            chain.append(word)

    def __len__(self) -> int:
        return len(self.entries)

    def longest(self, text: str, start: int, is_end: Callable[[int], bool]) -> str:
        """Return the longest word that the text goes on with at `start`; "" if there is none."""
        at = bisect_right(self._words, text[start : start + MAX_WORD_CHARS])
        word = self._words[at - 1] if at else ""
        while word and not (text.startswith(word, start) and is_end(start + len(word))):
            word = self._shorter[word]
        return word


def _edits(text: str, found: list[tuple[int, int, Entry]]) -> Iterator[Edit]:
    for start, stop, entry in found:
        word = text[start:stop]
        said = word if entry.say is None else entry.say
        first = said.partition(" ")[0]
        # Rules see by its capital that a name is one: "Dr. Nguyen".
        if word[0].isupper() and first.islower() and len(first) > 1:
            said = said[0].upper() + said[1:]
        # The full stop of a last word is the sentence's own as well.
        if stop == len(text) and word[-1] in _SENTENCE_ENDS and said[-1:] not in _SENTENCE_ENDS:
            said += word[-1]
        yield said, start, stop


def _begin(word: str) -> str:
    run = _RUN.match(word)
    assert run
    return run[0]


def _is_start(text: str, at: int) -> bool:
    """Tell whether a whole word may begin there."""
    return not _joins(text[max(at - 2, 0) : at][::-1], text[at])


def _is_end(text: str, at: int) -> bool:
    """Tell whether a whole word may end before there."""
    return not _joins(text[at : at + 2], text[at - 1]) or sounds.ENDING.match(text, at) is not None


def _joins(outside: str, edge: str) -> bool:
    """Tell whether what is outside of a word's edge, the nearest first, goes on with the word."""
    if not outside or outside[0] == " " or _is_cjk(edge):
        return False
    if _is_letter(outside[0]):
        return True
    if len(outside) < 2 or not _is_letter(outside[1]):
        return False
    if edge.isdigit():
        return outside[0] in ".,:/-" and outside[1].isdigit()
    return outside[0] == "'" and _is_letter(edge)


def _is_letter(char: str) -> bool:
    """Tell whether it is a letter, an accent or a digit, of those that words are made of."""
    return unicodedata.category(char)[0] in "LMN" and not _is_cjk(char)


def _is_cjk(char: str) -> bool:
    return not char.isascii() and _CJK.match(char) is not None


def _has_sound(text: Traced, start: int, stop: int) -> bool:
    if not text.sounds:
        return False
    source = text.source(start, stop)
    return any(span.start < source.stop and source.start < span.stop for span in text.sounds)


def _word(word: str) -> str:
    """Return a word as it is in a text that is clean."""
    cleaned = _cleaned("the word", word, MAX_WORD_CHARS)
    if not any(map(str.isalnum, cleaned)):
        raise InvalidRequest("the word has no letter and no digit.")
    return cleaned


def _entry(value: object, reads_phonemes: bool) -> Entry:
    if isinstance(value, str):
        return Entry(_cleaned("say", value, MAX_SAY_CHARS))
    if not isinstance(value, Mapping):
        raise InvalidRequest('write how it is said, "…", or a table of say, and ipa or cmu.')
    for key, written in value.items():
        if key not in _KEYS:
            raise InvalidRequest(
                f"there is no {str(key)[:20]!r}: an entry has say, and ipa or cmu. A word with a "
                "dot is written in quotes."
            )
        if not isinstance(written, str):
            raise InvalidRequest(f"{key} is a text in quotes.")
    if {"ipa", "cmu"} <= value.keys():
        raise InvalidRequest("it has ipa and cmu: leave out one.")
    if not value:
        raise InvalidRequest("write how it is said: say, ipa or cmu.")
    say = _cleaned("say", value["say"], MAX_SAY_CHARS) if "say" in value else None
    phonemes = next((_sound(value[key], key) for key in ("ipa", "cmu") if key in value), "")
    if phonemes and say == "":
        raise InvalidRequest("it has phonemes and says nothing: leave out say, or the phonemes.")
    if say is None and not reads_phonemes:
        raise InvalidRequest(
            'this voice reads letters, not phonemes: add how the word would be spelled, say = "…".'
        )
    return Entry(say, phonemes)


def _sound(written: str, alphabet: str) -> str:
    try:
        return sounds.ipa(written) if alphabet == "ipa" else sounds.cmu(written)
    except InvalidRequest as error:
        raise InvalidRequest(f"{alphabet}: {error}") from error


def _cleaned(what: str, written: str, limit: int) -> str:
    """Return it as it would be in a text that is clean."""
    if _PLAIN.fullmatch(written):
        return written
    traced = Traced(written[: limit + 1])
    if control := _CONTROL.search(written):
        raise InvalidRequest(f"{what} has a control character, {control[0]!r}: remove it.")
    clean(traced)
    for length in (len(written), len(traced.text)):
        if length > limit:
            raise InvalidRequest(f"{what} has {length} characters, more than the limit of {limit}.")
    return traced.text
