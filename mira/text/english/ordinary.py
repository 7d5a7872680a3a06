"""A sentence in, whether it is made of words alone out, of which no rule reads one otherwise.

Most sentences are, and then no rule has to look at them. Knows the rules' tables and nothing about
what they do.
"""

import re

from mira.text.english import shortforms
from mira.text.english.abbreviations import DAYS_AND_MONTHS
from mira.text.english.lexicon import BUILDINGS, MONTHS, STREETS, WEEKDAYS
from mira.text.english.words import BY_CONTEXT

_LETTERS = re.compile("[a-z]+")
# A lone letter may be a name or a numeral; capitals, dots and digits inside of words are codes.
_WORD = r"(?:[A-Z]?[a-z]{2,}+|[aAI])(?:'(?:s|t|m|d|re|ve|ll)(?![a-z])|-[a-z]{2,}+)*+"
_WORDS = re.compile(rf"(?:{_WORD}[,;]? )*+{_WORD}[.!?]?")
_TABLES = (
    *(table for name, table in vars(shortforms).items() if name.isupper()),
    *(BY_CONTEXT, DAYS_AND_MONTHS, WEEKDAYS, MONTHS, STREETS, BUILDINGS),
)
_SHORT_FORMS = frozenset(
    form
    for table in _TABLES
    for entry in table
    if entry.isalpha()
    for form in (entry.lower(), f"{entry.lower()}s")
) | {"al", "box", "sept"}


def is_ordinary(text: str) -> bool:
    """Tell whether the text is English words with marks between them, none a short form."""
    return _WORDS.fullmatch(text) is not None and _SHORT_FORMS.isdisjoint(
        _LETTERS.findall(text.lower())
    )
