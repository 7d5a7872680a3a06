"""One piece of written text in, the words a person would say out.

English words are put only into text in Latin letters; in other scripts numbers and symbols are
left to the voice. Knows nothing about sentences or voices.
"""

import re

from mira.text import amounts, codes, dates, words
from mira.text.clean import clean
from mira.text.rules import apply

# A single Greek letter is a symbol (π, Ω); two are a word.
_OTHER_SCRIPT = re.compile(
    "[\u0370-\u03ff]{2}|[\u0400-\u1cff\u1f00-\u1fff\u2c00-\u2c5f\u2c80-\u2dff\u3005-\u3007"
    "\u3040-\ua4cf\ua500-\ua6ff\ua800-\uab2f\uabc0-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufeff"
    "\uff66-\uffdf\U00010000-\U0001cfff\U0001e000-\U0001efff\U00020000-\U0003ffff]"
)
# What the rules for addresses and for symbols need to have any work; most sentences have none.
_ADDRESS = re.compile(r"[@#]|\w\.\w|://")
_PLAIN = re.compile(r"(?:[A-Za-z',;:!?]|-(?=[A-Za-z])| (?![ ,.;:!?-])|\.(?!\.))*")
_DIGIT = re.compile("[0-9¼-¾⅐-⅞]")


def speakable(text: str) -> str:
    """The words to say for one piece of text; "" when there is nothing to say.

    Never raises. Its own output passes through it unchanged, save for rare symbols.
    """
    text = clean(text)
    if not _OTHER_SCRIPT.search(text):
        text = " ".join(_english(text).split())
    return text if any(map(str.isalnum, text)) else ""


def _english(text: str) -> str:
    if _ADDRESS.search(text):
        text = apply(codes.ADDRESSES, text)
    text = apply(words.SHORT_FORMS, text)
    if _DIGIT.search(text):
        # The most particular form first: what is left for the later rules is a plain number.
        text = apply(codes.NUMBERS, text)
        text = apply(dates.RULES, text)
        text = apply(amounts.RULES, text)
    return text if _PLAIN.fullmatch(text) else apply(words.SYMBOLS_AND_SPACES, text)
