"""Addresses, telephone numbers, codes and versions in, the words to say out.

Knows nothing about quantities: every number here names something.
"""

import re

from mira.text.lexicon import ADDRESS_MARKS, DOMAINS, FILE_TYPES, SPELLED_DOMAINS
from mira.text.numbers import DIGITS, cardinal, digits, number, short
from mira.text.traced import one_of, rule

_PARTS = re.compile(r"[0-9]+|[^\W\d_]+|[^\w\s]|_")
_RUNS = re.compile(r"[0-9]+|[^\W\d_]+")


def _address(text: str) -> str:
    """Name every word, digit and mark of an address."""
    said = []
    for part in _PARTS.findall(text):
        if part[0] in DIGITS:
            said.append(short(part))
        elif part[0].isalnum() or part in ADDRESS_MARKS:
            said.append(ADDRESS_MARKS.get(part, part))
    if said and said[-1].lower() in SPELLED_DOMAINS:
        said[-1] = " ".join(said[-1].upper())
    return " ".join(said)


def _url(match: re.Match[str]) -> str:
    whole = match[0].rstrip(".,;:!?'\")]}")
    after = match[0][len(whole) :]
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", whole, flags=re.IGNORECASE)
    # Nobody reads a query aloud.
    host, slash, path = re.split(r"[?#]", bare, maxsplit=1)[0].rstrip("/").partition("/")
    said = _address(host)
    if not said:
        return match[0]
    return (f"{said} slash {_address(path)}" if slash else said) + after


def _email(match: re.Match[str]) -> str:
    whole = match[0].rstrip(".-")
    return _address(whole) + match[0][len(whole) :]


def _file(match: re.Match[str]) -> str:
    return f"{_address(match[1])} dot {FILE_TYPES[match[2].lower()]}"


def _hashtag(match: re.Match[str]) -> str:
    return "hashtag " + re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", match[1])


