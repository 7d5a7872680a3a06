"""Canonical IPA in, the symbols that the built-in voice was trained with out; and back.

Knows nothing about words.

Source: the phonemes of misaki 0.9 (Apache-2.0), which hibari's lexicon is written in.
"""

import re

_SYMBOLS = {
    **{"eɪ": "A", "aɪ": "I", "oʊ": "O", "aʊ": "W", "ɔɪ": "Y", "tʃ": "ʧ", "dʒ": "ʤ"},
    # It was trained with a "t" for the stop in "button"; between vowels none is better.
    "ʔ": "t",
    # Its lexicon's way to write "little" and "student".
    "ə(?=l(?!VOWEL))": "ᵊ",
    "(?<=[tdszʒ])ə(?=n(?!VOWEL))": "ᵊ",
}
_VOWEL = "[ˈˌiɪɛæɑɔʊuʌəɜeao]"
_STOP_BETWEEN_VOWELS = re.compile(f"(?<=[iɪɛæɑɔʊuʌə])ʔ(?={_VOWEL})")
_ANY = re.compile("|".join(f"({symbol})" for symbol in _SYMBOLS).replace("VOWEL", _VOWEL))
_SAID = tuple(_SYMBOLS.values())
_SOUNDS = str.maketrans(
    {
        "A": "eɪ",
        "I": "aɪ",
        "O": "oʊ",
        "W": "aʊ",
        "Y": "ɔɪ",
        "T": "ɾ",
        "ʧ": "tʃ",
        "ʤ": "dʒ",
        "ᵊ": "ə",
    }
)


def voiced(ipa: str) -> str:
    """Write canonical IPA in the voice's symbols."""
    ipa = _STOP_BETWEEN_VOWELS.sub("", ipa)
    return _ANY.sub(lambda match: _SAID[(match.lastindex or 1) - 1], ipa)


def sounds(symbols: str) -> str:
    """Write the voice's symbols in canonical IPA."""
    return symbols.translate(_SOUNDS)
