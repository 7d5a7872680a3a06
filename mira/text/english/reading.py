"""A clean text of English in, the words that are said for it out: all the rules, and their order.

Knows nothing about what they do.
"""

import re
from collections.abc import Iterator
from itertools import chain

from mira.text.english import (
    addresses,
    amounts,
    between,
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
from mira.text.traced import Rule, Rules, Traced

# What the rules for symbols need to have any work; most sentences have none.
_PLAIN = re.compile(r"(?:[A-Za-z',;:!?]|-(?=[A-Za-z])| (?![ ,.;:!?-])|\.(?!\.))*")
_DIGIT = re.compile("[0-9¼-¾⅐-⅞]")
FAMILIES: tuple[tuple[tuple[re.Pattern[str], ...], Rules], ...] = (
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


def rules() -> Iterator[Rule]:
    """Yield every rule."""
    yield from chain(symbols.RULES, *(rules for _, rules in FAMILIES))


def read(text: Traced) -> None:
    """Write what is said in the place of what is written: digits, short forms, symbols."""
    for gates, rules in FAMILIES:
        if all(gate.search(text.text) for gate in gates):
            text.apply(rules)
    if not _PLAIN.fullmatch(text.text):
        text.apply(symbols.RULES)


def read_ordinary(text: Traced) -> None:
    """Do the same for a text that is ordinary, see `ordinary`: few rules may have work in it."""
    for gate, rules in _ORDINARY:
        if gate.search(text.text):
            text.apply(rules)
