"""Quantities in, words out: percentages, ranges, big and small numbers, whatever is left.

No digit is left after it. Knows nothing about codes and dates, which must have been read before.
"""

import re

from mira.text.english import arithmetic, units
from mira.text.english.codes import MIXED
from mira.text.english.context import around
from mira.text.english.measures import SCALES
from mira.text.english.numbers import VULGAR, cardinal, digits, number, ordinal, standard
from mira.text.traced import rule

# Digits with thousands commas and decimals: "1,234,567.89", "1234", "3.14", ".5", "1,50,000".
_NUMBER = (
    r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])|[0-9]{1,2}(?:,[0-9]{2}){1,4},[0-9]{3}(?![0-9])"
    r"|[0-9]{1,400})(?:\.[0-9]{1,400})?"
)
_FIRST = r"(?<![\w.,])"
_LAST = r"(?![\w]|[.,]\d)"

_RACE = re.compile(
    r" (?:run|race|time|pace|course|training|walk|marathon|ultra|HDR|TVs?|videos?|screens?"
    r"|resolution|monitors?|displays?|cameras?)\b"
)
_SCREEN = re.compile(r"\b(?:TVs?|[Tt]elevisions?|videos?|screens?|monitors?|inch(?:es)?|HD)\b")
_PLURAL = re.compile(r"\+? (?:[a-z]{3,20}s\b|people|of)|[,.]? ?in\b")
_MANY = re.compile(
    r"\+? (?!(?:and|or|for|with|but|in|on|at|to|is|was|this|next|last|the)\b)[a-z]{3,20}"
)
_AS_TIMES = (
    "as|a|an|per|the|your|our|more|less|faster|slower|better|larger|bigger|cheaper|higher|daily|"
    "weekly|longer|smaller|greater|stronger|brighter"
)


def _thousand(match: re.Match[str]) -> str:
    text, stop = match.string, match.end()
    short = match[2] in "kK" and len(match[1]) < 3
    if match[0] in ("4K", "8K") and _SCREEN.search(around(match, 30)[0]):
        return f"{number(match[1])} K"
    if short and (_RACE.match(text, stop) or (match[2] == "K" and not _MANY.match(text, stop))):
        return f"{number(match[1])} K"  # 4K video, a 10K run
    if match[0] == "3M" and not _PLURAL.match(text, stop):
        return "three M"
    return f"{number(match[1])} {SCALES[match[2].lower()]}"


def _times(match: re.Match[str]) -> str:
    return f"{number(match[1])} {'times' if match[2] else 'x'}{match[2] or ''}"


def _glued(match: re.Match[str]) -> str:
    text, said = match.string, number(match[0])
    before = " " if match.start() and text[match.start() - 1].isalnum() else ""
    after = " " if match.end() < len(text) and text[match.end()].isalnum() else ""
    return before + said + after


MEASURES = (
    *arithmetic.FIRST,
    *units.RULES,
    rule(r"(?<=[0-9])ish\b", "-ish"),
    rule(r"(?<![\w.,+-])([0-9]{1,3}(?: 000){1,3})(?! ?\d|\w)", lambda m: number(standard(m[1]))),
)
"""Used before the rules for codes and years: a unit or a word tells what the number is."""
MAY_BE_MEASURED = re.compile(
    rf"[0-9{VULGAR}](?:\+?[ -]?[A-Za-zµΩ°º˚\"'/#]|[-–—x×e(]| [x×] | 000|%)|[0-9a-z]/[a-z]|per "
)
"""What a text must contain for them to have any work."""
RULES = (
    rule(
        r"(?<![\w.,])([0-9]{1,4},[0-9]{1,2})(?=\s?%| (?:million|billion))",
        lambda m: number(standard(m[1])),
    ),
    rule(r"(?<![\w.,])(0,[0-9]{1,4})(?![\w,.)\]])", lambda m: number(f"0.{m[1][2:]}")),
    *arithmetic.RULES,
    rule(rf"{_FIRST}(?<![0-9]-)({_NUMBER})\s?[-–—]\s?(?={_NUMBER}(?![\w-]{{0,20}}-\d))", r"\1 to "),
    rule(r"(?<![\w)\]])[-](?=\.?[0-9])", "minus "),
    rule(rf"(?<=[0-9{VULGAR}])\s?%", " percent"),
    rule(rf"{_FIRST}({_NUMBER})([kKMBT]|bn|mn|mm|MM|mil)\b(?!-)", _thousand),
    rule(
        rf"{_FIRST}([0-9]{{1,3}}):(?=[0-9]{{1,3}}(?:,[0-9]{{3}}|:[0-9]{{1,3}}){{0,3}}"
        r"(?![\w:]|[.,]\d)|[0-9]{4,5}(?![\w:]|[.,]\d))",
        r"\1 to ",
    ),
    rule(
        r"\b([0-9]{1,2})([0-9]{2})([pi])\b",
        lambda m: f"{cardinal(int(m[1]))} {cardinal(int(m[2]))} {m[3]}",
    ),
    rule(r"(?<=[A-Z])-(?=[0-9])", " "),
    rule(
        rf"{_FIRST}({_NUMBER})(\s?[x×]\s?)(?={_NUMBER}\s?=|\s?{_NUMBER}\s(?:is|equals)\b)",
        r"\1 times ",
    ),
    rule(rf"{_FIRST}({_NUMBER})(?:\s×\s(?=[0-9])|\s?[x×]\s?(?=10 ?(?:\^|to the)))", r"\1 times "),
    rule(rf"(?:{_FIRST}|(?<=[0-9][x×]))({_NUMBER})\s?[x×]\s?(?=[0-9])", r"\1 by "),
    rule(
        rf"{_FIRST}({_NUMBER})\s?[xX×]\b( (?:{_AS_TIMES})\b)?",
        _times,
    ),
    rule(r"(?<=[a-z] )x(?= [0-9]{1,4}(?: [a-z]{2,12})?\s?=)", "times"),
    rule(r"(?<![\w.,-])x(?!(?:86|64|32)\b)(?=[1-9][0-9]{0,2}(?!\w))", "times "),
    rule(
        r"(?<![\w.])([0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:st|nd|rd|th|ST|ND|RD|TH)\b",
        lambda m: ordinal(int(m[1].replace(",", ""))),
    ),
    rule(r"(?<=[\w)])\s?\^\s?2(?![\w.])", " squared"),
    rule(r"(?<=[\w)])\s?\^\s?3(?![\w.])", " cubed"),
    rule(r"(?<=[0-9])\s?\*\*\s?(?=[0-9])", " to the power of "),
    rule(r"(?<=[0-9)])\s?[*×]\s?(?=[0-9(])", " times "),
    rule(r"(?<=[0-9])\s/\s(?=[0-9])", " divided by "),
    rule(rf"(?<![\w.,])({_NUMBER}){_LAST}", lambda m: number(m[1])),
    rule(r"(?<![\w.])\.([0-9]{1,400})(?!\w)", lambda m: f"point {digits(m[1])}"),
    rule(r"(?<=[A-Za-z])([0-9]{1,3}\.[0-9]{1,3})(?![\w]|\.\d)", lambda m: f" {number(m[1])}"),
    rule(r"(?<=[0-9]),(?=[0-9])", ", "),  # 1,2,3
)
REST = (*MIXED, rule(r"[0-9]{1,400}", _glued))
"""What still mixes letters and digits: none is left after it."""
