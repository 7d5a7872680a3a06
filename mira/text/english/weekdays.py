"""Weekdays and months in short in, their names out: "Mon-Fri", "M/W/F", "Jan-Mar", "since Dec."

Also what joins two of them. "Sun" the star, "Sat" the verb and "Jan" the person stay as they are:
what stands directly before and after decides. Knows nothing about numbers.
"""

import re

from mira.text.english.context import around
from mira.text.english.lexicon import DAY_LETTERS, MONTH_NAMES, MONTHS, WEEKDAY_NAMES, WEEKDAYS
from mira.text.traced import one_of, rule

MAY_MATTER = re.compile(
    r"\b(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec|thru"
    r"|(?:Mo|Tu|We|Th|Fr|Sa|Su|[MTWF])[:.]? [0-9]|(?:M|T|W|Th|Mo|Tu|Sa)\s?[-–/&]"
    r"|(?:M|T|Th) (?:th|to)|[MT],|M?WF|Tu?Th\b)",
    re.IGNORECASE,
)
"""What a text must contain for these rules to have any work."""

_NEAR = 40  # characters before and after a word that may decide how it is read
_DAY = one_of([name for short in WEEKDAYS for name in (short, WEEKDAYS[short].lower())])
_SHORT_MONTHS = {**{s: n for s, n in MONTHS.items() if s != n.lower()}, "sept": "September"}
_MONTH = one_of([*_SHORT_MONTHS, *map(str.lower, MONTH_NAMES)])
_NAME = one_of([*WEEKDAY_NAMES, *MONTH_NAMES])

# Between two neighbours. A comma alone is not enough for words in small letters ("we sat, sun…").
_JOINT = r"(?:\.?\s?[-–—/&+]\s?|\.?,? (?:and|or|to|thru|through|till|until|&) )"
_COMMA = rf"(?:{_JOINT}|\.?,\s?)"
_SENTENCE_END = re.compile(rf"[\"'”’)\]]{{0,4}}(?:\Z| (?!{_NAME})[A-Z])")

_ON = r"\b(?:on|this|next|last|past|every|each|until|till|by|through|thru|starting|closed|open) \Z"
_ABOUT_DAY = r"\b(?:on|by|from|to|since|before|after|for|or|and|of|late|early|except|mid)[ -]\Z"
_CLOCK = (
    r"\.?[,:]? ?\(?(?:at |from |between |by |until |till |@ ?|the )?(?:[0-9]{1,2}(?:[:/][0-9]{1,2}"
    r"|\s?[AaPp]\.?[Mm]|st|nd|rd|th|\s?[-–]\s?[0-9])|noon|midnight|morning|afternoon|evening|night|nite|[AP]M\b|closed|open\b)"
)
_NUMBER = r"\.?[,:]? ?(?:at |from |until |till |by |after |before |around |the |@ ?)?[0-9]"


class _Neighbours:
    """Patterns for another name of the same kind, joined to the word that is looked at."""

    def __init__(self, name: str) -> None:
        self.before = re.compile(rf"\b{name}{_JOINT}\Z", re.IGNORECASE)
        self.after = re.compile(rf"{_JOINT}{name}\b", re.IGNORECASE)
        self.listed_before = re.compile(rf"\b{name}{_COMMA}\Z", re.IGNORECASE)
        self.listed_after = re.compile(rf"{_COMMA}{name}\b", re.IGNORECASE)

    def found(self, before: str, after: str, listed: bool) -> bool:
        if listed:
            return bool(self.listed_before.search(before) or self.listed_after.match(after))
        return bool(self.before.search(before) or self.after.match(after))


