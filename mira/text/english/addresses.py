"""E-mail and web addresses, file names, handles and network addresses in, the words to say out.

Knows nothing about streets, and nothing about numbers outside an address.
"""

import re

from mira.text.english.codes import spell
from mira.text.english.lexicon import ADDRESS_MARKS, DOMAINS, FILE_TYPES
from mira.text.english.numbers import DIGITS, cardinal, digits, number, short, year
from mira.text.traced import one_of, rule

MAY_MATTER = re.compile(r"[@#]|\.\w|:[:/]|[:-][0-9a-fA-F]{2}[:-]|localhost")
"""What a text must contain for these rules to have any work."""

_PARTS = re.compile(r"[0-9]+|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|_")
# A domain of two letters is a country's, and spelled; these are words.
_WORD_DOMAINS = ("co", "me")
_HUMP = re.compile(
    r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Za-z])|(?<=[A-Z])(?=[A-Z][a-z])"
    r"|(?<=[A-Z])(?=20[0-9]{2}\b)"
)


def _named(text: str) -> str:
    """Name every word, digit and mark of an address."""
    said = []
    for part in _PARTS.findall(text):
        if part[0] in DIGITS:
            said.append(short(part))
        elif part[0].isalnum() or part in ADDRESS_MARKS:
            said.append(ADDRESS_MARKS.get(part, part))
    return " ".join(said)


def _host(text: str) -> str:
    host, colon, port = text.partition(":")
    said = _named(host)
    rest, _, domain = said.rpartition(" ")
    if len(domain) == 2 and domain.isalpha() and domain.lower() not in _WORD_DOMAINS:
        said = f"{rest} {' '.join(domain.upper())}"
    return f"{said} colon {digits(port)}" if colon else said


def _url(match: re.Match[str]) -> str:
    whole = match[0].rstrip(".,;:!?'\")]}")
    after = match[0][len(whole) :]
    bare = re.sub(r"^(?:(?:https?|ftp)://)?(?:www\.)?", "", whole, flags=re.IGNORECASE)
    # Nobody reads a query aloud.
    host, slash, path = re.split(r"[?#]", bare, maxsplit=1)[0].rstrip("/").partition("/")
    said = _host(host)
    if not said:
        return match[0]
    return (f"{said} slash {_named(path)}" if slash else said) + after


def _email(match: re.Match[str]) -> str:
    whole = match[0].rstrip(".-")
    name, _, host = whole.partition("@")
    return f"{_named(name)} at {_host(host)}{match[0][len(whole) :]}"


def _file(match: re.Match[str]) -> str:
    return f"{_named(match[1])} dot {FILE_TYPES[match[2].lower()]}"


def _words(text: str) -> str:
    """Take the words of a hashtag apart: "HelloWorld2024"."""
    runs = _HUMP.sub(" ", text.replace("_", " ")).split()
    return " ".join(_of_hashtag(run) if run[0] in DIGITS else run for run in runs)


def _of_hashtag(run: str) -> str:
    return year(int(run)) if re.fullmatch("(?:19|20)[0-9]{2}", run) else _named(run)


def _internet_number(match: re.Match[str]) -> str:
    parts = match[1].split(".")
    if any(int(part) > 255 for part in parts):
        return match[0]
    said = " dot ".join(number(part) for part in parts)
    if match[2]:
        said += f" colon {digits(match[2])}"
    return f"{said} slash {cardinal(int(match[3]))}" if match[3] else said


def _hexadecimal(match: re.Match[str]) -> str:
    """Name the digits of an address of hardware (marks aren't said) or of IPv6 (they are)."""
    text = match[0]
    if not re.search("[0-9]", text) or ("::" not in text and not re.search("[a-fA-F]", text)):
        return text  # a word, or a time
    hardware = re.fullmatch(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}", text)
    said = []
    for part in re.findall(r"[0-9a-fA-F]+|:", text):
        if part != ":":
            said.append(spell(part))
        elif not hardware:
            said.append("colon")
    return (", " if hardware else " ").join(said)


RULES = (
    rule(
        r"(?<![\w.+'-])\w(?:[\w.+'-]{0,62}[\w+])?@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}(?![\w@])",
        _email,
    ),
    rule(r"(?:\b(?:https?|ftp)://|\bwww\.)[^\s<>\"]{1,4000}", _url, re.IGNORECASE),
    rule(
        rf"(?<![\w@.-])(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.){{1,5}}{one_of(DOMAINS)}"
        r"(?::[0-9]{2,5})?(?![\w-]|\.\w)(?:[/?#][^\s<>\"]{0,2000})?",
        _url,
    ),
    rule(r"(?<![\w@.-])(?:[A-Z][A-Z0-9-]{1,40}\.){1,3}(?:COM|NET|ORG|EDU|GOV)(?![\w-]|\.\w)", _url),
    rule(r"\blocalhost:[0-9]{2,5}\b(?:/[^\s<>\"]{0,200})?", _url),
    rule(
        rf"(?<![\w./-])([\w-]{{1,64}}(?:\.[\w-]{{1,20}}){{0,3}})\.({one_of(list(FILE_TYPES))})"
        r"(?![\w.]\w)(?!\w)",
        _file,
        re.IGNORECASE,
    ),
    rule(
        rf"(?<!\S)\.({one_of(list(FILE_TYPES))})(?![\w.]\w)(?!\w)",
        lambda m: f"dot {FILE_TYPES[m[1]]}",
    ),
    rule(
        r"(?<![\w.])((?:[0-9]{1,3}\.){3}[0-9]{1,3}) ?[-–] ?"
        r"(?=(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.]\d))",
        r"\1 to ",
    ),
    rule(
        r"(?<![\w.])((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?::([0-9]{2,5}))?(?:/([0-9]{1,2}))?(?![\w]|\.\d)",
        _internet_number,
    ),
    rule(r"(?<![\w:-])[0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2}){5}(?![\w-])", _hexadecimal),
    rule(r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,8}[0-9a-fA-F]{0,4}(?![\w:])", _hexadecimal),
    # With a capital and a digit it may be a code ("order #A4B"): of a hashtag's words one is long.
    rule(
        r"(?<![\w&#])#(?=\w{0,30}[a-z]{2}|[A-Z_]{2,30}\b(?!-[0-9])|[A-Z]{3,12}20[0-9]{2}\b)"
        r"(\w{1,100})",
        lambda m: f"hashtag {_words(m[1])}",
    ),
    rule(r"(?<![\w.@])@(?=[A-Za-z0-9_])(\w{1,64}(?:\.\w{1,64})?)", lambda m: f"at {_named(m[1])}"),
)
