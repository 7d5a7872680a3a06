"""Numbers that are part of a name in, the words to say out: RTX 4090, HTTP 404, F-150, form 1040.

What people made and numbered is read in pairs, like a room. Knows nothing about quantities, and
nothing about codes, which the words around them announce.
"""

import re

from mira.text.english.codes import spell
from mira.text.english.context import Kind, around, is_counted, kind_of
from mira.text.english.measures import CURRENCIES
from mira.text.english.numbers import cardinal, digits, name, plural
from mira.text.traced import rule

MAY_MATTER = re.compile(
    r"\bWW|[A-Za-z] [1-9][0-9]{2}|0x[0-9A-Fa-f]|[A-Z]-?[0-9]|7[0-8]7-"
    r"|[0-9](?:W|[(][a-z]|/[0-9]{2}|-?[A-Z]|\s?[Bb][RrDd]|s\b)|\b10-4|\A[1-9][0-9]{2}"
)
"""What a text must contain for these rules to have any work."""

_WARS = {"I": "one", "II": "two", "III": "three", "1": "one", "2": "two", "3": "three"}
# Before a number they are a standard, which is counted, or money, a half of the day, a state's law.
_NO_MAKERS = frozenset(("ISO", "EN", "AM", "PM", "AD", "BC", "CE", "PO", "OK", "TO", "OR", "US"))


def _model(match: re.Match[str]) -> str:
    """Read what a maker's letters and a number name, if neither a code nor a sum."""
    text, maker, number = match.string, match[1], match[3]
    if maker in CURRENCIES or maker in _NO_MAKERS or is_counted(text, match.end()):
        return match[0]
    if re.fullmatch("(?:19|20)[0-9]{2}", number) or kind_of(text, match.start(3), match.end()):
        return match[0]
    return f"{maker} {name(number)}"


_HOME = re.compile(
    r" (?:units?|apartments?|condos?|houses?|homes?|flats?|places?|lofts?|townho\w{2,6}|rentals?)\b"
)


def _named(match: re.Match[str]) -> str:
    """Read a number that the word beside it makes a name, if it is no code."""
    number = match[2]
    if kind_of(match.string, match.start(2), match.end(2)) is Kind.CODE:
        return match[0]
    return match[1] + name(number)


def _made(match: re.Match[str]) -> str:
    """Read what stands after its maker: "Airbus A320"."""
    known = kind_of(match.string, match.end(1) - 1, match.end())
    return match[0] if known else f"{match[1]} {name(match[2])}"


def _letter_model(match: re.Match[str]) -> str:
    if kind_of(match.string, match.start(), match.end()) is Kind.CODE:
        return match[0]
    return f"{match[1]} {name(match[2])}"


def _form_alone(match: re.Match[str]) -> str:
    """Read "my 1040", unless so many are counted."""
    return match[0] if is_counted(match.string, match.end()) else _named(match)


def _alone(match: re.Match[str]) -> str:
    """Read a number that stands for a thing: "a 747.", "take the 405"."""
    return match[1] + name(match[2])


def _hexadecimal(match: re.Match[str]) -> str:
    return "zero x " + spell(match[1])


def _many(match: re.Match[str]) -> str:
    """Read several of a model: "H100s", "W-2s"."""
    return f"{match[1]} {plural(name(match[2]))}"


def _jet(match: re.Match[str]) -> str:
    """Read "737-800", "787-9 Dreamliner", and "the 747" where somebody flies."""
    before, after = around(match)
    model, variant, mark = match.groups()
    near = _FLYING.search(before)
    is_row = variant and len(variant) == 3 and variant[1:] == "00"
    if not (_JET.match(after) or near or is_row) or (
        not variant and not near and is_counted(match.string, match.end())
    ):
        return match[0]
    return " ".join(filter(None, (name(model), name(variant) if variant else "", mark)))


def _clause(match: re.Match[str]) -> str:
    """Read a number and the letters of its parts: "1031(a)(3)", "Rule 12(b)(6)"."""
    parts = re.findall(r"\((\w+)\)", match[2])
    said = (name(part) if part.isdigit() else part.upper() for part in parts)
    return " ".join((name(match[1]), *said))


