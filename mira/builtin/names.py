"""The words of a sentence in, those sounds out that the voice's own front end would get wrong.

That are names, of which its lexicon has few, other words that it lacks, and the letter A. Knows
nothing about the network that speaks them.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import takewhile

from hibari.g2p import Context
from hibari.g2p.lexicon import VOWELS, Lexicon, apply_stress
from hibari.g2p.token import Tok

from mira.builtin.isle import Entry, Isle
from mira.builtin.name_table import NAMES
from mira.builtin.symbols import voiced

MIN_SHOUTED = 4
"""Letters of a name in capitals; what is shorter, or no name, is an abbreviation."""

REMEMBERED = 4096
"""Words, known or not, of the last ones that were looked up."""

# What a foreigner says, what was never heard, and what no other entry is written like.
_ODD = re.compile(r"[ɛæʊʌɑ]$|(?:ɛ|eɪ)[θs]$|([nlmts])\1| |ɛɛ|ɹð|ɡh|ən[ɪɛæɑɔʊuʌəeo]|ˈ.*ˈ")
_STRESSES = str.maketrans("", "", "ˈˌ")
_COMPOUND = re.compile(
    "((?!(?:A[ln]|D[aeiu]|El|Fitz|Jo|L[aeo]|Ma?c|St|V[ao]n)[A-Z])[A-Z][a-z]+)([A-Z][a-z]+)"
)
_POSSESSIVES = frozenset(("'s", "’s", "'S", "’S"))
_INFLECTED = re.compile(r"(.{2,}[^s'])(s|'d|'ll|'ve|'re)")
_ENDINGS = {"'d": "d", "'ll": "ᵊl", "'ve": "əv", "'re": "əɹ"}
_IN_CODES = frozenset(
    [
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
        *("dot", "dash", "slash", "underscore"),
    ]
)
_BEFORE_A_SENTENCE = frozenset(".:!?…\"“‘'(—–-")
_ENYE = re.compile("[ñÑ]")


class Names:
    """ISLEX and a table of our own, for what hibari's lexicon lacks. Safe on several threads.

    Args:
        lexicon: hibari's.
        guess: Reads a word by the rules of spelling, in the voice's symbols.
    """

    def __init__(self, lexicon: Lexicon, guess: Callable[[str], str | None]) -> None:
        """Open the dictionary."""
        self._lexicon = lexicon
        self._golds, self._silvers = lexicon.golds, lexicon.silvers
        self._isle = Isle()
        self._guess = guess
        self._look_up = lru_cache(REMEMBERED)(self._likeliest)

    def __call__(self, tokens: Sequence[Tok]) -> None:
        """Give phonemes to the tokens that need them; those that have some keep them."""
        for at, token in enumerate(tokens):
            if token.phonemes is not None:
                continue
            if sounds := self._sounds(tokens, at):
                token.phonemes, token.rating = sounds, 5
                following = tokens[at + 1 : at + 2]
                if following and not token.whitespace and following[0].text in _POSSESSIVES:
                    ending = self._lexicon._s(sounds).removeprefix(sounds)
                    following[0].phonemes, following[0].rating = ending, 5

    def _sounds(self, tokens: Sequence[Tok], at: int) -> str | None:
        """Return the phonemes of a word; None: the front end reads it better or as well."""
        token, word = tokens[at], tokens[at].text
        if word in self._golds.d and word not in NAMES and word.islower():
            return None  # most words, in no time
        if word == "A":
            return "ˈA" if _is_letter(tokens, at) else "ɐ"
        if len(word) < 2 or not word.replace("'", "").replace("’", "").isalpha():
            return None
        small = _plain(word)
        if ipa := NAMES.get(small):
            return voiced(ipa)
        if word.isupper():
            return self._shouted(small)
        if word in self._golds or word in self._silvers:
            return None
        # Few of the names that it makes out of words are any: "Morales" is no plural.
        found = self._look_up(small) if word[0].isupper() else None
        if found and found.is_name and not found.is_word:
            return _voiced(found, word)
        parts = _COMPOUND.fullmatch(word)
        if parts and (sounds := self._compound(parts[1], parts[2].lower())):
            return sounds
        if self._word(word, token.tag):
            return None
        found = found or self._look_up(small)
        return _voiced(found, word) if found else self._inflected(small)

    def _likeliest(self, small: str) -> Entry | None:
        """Find a word in ISLEX, with the one pronunciation that is most like its spelling."""
        found = self._isle.find(small)
        if found is None or len(found.pronunciations) == 1:
            return found
        guess = (self._guess(small.capitalize()) or "").translate(_STRESSES)

        def likelihood(ipa: str) -> tuple[bool, bool, float, int]:
            likeness = SequenceMatcher(None, voiced(ipa).translate(_STRESSES), guess, False)
            return "ˈ" in ipa, not _ODD.search(ipa), likeness.ratio(), ipa.count("ˌ")

        return replace(found, pronunciations=(max(found.pronunciations, key=likelihood),))

    def _shouted(self, small: str) -> str | None:
        """Return the phonemes of a name in capitals, which would be spelled."""
        if len(small) < MIN_SHOUTED or small in self._golds:
            return None
        found = self._look_up(small)
        known = found and (found.is_name or found.is_initials)
        return voiced(found.pronunciations[0]) if found and known else None

    def _compound(self, first: str, second: str) -> str | None:
        """Return the phonemes of "WordPress": its first part has the main stress."""
        begin, end = self._word(first), self._word(second)
        if not begin or not end or second not in self._golds.d or len(VOWELS & {*end}) != 1:
            return None
        return f"{apply_stress(begin, 2)}{apply_stress(end, -0.5)}"

    def _word(self, word: str, tag: str = "NN") -> str | None:
        said: str | None = self._lexicon.get_word(word, tag, None, Context())[0]
        return said

    def _inflected(self, small: str) -> str | None:
        """Return the phonemes of "the Nguyens" and of "Nguyen'll"."""
        match = _INFLECTED.fullmatch(small)
        if not match:
            return None
        one, ending = match.groups()
        ipa = NAMES.get(one)
        found = None if ipa else self._look_up(one)
        said = voiced(ipa or (found.pronunciations[0] if found else ""))
        if not said:
            return None
        return self._lexicon._s(said) if ending == "s" else said + _ENDINGS[ending]


def _voiced(found: Entry, word: str) -> str:
    """Write a pronunciation in the voice's symbols; ISLEX has lost the tilde of "Ibañez"."""
    ipa = found.pronunciations[0]
    if _ENYE.search(word) and "nj" not in ipa:
        letters = [char for char in word.lower() if char in "nñ"]
        parts = ipa.split("n")
        if len(parts) == len(letters) + 1:
            ns = ["nj" if char == "ñ" else "n" for char in letters]
            ipa = "".join(part + n for part, n in zip(parts, [*ns, ""]))
    return voiced(ipa)


