"""Abbreviations, titles, initials, Roman numerals in, the words that they stand for out.

Acronyms stay as they are: both voices spell FBI and say NASA. Knows nothing about quantities.
"""

# ruff: noqa: SIM905  (long word lists read best as text)

import re
from collections.abc import Callable

from mira.text.abbreviations import STARTERS
from mira.text.lexicon import BEFORE_ROMAN, MONTHS, RULERS
from mira.text.numbers import cardinal, ordinal
from mira.text.shortforms import (
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

_LOOK = 48  # characters on either side that may decide

_NAME = re.compile(r" ?[A-Z][\w.'’]")
_NUMBER = re.compile(r" ?#?[0-9]")
_PART = re.compile(r" (?:[B-HJ-Z]|[IVX]{1,6})(?![\w.'’])")
_SMALL = re.compile(r" [a-z0-9]")
_YEAR = re.compile(r",? (?:in |since )?(?:1[5-9]|20)[0-9]{2}(?![\w,])|:? ?(?:1[5-9]|20)[0-9]{2}\b")
_DATE = re.compile(
    rf":? ?(?:[0-9]{{1,2}}[/-][0-9]|(?:on |in )?{one_of([m.capitalize() for m in MONTHS])})"
)
_AFTER_NUMBER = re.compile(r"(?:^|[^\w$€£.,])[0-9][0-9.,½¼¾]{0,12}[ -]?\Z")
_AFTER_TOWN = re.compile(r"[A-Z][a-z]{2,20}, \Z")


def _like(written: str, said: str) -> str:
    """Begin with a capital what was written with one."""
    capital = written[0].isupper() and (len(written) == 1 or not written.isupper())
    return said[0].upper() + said[1:] if capital else said


def _sides(match: re.Match[str]) -> tuple[str, str]:
    text, start, end = match.string, match.start(), match.end()
    return text[max(0, start - _LOOK) : start], text[end : end + _LOOK]


def _bound(of_all: str) -> Callable[[str, str], str]:
    """Read "min." and "max.", unless a number of minutes is meant."""
    return lambda before, after: "" if _AFTER_NUMBER.search(before) or not after else of_all


def _expires(before: str, after: str) -> str:
    if _DATE.match(after):
        return "expires"
    return "expiration" if after.startswith((" date", ":")) else "experience"


def _included(how: str) -> Callable[[str, str], str]:
    return lambda before, after: f"{how}ing" if re.match(r":? [\w$]", after) else f"{how}ed"


# Short forms that context decides: what stands before and after in, what is said out; "" leaves it.
_BY_CONTEXT: dict[str, Callable[[str, str], str]] = {
    "dr": lambda before, after: "doctor",
    "st": lambda before, after: "street",  # what is a saint's has been read with the places
    "ste": lambda before, after: "saint" if _NAME.match(after) else "",
    "sts": lambda before, after: "saints" if _NAME.match(after) else "streets",
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
    "feat": lambda before, after: "featuring",
    "conf": lambda before, after: (
        "confirmation" if re.match(r" (?:#|no|num|code)", after) else "conference"
    ),
    "mass": lambda before, after: "Massachusetts" if after.startswith(" Ave") else "",
}
# Time zones, states and units, which stay letters.
_SPELLED = frozenset("EST CA CO MO FT MASS V C D B ST DR INST PREF".split())
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
    if word in _SPELLED or before.endswith(" dot "):
        return ""  # or part of an address, which has been read
    if said := _named(word, before, after):
        return said
    if plain in _BY_CONTEXT:
        return _BY_CONTEXT[plain](before, after)
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
    before, after = _sides(match)
    said = _dotted_word(match[1], before, after)
    if not said:
        return match[0]
    # The full stop of the last word is the sentence's own as well.
    if match[1].lower() not in ("no", "nos"):  # "See No. 5"
        said = _like(match[1], said)
    return said + "." * (match.end() == len(match.string))


def _anywhere(match: re.Match[str]) -> str:
    before, _ = _sides(match)
    said = _anywhere_word(match[0].lower())
    if not said or (match[0].lower() in _TIMES and _AFTER_NUMBER.search(before)):
        return match[0]
    return _like(match[0], said)


def _state(match: re.Match[str]) -> str:
    before, _ = _sides(match)
    plain = match[0].lower().rstrip(".")
    said = STATES.get(plain) or (_AFTER_TOWN.search(before) and STATES_OF_TOWNS.get(plain))
    return said + "." * (match.end() == len(match.string)) if said else match[0]


# "E.g. this": the same at the start of a sentence.
_EXACT = {
    short[0].upper() + short[1:]: said[0].upper() + said[1:]
    for short, said in EXACT.items()
    if short[0].islower()
} | EXACT  # fmt: skip


def _exact(match: re.Match[str]) -> str:
    said = _EXACT[match[0]]
    return said + "." * (match[0].endswith(".") and match.end() == len(match.string))


_PLAIN_TITLES = {title.capitalize(): said.capitalize() for title, said in PLAIN_TITLES.items()}
_NUMBERED_THINGS = (
    "account order serial model part policy phone telephone reference ref invoice id card case "
    "license claim flight confirmation tracking routing member customer ticket item lot batch"
).replace(" ", "|")

_COUNTED_SMALL = "Page Pages Item Clause Step Paragraph".split()
_ROMAN = r"(?=[IVXL]{1,9}\b)((?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))\b(?!\.\w|['’](?!s\b)\w)"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_RULES = "King|Queen|Pope|Emperor|Empress|Prince|Princess|Tsar|Czar|Kaiser|Sultan|Duke"
# "Rocky Balboa II" might be a person, these are none.
_THINGS = frozenset("the a war fantasy wars quest world windows star super final mega".split())


def _roman(text: str) -> int:
    values = [_VALUES[letter] for letter in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0]))