def _short_number(match: re.Match[str]) -> str:
    """Read what is dialled like the one before it: "call 311 for repairs or 211 for help"."""
    known = _DIALLED.search(around(match)[0]) and not is_counted(match.string, match.end())
    return digits(match[0]) if known else match[0]


def _form(match: re.Match[str]) -> str:
    return f"{match[1] or ''}{name(match[2])} {match[3]}"


def _rooms(match: re.Match[str]) -> str:
    baths = f", {match[2]} bath" if match[2] else ""
    one = baths or match[1] == "1" or _HOME.match(match.string, match.end())
    return f"{match[1]} bedroom{'' if one else 's'}{baths}"


_FLYING = re.compile(r"(?i)\b(?:boeing|jets?|planes?|aircraft|fl[iy]\w{0,5}|flew|boarding)\b")
_JET = re.compile(
    r" (?:MAX|Max|Dreamliner|jets?|aircraft|planes?|airliners?|freighters?|(?:to|from) [A-Z]{3})\b"
)
_DIALLED = re.compile(
    r"(?i)\b(?:calls?|dial|text|calling|dialing|dialed)\b[^.!?;]{0,50}\b(?:or|and) \Z"
)
_MAKERS = (
    "(?:BMW|Cessna|Embraer|Ferrari|Fiat|Mazda|McLaren|Mercedes|Peugeot|Porsche|Volvo|Lexus|Levi's)"
)
_SUBJECTS = (
    "(?:[Mm]ath|English|Biology|Chemistry|Physics|History|Psychology|Spanish|French"
    "|Calculus|Economics|Sociology|Accounting)"
)
_ALONE = r"(?<![\w.,$€£¥₹#/-])"
_OVER = r"(?![\w%°-]|[.,:/][0-9])"