_MONTH_ROW = re.compile(rf"\b{one_of([s.title() for s in _SHORT_MONTHS])} (?:May )?\Z")
_MONTH_IN_ROW = re.compile(rf" (?:{one_of([s.title() for s in _SHORT_MONTHS])}|May)\b")
_DAYS_BESIDE = _Neighbours(_DAY)
_MONTHS_BESIDE = _Neighbours(_MONTH)
_ON_IT = re.compile(_ON, re.IGNORECASE)
_ABOUT_IT = re.compile(_ABOUT_DAY)
_AT_A_TIME = re.compile(rf"{_CLOCK}|\.?,? {_MONTH}\b\.? [0-9]", re.IGNORECASE)
_AT_A_NUMBER = re.compile(_NUMBER)
_AT_A_NUMBER_OR_DOT = re.compile(rf"{_NUMBER}|\. [a-z]")
_ARTICLE = re.compile(r"\b(?:[Tt]he|[Aa]n?|[Mm]y|[Yy]our|[Hh]is|[Hh]er|[Oo]ur) \Z")
_ENDS_OR_HOUR = re.compile(
    r"\.?(?:[,;:!?)]|\Z| (?:at|in|or|and|of|morning|afternoon|evening|night|shift|class|slot)\b)"
)
_START = re.compile(r"(?:\A|[\"“] ?)\Z")
_TITLE = re.compile(r"\b(?:M(?:rs?|s)|Dr|Miss|Mister|Missus|Doctor)\.? \Z")
_NAME_AFTER = re.compile(rf" (?!{_NAME}|(?:{_DAY}|{_MONTH})\b|I\b)[A-Z][a-z]|-[a-z]", re.ASCII)
_CAPITAL_AFTER = re.compile(r" [A-Z]|-[A-Za-z]")

_SEATED = re.compile(r" (?:the|an?|down|still|up|back|there)\b")

_IN_MONTH = re.compile(
    r"\b(?:in|since|until|till|through|thru|last|next|this|early|late|mid|during|every|each"
    r"|(?:end|start|beginning|middle|month|rest|first|week) of)[ -]\Z",
    re.IGNORECASE,
)
_BY_MONTH = re.compile(r"\b(?:by|before|after|from|to|of|for|and|or) \Z")
_YEAR_AFTER = re.compile(r"\.?,? ?(?:'[0-9]{2}\b|[12][0-9]{3}\b)")


def _beside(match: re.Match[str]) -> tuple[str, str]:
    """Cut out what stands beside the word; its full stop is part of what comes after."""
    before, after = around(match, _NEAR)
    return before, match[0][match.end(1) - match.start() :] + after


def _named(match: re.Match[str], name: str) -> str:
    """Write the name; the full stop of a short form stays where it is the sentence's own too."""
    ends = match[2] and _SENTENCE_END.match(match.string, match.end())
    return name + ("." if ends else "")


def _weekday(match: re.Match[str]) -> str:
    before, after = _beside(match)
    return (
        _named(match, WEEKDAYS[match[1].lower()]) if _is_day(match[1], before, after) else match[0]
    )


def _is_day(word: str, before: str, after: str) -> bool:
    short = word.lower()
    rest = short in ("sat", "sun")
    if rest and (
        after.startswith("'s")
        or (word.islower() and (_ARTICLE.search(before) or f" {word}" in before + after))
    ):
        return False  # "the sun until Friday", "Sun's compiler", "from sun to sun"
    if _DAYS_BESIDE.found(before, after, listed=not (rest and word.islower())):
        return True
    if _ARTICLE.search(before) and (rest or word.isupper()):
        # The star, the test; but "on a Sat."
        return short == "sat" and word.istitle() and bool(_ENDS_OR_HOUR.match(after))
    at_a_time = bool(_AT_A_TIME.match(after))
    on_it = bool(_ON_IT.search(before))
    if word.istitle():
        return _is_title_day(short, before, after, at_a_time or on_it)
    if short in ("tues", "thurs", "thur"):
        return True
    if short == "weds" and _AT_A_NUMBER.match(after):
        return True
    verb = rest or short in ("wed", "weds")
    if word.isupper() and at_a_time:
        return True
    return (on_it and at_a_time) or (not verb and (on_it or at_a_time))


