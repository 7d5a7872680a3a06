"""A tag in, what it does to the text around it and to its content out.

HTML, the part of SSML that agents' frameworks send, and their own additions to it. Knows nothing
about how tags are written or where they stand.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

from collections.abc import Mapping
from dataclasses import dataclass

from mira.errors import InvalidRequest
from mira.text import sounds
from mira.text.pauses import LINE_CUT, PARAGRAPH_CUT, SENTENCE_CUT
from mira.text.say_as import say_as, spell
from mira.text.tags import Tag

CELL = ","
"""What stands before a cell of a table that is not the first of its row."""
JOINED = frozenset(
    "a b em i span strong sub sup u code mark small wbr abbr kbd q samp cite font tt big var ins "
    "del strike emphasis".split()
)
"""What may stand inside of a word: "H<sub>2</sub>O"."""
_CUTS = {
    **dict.fromkeys(
        "p h1 h2 h3 h4 h5 h6 div ul ol dl table section article header footer main nav aside "
        "blockquote pre figure form fieldset hr body head html title details address".split(),
        PARAGRAPH_CUT,
    ),
    **dict.fromkeys("br li tr dt dd option caption figcaption summary".split(), LINE_CUT),
    **dict.fromkeys("td th".split(), CELL),
    "s": SENTENCE_CUT,
}
_READ_AS_ONE = frozenset("sub spell say-as phoneme script style desc metadata".split())
_ALPHABETS = {
    **dict.fromkeys(("", "ipa"), sounds.ipa),
    **dict.fromkeys(("cmu", "arpabet", "cmu-arpabet", "cmudict", "x-arpabet"), sounds.cmu),
}


@dataclass(frozen=True, slots=True)
class Sound:
    """How the content is pronounced, as canonical IPA."""

    phonemes: str


def cut_of(tag: Tag) -> str:
    """Return what a tag becomes where it stands: a character that cuts, `CELL` or nothing."""
    return "" if tag.closing and _CUTS.get(tag.name) == CELL else _CUTS.get(tag.name, "")


def is_read_as_one(tag: Tag) -> bool:
    """Tell whether nothing of an element can be said before all of it is there."""
    return tag.name in _READ_AS_ONE and (tag.name != "sub" or "alias" in tag.attributes)


def reading(tag: Tag, content: str, english: bool) -> str | Sound | None:
    """Return what to say instead of an element's content, or how; None: it is ordinary text.

    Args:
        content: Without mark-up; empty if it has none.
        english: Words may be written in English.
    """
    attributes = tag.attributes
    if tag.name == "sub":
        return attributes["alias"]
    if tag.name == "spell":
        return spell(content, english)
    if tag.name == "say-as":
        return say_as(_kind(attributes), attributes.get("format", ""), content, english)
    if tag.name == "phoneme":
        return _sound(attributes)
    return ""


def _kind(attributes: Mapping[str, str]) -> str:
    kind = attributes.get("interpret-as") or attributes.get("type") or ""
    return kind.lower().rpartition(":")[2].replace("_", "-").strip()


def _sound(attributes: Mapping[str, str]) -> Sound | None:
    check = _ALPHABETS.get(attributes.get("alphabet", "").lower())
    try:
        return Sound(check(attributes.get("ph", ""))) if check else None
    except InvalidRequest:
        return None