RULES = (
    rule(rf"{_ALONE}(7[0-8]7)(?:-([0-9]{{1,3}})(ER|LR|F)?)?{_OVER}", _jet),
    rule(rf"\b({_MAKERS}) ([1-9][0-9]{{2}}){_OVER}", _made),
    rule(rf"{_ALONE}911(?= (?:Turbo|Carrera|Targa|GT[23])\b)", "nine eleven"),
    rule(rf"\b({_SUBJECTS}) ([1-9][0-9]{{2,3}}){_OVER}", _made),
    rule(
        r"\b(?!Page|Over|About|Only|Line|Than|Room)([A-Z][a-z]{2,20}) (101)(?=[.,;:!?)\"]|$"
        r"| (?:is|class|course|this|on|next|tonight|today|tomorrow|for|with|and|at"
        r"|meets|starts|webinar|session|workshop)\b)",
        _made,
    ),
    rule(
        rf"(){_ALONE}(50[234])(?= (?:[Bb]ad [Gg]ateway|[Ss]ervice [Uu]navailable|[Gg]ateway))",
        _named,
    ),
    rule(rf"{_ALONE}(?:[2-8]11|988){_OVER}", _short_number),
    rule(r"\bWW[ -]?(I{1,3}|[123])(?![\w'’]\w|\w)", lambda m: f"World War {_WARS[m[1]]}"),
    rule(r"(?<!\w)0x([0-9A-Fa-f]{1,40})(?!\w)", _hexadecimal),
    rule(
        r"\b501 ?\(?c\)?(?:\(([0-9]{1,2})\)|([0-9]))?(?!\w)",
        lambda m: (
            f"five oh one C {cardinal(int(m[1] or m[2] or 0)) if m[1] or m[2] else ''}".rstrip()
        ),
    ),
    rule(
        r"(?<![\w.,$-])([0-9]{2,4})(\([a-z]\)(?:\((?:[0-9]{1,2}|[A-Za-z])\)){0,3})"
        r"(?<!01\(k\))(?<!03\(b\))(?!\w)",
        _clause,
    ),
    rule(
        r"(?<![\w.-])([0-9]{1,2})W-?([0-9]{2})(?![\w%-])",
        lambda m: f"{cardinal(int(m[1]))} W {cardinal(int(m[2]))}",
    ),
    rule(
        r"(?<![\w.-])([0-9]{2})([HQ])([1-4])(?!\w)",
        lambda m: f"{cardinal(int(m[1]))} {m[2]} {cardinal(int(m[3]))}",
    ),
    rule(
        r"(?<![\w.,-])([0-9]{1,2})\s?(?:BR|BD|br|bd)s?(?: ?[/,] ?| )"
        r"([0-9](?:\.5)?)\s?(?:BA|ba)s?\b",
        _rooms,
    ),
    rule(r"(?<![\w.,-])([0-9]{1,2})\s?(?:BR|BD)()\b", _rooms),
    rule(r"(?:\A|(?<=[.!?] )|(?<=\ba ))10-4(?=[.,!?]|\Z)", "ten four"),
    rule(r"(?<![\w.-])([A-Z]{1,4})-?([0-9]{1,4})s(?!\w)", _many),
    rule(r"(?<![\w.-])((?i:forms? ))?(10[0-9]{2})-([A-Z]{1,4})(?![\w-])", _form),
    rule(
        r"\b((?:[Ff]orms?|[Ee]rrors?|[Ss]tatus|IRS|Boeing|Airbus|Xbox|Office|Channel) )"
        r"([1-9][0-9]{2,3})(?![\w%-]|[.,:/]\d)",
        _named,
    ),
    rule(r"()(?<![\w.,$€£/-])([1-9][0-9]{2,3})(?= forms?\b)", _named),
    rule(
        r"\b((?:[Aa]n?|[Tt]he|[Tt]his|[Tt]hat) )([1-9][0-9]{2})(?= (?:error|page|not found)\b)",
        _named,
    ),
    rule(
        r"\b(an? )([1-9][0-9]{2})(?=[.;!?)]|\Z| (?:when\w{0,4}|while|if|because|under|with|and|on"
        r"|in|at|from|again|every|instead|but)\b)(?!\.\d)",
        _alone,
    ),
    rule(
        r"\b((?:[Mm]y|[Yy]our|[Hh]is|[Hh]er|[Tt]heir|[Oo]ur|[Aa]|[Tt]he) )(10[0-9]{2})"
        r"(?![\w%-]|[.,:/]\d)",
        _form_alone,
    ),
    rule(
        r"\b((?:[Aa]n?|[Tt]he|[Mm]y|[Yy]our|[Hh]is|[Hh]er|[Oo]ur) [A-Z][a-z]{2,15} )([1-9][0-9]{2})"
        r"(?=[.,;!?)]|\Z| [a-z])(?![.,]\d)",
        _form_alone,
    ),
    # On the radio.
    rule(
        r"\b(FM )?(1[0-9]{2})\.([0-9])(?:(?<=FM ...\..)|(?= FM\b))(?!\d)",
        lambda m: f"{m[1] or ''}{name(m[2])} point {name(m[3])}",
    ),
    rule(r"(?<![0-9] )\b(AM )([5-9][0-9]0|1[0-7][0-9]0)(?![\w:]|[.,]\d)", _form_alone),
    rule(
        r"\b((?:Delta|United|Southwest|JetBlue|Spirit|Frontier|Lufthansa|Emirates|Amtrak|Air"
        r"|Air(?:lines|ways)) )([1-9][0-9]{2,3})(?![\w%-]|[.,:/]\d)",
        _form_alone,
    ),
    rule(
        r"(?<![\w.-])([1-3][0-9]{2})/([2-9][0-9]) ?Z?R ?([12][0-9])(?!\w)",
        lambda m: f"{name(m[1])} {name(m[2])} R {name(m[3])}",
    ),
    rule(
        r"\b((?:[Oo]n|[Tt]ake|[Tt]aking|[Vv]ia|[Oo]ff|[Oo]nto) the )([1-9][0-9]{2})"
        r"(?=[.,;!?)]|\Z| (?:to|from|at|near|north|south|east|west|until|and|is)\b)(?![.,]\d)",
        _alone,
    ),
    rule(r"\b([A-Z][a-z]{2,12} [A-Z])([1-9][0-9]{2})(?![\w%-]|[.,:]\d)", _made),
    rule(
        r"(?<![\w&.,'’/-])([A-Z]{2,5})( )([1-9][0-9]{2,3})(?![\w%-]|[.,:/]\d|'\w| [0-9])",
        _model,
    ),
    rule(r"(?<![\w.-])([A-HJ-Z])-([1-9][0-9]{2})(?![\w%-]|[.,:]\d)", _letter_model),
)