def _is_title_day(short: str, before: str, after: str, cued: bool) -> bool:
    if short == "sun":
        # "Sun. is free": with a full stop in the middle of a sentence it is short for something.
        cued = cued or bool(_ABOUT_IT.search(before) or _AT_A_NUMBER_OR_DOT.match(after))
        return cued and not _CAPITAL_AFTER.match(after)
    if short == "sat" and (_START.search(before) or _SEATED.match(after)):
        return cued or bool(_AT_A_NUMBER.match(after))
    if short == "sat" and re.match(r",? (?:said|says|asked|was|is|had|did|with|on)\b", after):
        return cued
    # "Thu Nguyen", "Mon Valley" are names, "on Thu Nguyen called" is not.
    return cued or not (_NAME_AFTER.match(after) or _TITLE.search(before))


def _month(match: re.Match[str]) -> str:
    before, after = _beside(match)
    name = _SHORT_MONTHS[match[1].lower()]
    return _named(match, name) if _is_month(match[1], before, after) else match[0]


def _is_month(word: str, before: str, after: str) -> bool:
    short = word.lower()
    if _YEAR_AFTER.match(after) or _MONTHS_BESIDE.found(before, after, listed=word.istitle()):
        return True
    if (word.istitle() and _MONTH_IN_ROW.match(after)) or _MONTH_ROW.search(before):
        return True
    in_it = bool(_IN_MONTH.search(before)) and not _CAPITAL_AFTER.match(after)
    if not word.istitle():
        return in_it and short not in ("mar", "sept" if word.isupper() else "")
    if short in ("jan", "mar", "jun", "jul", "dec"):
        # Names of people, half of a name; "Jan." before a small letter is short for something.
        dotted = bool(re.match(r"\.(?: [a-z0-9]|[,;)])", after))
        by_it = (
            short != "jan" and bool(_BY_MONTH.search(before)) and not _CAPITAL_AFTER.match(after)
        )
        return in_it or dotted or by_it
    return not _NAME_AFTER.match(after)


_LETTER = one_of([*DAY_LETTERS, *WEEKDAY_NAMES])
_LETTER_HERE = rf"(?<![A-Za-z]){_LETTER}(?![A-Za-z])"
_HOURS_AFTER = re.compile(
    r"[.,:;]?\s?\(?(?:from |at |between |@ ?|only\b|until )?(?:[0-9]|noon|only)"
)
_HOURS_BEFORE = re.compile(
    r"\b(?:open|hours|closed|available|schedule|office|class(?:es)?|meets?|runs?|lessons?|shifts?"
    r"|appointments?|weekdays?|days|every|from)\b[^.;!?]{0,30}\Z",
    re.IGNORECASE,
)
_SEX = re.compile(
    r"\b(?:gender|sex|male|female|patient|option|select|choose|enter|circle|letters?|type|key"
    r"|couple|ratio|voice|spell|code)\b",
    re.IGNORECASE,
)


def _day_letters(match: re.Match[str]) -> str:
    before, after = around(match, _NEAR)
    joint = match[2].strip()
    parts = [part for part in match.group(1, 3, 4, 5) if part]
    days = [DAY_LETTERS.get(part, part) for part in parts]
    if parts == days or len({*days}) < len(days) or _SEX.search(before):
        return match[0]
    hours = bool(_HOURS_AFTER.match(after) or _HOURS_BEFORE.search(before))
    if joint in ("-", "–", "to", "thru", "through"):
        first, last = WEEKDAY_NAMES.index(days[0]), WEEKDAY_NAMES.index(days[-1])
        usual = parts[0] in ("M", "Mo") and days[-1] not in ("Tuesday", "Wednesday", "Monday")
        usual = usual or (len(parts[0]) > 1 and days[0] != parts[0])  # "Th-F"
        near = _DAYS_NEAR.search(after) or _DAYS_NEAR.search(before)
        known = hours or near or (usual and parts[-1] != "S" and joint != "to")
        if first > last or not known:
            return match[0]
        if len(days) > 2:
            return ", ".join(days)
        return f"{days[0]} {joint if joint[0] == 't' else 'to'} {days[1]}".replace(
            "thru", "through"
        )
    sure = joint == "/" and (len(days) > 2 or any(len(part) > 1 for part in parts))
    if not (hours or sure):
        return match[0]
    said = re.sub(_LETTER_HERE, lambda m: DAY_LETTERS.get(m[0], m[0]), match[0])
    return re.sub(r"\s?/\s?", ", ", re.sub(r"\s?&\s?", " and ", said))


