"""A range after "between" in, the same with "and" in place of its dash out.

Knows nothing about what it is a range of; it is read by the rules for that.
"""

import re

from mira.text.english.lexicon import MONTHS, WEEKDAYS
from mira.text.traced import one_of, rule

MAY_MATTER = re.compile("etween ")
"""What a text must contain for these rules to have any work."""

_NUMBER = r"[0-9][0-9.,:/]{0,12}"
_HALF = r"(?: ?(?:(?:st|nd|rd|th)\b|[AaPp]\.?[Mm]\b\.?|%|°|[KkMB]\b))?"
_DAY = rf"(?:{one_of(sorted({m[:3].title() for m in (*WEEKDAYS, *MONTHS)}))}[a-z]{{0,6}})"
RULES = (
    rule(
        rf"\b([Bb]etween (?:about |around |roughly )?)\$({_NUMBER})(?: ?[-–—] ?)"
        r"(?=[0-9][0-9.,]{0,12}(?![\w.,-]| and [$0-9]))",
        r"\1\2 and $",
    ),
    rule(
        rf"\b([Bb]etween (?:about |around |roughly )?[$€£]?{_NUMBER}{_HALF}) ?[-–—] ?"
        r"(?=[$€£]?[0-9][0-9.,:]{0,12}(?![0-9.,:-]| and [$0-9]))",
        r"\1 and ",
    ),
    rule(rf"\b([Bb]etween {_DAY}\.?) ?[-–—] ?(?={_DAY})(?![\w.]{{1,12}} and )", r"\1 and "),
)
