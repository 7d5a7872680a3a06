"""How a word sounds, as a person writes it, in; one canonical IPA of American English out.

The canonical form has the sounds of `PHONEMES`, a mark of `STRESSES` directly before a stressed
vowel, and one space between words; nothing else. Knows nothing about texts or voices.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from mira.errors import InvalidRequest

MAX_CHARS = 200
"""Longest pronunciation, as it is written and in its canonical form."""

VOWELS = frozenset(("ɜɹ", "eɪ", "aɪ", "ɔɪ", "aʊ", "oʊ", *"iɪɛæɑɔʊuʌə"))
CONSONANTS = frozenset(("tʃ", "dʒ", *"pbtdkɡfvθðszʃʒhmnŋlɹwjɾʔ"))
PHONEMES = VOWELS | CONSONANTS
"""Every sound of the canonical form. "Letter" ends in two of them: əɹ."""
STRESSES = frozenset("ˈˌ")

_SHOWN_CHARS = 8  # of what is no symbol; any number of accents may stand on one letter

ENDING = re.compile(r"(?<=\w)'(s|d|ll|ve|re)(?!\w)")
"""What is joined to a name and not a part of it."""

# One symbol for another; "e", "a" and "o" are read with what follows them.
_SYMBOLS = {
    **{symbol: symbol for symbol in "pbtdkfvszʃʒhmnŋlwjɾʔθðiɪɛæɑɔʊuʌəɜeaoˈˌ "},
    **dict.fromkeys("rɹɻɺɽʀʁ", "ɹ"),
    **{"g": "ɡ", "ɡ": "ɡ", "ɫ": "l", "ʍ": "w", "ɱ": "m", "ɦ": "h", "ɲ": "nj", "ʎ": "lj"},
    **{"ʧ": "tʃ", "ʤ": "dʒ", "ʦ": "ts", "ʣ": "dz", "'": "ˈ", "’": "ˈ", "˞": "ɹ"},
    **{"ɒ": "ɑ", "ɚ": "əɹ", "ɝ": "ɜ", "ɐ": "ʌ", "ɨ": "ɪ", "ᵻ": "ɪ", "ʉ": "u", "ɘ": "ə", "ᵊ": "ə"},
    **dict.fromkeys(".-:ːˑ", "."),  # what they keep apart is no diphthong
    **dict.fromkeys("‿()ʰʷʲˠˤ", ""),  # an American voice leaves out nothing
}
_SYLLABIC = frozenset("\u0329\u030d")  # "bʌtn̩": a vowel is heard before it
# Ties, and detail that English does without: nasal, dental, unreleased, raised …
_DETAIL = _SYLLABIC | frozenset(
    "\u0303\u0306\u0308\u030a\u0311\u0318\u0319\u031a\u031c\u031d\u031e\u031f\u0320\u0324\u0325"
    "\u032a\u032c\u032f\u0330\u0334\u0339\u033a\u033b\u033c\u033d\u035c\u0361"
)
_READ = str.maketrans(_SYMBOLS)
# A base and its marks.
_CLUSTER = re.compile(r"(.)([\u0300-\u036f]*)", re.DOTALL)

# In this order. What they write is what they leave as it is.
_SPELLINGS = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"[eɛ]ɪ|e[ij]|e(?=[ .]|\Z)(?!\.+ɹ)", "eɪ"),
        (r"[aɑʌ]ɪ|a[ij]", "aɪ"),
        (r"[aɑæ]ʊ|a[uw]", "aʊ"),
        (r"[ɔo]ɪ|o[ij]", "ɔɪ"),
        (r"o(?=\.*ɹ)", "ɔ"),
        (r"oʊ|əʊ|o[uw]?", "oʊ"),
        (r"e(?!ɪ)", "ɛ"),
        (r"a(?![ɪʊ])", "ɑ"),
        # Not "drɔɪŋ" for "drɔːɪŋ".
        (r"(?<=[ɑʌɛɔ])\.+ɪ", "i"),
        (r"(?<=[ɑæə])\.+ʊ", "u"),
        (r"\.", ""),
        (r"([ˈˌ])([^ˈˌ ]*?)(?=[iɪɛæɑɔʊuʌəɜeao])", r"\2\1"),
        (r"[ˈˌ](?![iɪɛæɑɔʊuʌəɜeao])", ""),
        (r"ɜ", "ɜɹ"),
        (r"ɹ+", "ɹ"),
    )
)
_VOWEL = re.compile("eɪ|[aɔ]ɪ|[ao]ʊ|[iɪɛæɑɔʊuʌəɜ]")

# ARPAbet, and what TIMIT adds to it.
_CMU = {
    **{"AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AX": "ə", "AXR": "əɹ", "AY": "aɪ"},
    **{"EH": "ɛ", "ER": "ɜɹ", "EY": "eɪ", "IH": "ɪ", "IX": "ɪ", "IY": "i", "OW": "oʊ", "OY": "ɔɪ"},
    **{"UH": "ʊ", "UW": "u", "UX": "u", "EL": "əl", "EM": "əm", "EN": "ən"},
    **{"B": "b", "CH": "tʃ", "D": "d", "DH": "ð", "DX": "ɾ", "F": "f", "G": "ɡ", "HH": "h"},
    **{"JH": "dʒ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p", "Q": "ʔ"},
    **{"R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "WH": "w"},
    **{"Y": "j", "Z": "z", "ZH": "ʒ"},
}
_CMU_UNSTRESSED = {"AH": "ə", "ER": "əɹ"}
_CMU_STRESSES = {"1": "ˈ", "2": "ˌ"}


# Clients send the same words with each request.
@lru_cache(4096)
def ipa(written: str) -> str:
    """Return the canonical form of a pronunciation in IPA.

    Any of the ways in which people write English are fine: əʊ or oʊ, r or ɹ, with or without
    ties, length marks, dots between syllables and slashes around it. A stress mark may stand
    before the syllable; a word with one vowel is stressed on it unless that is ə.

    Raises:
        InvalidRequest: It is empty or too long, or a symbol is no sound of English.
    """
    _check_length(written)
    symbols = unicodedata.normalize("NFD", written.strip("/[] \t\n"))
    if _SYMBOLS.keys() >= {*symbols}:  # most have no marks, and this is quick
        return _canonical(symbols.translate(_READ))
    sounds = ""
    for match in _CLUSTER.finditer(symbols):
        base, marks = " " if match[1].isspace() else match[1], {*match[2]}
        if base not in _SYMBOLS or not marks <= _DETAIL:
            raise _unknown(unicodedata.normalize("NFC", match[0]), "IPA", PHONEMES)
        sounds += ("ə" if marks & _SYLLABIC and base not in VOWELS else "") + _SYMBOLS[base]
    return _canonical(sounds)


@lru_cache(4096)
def cmu(written: str) -> str:
    """Return the canonical form of a pronunciation in CMUdict's symbols: "HH AH0 L OW1".

    A vowel's digit is its stress: 1, 2, or 0 for none, which may be left out.

    Raises:
        InvalidRequest: It is empty or too long, or a symbol is none of CMUdict's.
    """
    _check_length(written)
    sounds = ""
    for symbol in written.strip("/[]{} \t\n").upper().split():
        name, digit = (symbol[:-1], symbol[-1]) if symbol[-1] in "012" else (symbol, "")
        sound = _CMU.get(name)
        if sound is None or (digit and not _VOWEL.match(sound)):
            raise _unknown(symbol, "CMUdict's alphabet", _CMU)
        if digit == "0":
            sound = _CMU_UNSTRESSED.get(name, sound)
        sounds += _CMU_STRESSES.get(digit, "") + sound + "."
    return _canonical(sounds)


def with_ending(phonemes: str, ending: str) -> str:
    """Return how a word sounds with one of `ENDING`: "Ann's", "Pat'll"."""
    last = phonemes[-1]
    if ending == "s":
        return phonemes + ("ɪz" if last in "szʃʒ" else "s" if last in "ptkfθ" else "z")
    if ending == "d":
        return phonemes + ("əd" if last in "td" else "d")
    return phonemes + {"ll": "əl", "ve": "əv", "re": "əɹ"}[ending]


def _canonical(sounds: str) -> str:
    for pattern, said in _SPELLINGS:
        sounds = pattern.sub(said, sounds)
    words = sounds.split()
    if not words:
        raise InvalidRequest("The pronunciation is empty. Write how the word sounds.")
    sounds = " ".join(map(_stressed, words))
    _check_length(sounds)
    return sounds


def _stressed(word: str) -> str:
    """Mark the vowel of a word that has no other."""
    if not STRESSES.isdisjoint(word):
        return word
    vowels = list(_VOWEL.finditer(word))
    if len(vowels) != 1 or vowels[0][0] == "ə":
        return word
    at = vowels[0].start()
    return f"{word[:at]}ˈ{word[at:]}"


def _check_length(sounds: str) -> None:
    if len(sounds) > MAX_CHARS:
        raise InvalidRequest(
            f"The pronunciation has {len(sounds)} characters, more than the limit of {MAX_CHARS}. "
            "Give each word its own."
        )


def _unknown(symbol: str, alphabet: str, known: Iterable[str]) -> InvalidRequest:
    symbol = symbol[:_SHOWN_CHARS]
    code = " ".join(f"U+{ord(char):04X}" for char in symbol)
    return InvalidRequest(
        f"{symbol!r} ({code}) is no sound of English in {alphabet}. There are: "
        f"{' '.join(sorted(known))}."
    )