def _generation(match: re.Match[str]) -> str:
    """Read the numeral after two words with capitals: a person's, after one a thing's."""
    first, second, number = match[1], match[2], _roman(match[3])
    if first and first.lower() not in _THINGS | STARTERS and second.lower() not in _THINGS:
        return f"{first} {second} the {ordinal(number)}"
    return f"{first + ' ' if first else ''}{second} {cardinal(number)}"


SHORT_FORMS = (
    rule(r"\b([Ee])xp\b\.? (?=dates?\b)", r"\1xpiration "),
    # A company, not three million of something.
    rule(r"\b3M(?=['’]s\b|,? (?:[A-Z]|is\b|has\b|makes\b|tape\b|filter))", "3 M"),
    rule(r"\b([Aa]t|[Bb]y|[Ff]rom|[Ff]or) 3M\b(?! [a-z]{3,}s\b)", r"\1 3 M"),
    rule(r"\b(Yahoo|Jeopardy|Kahoot)!(?=['’]s| [\w&])", r"\1"),
    rule(rf"(?<![\w.]){one_of(list(_EXACT))}(?![\w+#])", _exact),
    rule(r"(?<![\w./])([Ww])/ ?(?=[\w$#])", lambda m: _like(m[1], "with ")),
    rule(r"(?<![\w.])(?:[A-Z]\.){1,2}(?:[A-Z]|Va)\.(?!\w)", _state),
    rule(
        rf"\b((?i:{_NUMBERED_THINGS}|acct\.|tel\.|ser\.|ref\.|inv\.)) ([Nn])o\.(?=[\W]|\Z)",
        r"\1 \2umber",
    ),
    rule(r"\b((?:[Nn]os?|pp?|[Vv]ols?|[Ff]igs?|[Cc]h|[Ss]ec|[Aa]rt|[Pp]t)\.)(?=[0-9])", r"\1 "),
    rule(r"(?<![\w.@/&'’-])([A-Za-z]{1,6})\.(?![\w@])", _dotted),
    rule(rf"\b({one_of(list(_PLAIN_TITLES))}) (?=[A-Z])", lambda m: _PLAIN_TITLES[m[1]] + " "),
    rule(r"\b(mr|mrs|dr|prof) (?=[a-z])", lambda m: PLAIN_TITLES[m[1]] + " "),
    rule(r"\b(Mt|Ft) (?=[A-Z][a-z])", lambda m: TITLES[m[1].lower()].capitalize() + " "),
    rule(
        r"(?<=[a-z&] )(Inc|Corp|Ltd|Co|Bros|Jr|Sr|Esq)\b(?![.'’-])",
        lambda m: DOTTED[m[1].lower()].capitalize(),
    ),
    rule(rf"(?<![\w.@/&'’-])(?i:{one_of(list(ANYWHERE))})(?i:s)?(?![\w@/&-])(?!\.\w)", _anywhere),
    rule(r"\b(R|r)[Ee]:(?= )", r"\1egarding:"),
    rule(r"\b([B-Z])\. (?=[A-Z][\w.'’])", r"\1 "),
    rule(r"\b([ap])\.m\.(?= \w|,)", lambda m: m[1].upper() + "M"),
    rule(rf"\b({one_of(BEFORE_ROMAN)}) {_ROMAN}", lambda m: f"{m[1]} {cardinal(_roman(m[2]))}"),
    # In small letters, either of them, only where it is no word or letter: "page iv", "type II".
    rule(
        rf"\b((?i:{one_of([*BEFORE_ROMAN, *_COUNTED_SMALL])})) "
        r"((?=[ivx]{2}|[IVX]{2})(?i:x{0,3}(?:ix|iv|v?i{0,3})))\b(?!['.]\w)",
        lambda m: f"{m[1]} {cardinal(_roman(m[2].upper()))}",
    ),
    rule(
        rf"\b((?:{_RULES}) [A-Z][a-z]{{2,20}}|{one_of(RULERS)}) (?!I\b){_ROMAN}",
        lambda m: f"{m[1]} the {ordinal(_roman(m[2]))}",
    ),
    rule(r"\b(?:([A-Z][a-z]{1,20}) )?([A-Z][a-z]{2,20}),? (III?|IV)\b(?!['’.]\w)", _generation),
)
