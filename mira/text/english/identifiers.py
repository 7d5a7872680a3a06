"""Names out of programs in, words out: dotted and camel-cased ones.

Knows nothing about addresses of the Internet, which have been read.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re

from mira.text.english.context import own_stop
from mira.text.traced import rule

MAY_MATTER = re.compile(r"\w\.[a-z_]|[a-z][A-Z]")
"""What a text must contain for these rules to have any work."""

# Dotted short forms, which are no names.
_SHORT_FORMS = frozenset("e.g i.e i.a a.m p.m a.k.a w.r.t f.y.i n.b p.s q.v d.b.a o.k y.o".split())


def _dotted(match: re.Match[str]) -> str:
    if match[0].lower() in _SHORT_FORMS or match[0].isupper():
        return match[0]
    return match[0].replace(".", " dot ")


def _letters(match: re.Match[str]) -> str:
    """Write letters with full stops as an acronym: "q.i.d." is QID."""
    if match[0].rstrip(".") in _SHORT_FORMS:
        return match[0]
    return match[0].replace(".", "").upper() + own_stop(match)


RULES = (
    rule(r"(?<![\w.@/-])(?:[a-z]\.){2,5}(?![\w@])", _letters),
    rule(r"(?<![\w.@/-])[A-Za-z_]\w{0,40}(?:\.[a-z_]\w{0,40}){1,8}(?![\w@]|\.\w)", _dotted),
    rule(
        r"(?<![\w.@-])[a-z]{2,30}(?:[A-Z][a-z]{1,30}){1,8}",
        lambda m: re.sub("(?<=[a-z])(?=[A-Z])", " ", m[0]),
    ),
)
