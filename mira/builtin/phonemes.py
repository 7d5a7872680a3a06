"""A sentence in words in, what the built-in voice's network is to speak out, and whose it is.

Bounds what a text may cost: hibari's front end takes time cubic in the parts of one word. Knows
nothing about sound.

Source: hibari-tts 0.2.1 (Apache-2.0).
"""

import re
import textwrap
import unicodedata
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from hibari.g2p import G2P
from hibari.g2p.normalize import normalize
from hibari.g2p.token import Tok

from mira.builtin.names import Names
from mira.builtin.owners import owners
from mira.builtin.symbols import voiced
from mira.errors import NothingToSay, SynthesisFailed
from mira.types import Sentence

MAX_PHONEMES = 400  # the network's own limit on what it was trained to speak at once
MAX_PARTS = 12
"""Runs of letters or digits, and marks, in what stands between two spaces. "Mother-in-law's" has
seven; a word of 12 takes up to 5 ms, one of 110 took 2.5 s."""
MAX_LETTERS = 24  # in a row: its network for unknown words hears no more of one
MAX_DIGITS = 15  # in a row: it has no names for numbers of 37 digits, and nobody wants those of 16

_CAPITAL = "[A-ZÀ-ÖØ-Þ]"
_SMALL = r"[^\W\d_A-ZÀ-ÖØ-Þ]"
# A part ends where hibari's ends, or before.
_PART = re.compile(rf"{_CAPITAL}+|{_SMALL}+|[0-9]+|.", re.DOTALL)
# No cut tears a word from its capital or from the "'s" after it. At most eight parts.
_LETTERS = rf"{_CAPITAL}*{_SMALL}+|{_CAPITAL}+"
_UNIT = re.compile(rf"(?:{_LETTERS}|[0-9]+|.)(?:['’](?:{_LETTERS})?){{0,2}}", re.DOTALL)
_LONG_WORD = re.compile(
    rf"{_CAPITAL}{_SMALL}{{{MAX_LETTERS},}}|{_SMALL}{{{MAX_LETTERS + 1},}}|"
    rf"{_CAPITAL}{{{MAX_LETTERS + 1},}}"
)
_INNER_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_NUMBER = re.compile(r"[0-9](?:[0-9,.]*[0-9])?")
_WORD = re.compile(r"\S+")
_SPACE_BEFORE_MARK = re.compile(r"\s+(?=[,.;:!?])")  # the front end removes it, so words grow
# All letters, digits and their marks but the Latin ones. A Greek letter alone is a symbol.
_LATIN = (
    "\u00aa\u00b5\u00ba\u00c0-\u02ff\u0300-\u036f\u1d00-\u1dff\u1e00-\u1eff\u2100-\u214f"
    "\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f"
)
_FOREIGN = re.compile(rf"(?![A-Za-z0-9_{_LATIN}])\w")
_LONE_GREEK = re.compile(r"[\u0391-\u03c9](?![^\W\d_])")
# What stands for a word of known sounds while the front end cuts the text: letters that it leaves
# together, and that nobody writes. As the word, a capital or none.
_PLACE, _CAPITAL_PLACE = _PLACES = "þÿþ", "Þÿþ"
_ANY_PLACE = re.compile(f"({_PLACE}|{_CAPITAL_PLACE})")
# Where nothing is between a place and what it would be one word with, as Chinese has no spaces.
_SEAM = re.compile(r"(?<=\w)(?=[þÞ]ÿþ)|(?<=[þÞ]ÿþ)(?=\w)")
# A text that was read already, and the marks in it that the front end knows by another one.
_IN_WORDS = re.compile(r"(?:[^\W\d_]|[ .,;:!?'\"“”()…—–-])*")
_SAME_MARKS = str.maketrans("’‒―", "'-—")
_BARE = re.compile(r"[^\W_](?:.*[^\W_])?[\u0300-\u036f]*", re.DOTALL)  # without marks
_WRAPPER = textwrap.TextWrapper(  # to slices of the text
    MAX_PHONEMES, expand_tabs=False, replace_whitespace=False, break_on_hyphens=False
)
_MARKS = frozenset(';:,.!?—…"“”()')
_SILENT = _MARKS | {*" ˈˌ"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word's place among the ids of a part: [start, stop), from its first sound to its last."""

    index: int  # among the words of the sentence
    start: int
    stop: int
    marked: bool = False
    """Whether a mark follows, so that there may be a pause."""
    guessed: bool = False
    """Whether another word has sounds in common with it, so that they were divided."""


@dataclass(frozen=True, slots=True)
class Part:
    """As much of a sentence as the network can speak at once.

    Words are in order and share no ids. One that nobody can read has no place, and one that goes
    on in the next part, as only a number of many words can, ends for its listeners with this one.
    """

    ids: list[int]
    words: tuple[Spoken, ...]


class Phonemizer:
    """hibari's front end: words to phonemes to the network's numbers. Safe on several threads.

    Args:
        vocabulary: The network's: its number for each phoneme.
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        """Load the dictionaries; takes half a second."""
        self._vocabulary = vocabulary
        self._sounds = frozenset(vocabulary) - _SILENT
        self._front_end = G2P()
        words = self._front_end.lexicon.golds.d
        self._long_words = frozenset(word for word in words if len(word) > MAX_LETTERS)
        # It loads its network for unknown words when it is first asked for. Nothing else in it
        # changes after it was made, so with that done it needs no lock.
        self._names = Names(self._front_end.lexicon, self._front_end.oov)

    def __call__(self, sentence: Sentence) -> list[Part]:
        """Return the numbers of the phonemes, in parts that the network can speak at once.

        Words that have phonemes are spoken so.

        Raises:
            NothingToSay: There are words, but none that can be read.
            SynthesisFailed: The front end broke.
        """
        parts = [*self._parts(sentence, self._read(sentence))]
        if not parts:
            raise NothingToSay(
                "The built-in voice can read nothing in the input: it speaks English, and knows "
                "Latin letters, numbers and symbols only. Write it in those, or set `model` to a "
                "Mira model, which speaks English and Chinese."
            )
        return parts

    def phonemes(self, sentence: Sentence) -> str:
        """Return how a sentence is said, in the voice's symbols.

        Raises:
            SynthesisFailed: The front end broke.
        """
        return "".join(map(_said, self._read(sentence))).strip()

    def _read(self, sentence: Sentence) -> list[Tok]:
        """Return tokens with their phonemes."""
        try:
            text, sounds = _with_places(sentence)
            tokens = self._tokens(_in_words(readable(text, self._long_words)), sounds)
            self._names(tokens)
            said: list[Tok] = self._front_end.phonemize_tokens(tokens)
        except Exception as error:  # a front end of many rules, each with errors of its own
            raise SynthesisFailed(f"The built-in voice can't read this: {error}") from error
        return said

    def _parts(self, sentence: Sentence, tokens: list[Tok]) -> Iterator[Part]:
        phonemes = "".join(map(_said, tokens))
        shares, guessed = owners(
            [_as_read(word.text) for word in sentence.words], [token.text for token in tokens]
        )
        of: list[int] = []
        for token, share in zip(tokens, shares):
            length = len(_said(token))
            of += (share[at * len(share) // length] if share else -1 for at in range(length))
        at, after = 0, -1
        for part in _WRAPPER.wrap(phonemes.strip()):
            at = phonemes.index(part, at)
            if self._sounds & {*part}:
                yield (last := self._part(part, of[at : at + len(part)], guessed, after))
                after = last.words[-1].index if last.words else after
            at += len(part)

    def _part(self, phonemes: str, of: list[int], guessed: Container[int], after: int) -> Part:
        ids, first, last = [0], dict[int, int](), dict[int, int]()
        marked, latest = set[int](), after
        for symbol, word in zip(phonemes, of):
            if symbol not in self._vocabulary:
                continue
            if symbol in _MARKS:
                marked.add(latest)
            elif symbol != " " and word > after:
                first.setdefault(word, len(ids))
                last[word], latest = len(ids), word
            ids.append(self._vocabulary[symbol])
        words = (
            Spoken(word, start, last[word] + 1, word in marked, word in guessed)
            for word, start in first.items()
        )
        return Part([*ids, 0], tuple(words))

    def _tokens(self, text: str, sounds: list[tuple[str, str]]) -> list[Tok]:
        """Cut and tag a text, each of its places being a word of which the sounds are known."""
        pairs: list[tuple[str, str]] = self._front_end.tokenizer(text)
        words: list[tuple[str, str | None, str]] = [(word, None, space) for word, space in pairs]
        if sounds:
            words = list(_filled(pairs, sounds))
        # The tagger sees the words, so that "the", "to" and homographs beside them are right.
        tags = self._front_end.tagger([word for word, _, _ in words]) if words else []
        return [
            Tok(word, tag, space, phonemes=said) for (word, said, space), tag in zip(words, tags)
        ]


def _in_words(text: str) -> str:
    """Have digits and symbols written out. In words the front end would find short forms and
    numerals that they are not: "voted no.", "Gen Z", "ask Jan."."""
    text = text.translate(_SAME_MARKS)
    return " ".join(text.split()) if _IN_WORDS.fullmatch(text) else str(normalize(text))


def _said(token: Tok) -> str:
    return (token.phonemes or "") + (" " if token.whitespace else "")


def _as_read(word: str) -> str:
    """Return those of its characters that the front end is shown."""
    return word if word.isascii() else readable(word)


def _with_places(sentence: Sentence) -> tuple[str, list[tuple[str, str]]]:
    """Put a place for each word that has phonemes; return these words and phonemes as well."""
    if not any(word.phonemes for word in sentence.words):
        return sentence.text, []
    text = sentence.text
    parts: list[str] = []
    sounds: list[tuple[str, str]] = []
    at = copied = 0
    for word in sentence.words:
        at = text.index(word.text, at)
        bare = _BARE.search(text, at, at + len(word.text))
        at += len(word.text)
        if word.phonemes and bare:
            parts.append(text[copied : bare.start()])
            sounds.append((bare[0], voiced(word.phonemes)))
            copied = bare.end()
    parts.append(text[copied:])
    places = (_CAPITAL_PLACE if word[0].isupper() else _PLACE for word, _ in sounds)
    parts = [part.replace("ÿ", "y") for part in parts]  # nobody else writes a place
    return _SEAM.sub(" ", "".join(chain.from_iterable(zip(parts, [*places, ""])))), sounds


def _filled(
    pairs: list[tuple[str, str]], sounds: list[tuple[str, str]]
) -> Iterator[tuple[str, str | None, str]]:
    """Yield tokens, what they sound like and the space after them, with the words in their places.

    A place is a token of its own, whatever mark the front end has left at it.
    """
    known = iter(sounds)
    for token, space in pairs:
        parts = [part for part in _ANY_PLACE.split(token) if part] or [token]
        for part, after in zip(parts, [*[""] * (len(parts) - 1), space]):
            word, said = next(known, (part, None)) if part in _PLACES else (part, None)
            yield word, said, after


def readable(text: str, long_words: Container[str] = ()) -> str:
    """Leave what the front end can read, in words that it reads in time.

    It tries to read Cyrillic letters, badly, and to multiply digits of any script into one number.

    Args:
        text: A sentence.
        long_words: Words of more than MAX_LETTERS that it knows, in small letters.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.replace("İ", "I")).replace("\u2044", "/")
        text = "".join(_ascii_digit(char) for char in text)
        text = _FOREIGN.sub(_foreign, text)
    text = _SPACE_BEFORE_MARK.sub("", _NUMBER.sub(_short_number, text))
    text = _LONG_WORD.sub(lambda run: _slices(run[0], long_words), text)
    return _WORD.sub(_short_words, text)


