"""One piece of written text in, the words a person would say out.

English words are put only into text in Latin letters; in other scripts numbers and symbols are
left to the voice. Knows nothing about sentences or voices.
"""

import re
from itertools import chain

from mira.text import clean
from mira.text.dictionary import Dictionary
from mira.text.english import reading
from mira.text.english.ordinary import is_ordinary
from mira.text.traced import Traced

# A single Greek letter is a symbol (π, Ω); two are a word. Signs of money belong to no script.
OTHER_SCRIPT = re.compile(
    "[\u0370-\u03ff]{2}|(?![฿৳])[\u0400-\u1cff\u1f00-\u1fff\u2c00-\u2c5f\u2c80-\u2dff\u3005-\u3007"
    "\u3040-\ua4cf\ua500-\ua6ff\ua800-\uab2f\uabc0-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufeff"
    "\uff66-\uffdf\U00010000-\U0001cfff\U0001e000-\U0001efff\U00020000-\U0003ffff]"
)


def prepare() -> None:
    """Compile all rules, so that no sentence has to wait for it; takes half a second."""
    for rule in chain(clean.RULES, reading.rules()):
        _ = rule.needs, rule.pattern


def speakable(text: Traced, dictionary: Dictionary = Dictionary()) -> None:
    """Turn one piece of text into the words to say: no letter or digit, nothing to say.

    Never raises. Words pass through it unchanged, save for rare symbols and those in the
    dictionary.
    """
    written = text.text
    ordinary = is_ordinary(written)
    if not ordinary:
        clean.clean(text)
    dictionary.apply(text)
    if ordinary and text.text == written:
        reading.read_ordinary(text)
    elif not OTHER_SCRIPT.search(text.text):
        reading.read(text)
        clean.collapse(text)