def _plain(word: str) -> str:
    """Return a word in small letters, without accents."""
    small = word.lower().replace("’", "'")
    if small.isascii():
        return small
    return "".join(char for char in unicodedata.normalize("NFD", small) if char < "\u0300")


def _is_letter(tokens: Sequence[Tok], at: int) -> bool:
    """Tell whether a capital A is the letter; the article has one where a sentence begins."""
    before, after = tokens[at - 1] if at else None, tokens[at + 1 :]
    if _is_mark(after):
        return True
    if before and before.text not in _BEFORE_A_SENTENCE:
        return after[0].text[0].islower() or _is_capital(after[0].text)
    # "A four B." and "A four two is the code.", but "A nine one one call."
    code = list(takewhile(_is_of_a_code, after))
    rest = after[len(code) :]
    if rest and rest[0].text == "-":
        return False  # "A one-time code"
    if any(_is_capital(token.text) for token in code):
        return True
    return bool(code) and (_is_mark(rest) or (len(code) > 1 and rest[0].tag[0] in "VM"))


def _is_mark(tokens: Sequence[Tok]) -> bool:
    """Tell whether a mark comes first, or the end."""
    return not tokens or not tokens[0].text[0].isalnum()


def _is_of_a_code(token: Tok) -> bool:
    return token.text.lower() in _IN_CODES or _is_capital(token.text)


def _is_capital(text: str) -> bool:
    return len(text) == 1 and text.isupper()
