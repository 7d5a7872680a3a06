"""One piece of written text in, the words a person would say out.

English words are put only into text in Latin letters; in other scripts numbers and symbols are
left to the voice. Knows nothing about sentences or voices.
"""

import re
from itertools import chain

from mira.text import (
    addresses,
    amounts,
    between,
    clean,
    codes,
    dates,
    designations,
    identifiers,
    money,
    paths,
    phones,
    places,
    romans,
    shouted,
    symbols,
    times,
    weekdays,
    words,
    years,
)
from mira.text.dictionary import Dictionary
from mira.text.ordinary import is_ordinary
from mira.text.traced import Rules, Traced

# A single Greek letter is a symbol (π, Ω); two are a word. Signs of money belong to no script.
OTHER_SCRIPT = re.compile(
    "[\u0370-\u03ff]{2}|(?![฿৳])[\u0400-\u1cff\u1f00-\u1fff\u2c00-\u2c5f\u2c80-\u2dff\u3005-\u3007"
    "\u3040-\ua4cf\ua500-\ua6ff\ua800-\uab2f\uabc0-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufeff"
    "\uff66-\uffdf\U00010000-\U0001cfff\U0001e000-\U0001efff\U00020000-\U0003ffff]"
)
# What the rules for symbols need to have any work; most sentences have none.
_PLAIN = re.compile(r"(?:[A-Za-z',;:!?]|-(?=[A-Za-z])| (?![ ,.;:!?-])|\.(?!\.))*")
_DIGIT = re.compile("[0-9¼-¾⅐-⅞]")
_FAMILIES: tuple[tuple[tuple[re.Pattern[str], ...], Rules], ...] = (
    ((between.MAY_MATTER,), between.RULES),
    ((phones.HAS_KEYS,), phones.KEYS),
    ((paths.MAY_MATTER,), paths.RULES),
    ((addresses.MAY_MATTER,), addresses.RULES),
    ((identifiers.MAY_MATTER,), identifiers.RULES),
    ((_DIGIT, money.MAY_MATTER), money.RULES),
    ((weekdays.MAY_MATTER,), weekdays.RULES),
    ((places.MAY_MATTER,), places.RULES),
    ((_DIGIT, dates.MAY_MATTER), dates.RULES),
    ((times.MAY_MATTER,), times.RULES),
    ((shouted.MAY_MATTER,), shouted.RULES),
    ((designations.MAY_MATTER,), designations.RULES),
    ((codes.MAY_BE_LETTERED,), codes.LETTERED),
    ((_DIGIT, amounts.MAY_BE_MEASURED), amounts.MEASURES),
    ((words.MAY_BE_MARKED,), words.MARKED),
    ((), words.SHORT_FORMS),
    ((romans.MAY_MATTER,), romans.RULES),
    ((_DIGIT,), codes.NUMBERS),
    ((_DIGIT,), years.RULES),
    ((_DIGIT,), amounts.RULES),
    ((_DIGIT,), amounts.REST),
)
"""What must be in a text so that rules may have any work, and these. The most particular form
first: what is left for the later ones is a plain number."""

_ORDINARY = ((shouted.MAY_MATTER, shouted.RULES), (romans.MAY_MATTER, romans.RULES))
"""Those that may have work in ordinary words: "sooo", "a type I error"."""


def prepare() -> None:
    """Compile all rules, so that no sentence has to wait for it; takes half a second."""
    for rule in chain(clean.RULES, symbols.RULES, *(rules for _, rules in _FAMILIES)):
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
        for gate, rules in _ORDINARY:
            if gate.search(written):
                text.apply(rules)
    elif not OTHER_SCRIPT.search(text.text):
        _read(text)


def _read(text: Traced) -> None:
    for gates, rules in _FAMILIES:
        if all(gate.search(text.text) for gate in gates):
            text.apply(rules)
    if not _PLAIN.fullmatch(text.text):
        text.apply(symbols.RULES)
    clean.collapse(text)
