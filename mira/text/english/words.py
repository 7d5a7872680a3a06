"""Abbreviations, titles, initials in, the words that they stand for out.

Acronyms stay as they are: both voices spell FBI and say NASA. Knows nothing about quantities.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re
from collections.abc import Callable

from mira.text.english.abbreviations import NUMBERED_THINGS
from mira.text.english.context import around, own_stop
from mira.text.english.lexicon import MONTHS
from mira.text.english.shortforms import (
    ANYWHERE,
    DOTTED,
    EXACT,
    INSIDE,
    LETTERED,
    NUMBERED,
    PLAIN_TITLES,
    STATES,
    STATES_OF_TOWNS,
    TITLES,
)
from mira.text.traced import one_of, rule

_IN_ADDRESS = (" dot ", " dash ", " underscore ", " slash ")  # which has been read
# The rest of an e-mail address: what stands before its " at " is a name, unless it has an article.
_MAIL_FOLLOWS = re.compile(
    r"(?: (?:dot|dash|underscore|plus) \w{1,20}){0,4} at (?:\w{1,20} (?:dash|dot) ){1,4}\w"
)
_ARTICLE = re.compile(r"\b(?:the|our|your|my|an?|this|that) \Z", re.IGNORECASE)
_LOOK = 48  # characters on either side that may decide

_NAME = re.compile(r" ?[A-Z][\w.'’]")
_NUMBER = re.compile(r" ?#?[0-9]")
_PART = re.compile(r" (?:(?:[A-HJ-Z]|[IVX]{1,6})(?![\w'’]|\.(?!\Z))|\([a-z0-9]{1,3}\))")
_TIME = re.compile(
    r":? (?:at )?(?:[0-9]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen"
    r"|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|zero|noon|midnight)"
)
_LOUD = re.compile(r" [A-Z]{3,}\b")
_SMALL = re.compile(r" [a-z0-9]")
_YEAR = re.compile(r",? (?:in |since )?(?:1[5-9]|20)[0-9]{2}(?![\w,])|:? ?(?:1[5-9]|20)[0-9]{2}\b")
_DATE = re.compile(
    r":? ?(?:[0-9]{1,2}[/-][0-9]|20[0-9]{2}-[0-9]"
    rf"|(?:on |in )?{one_of([m.capitalize() for m in MONTHS])})"
)
_AFTER_NUMBER = re.compile(r"(?:^|[^\w$€£.,])[0-9][0-9.,½¼¾]{0,12}[ -]?\Z")
_AFTER_TOWN = re.compile(
    rf"(?:[A-Z][a-z]{{2,20}}, |\b{one_of([state.title() for state in (*STATES, *STATES_OF_TOWNS)])}"
    r"\.(?:, (?:(?:and|or) )?| (?:and|or) ))\Z"
)


def _like(written: str, said: str) -> str:
    """Begin with a capital what was written with one."""
    capital = written[0].isupper() and (len(written) == 1 or not written.isupper())
    return said[0].upper() + said[1:] if capital else said


def _bound(of_all: str) -> Callable[[str, str], str]:
    """Read "min." and "max.", unless a number of minutes is meant."""
    return lambda before, after: "" if _AFTER_NUMBER.search(before) or not after else of_all


def _expires(before: str, after: str) -> str:
    if _DATE.match(after):
        return "expires"
    return "expiration" if after.startswith((" date", ":")) else "experience"


def _included(how: str) -> Callable[[str, str], str]:
    return lambda before, after: f"{how}ing" if re.match(r":? [\w$]", after) else f"{how}ed"


def _number_of(before: str, after: str) -> str:
    thing = before.rpartition(" ")[0].rpartition(" ")[2].rstrip(".").lower()
    return "number" if thing in NUMBERED_THINGS or after.startswith((" of ", " ending ")) else ""


_EARNED = re.compile(r"\b(?:Q[1-4]|[Aa]nnual|[Gg]ross|[Nn]et|[Tt]otal|[Qq]uarterly) \Z")


def _revenue(before: str, after: str) -> str:
    if _EARNED.search(before):
        return "revenue"
    return "revision" if _NUMBER.match(after) else "revised" if _SMALL.match(after) else ""


# Short forms that context decides: what stands before and after in, what is said out; "" leaves it.
BY_CONTEXT: dict[str, Callable[[str, str], str]] = {
    "dr": lambda before, after: "doctor",
    "st": lambda before, after: "street",  # what is a saint's has been read with the places
    "ste": lambda before, after: "saint" if _NAME.match(after) else "",
    "sts": lambda before, after: "saints" if _NAME.match(after) else "streets",
    "rev": _revenue,
    "no": _number_of,
    "arr": lambda before, after: "arrives" if _TIME.match(after) else "",
    "dep": lambda before, after: (
        "departs" if _TIME.match(after) else "deputy" if _SMALL.match(after) else ""
    ),
    "min": _bound("minimum"),
    "max": _bound("maximum"),
    "est": lambda before, after: (
        "established" if _YEAR.match(after) else "estimated" if after else ""
    ),
    "exp": _expires,
    "incl": _included("includ"),
    "excl": _included("exclud"),
    "ca": lambda before, after: "circa" if _NUMBER.match(after) else "",
    "c": lambda before, after: "circa" if re.match(r" (?:1[0-9]|20)[0-9]{2}\b", after) else "",
    "b": lambda before, after: "born" if before.endswith("(") and _NUMBER.match(after) else "",
    "d": lambda before, after: "died" if before.endswith("(") and _NUMBER.match(after) else "",
    "v": lambda before, after: (
        "versus" if re.search(r"[A-Z][\w.]+ \Z", before) and _NAME.match(after) else ""
    ),
    "ft": lambda before, after: "featuring" if re.search(r"[a-z] \Z", before) else "",
    "feat": lambda before, after: "featuring" if _NAME.match(after) else "",
    "conf": lambda before, after: (
        "confirmation" if re.match(r" (?:#|no|num|code)", after) else "conference"
    ),
    "mass": lambda before, after: "Massachusetts" if after.startswith(" Ave") else "",
}
# In capitals most are states, time zones or acronyms ("CO", "EST", "STD"); these are shouted.
_SHOUTED = frozenset(
    "ave bros corp dr esq etc exp ext inc jr ltd max min misc mr mrs ms no nos sr tel".split()
)
_TIMES = frozenset("mos yrs hrs mins wks hr mo wk yr".split())


def _named(word: str, before: str, after: str) -> str:
    """Read what goes before a number or a name."""
    plain = word.lower()
    if plain in LETTERED and (_NUMBER.match(after) or _PART.match(after)):
        return LETTERED[plain]
    if plain in NUMBERED and _NUMBER.match(after):
        return NUMBERED[plain]
    if plain in STATES_OF_TOWNS and word.istitle() and _AFTER_TOWN.search(before):
        return STATES_OF_TOWNS[plain]
    if plain in TITLES and word[0].isupper() and _NAME.match(after):
        return "" if plain == "ft" and _AFTER_NUMBER.search(before) else TITLES[plain]
    return ""


def _dotted_word(word: str, before: str, after: str) -> str:
    """Say what an abbreviation with a full stop stands for; "": it stands for itself."""
    plain = word.lower()
    spelled = len(word) > 1 and word.isupper() and plain not in ANYWHERE
    if (spelled and plain not in _SHOUTED) or before.endswith(_IN_ADDRESS):
        return ""  # or part of an address, which has been read
    if len(word) == 1 and word.isupper() and _NAME.match(after):
        return word if word != "A" else ""  # an initial; without its stop "A" is the article
    if said := _named(word, before, after):
        return said
    if plain in BY_CONTEXT:
        return BY_CONTEXT[plain](before, after)
    if plain in PLAIN_TITLES and word != "ms":  # milliseconds
        return PLAIN_TITLES[plain]
    if plain in _TIMES and (word[0].isupper() or _AFTER_NUMBER.search(before)):
        return ""
    if plain in STATES and word.istitle():
        return STATES[plain]
    if plain in INSIDE and _SMALL.match(after):
        return INSIDE[plain]
    return DOTTED.get(plain) or _anywhere_word(plain)


def _anywhere_word(plain: str) -> str:
    if plain in ANYWHERE:
        return ANYWHERE[plain]
    one = ANYWHERE.get(plain[:-1], "") if plain.endswith("s") else ""
    if not one or (one.endswith("s") and not one.endswith("ss")):
        return ""  # "moss" is not the plural of "mos"
    if one.endswith("ss"):
        return one + "es"
    return one[:-1] + "ies" if one.endswith("ty") else one + "s"


def _dotted(match: re.Match[str]) -> str:
    before, after = around(match, _LOOK)
    said = _dotted_word(match[1], before, after)
    if not said:
        return match[0]
    if match[1].lower() not in ("no", "nos"):  # "See No. 5"
        said = _like(match[1], said)
    return said + own_stop(match)


def _anywhere(match: re.Match[str]) -> str:
    before, after = around(match, _LOOK)
    if before.endswith(_IN_ADDRESS) or after.startswith(_IN_ADDRESS):
        return match[0]
    if _MAIL_FOLLOWS.match(after) and not _ARTICLE.search(before):
        return match[0]
    if match[0] == "VS" and not _LOUD.match(after):
        return match[0]  # VS Code
    said = _anywhere_word(match[0].lower())
    if not said or (match[0].lower() in _TIMES and _AFTER_NUMBER.search(before)):
        return match[0]
    return _like(match[0], said)


def _state(match: re.Match[str]) -> str:
    before, _ = around(match, _LOOK)
    plain = match[0].lower().rstrip(".")
    said = STATES.get(plain) or (_AFTER_TOWN.search(before) and STATES_OF_TOWNS.get(plain))
    return said + own_stop(match) if said else match[0]


# "E.g. this": the same at the start of a sentence; but "B4" and "M8" are a cell and a bus.
_EXACT = {
    short[0].upper() + short[1:]: said[0].upper() + said[1:]
    for short, said in EXACT.items()
    if short[0].islower() and not re.fullmatch("[a-z][0-9]", short)
} | EXACT  # fmt: skip


def _exact(match: re.Match[str]) -> str:
    return _EXACT[match[0]] + own_stop(match)


_WRITTEN = [
    form
    for word in ANYWHERE
    for form in (word, word.capitalize(), word.upper())
    if form not in ("MSG", "MOS")
]
_TITLES = {
    title.capitalize(): said.capitalize()
    for title, said in (*PLAIN_TITLES.items(), ("mt", "mount"), ("ft", "fort"))
}


_LETTERED_THINGS = (
    "sizes? rows? grades? sections? columns? gates? letters? groups? zones? names? seats? units?"
    " doors? blocks? buildings? lots? parts? options? levels? exhibits? schedules? apartments?"
)
SHORT_FORMS = (
    rule(r"\b([Gg]rades? (?:[Pp]re-?)?K) ?[-–] ?(?=[0-9])", r"\1 to "),
    # From one letter or size to another: "rows A-F", "sizes S-XL".
    rule(
        rf"\b((?i:{_LETTERED_THINGS.replace(' ', '|')}) [A-Z]|(?i:sizes?) X{{0,3}}[SML]) ?[-–] ?"
        r"(?=(?:[A-Z]|X{1,3}[SL])(?![\w'’-]))",
        r"\1 to ",
    ),
    rule(r"\b([Ee])xp\b\.? (?=dates?\b)", r"\1xpiration "),
    rule(r"(?<![\w.@/&'’-])([A-Za-z]{1,6})\.(?![\w@])", _dotted),
    rule(rf"\b({one_of(_TITLES)}) (?=[A-Z][\w.'’])", lambda m: _TITLES[m[1]] + " "),
    rule(r"\b(mr|mrs|dr|prof) (?=[a-z])", lambda m: PLAIN_TITLES[m[1]] + " "),
    rule(
        r"(?<=[a-z&] )(Inc|Corp|Ltd|Co|Bros|Jr|Sr|Esq)\b(?![.-]|['’](?!s\b))",
        lambda m: DOTTED[m[1].lower()].capitalize(),
    ),
    rule(rf"(?<![\w.@/&'’-]){one_of(_WRITTEN)}[sS]?(?![\w@/&-])(?!\.\w)", _anywhere),
)
MAY_BE_MARKED = re.compile(
    r"[/&#+:!0-9]|\w\.\w| al\b|[dtv]'[lt]\b|[cs]'[ny]\b|[cqt]'d\b|p't\b| '?n'? "
)
"""What a text must contain for these rules to have any work."""
MARKED = (
    # A company, not three million of something.
    rule(r"\b3M(?=['’]s\b|,? (?:[A-Z]|is\b|has\b|makes\b|tape\b|filter))", "3 M"),
    rule(r"\b([Aa]t|[Bb]y|[Ff]rom|[Ff]or) 3M\b(?! [a-z]{3,}s\b)", r"\1 3 M"),
    rule(r"\b(Yahoo|Jeopardy|Kahoot)!(?=['’]s| [\w&])", r"\1"),
    rule(rf"(?<![\w.]){one_of(_EXACT)}(?![\w+#])", _exact),
    rule(r"\b((?:[Nn]os?|pp?|[Vv]ols?|[Ff]igs?|[Cc]h|[Ss]ec|[Aa]rt|[Pp]t)\.)(?=[0-9])", r"\1 "),
    rule(r"(?<![\w./])(w|W(?=/ ?[a-z]))/ ?(?=[\w$#])", r"\1ith "),
    rule(r"(?<=\w) (?:'n'?|n') (?=\w)", " and "),
    rule(r"\b(R|r)[Ee]:(?= )", r"\1egarding:"),
    rule(r"(?<![\w.])(?:[A-Z]\.){1,2}(?:[A-Z]|Va)\.(?!\w)", _state),
    rule(r"\b([ap])\.m\.(?= \w|,)", lambda m: m[1].upper() + "M"),
)
