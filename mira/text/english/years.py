"""Years, decades, seasons, quarters in, words out: 1999, the '90s, 2019/20, FY24, Q3 2024.

A number like a year is one, unless it counts something. Knows nothing about days.
"""

import re

from mira.text.english.context import around, is_counted
from mira.text.english.lexicon import MONTH_NAMES, YEAR_NOUNS
from mira.text.english.numbers import after_hundreds, cardinal, decade, name, plural, year
from mira.text.traced import one_of, rule

_YEAR = "(1[5-9][0-9]{2}|20[0-9]{2})"
_BEFORE = r"(?<![\w.,$€£¥₹-])"
_AFTER = r"(?![\w%]|[.,]\d)"


def _bare(match: re.Match[str]) -> str:
    number, (before, after) = int(match[1]), around(match)
    return year(number) if _is_year(number, before, after, _counts(match)) else match[0]


def _is_year(number: int, before: str, after: str, counts: bool) -> bool:
    recent = 1950 <= number < 2050 and number % 50 != 0
    if _MEASURED.match(after):
        return False
    if after[:1] in ("-", "–"):
        return recent  # "2015-style", but "a 2000-page book"
    if _IN_YEAR.search(before):
        return number % 100 != 0 or not counts
    if _HOW_MANY.search(before):
        return False
    if _ABOUT_YEAR.search(before) and number % 50 != 0 and not _PLURAL.match(after):
        return True  # "by 1921 these protests", but "of 1921 protests"
    return not counts or bool(recent and _THE.search(before))


def _counts(match: re.Match[str]) -> bool:
    return not _YEARLY.match(match.string, match.end()) and is_counted(match.string, match.end())


def _old(match: re.Match[str]) -> str:
    """Read a year before 1500, or one of the next century: only where the words say so."""
    before, after = around(match)
    if (
        _counts(match)
        or _MEASURED.match(after)
        or not (_IN_YEAR.search(before) or _ERA.match(after))
    ):
        return match[0]
    return year(int(match[1]))


def _span(match: re.Match[str]) -> str:
    first, last = match[1], match[2]
    if _counts(match) and first[2:] == last[2:] == "00":
        return match[0]
    return f"{year(int(first))} to {year(int(last))}"


def _season(match: re.Match[str]) -> str:
    """Read 2019/20 and 1939-45; 2024-03 is a month."""
    first, mark, last = int(match[1]), match[2], int(match[3])
    if first % 100 + 1 != last and mark != "–" and 1 <= last <= 12:
        return f"{MONTH_NAMES[last - 1]} {year(first)}"
    if last <= first % 100 and (first % 100, last) != (99, 0):
        return match[0]
    return f"{year(first)} to {after_hundreds(last) if last else 'two thousand'}"


def _tens(match: re.Match[str]) -> str:
    """Read 90s: a decade, or so many seconds."""
    before, after = around(match)
    number = int(match[2])
    if number == 0:
        return "zeros"
    if number % 10:
        waits = number < 1000 and (_WAIT.search(before) or _SECOND.match(after))
        return (
            f"{cardinal(number)} second{'' if _SECOND.match(after) else 's'}"
            if waits
            else plural(name(match[2]))
        )
    sure = match[1] or match[3] or number > 99 or _AGE.search(before) or _STYLE.match(after)
    if not sure and (number < 60 or _WAIT.search(before)):
        return f"{cardinal(number)} second{'' if _SECOND.match(after) else 's'}"
    return decade(number)


def _aged(match: re.Match[str]) -> str:
    """Read 5yo, 18 y/o, 3 yrs old."""
    before, after = around(match)
    age = cardinal(int(match[1]))
    if match[0].endswith("olds") or _ONE.search(before) or _PERSON.match(after):
        return f"{age} year {'olds' if match[0].endswith('olds') else 'old'}"
    return f"{age} year{'' if match[1] == '1' else 's'} old"


def _class_of(match: re.Match[str]) -> str:
    return after_hundreds(int(match[1]))