_DAYS_NEAR = re.compile(
    rf"\b(?:{one_of(WEEKDAY_NAMES)}|(?:M|Tu?|W|Th)\s?[-–]\s?(?:Th|F|Fr|Sa|Su)\b)"
)


def _lone_letter(match: re.Match[str]) -> str:
    """Read "F 9-1", "closed M" where another day is near."""
    before, after = around(match, _NEAR)
    known = _DAY_NEAR.search(before) or _DAY_NEAR.search(after)
    letter = match[1] or match[3]
    return f"{match[2] or ''}{DAY_LETTERS[letter]}" if known else match[0]


_ITS_HOURS = r":? [0-9]{1,2}(?::[0-9]{2})?\s?(?:[ap]m?\s?[-–]|[-–]|[ap]m\b)"
_DAY_NEAR = re.compile(
    rf"\b(?:{one_of(WEEKDAY_NAMES)}|(?:{one_of(list(DAY_LETTERS))}){_ITS_HOURS})"
)


def _packed_letters(match: re.Match[str]) -> str:
    before, after = around(match, _NEAR)
    if not (_HOURS_AFTER.match(after) or _HOURS_BEFORE.search(before)):
        return match[0]
    return ", ".join(DAY_LETTERS[day] for day in re.findall("Th|Tu|[MTWF]", match[0]))


RULES = (
    rule(rf"(?<![\w@#])({one_of(list(WEEKDAYS))})\b(\.?)(?!\w|/\d)", _weekday, re.IGNORECASE),
    rule(
        rf"(?<![\w@#])({one_of(list(_SHORT_MONTHS))})\b(\.?)(?![\w]|\.?[ -][0-9]{{1,2}}(?![0-9]))",
        _month,
        re.IGNORECASE,
    ),
    rule(
        rf"(?<![\w/&@#'.+-])({_LETTER})(\s?[-–/&]\s?|,\s?| (?:to|thru|through) )({_LETTER})"
        rf"(?:,? ?(?:\2|and |& )({_LETTER}))?(?:,? ?(?:\2|and |& )({_LETTER}))?(?![\w'/&+-])",
        _day_letters,
    ),
    rule(r"\b(?:MWF|TTh|TuTh)\b", _packed_letters),
    rule(
        r"\b(Mo|Tu|We|Th|Fr|Sa|Su)\.? (?=[0-9]{1,2}/[0-9]{1,2}(?![\w%]|/[0-9]{3}))",
        lambda m: f"{DAY_LETTERS[m[1]]} ",
    ),
    rule(
        rf"(?<![\w/&@#'.+-])(?:({one_of(list(DAY_LETTERS))})(?={_ITS_HOURS}"
        r"|(?<=[SMWF][aou]):? closed\b(?! the| my| our| his| her))"
        rf"|(closed |off )({one_of(list(DAY_LETTERS))})(?![\w'-]))",
        _lone_letter,
    ),
    rule(rf"\b({_NAME})\s?-\s?({_NAME})\s?-\s?({_NAME})\b", r"\1, \2, \3"),
    rule(rf"\b({_NAME}s?)(?:\s?[-–]\s?|—)(?={_NAME})", r"\1 to "),
    rule(rf"\b({_NAME}s?)\s?/\s?(?={_NAME})", r"\1, "),
    rule(r"(?<!drive[ -])\bthru\b(?!-)", "through", re.IGNORECASE),
)
