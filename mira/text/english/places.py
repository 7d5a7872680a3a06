"""Street addresses, states and postal codes in, the words to say out.

Runs before abbreviations are expanded: by its place "St." is a street or a saint, "Dr." a drive
or a doctor. Knows nothing about numbers that are no part of an address.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re

from mira.text.english.context import around, is_counted, own_stop
from mira.text.english.lexicon import BUILDINGS, DIRECTIONS, PROVINCES, STATES, STREETS, WAYS
from mira.text.english.numbers import digits, name
from mira.text.english.shortforms import STATES as DOTTED_STATES
from mira.text.english.shortforms import STATES_OF_TOWNS
from mira.text.traced import one_of, rule

_MARKS = [*STREETS, *BUILDINGS, "Box"]
MAY_MATTER = re.compile(
    r"[0-9][A-Z]? [A-Z0-9]|[0-9]{5}\b|[A-Z][ -][0-9]|, [A-Z]{2}\b|n [A-Z]{2}[,;]| [NSEW]{1,2}\b"
    rf"|\A[NSEW]{{1,2}}\.? |\b{one_of(_MARKS)}\b"
)
"""What a text must contain for these rules to have any work."""

# A part of a street's name: "Elm", "5th", "O'Farrell", "Jr.", "of the".
_WORD = r"(?:[A-Z][\w'’-]{0,30}\.?|[0-9]{1,3}(?:st|nd|rd|th)|de|del|la|las|los|of|the)"
_CAPITAL = r"(?:[A-Z][\w'’]{0,30}\.?|[0-9]{1,3}(?:st|nd|rd|th))"
_SHORT_STREET = one_of(list(STREETS))
_FULL_STREET = one_of([*dict.fromkeys(STREETS.values()), *WAYS])
_STREET = rf"(?:{_SHORT_STREET}|{_FULL_STREET})"
_DIRECTION = one_of(list(DIRECTIONS))
_SAFE = one_of([short for short in STREETS if short not in ("St", "Dr", "Pl", "Ct", "Av", "Sq")])
_DOUBTFUL = one_of(["St", "Dr", "Pl", "Ct", "Av", "Sq"])
_UNIT = r"(?:Apt|Apartment|Ste|Suite|Unit|Fl|Floor|Rm|Room|Bldg|Building|Lot)\b"
# What follows a street's name, and never the name of a saint or a doctor.
_AFTER_STREET = (
    r"(?=\.?(?:$|[,;:!?)]|\.$| ?[-–—]| [a-z0-9#&(]"
    rf"| {_DIRECTION}\b\.?(?! ?[A-Z][a-z])| {_UNIT}))"
)
_STATE = one_of(list(STATES))
# Words as well, or letters after a name; they are states only after a comma.
_DOUBTFUL_STATES = ("ID", "OK", "IN", "OR", "ME", "HI", "PA", "CO", "AL", "MS", "MA", "MD", "DE")
_SAID_ALONE = ("OK", "ID", "HI", "ME")
_NO_CITIES = frozenset(
    """
    yes yeah no sure well okay ok great right fine thanks so and but oh hi hello street avenue road
    boulevard lane drive court place square parkway highway way circle terrace alright perfect sorry
    now then please sir your the a an my monday tuesday wednesday thursday friday saturday sunday
    phd jr sr
    """.split()
)
_PARTS = (
    "(?:side|entrance|exit|end|wing|lot|gate|corner|tower|lobby|doors?|parking|campus|terminal"
    "|garage|elevators?|stairs|stairwell|platform)"
)
_NUMBERED = r"(?<![\w.,$€£¥₹#/-])"


def _street(match: re.Match[str]) -> str:
    return f"{match[1]}{STREETS[match[2]]}{own_stop(match)}"


def _house(match: re.Match[str]) -> str:
    low, high, letter = match[1], match[2], match[3]
    said = name(low)
    if high:
        said += f" {'to ' if int(high) > int(low) else ''}{name(high)}"
    return f"{said} {letter}" if letter else said


def _direction(match: re.Match[str]) -> str:
    return f"{match[1]}{DIRECTIONS[match[2]]}{own_stop(match)}"


def _before_code(match: re.Match[str]) -> str:
    city, short = match[1] or "", match[2]
    if short in _DOUBTFUL_STATES and "," not in city:
        return match[0]
    return city + STATES[short]


def _after_city(match: re.Match[str]) -> str:
    city, short = match[1], match[2]
    if city.lower().rstrip(".") in _NO_CITIES or (city.isupper() and len(city) < 5):
        return match[0]
    before, _ = around(match)
    if short in _SAID_ALONE and not re.search(r"(?:[a-z:]|[A-Z][a-z]+,?) $", before):
        return match[0]
    if short == "MD" and re.search(r"\b(?:Dr|Doctor)\b", before):
        return match[0]
    return f"{city}, {(STATES | PROVINCES)[short]}"


def _second(match: re.Match[str]) -> str:
    return match[1] + STATES[match[2]]


def _zip(match: re.Match[str]) -> str:
    if is_counted(match.string, match.end()):
        return match[0]
    return match[1] + ", ".join(map(digits, filter(None, match.group(2, 3))))


def _box(match: re.Match[str]) -> str:
    return match[1] + (digits(match[2]) if len(match[2]) > 3 else name(match[2]))


def _road(match: re.Match[str]) -> str:
    return f"{match[1]} {name(match[2])}{match[3] and ' ' + match[3]}"


# Of the short forms with full stops those that are read later: "N.Y. 10118".
_DOTTED_STATES = [
    (short.upper() if "." in short else short.title()) + "."
    for short in (*DOTTED_STATES, *STATES_OF_TOWNS)
]
_CITY = r"(?:[A-Z][a-z]{2,20} ){0,2}(?:[A-Z][a-z]{2,20}|NYC|LA|DC|SF)"
_AREA = "area|county|town|city|place|neighborhood|state|district|branch|store|region"
_NAMES = one_of([*STATES.values(), "DC", "D.C.", *_DOTTED_STATES])

_ANY_STATE = one_of([*STATES, *PROVINCES])
_ROAD = (
    "Broadway|Avenida|Avenue|Via|Rue|Calle|El Camino|County Road|State Route|Rural Route|Highway"
    "|Hwy|Route|Rte"
)

RULES = (
    rule(r"\b(?:Cty|Cnty|Co)\.? Rd\.? (?=[0-9])", "County Road "),
    rule(r"\bSt(?:ate)?\.? Rd\.? (?=[0-9])", "State Road "),
    rule(r"\b(P\. ?O\. ?Box |PO Box )#?([0-9]{1,9})(?![\w-])", _box, re.IGNORECASE),
    rule(rf"({_CAPITAL} )({_SAFE})(?!\w|['’]\w)\.?", _street),
    rule(
        r"(?<!\bSault )(?!(?:The|My|Your|Our|His|Her|Their|This|A|Any)\b)"
        rf"({_CAPITAL} )({_DOUBTFUL})(?!\w|['’]\w){_AFTER_STREET}\.?",
        _street,
    ),
    # A house's number makes it certain: "12 Oak Dr Miami", not "12 St. James Place".
    rule(
        rf"({_NUMBERED}[0-9]{{1,6}}[A-Z]? (?:{_CAPITAL} ){{1,3}}?)({_DOUBTFUL})(?!\w|['’]\w)\.?"
        rf"(?! (?:{_CAPITAL} ){{1,2}}{_STREET}(?!\w))",
        _street,
    ),
    rule(r"\bSt\.? (?=[A-Z])", "Saint "),
    rule(r"\bAve\.? (?=of the |[A-Z]\b)", "Avenue "),
    rule(
        rf"(?<![\w.'’&-])({_DIRECTION})\.? (?=(?:{_WORD} ){{1,3}}?{_STREET}(?!\w))",
        lambda m: DIRECTIONS[m[1]] + " ",
    ),
    # Of a building or a road: "the N. side", "use the SE entrance".
    rule(
        rf"(?<=\b[Tt]he )({_DIRECTION})\.? (?={_PARTS}\b(?! effect))",
        lambda m: DIRECTIONS[m[1]] + " ",
    ),
    # A street without its word: "on W. 5th", "at E. 14th and 3rd".
    rule(
        r"\b((?:[Oo]n|[Aa]t|[Nn]ear|[Oo]ff|and|to|from|of|&|[0-9]{1,5}) )([NSEW])\.? "
        r"(?=[0-9]{1,3}(?:st|nd|rd|th)\b)",
        lambda m: f"{m[1]}{DIRECTIONS[m[2]]} ",
    ),
    rule(
        rf"{_NUMBERED}(?<!No\. )([0-9]{{1,6}})(?:-([0-9]{{1,4}}))?([A-Z])?"
        rf"(?= (?:(?:{_WORD} ){{1,5}}?{_STREET}(?!\w)|(?:{_ROAD})\b"
        r"|(?:North|South|East|West) [0-9]{1,3}(?:st|nd|rd|th)\b(?! [a-z]{2,12}s\b)))",
        _house,
    ),
    rule(rf"({_FULL_STREET} )({_DIRECTION})(?![\w'])\.?", _direction),
    rule(
        rf"\b({one_of(list(BUILDINGS))})\.? ?(?=#? ?(?:[0-9]|[A-Z](?:-?[0-9]|\b)))",
        lambda m: BUILDINGS[m[1]] + " ",
    ),
    rule(r"(?<=[0-9](?:st|nd|rd|th) )(?:Fl|fl|Flr)\b\.?", "floor"),
    rule(
        r"\b((?:corner|intersection) of (?:[A-Z][a-z]{1,20} (?:and|&) )?)([NSEW])\. (?=[A-Z][a-z])",
        lambda m: f"{m[1]}{DIRECTIONS[m[2]]} ",
    ),
    rule(
        r"\b((?:I|US|U\.S\.|SR|Hwy\.?|Highway|Interstate|Rte\.?|Route|Road)[- ][0-9]{1,4}) "
        rf"({_DIRECTION})(?![\w'’-]|\.\w)",
        lambda m: f"{m[1]} {DIRECTIONS[m[2]]}",
    ),
    rule(r"\b(I|US|U\.S\.|SR|CR|FM)[- ]([0-9]{1,4})([NSEW]?)(?![\w%]|[.,:][0-9]|-[0-9])", _road),
    rule(
        rf"((?:\b[A-Z][\w.'’-]{{1,30}},? )?)\b({_STATE})(?=,? [0-9]{{5}}(?:-[0-9]{{4}})?(?!\w|-))",
        _before_code,
    ),
    # Known by the town beside it, if it is no round sum.
    rule(
        rf"((?:, |\b(?:to|[Ii]n|[Ff]rom|at|for) ){_CITY},? )([0-9]{{5}})(?<!00)()"
        r"(?=[.,;!?)]|\Z| (?:is|was|and|or)\b)(?![.,]\d)",
        _zip,
    ),
    rule(
        r"((?:, |\b(?:to|in|from|at) ))([0-9]{5})(?<!000)()"
        r"(?= [A-Z][a-zäöüéèß]{2,20}(?<!s)(?:[.,;!?)]|\Z))",
        _zip,
    ),
    rule(rf"(\b(?:{_AREA}) (?:[a-z]{{1,10}} ){{0,3}}?)([0-9]{{5}})()(?= (?:is )?in\b)", _zip),
    rule(rf"\b({_NAMES},? )([0-9]{{5}})(?:-([0-9]{{4}}))?(?![\w-]|[.,][0-9])", _zip),
    rule(
        rf"\b([A-Z][\w.'’-]{{1,30}}), ({_ANY_STATE})(?![\w'’&-])"
        r"(?= ?(?:[,.;:!?)]|$| [a-z]|USA\b|[A-Z][0-9]))",
        _after_city,
    ),
    rule(
        rf"\b({one_of(list(STATES.values()))},? (?:or|and) )({_STATE})(?=[,.;:!?)]|$| [a-z])",
        _second,
    ),
    rule(r"(\b[Ii]n )(ME|OK|HI)(?=,|;)", lambda m: m[1] + STATES[m[2]]),
)