_IN_YEAR = re.compile(
    r"(?i)\b(?:in|since|during|years?|fy|fiscal|early|late|mid|circa|class of|spring|summer|autumn"
    r"|fall of|winter|back (?:in|to)|battle of|dat(?:es?|ed|ing) (?:from|to)|ad|anno"
    rf"|{one_of(MONTH_NAMES)})(?: the year)?[ ,-]{{1,2}}\Z"
)
_ERA = re.compile(r" (?:AD|BCE?|CE|A\.D\.|B\.C\.)(?!\w)")
_ABOUT_YEAR = re.compile(r"(?i)\b(?:after|before|by|until|till|from|of|between) \Z")
_PLURAL = re.compile(r" [a-z]{3,20}s\b(?<!this)(?<!was)(?<!has)(?<!its)")
_HOW_MANY = re.compile(
    r"(?i)\b(?:over|than|at least|at most|up to|nearly|almost|only|exactly|approximately|totals?"
    r"|total of|costs?|paid|pays?|worth|balance(?: is| of)?|scored?|score(?: is| was| of)?|weighs"
    r"|another|extra|every|exceeds?|maximum(?: of)?|minimum(?: of)?|limit(?: is| of)?|set of"
    r"|sum of|count(?: is| of)?|population(?: is| of)?|holds|fits|seats) \Z"
)
_ONE = re.compile(r"(?i)\b(?:an?|the|my|your|his|her|our|their|this|that|each|every) \Z")
_PERSON = re.compile(
    r" (?:fe)?(?:male|man|woman|boy|girl|patient|child|son|daughter|kid|dog|cat|car|house)\b"
)
_THE = re.compile(r"(?i)\b(?:the|your|our|their|his|her|my|its|this|a|and) \Z")
# After a number: what it counts or measures.
_MEASURED = re.compile(
    r"\s?(?:people|men|women|children|km|kg|m|g|ml|mg|W|mph|lbs?|ft|feet|USD|EUR|dollars|rpm|kcal"
    r"|hours|hrs|MB|GB|px)\b(?!-)|[ -](?:square|cubic|percent|million|thousand|hundred|billion"
    r"|degrees|or (?:more|less|fewer)|foot|meter|mile|page|point|word|piece|seat|acre|pound|dollar"
    r"|liter|gallon|calorie|person|member|year|bit|byte|pixel|watts?|in total|total|apiece|each)\b"
)
_YEARLY = re.compile(rf" (?:[a-z]{{3,15}} )?(?:{'|'.join(YEAR_NOUNS)})\b")
_AGE = re.compile(
    r"(?i)\b(?:the|his|her|my|your|our|their|early|mid|late|low|high|upper|lower|those"
    r"|[0-9]s (?:and|or|to)|decades?)[ -]'?\Z"
)
_STYLE = re.compile(
    r" (?:music|style|night|bands?|hits|rock|movies?|films?|kids?|fashion|pop|party|songs|sitcom"
    r"|show|theme|classics?|and early|or early|and [0-9]0s)\b"
)
_SECOND = re.compile(
    r" (?:timeout|delay|limit|clip|ad|video|window|wait|hold|spot|interval|recording)\b"
)
_WAIT = re.compile(r"(?i)\b(?:wait|for|after|every|timeout|within|about|takes?|another) \Z")

RULES = (
    rule(
        r"(?<![\w.,$-])([0-9]{1,3})[ -]?(?:y/?o\b|y\.o\.|yr\.?[ -]olds?\b|yrs\.?[ -]old\b)", _aged
    ),
    rule(r"\b([0-9]{1,3}0'?s) ?[-–] ?(?='?[0-9]{1,3}0'?s)", r"\1 to "),
    rule(r"(?<![\w.,$])(')?([0-9]{1,4})(')?s\b", _tens),
    rule(r"(?<![\w'])'([0-9]{2})(?![\w'\":]|[.,]\d)", _class_of),
    rule(rf"{_BEFORE}{_YEAR}\s?[-–/]\s?{_YEAR}{_AFTER}", _span),
    rule(rf"{_BEFORE}{_YEAR}\s?[-–]\s?(?=(?:present|now|today|current|ongoing)\b)", r"\1 to "),
    rule(rf"(?<![\w.,$€£¥₹/-]){_YEAR}([-–/])([0-9]{{2}})(?![\w%/-]|[.,]\d)", _season),
    rule(
        r"(?i)\b((?:year|season|fiscal|FY) )([0-9]{2})[/-]([0-9]{2})(?![\w/-]|[.,]\d)",
        lambda m: f"{m[1]}{cardinal(int(m[2]))} to {cardinal(int(m[3]))}",
    ),
    # A bare number like a year is one, unless it counts something: "1800 people".
    rule(
        r"(?:(?<![\w.,$€£¥₹+*/=#-])|(?<=\bmid-)|(?<=\bpre-)|(?<=\bpost-)|(?<=\b[Ll]ate-)"
        rf"|(?<=\b[Ee]arly-))(?<![$€£¥₹+*/=<>-] ){_YEAR}"
        r"(?![\w%°²]|'(?!s)\w|[.,:/]\d|[-–/][\dA-Z]|/\w|\s?[+*×x/=<>]\s?[0-9])",
        _bare,
    ),
    rule(
        r"(?<![\w.,$€£¥₹+*/=#-])(1[0-4][0-9]{2}|2100|21[0-9]{2})(?![\w%°²]|'(?!s)\w|[.,:/]\d|[-–/]\w"
        r"|\s?[+*×x/=<>]\s?[0-9])",
        _old,
    ),
)
