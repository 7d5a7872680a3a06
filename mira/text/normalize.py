"""One piece of written text in, the words a person would say out.

English words are put only into text in Latin letters; in other scripts numbers and symbols are
left to the voice. Knows nothing about sentences or voices.
"""

import re

from mira.text import addresses, amounts, codes, dates, places, times, weekdays, words, years
from mira.text.clean import clean, collapse
from mira.text.traced import Traced

# A single Greek letter is a symbol (π, Ω); two are a word.
_OTHER_SCRIPT = re.compile(
    "[\u0370-\u03ff]{2}|[\u0400-\u1cff\u1f00-\u1fff\u2c00-\u2c5f\u2c80-\u2dff\u3005-\u3007"
    "\u3040-\ua4cf\ua500-\ua6ff\ua800-\uab2f\uabc0-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufeff"
    "\uff66-\uffdf\U00010000-\U0001cfff\U0001e000-\U0001efff\U00020000-\U0003ffff]"
)
# What the rules for symbols need to have any work; most sentences have none.
_PLAIN = re.compile(r"(?:[A-Za-z',;:!?]|-(?=[A-Za-z])| (?![ ,.;:!?-])|\.(?!\.))*")
_DIGIT = re.compile("[0-9¼-¾⅐-⅞]")


def speakable(text: Traced) -> None:
    """Turn one piece of text into the words to say: no letter or digit, nothing to say.

    Never raises. Words pass through it unchanged, save for rare symbols.
    """
    clean(text)
    if _OTHER_SCRIPT.search(text.text):
        return
    if addresses.MAY_MATTER.search(text.text):
        text.apply(addresses.RULES)
    if weekdays.MAY_MATTER.search(text.text):
        text.apply(weekdays.RULES)
    if places.MAY_MATTER.search(text.text):
        text.apply(places.RULES)
    has_digit = _DIGIT.search(text.text)
    if has_digit:
        for family in (dates, times):
            if family.MAY_MATTER.search(text.text):
                text.apply(family.RULES)
    text.apply(words.SHORT_FORMS)
    if has_digit:
        # The most particular form first: what is left for the later rules is a plain number.
        text.apply(codes.NUMBERS)
    if has_digit and _DIGIT.search(text.text):
        text.apply(years.RULES)
        text.apply(amounts.RULES)
    if not _PLAIN.fullmatch(text.text):
        text.apply(words.SYMBOLS_AND_SPACES)
    collapse(text)