ADDRESSES = (
    rule(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", _email),
    rule(r"(?:\bhttps?://|\bwww\.)[^\s<>\"]{1,4000}", _url, re.IGNORECASE),
    rule(
        rf"(?<![\w@.-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,5}}{one_of(DOMAINS)}(?![\w-]|\.\w)"
        r"(?:/[^\s<>\"]{0,2000})?",
        _url,
        re.IGNORECASE,
    ),
    rule(rf"(?<![\w.-])([\w-]{{1,64}})\.({one_of(list(FILE_TYPES))})(?![\w.]\w)(?!\w)", _file),
    rule(r"(?<![\w&])#([A-Za-z]\w{0,100})", _hashtag),
    rule(r"(?<![\w.])@(?=\w)", "at "),
)


def spell(text: str) -> str:
    """Name letters and digits one by one, with a pause where the code has a mark."""
    groups = []
    for group in re.split(r"[^0-9A-Za-z]+", text):
        said = " ".join(digits(c) if c in DIGITS else c.upper() for c in group)
        # Before another word the built-in voice reads "A" and "A," as the article, "A.," never.
        groups.append(re.sub(r"\bA(?= \w)", "A.,", said))
    return ", ".join(filter(None, groups))


def _phone(match: re.Match[str]) -> str:
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(map(digits, re.findall("[0-9]+", match[0])))


def _named_code(match: re.Match[str]) -> str:
    return match[1] + spell(match[2]) if any(map(str.isdigit, match[2])) else match[0]


def _number_name(text: str) -> str:
    """Read a number that names a place or a flight: "two twenty-one", "twenty-four ninety"."""
    head, tail = text[:-2], text[-2:]
    if not head or head[0] == "0" or (tail[0] == "0" and tail != "00"):
        return short(text)
    return f"{short(head)} {'hundred' if tail == '00' else cardinal(int(tail))}"


def _place(match: re.Match[str]) -> str:
    said = [run.upper() if run.isalpha() else _number_name(run) for run in _RUNS.findall(match[2])]
    return f"{match[1]}{' '.join(said)}"


def _version(match: re.Match[str]) -> str:
    parts = match[2].split(".")
    dot = " dot " if len(parts) == 4 else " point "
    said = dot.join(number(part) for part in parts)
    return f"version {said}" if match[1] else said


def _mixed(match: re.Match[str]) -> str:
    """Read letters and digits in one word."""
    runs = _RUNS.findall(match[0])
    if len(runs) > 2:
        return spell(match[0])
    return " ".join(short(run) if run[0] in DIGITS else run for run in runs)


def _long(match: re.Match[str]) -> str:
    text = match[0]
    if text.endswith("000") and len(text) <= 15 and text[0] != "0":
        return text  # a round sum, not a code
    return ", ".join(digits(text[i : i + 3]) for i in range(0, len(text), 3))


_NAMES_ANY = (
    "code|pin|otp|zip(?: code)?|postcode|ending (?:in|with)|ends (?:in|with)|passcode|password|"
    "extension|ext|pnr|last (?:four|three) digits(?: are)?"
)
_NAMES_LONG = (
    "account|order|ticket|case|reference|ref|confirmation|tracking|serial|invoice|booking|id|"
    "policy|member|customer|card|reservation|number"
)
_PLACES = "rooms?|suite|apartment|apt|unit|flight|gates?|floor|exit|bus|train|platform|bay|seat|row"
_LINK = r"(?:\.?\s?(?:number|code|no\.|id|is|are|was|#|:|-)){0,3}\s?#?"
_CODE = r"(?=[A-Z0-9-]{0,30}[0-9])[A-Z0-9]{1,30}(?:-[A-Z0-9]{1,30}){0,6}(?![\w%]|[.,:/]\d)"

NUMBERS = (
    rule(r"(?<![\w.])(?:[0-9]{4}[ -]){3}[0-9]{4}(?![\w-])", _phone),
    rule(r"(?<![\w.-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])", _phone),
    rule(
        r"(?<![\w.,-])(?:\+?[0-9]{1,3}[ .-]?)?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}"
        r"(?![\w-]|[.,]\d)",
        _phone,
    ),
    rule(r"(?<![\w.])\+[0-9](?:[ ().-]{0,2}[0-9]){7,17}(?!\w)", _phone),
    rule(r"(?<![\w.-])0[0-9]{2,4} [0-9]{3,4} [0-9]{3,4}(?!\w)", _phone),
    rule(r"(?<![\w.-])[0-9]{3}-[0-9]{4}(?![\w-])", _phone),
    rule(
        r"\b((?i:python|version|node|java|php|ruby|go|ios|android|ubuntu|macos|release|django)\s)"
        r"v?([0-9]{1,4})\.([0-9]{1,4})(?![\w.]\d)(?!\w)",
        lambda m: f"{m[1]}{number(m[2])} point {number(m[3])}",
    ),
    rule(
        r"(?<![\w.,$€£/-])(?:(v)(?=[0-9]))?([0-9]{1,6}(?:\.[0-9]{1,6}){2,5})(?![\w]|\.\d)", _version
    ),
    rule(r"(?<![\w.])(v)([0-9]{1,6}(?:\.[0-9]{1,6})?)(?![\w]|\.\d)", _version),
    rule(
        rf"\b((?i:{_PLACES}) (?:number |no\. |#)?)((?:[A-Z]{{1,3}} ?)?[0-9]{{1,4}}[A-Z]?)"
        r"(?![\w%-]|[.,:/]\d)",
        _place,
    ),
    # "221B Baker Street" is no sum of billions.
    rule(
        r"(?<![\w.,$€£¥₹-])([0-9]{1,4})([A-Z])(?= [A-Z][a-z])",
        lambda m: f"{_number_name(m[1])} {m[2]}",
    ),
    rule(rf"\b((?i:{_NAMES_ANY}){_LINK}\s?)({_CODE})", _named_code),
    rule(rf"\b((?i:{_NAMES_LONG}){_LINK}\s?)(?=[A-Z0-9-]{{4}})({_CODE})", _named_code),
    # Digits among capitals, more than one change from one to the other: "X7K2QP", "A4B-729X".
    rule(
        r"(?<![\w.-])(?=[A-Z][A-Z-]{0,20}[0-9][0-9-]{0,20}[A-Z]|[0-9-]{1,20}[A-Z][A-Z-]{0,20}[0-9])"
        r"[A-Z0-9]{1,30}(?:-[A-Z0-9]{1,30}){0,6}(?![\w-])",
        lambda m: spell(m[0]),
    ),
    rule(r"(?<![\w.,$€£¥₹-])[0-9]{7,400}(?![\w%]|[.,]\d)", _long),
)
# Used after every quantity has been read: what still mixes letters and digits is a name.
MIXED = rule(r"(?=[^\W\d_]{0,40}-?[0-9])[^\W_]{1,40}(?:-[0-9]{1,9}\b)?", _mixed)
