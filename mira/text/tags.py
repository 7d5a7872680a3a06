"""A place in a text where mark-up may begin in, what stands there out.

Knows nothing about what a tag does. All that is looked at is bounded, and what is found depends
on the text alone: while it does not decide, the answer is to wait for more.
"""

import html
import re
from dataclasses import dataclass
from html.entities import html5

MAX_TAG = 1000
_MAX_WORDS = 100  # of a tag without attributes, such as "<laughs softly>"
_MAX_COMMENT = 2000
_MAX_DECLARATION = 500
_DEFAULT_PAUSE_S = 0.4  # that after a full stop
_STRENGTHS_S = {
    "none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": _DEFAULT_PAUSE_S, "strong": 0.65,
    "x-strong": 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Characters [start, stop) of the text, to be read as they are."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Entity:
    """What an entity stands for."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence that was asked for."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Tag:
    """The begin or the end of an element."""

    name: str
    """In small letters, without its namespace."""
    rest: str = ""
    """Attributes as they are written."""
    closing: bool = False
    empty: bool = False
    """It is the element's end too."""

    @property
    def attributes(self) -> dict[str, str]:
        """Values by name in small letters, without their namespaces."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.rest):
            value = next(filter(None, match.groups()[1:]), "")
            found.setdefault(_local(match[1]), " ".join(html.unescape(value).split()))
        return found


Found = Verbatim | Entity | Pause | Tag | None

_ATTRIBUTE = re.compile(
    r"""([\w:.-]{1,60})\s{0,9}=\s{0,9}(?:"([^"]{0,900})"|'([^']{0,900})'|["']?([^\s"'<>]{1,200}))"""
)
_NAME = re.compile(r"(/?)([^\W\d_][\w:.-]{0,59})")
# Past all values in quotes: where it ends, or a quote that is never closed.
_TAG_STOP = re.compile(
    r"""(?:[^<>=]++|=\s{0,9}+(?:"[^"]*+"|'[^']*+'|(?!["'])))*+([<>]|=\s{0,9}["'])"""
)
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^<>\s]{1,990}|[\w.+-]{1,64}@[\w.-]{1,255}", re.I)
# "<500>", "<$name>", "<@U12>": no comparison, whose sides are apart or have other marks.
_PLACEHOLDER = re.compile(r"<(?=[#@$%{_]{0,2}[^\W_])[#@$%{\w][\w#@$%{}.:|/+*-]{0,60}>")
_PLACEHOLDER_BEGUN = re.compile(r"<[#@$%{\w][\w#@$%{}.:|/+*-]{0,60}\Z")
# What can't be anything else, where its ">" was forgotten.
_UNCLOSED = re.compile(
    r"</?(?:(?:speak|break|spell|say-as|phoneme|prosody)(?![\w-])"
    r"|(?:sub|emphasis|voice|lang|audio|speed|volume|emotion)(?=\s{1,9}[\w:-]{1,40}=))"
    r"(?:\s{1,9}[\w:-]{1,40}\s{0,9}=\s{0,9}"
    r"(?:\"[^\"<>]{0,200}\"|'[^'<>]{0,200}'|[\"']?[^\s\"'<>/]{1,40})){0,8}\s{0,9}/?",
    re.IGNORECASE,
)
_COMMENT, _CDATA = "<!--", "<![CDATA["
_ENTITY = re.compile(r"&(#[0-9]{1,24}|#[xX][0-9a-fA-F]{1,24}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_ENTITY_BEGUN = re.compile(
    r"&(?:#(?:[0-9]{0,24}|[xX][0-9a-fA-F]{0,24})|[a-zA-Z][a-zA-Z0-9]{0,30})?\Z"
)
_PAUSE = re.compile(r"\[\s{0,3}pause\s{0,3}(?::([^\[\]\n]{0,20}))?\]", re.IGNORECASE)
_PAUSE_BEGUN = re.compile(
    r"\[\s{0,3}(?:p(?:a(?:u(?:s(?:e(?:\s{0,3}(?::[^\[\]\n]{0,20})?)?)?)?)?)?)?\Z", re.IGNORECASE
)
_DURATION = re.compile(r"\+?([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s{0,9}([a-z]*)", re.I)


def at(text: str, start: int, final: bool) -> tuple[int, Found] | None:
    """Find what stands at `text[start]`, one of "<&[".

    Args:
        final: No text follows.

    Returns:
        The index after it and what it is, None: nothing that is said; or None while the text does
        not decide.
    """
    find = {"<": _angle, "&": _entity, "[": _bracket}[text[start]]
    return find(text, start, final)


def break_s(attributes: dict[str, str]) -> float:
    """Return the pause of a `break` in seconds; one that can't be read is as long as none."""
    duration_s = _duration_s(attributes.get("time", ""))
    if duration_s is not None:
        return duration_s
    return _STRENGTHS_S.get(attributes.get("strength", "").lower(), _DEFAULT_PAUSE_S)


