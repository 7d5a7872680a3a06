"""A text and a mark in it in, whether a sentence ends there out.

Looks back at most to the start of the sentence, and ahead at most a few words. Knows nothing
about length limits.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from mira.text.english.abbreviations import (
    BEFORE_NUMBER,
    EXCLAIMED,
    GOES_ON_AFTER_TIME,
    MAYBE_LAST,
    MAYBE_LAST_AS_NAMES,
    MEASURES,
    MURMURED,
    NEVER_LAST,
    NUMBERED_THINGS,
    STARTERS,
)
from mira.text.english.shortforms import ANYWHERE, DOTTED, INSIDE, LETTERED, STATES, TITLES
from mira.text.pauses import CUTS

# Full stops of scripts that use them for nothing else: Chinese and Japanese, Hindi, Urdu, Arabic,
# Armenian, Ethiopic, Khmer, Burmese.
_PLAIN = "。！？｡।॥؟۔։።។။"
SENTENCE_MARK = re.compile(rf"[.!?…‼⁇⁈⁉‽．{_PLAIN}{CUTS}\n]")
_CUT = re.compile(f"[{CUTS}]")

_CLOSERS = "\"'”’»›)\\]}）］｝」』】〉》〕*_~`"
# All repeats are bounded: the decision is a function of a bounded stretch of text, so no input
# can keep it open for ever, and each one costs the same.
_TAIL = re.compile(rf"([.!?…‼⁇⁈⁉‽．{_PLAIN}]{{1,16}})([{_CLOSERS}]{{0,8}})")
_NEXT = re.compile(r"([\"'“”‘’«‹„(\[{¿¡*_~`「『（【《〈]{0,8})([\w'’]{0,24})")
_SUMS = tuple("$€£¥₹#")
_WORD_BEFORE = 40
_LINE_LOOK = 8

_BLOCK_START = re.compile(
    r"(?:[-*•+–—·▪◦‣]|\d{1,3}[.)]|[A-Za-z][.)])\s|#{1,6}\s|[|>]|```|~~~|---|\*\*\*"
)
_LINE_BLOCK = re.compile(r"#{1,6}\s|\||```|~~~|---|\*\*\*")
_LIST_ITEM = re.compile(r"(?:[-*•+–—·▪◦‣]|\d{1,3}[.)])\s")
_SHORT_FORMS = MAYBE_LAST.union(ANYWHERE, DOTTED, INSIDE, STATES, TITLES) - {"asap", "thx"}
_NO_VOWEL = re.compile(r"(?=..)[BCDFGHJKLMNPQRSTVWXZ]?[bcdfghjklmnpqrstvwxz]{1,5}")
_NUMERAL = re.compile(r"[IVX]{2,6}|[B-HJ-Z]")
_LETTERS = re.compile(r"[IVX]{2,6}|[A-HJ-Z]")
_BEGUN = re.compile(r"[IVX]{1,6}|[A-Z]")  # what may become one
_DOTTED = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,3}")
_WRAPPED_CHARS = 45  # a line at least this long was probably broken by its width
_NARROW_CHARS = 25  # or one this long, if a small letter goes on


def ends_sentence(
    text: str, start: int, line_start: int, at: int, final: bool
) -> tuple[bool, int] | None:
    """Tell whether the sentence that began at `start` ends at the mark `text[at]`.

    Args:
        text: Holds no white space but " ", "\\n" and "\\n\\n".
        start: Where the sentence begins.
        line_start: Where the line that `start` is on begins.
        at: The index of a match of SENTENCE_MARK.
        final: No text follows.

    Returns:
        True and the index after its last character; or False and the index before which no
        sentence ends; or None while the text does not decide.
    """
    if _CUT.match(text, at):
        return True, at
    if text[at] == "\n":
        ends = _ends_at_newline(text, start, line_start, at, final)
        after = at if ends else at + 1
    else:
        tail = _TAIL.match(text, at)
        assert tail is not None
        ends, after = _ends_at_mark(text, start, tail, final), tail.end()
    return None if ends is None else (ends, after)


def _ends_at_mark(text: str, start: int, tail: re.Match[str], final: bool) -> bool | None:
    marks, closers, end = tail[1], tail[2], tail.end()
    if end == len(text):
        return True if final else None
    following = text[end]
    if _CUT.match(following):
        return True
    if any(mark in _PLAIN for mark in marks):
        # 「はい。」と言った: the quotation is a part of the sentence.
        return following not in ("，、,،とっ" if closers else "，、,،")
    if not following.isspace():
        return _is_caseless(following) and marks not in (".", "．", "…", "……")
    return text.startswith("\n\n", end) or _ends_before_space(text, start, tail, final)


def _ends_before_space(text: str, start: int, tail: re.Match[str], final: bool) -> bool | None:
    marks, closers, at = tail[1], tail[2], tail.start()
    ahead = _NEXT.match(text, tail.end() + 1)
    assert ahead is not None
    word_is_whole = ahead.end() < len(text) or final or len(ahead[2]) == 24
    if not ahead[2] and marks == "." and text[ahead.end() : ahead.end() + 1] in _SUMS:
        before, above = _words_before(text, start, at)  # "min. $50"
        return _ends_at_full_stop(before, above, _Following("0", True), bool(closers), False)
    if not ahead[2]:
        # Not a word: an emoji or a symbol starts something new, a dash or a bracket does not.
        begins = ahead.end() < len(text) and text[ahead.end()] not in "-–—)]},;:.!?…/&+="
        return begins if word_is_whole else None
    bracketed = ahead[1] == "(" and len(ahead[2]) < 4
    ranged = text[ahead.end() : ahead.end() + 1] in ("-", "–")
    following = _Following(ahead[2].replace("’", "'"), word_is_whole, bracketed, ranged)
    if marks == ".":
        before, above = _words_before(text, start, at)
        alone = at - len(before) == start
        return _ends_at_full_stop(before, above, following, bool(closers), alone)
    first = following.word[0]
    if "…" in marks or marks.startswith(".."):
        if not first.isalpha() or first.islower() or _is_caseless(first):
            return False
        return following.is_none_of({"i"})
    name, _ = _words_before(text, start, at)
    return not (first.islower() and (closers or name.lower() in EXCLAIMED))


@dataclass(frozen=True, slots=True)
class _Following:
    """The next word, as far as it is known."""

    word: str
    is_whole: bool
    is_bracketed: bool = False
    """It is short and stands in brackets."""
    is_joined: bool = False
    """A dash joins it to what follows."""

    def is_capitals(self) -> bool:
        """Tell whether it is no word: the "BLD" of "permit no. BLD-118"."""
        word = self.word
        return word.isupper() and len(word) > 1 and word.lower() not in STARTERS

    def starts_sentences(self) -> bool | None:
        return self.word.lower() in STARTERS if self.is_whole else None

    def is_none_of(self, words: Collection[str]) -> bool | None:
        return self.word.split("'")[0].lower() not in words if self.is_whole else None


def _ends_at_full_stop(
    before: str, above: str, following: _Following, closed: bool, alone: bool
) -> bool | None:
    """Tell whether a full stop after the words `above` and `before` ends the sentence.

    Args:
        closed: A closing quotation mark or bracket stands after it.
        alone: The sentence has begun with `before`.
    """
    plain, first = before.lower(), following.word[0]
    if alone and before.isdigit() and len(before) <= 3:
        return False  # "1. First item"
    if plain in BEFORE_NUMBER:
        numbered = _is_before_number(before, above, following)
        if numbered is not False:
            return None if numbered is None else False
    if plain in NEVER_LAST and not (plain == "dr" and _is_name(above)):
        return False
    if _may_be_short(before, plain):
        return _ends_at_short_form(plain, above, following)
    if len(before) == 1 and before.isalpha() and before.isupper() and before != "I":
        return False if first.islower() else following.starts_sentences()  # initial, or "plan B."
    if first.islower():
        # Someone who types without capitals, unless it looks like an abbreviation or a quotation.
        return len(before) > 2 and before.isalpha() and not closed
    return True


def _is_before_number(before: str, above: str, following: _Following) -> bool | None:
    """Tell whether a short form has its number after it; None: that is not yet known."""
    plain, first = before.lower(), following.word[0]
    if first.isdigit() or (following.is_bracketed and plain in LETTERED):
        return True  # "No. 5", "para. (b)"
    letters = _LETTERS if before[0].isupper() and plain in LETTERED else _NUMERAL
    if following.is_whole and letters.fullmatch(following.word):
        return True  # "Art. IV", "Apt. B", "Fig. A"
    if following.is_joined and following.word == "I" and plain in LETTERED:
        return True  # "Vols. I-III"
    if plain == "no" and above.lower() in NUMBERED_THINGS and first.isupper():
        return following.is_capitals() if following.is_whole else None  # "permit no. BLD-118"
    return None if not following.is_whole and _BEGUN.fullmatch(following.word) else False


def _may_be_short(before: str, plain: str) -> bool:
    return (
        plain in _SHORT_FORMS
        or (plain.endswith("s") and plain[:-1] in ANYWHERE)
        or before in MAYBE_LAST_AS_NAMES
        or plain == "dr"
        or bool(_DOTTED.fullmatch(before))
        or bool(_NO_VOWEL.fullmatch(before) and plain not in MURMURED)
    )


def _ends_at_short_form(plain: str, above: str, following: _Following) -> bool | None:
    if following.word[0].islower() or following.word[0].isdigit():
        return False
    if plain == "etc" or (plain in MEASURES and above[-1:].isdigit()):
        return True
    if plain in ("a.m", "p.m"):
        return following.is_none_of(GOES_ON_AFTER_TIME)
    return following.starts_sentences()


def _is_name(word: str) -> bool:
    return word[:1].isupper() and word[1:].islower() and word.lower() not in STARTERS


def _words_before(text: str, start: int, at: int) -> tuple[str, str]:
    """Find the word that ends at `at` and the one above it; "" where the sentence begins."""
    words = text[max(start, at - _WORD_BEFORE) : at].replace("\n", " ").rsplit(" ", 2)
    before, above = words[-1], words[-2] if len(words) > 1 else ""
    before = before[max(before.rfind(mark) for mark in "-–—/") + 1 :]  # "Dec. 20–Jan. 3"
    return before.lstrip("\"'“‘«(（[{*_~`"), above


def _ends_at_newline(text: str, start: int, line_start: int, at: int, final: bool) -> bool | None:
    if text.startswith("\n\n", at) or _CUT.match(text, at + 1):
        return True
    ahead = text[at + 1 : at + 1 + _LINE_LOOK]
    if len(ahead) < _LINE_LOOK and "\n" not in ahead and not final:
        return None
    newline = text.rfind("\n", start, at)
    if newline >= 0:
        line_start = newline + 1
    shown = text[max(line_start, start) : at]
    if _BLOCK_START.match(ahead) or _LINE_BLOCK.match(shown):
        return True
    last, first = shown.rstrip(_CLOSERS.replace("\\", ""))[-1:], ahead.lstrip("\"'“‘«„([*_~`")[:1]
    if last in (":", ";", ".", "!", "?") and not first.islower():
        # Full stops were refused above because of what follows ("Dr." / "Smith").
        return last != "."
    if last in (",", "，", "、", "،", "-", "–", "—"):
        return False
    if _LIST_ITEM.match(shown):
        return not first.islower()
    wrapped = _NARROW_CHARS if first.islower() else _WRAPPED_CHARS
    if _is_caseless(last or " "):
        wrapped = _WRAPPED_CHARS // 2
    return at - line_start < wrapped


def _is_caseless(char: str) -> bool:
    return char.isalpha() and char.lower() == char.upper()