def _ascii_digit(char: str) -> str:
    digit = unicodedata.digit(char, None)
    return char if digit is None else str(digit)


def _foreign(match: re.Match[str]) -> str:
    text, at = match.string, match.start()
    alone = not (at and text[at - 1].isalpha())
    return match[0] if alone and _LONE_GREEK.match(text, at) else " "


def _short_number(match: re.Match[str]) -> str:
    digits = [char for char in match[0] if char.isdigit()]
    return match[0] if len(digits) <= MAX_DIGITS else " ".join(digits)


def _slices(word: str, known: Container[str]) -> str:
    if word.lower() in known:
        return word
    # Equal ones: a short rest would be spelled, or read as another word.
    count = -(-len(word) // MAX_LETTERS)
    width = -(-len(word) // count)
    return " ".join(word[at : at + width] for at in range(0, len(word), width))


def _short_words(match: re.Match[str]) -> str:
    if _num_parts(match[0]) <= MAX_PARTS:
        return match[0]
    words = []
    for piece in _INNER_HYPHEN.split(match[0]):
        words.append("")
        for unit in _UNIT.findall(piece):
            if _num_parts(words[-1] + unit) > MAX_PARTS:
                words.append("")
            words[-1] += unit
    # A hyphen at the edge of a word would be read as a dash, with a pause; and what begins with a
    # mark would be joined to the word before it again.
    return " ".join(filter(None, (word.rstrip("-").lstrip("-,.;:!?") for word in words)))


def _num_parts(word: str) -> int:
    return len(_PART.findall(word))