def _duration_s(text: str) -> float | None:
    match = _DURATION.fullmatch(text.strip())
    if not match:
        return None
    unit = match[2].lower()
    if unit in ("ms", "msec", "milliseconds", "millisecond"):
        return float(match[1]) / 1000
    return float(match[1]) if unit in ("", "s", "sec", "secs", "second", "seconds") else None


def _local(name: str) -> str:
    return name.lower().rpartition(":")[2]


def _char(start: int) -> tuple[int, Verbatim]:
    return start + 1, Verbatim(start, start + 1)


def _angle(text: str, start: int, final: bool) -> tuple[int, Found] | None:
    if start + 1 == len(text):
        return _char(start) if final else None
    following = text[start + 1]
    if following in "!?":
        return _declaration(text, start, final)
    name = text[start + 2 : start + 3] if following == "/" else following
    if name and name != ">" and not name.isalpha():
        return _placeholder(text, start, final)
    stop = _tag_stop(text, start, final)
    if stop is None:
        return None
    if stop < 0:
        unclosed = _UNCLOSED.match(text, start)
        return (unclosed.end(), _tag(unclosed[0][1:])) if unclosed else _char(start)
    inside = text[start + 1 : stop - 1]
    if _ADDRESS.fullmatch(inside):
        return stop, Verbatim(start + 1, stop - 1)
    tag = _tag(inside)
    if inside == "/" or (tag and not _compares(tag)):
        return stop, tag
    return _char(start)


def _placeholder(text: str, start: int, final: bool) -> tuple[int, Found] | None:
    match = _PLACEHOLDER.match(text, start)
    if not match:
        waits = not final and _PLACEHOLDER_BEGUN.match(text, start)
        return None if waits else _char(start)
    inside = Verbatim(start + 1, match.end() - 1)
    is_address = _ADDRESS.fullmatch(text, inside.start, inside.stop)
    return match.end(), inside if is_address else None


def _tag(inside: str) -> Tag | None:
    name = _NAME.match(inside)
    if not name:
        return None
    rest = inside[name.end() :].rstrip()
    empty = rest.endswith("/")
    return Tag(_local(name[2]), rest.removesuffix("/"), bool(name[1]), empty)


def _compares(tag: Tag) -> bool:
    """Tell whether it is no tag but a comparison of two: "x <y and z> 3"."""
    return len(tag.name) == 1 and bool(tag.rest.strip()) and "=" not in tag.rest


def _tag_stop(text: str, start: int, final: bool) -> int | None:
    """Find where a tag ends; None: not known yet; negative: it never does."""
    words = text[start : start + _MAX_WORDS]
    address = words[1:8].lower().startswith(("http", "mailto:"))
    limit = start + (MAX_TAG if "=" in words or address else _MAX_WORDS)
    waits = len(text) < limit and not final
    at = start + 1
    while stop := _TAG_STOP.match(text, at, limit):
        if stop[1] in "<>":
            return stop.end() if stop[1] == ">" else -1
        if waits:
            return None
        at = stop.end()
    return None if waits else -1


def _declaration(text: str, start: int, final: bool) -> tuple[int, Found] | None:
    """Find the end of what begins with "<!" or "<?"."""
    begun = text[start : start + len(_CDATA)].upper()
    whole = len(text) - start >= len(_CDATA) or final
    if begun.startswith(_COMMENT):
        end = text.find("-->", start + 2, start + _MAX_COMMENT)
        if end >= 0:
            return end + 3, None
        whole = final or len(text) - start >= _MAX_COMMENT
        return (start + len(_COMMENT), None) if whole else None
    if begun == _CDATA:
        inside = start + len(_CDATA)
        end = text.find("]]>", inside, start + MAX_TAG)
        if end >= 0:
            return end + 3, Verbatim(inside, end)
        whole = final or len(text) - start >= MAX_TAG
        return (inside, None) if whole else None
    if not whole and (_COMMENT.startswith(begun) or _CDATA.startswith(begun)):
        return None
    if not begun[2:3].isalpha():
        return None if len(begun) < 3 and not final else _char(start)
    end = text.find(">", start, start + _MAX_DECLARATION)
    if end >= 0:
        return end + 1, None
    return _char(start) if final or len(text) - start >= _MAX_DECLARATION else None


def _entity(text: str, start: int, final: bool) -> tuple[int, Found] | None:
    match = _ENTITY.match(text, start)
    if not match:
        waits = not final and _ENTITY_BEGUN.match(text, start)
        return None if waits else _char(start)
    name = match[1]
    if name[0] == "#":
        return match.end(), Entity(html.unescape(match[0]))
    known = html5.get(f"{name};")
    return (match.end(), Entity(known)) if known else _char(start)


def _bracket(text: str, start: int, final: bool) -> tuple[int, Found] | None:
    match = _PAUSE.match(text, start)
    if match is None:
        waits = not final and _PAUSE_BEGUN.match(text, start)
        return None if waits else _char(start)
    if match[1] is None:
        # "[pause](http://…)" is a link.
        if match.end() == len(text) and not final:
            return None
        if text.startswith("(", match.end()):
            return _char(start)
    return match.end(), Pause(break_s({"time": match[1] or ""}))
