"""A place in a text in, whether a sentence ends there out.

Looks back at most to the start of the sentence and ahead at most `_LOOK_AHEAD` characters; says
UNDECIDED while fewer than it needs are there. Knows nothing about length limits.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from mira.text.abbreviations import BEFORE_NUMBER, MAYBE_LAST, NEVER_LAST, STARTERS


class _Undecided(Enum):
    UNDECIDED = "the text so far does not decide"


UNDECIDED: Final = _Undecided.UNDECIDED


@dataclass(frozen=True, slots=True)
class Inside:
    """No sentence ends here, nor in the next `skip` characters."""

    skip: int


# An end (the index after the last character of the sentence), or none, or not yet known.
Ending = int | Inside | Literal[_Undecided.UNDECIDED]

# Full stops of scripts that use them for nothing else: Chinese and Japanese, Hindi, Urdu, Arabic,
# Armenian, Ethiopic, Khmer, Burmese.
_PLAIN = "。！？｡।॥؟۔։።។။"
SENTENCE_MARK = re.compile(rf"[.!?…‼⁇⁈⁉‽．{_PLAIN}\n]")

_CLOSERS = "\"'”’»›)\\]}）］｝」』】〉》〕*_~`"
# All repeats are bounded: the decision is a function of a bounded stretch of text, so no input
# can keep it open for ever, and each one costs the same.
_TAIL = re.compile(rf"([.!?…‼⁇⁈⁉‽．{_PLAIN}]{{1,16}})([{_CLOSERS}]{{0,8}})")
_NEXT = re.compile(r"([\"'“”‘’«‹„(\[{¿¡*_~`「『（【《〈]{0,8})([\w'’]{0,24})")
_LOOK_AHEAD = 64
_WORD_BEFORE = 40
_LINE_LOOK = 8

_BLOCK_START = re.compile(
    r"(?:[-*•+–—·▪◦‣]|\d{1,3}[.)]|[A-Za-z][.)])\s|#{1,6}\s|[|>]|```|~~~|---|\*\*\*"
)
_LINE_BLOCK = re.compile(r"#{1,6}\s|\||```|~~~|---|\*\*\*")
_LIST_ITEM = re.compile(r"(?:[-*•+–—·▪◦‣]|\d{1,3}[.)])\s")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,3}")
_WRAPPED_CHARS = 45  # a line at least this long was probably broken by its width
_NARROW_CHARS = 25  # or one this long, if a small letter goes on


def ends_sentence(text: str, start: int, line_start: int, at: int, final: bool) -> Ending:
    """Whether the sentence that began at `start` ends at the mark `text[at]`.

    Args:
        text: Holds no white space but " ", "\\n" and "\\n\\n".
        start: Where the sentence begins.
        line_start: Where the line that `start` is on begins.
        at: The index of a match of SENTENCE_MARK.
        final: No text follows.
    """
    if text[at] == "\n":
        return _ends_at_newline(text, start, line_start, at, final)
    tail = _TAIL.match(text, at)
    assert tail is not None
    marks, closers, end = tail[1], tail[2], tail.end()
    if end == len(text):
        return end if final else UNDECIDED
    no = Inside(end - at)
    following = text[end]
    if any(mark in _PLAIN for mark in marks):
        # 「はい。」と言った: the quotation is a part of the sentence.
        quoted = bool(closers) and following in "とっ"
        return no if quoted or following in "，、,،" else end
    if not following.isspace():
        return end if _is_caseless(following) and marks not in (".", "．", "…", "……") else no
    if text.startswith("\n\n", end):
        return end
    return _ends_before_space(text, start, at, tail, final)


def _ends_before_space(text: str, start: int, at: int, tail: re.Match[str], final: bool) -> Ending:
    marks, closers, end = tail[1], tail[2], tail.end()
    no = Inside(end - at)
    ahead = _NEXT.match(text, end + 1)
    assert ahead is not None
    word_is_whole = ahead.end() < len(text) or final or len(ahead[2]) == 24
    if not ahead[2]:
        if not word_is_whole:
            return UNDECIDED
        # Not a word: an emoji or a symbol starts something new, a dash or a bracket does not.
        begins = ahead.end() < len(text) and text[ahead.end()] not in "-–—)]},;:.!?…/&+="
        return end if begins else no
    word, first = ahead[2].replace("’", "'"), ahead[2][0]
    lower = first.islower()
    if marks == ".":
        before = _word_before(text, start, at)
        needs = _full_stop(before, first, bool(closers), at - len(before) == start)
    elif "…" in marks or marks.startswith(".."):
        needs = "not I" if not lower and first.isalpha() and not _is_caseless(first) else "no"
    else:
        needs = "no" if lower and closers else "yes"
    if needs in ("yes", "no"):
        return end if needs == "yes" else no
    if not word_is_whole:
        return UNDECIDED
    if needs == "not I":
        return no if word.split("'")[0] == "I" else end
    return end if word.lower() in STARTERS else no


def _full_stop(before: str, first: str, closed: bool, alone: bool) -> str:
    """What a full stop after `before` needs to end the sentence, given the next word's `first`.

    Returns "yes" or "no", or "starter": only if the next word is one that starts sentences.
    """
    plain = before.lower()
    if alone and before.isdigit() and len(before) <= 3:
        return "no"  # "1. First item"
    if plain in BEFORE_NUMBER and (first.isdigit() or (first.isupper() and plain in MAYBE_LAST)):
        return "no" if first.isdigit() else "starter"
    if plain in NEVER_LAST:
        return "no"
    if plain in MAYBE_LAST or _DOTTED.fullmatch(before):
        return "no" if first.islower() or first.isdigit() else "starter"
    if len(before) == 1 and before.isalpha() and before.isupper() and before != "I":
        return "starter" if not first.islower() else "no"  # an initial, or "plan B."
    if first.islower():
        # Someone who types without capitals, unless it looks like an abbreviation or a quotation.
        return "yes" if len(before) > 2 and before.isalpha() and not closed else "no"
    return "yes"


def _word_before(text: str, start: int, at: int) -> str:
    low = max(start, at - _WORD_BEFORE)
    low = max(low, text.rfind(" ", low, at) + 1, text.rfind("\n", low, at) + 1)
    return text[low:at].lstrip("\"'“‘«(（[{*_~`")


def _ends_at_newline(text: str, start: int, line_start: int, at: int, final: bool) -> Ending:
    if text.startswith("\n\n", at):
        return at
    ahead = text[at + 1 : at + 1 + _LINE_LOOK]
    if len(ahead) < _LINE_LOOK and "\n" not in ahead and not final:
        return UNDECIDED
    newline = text.rfind("\n", start, at)
    if newline >= 0:
        line_start = newline + 1
    shown = text[max(line_start, start) : at]
    if _BLOCK_START.match(ahead) or _LINE_BLOCK.match(shown):
        return at
    last, first = shown.rstrip(_CLOSERS.replace("\\", ""))[-1:], ahead.lstrip("\"'“‘«„([*_~`")[:1]
    if last in (":", ";", ".", "!", "?") and not first.islower():
        # Full stops were refused above because of what follows ("Dr." / "Smith").
        return Inside(1) if last == "." else at
    if last in (",", "，", "、", "،", "-", "–", "—"):
        return Inside(1)
    if _LIST_ITEM.match(shown):
        return Inside(1) if first.islower() else at
    wrapped = _NARROW_CHARS if first.islower() else _WRAPPED_CHARS
    if _is_caseless(last or " "):
        wrapped = _WRAPPED_CHARS // 2
    return Inside(1) if at - line_start >= wrapped else at


def _is_caseless(char: str) -> bool:
    return char.isalpha() and char.lower() == char.upper()
