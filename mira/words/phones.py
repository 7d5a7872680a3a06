"""Canonical IPA in, the phones of the acoustic model out: ARPAbet without stress.

Knows nothing about words.
"""

import re

_PHONES = {
    **{"ɜɹ": "ER", "əɹ": "ER", "eɪ": "EY", "aɪ": "AY", "ɔɪ": "OY", "aʊ": "AW", "oʊ": "OW"},
    **{"i": "IY", "ɪ": "IH", "ɛ": "EH", "æ": "AE", "ɑ": "AA", "ɔ": "AO", "ʊ": "UH", "u": "UW"},
    **{"ʌ": "AH", "ə": "AH", "tʃ": "CH", "dʒ": "JH", "p": "P", "b": "B", "t": "T", "d": "D"},
    **{"k": "K", "ɡ": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH", "s": "S", "z": "Z"},
    **{"ʃ": "SH", "ʒ": "ZH", "h": "HH", "m": "M", "n": "N", "ŋ": "NG", "l": "L", "ɹ": "R"},
    # The model has learned both from words that its dictionary writes with a T.
    **{"w": "W", "j": "Y", "ɾ": "T", "ʔ": "T"},
}
_LONGEST_FIRST = re.compile("|".join(sorted(_PHONES, key=len, reverse=True)))


def phones(ipa: str) -> tuple[str, ...]:
    """Return the phones of canonical IPA (see mira.text.sounds), the spaces in it left out."""
    return tuple(_PHONES[symbol] for symbol in _LONGEST_FIRST.findall(ipa))
