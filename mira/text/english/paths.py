"""Paths of files, options of commands and keys in, words out.

Knows nothing about the names of files, and nothing about addresses of the Internet.
"""

import re

from mira.text.english.lexicon import FILE_TYPES
from mira.text.traced import one_of, rule

MAY_MATTER = re.compile(r"[\w~.]/[\w.]|(?:^|[\s\"'(])[/-]\S|\w\\\w|:\\|\w ?\+ ?[A-Z]|[a-z]-[A-Z]\b")
"""What a text must contain for these rules to have any work."""

_PER = "month|mo|year|yr|day|week|wk|hour|hr|min|minute|night|person|each|unit|user|seat"
_KEYS = {
    "Ctrl": "Control", "Ctl": "Control", "Control": "Control", "Cmd": "Command",
    "Command": "Command", "Alt": "Alt", "Opt": "Option", "Option": "Option", "Shift": "Shift",
    "Fn": "Function", "Win": "Windows", "Meta": "Meta", "Super": "Super",
}  # fmt: skip


def _path(match: re.Match[str]) -> str:
    start = {"~": "tilde", ".": "dot", "..": "dot dot", None: ""}[match[1]]
    parts = match[2].rstrip("/").replace("/.", " slash dot ").replace("/", " slash ")
    return f"{start}{parts}".strip()


RULES = (
    rule(
        r"(?<![\w/:.<>~)\]])(?<![0-9] )(~|\.{1,2})?"
        rf"(?!/(?:{_PER})\b(?!/))((?:/[\w.-]{{0,60}}\w){{1,20}}/?)(?![\w/])",
        _path,
    ),
    rule(
        rf"(?<![\w/.:@-])(?=(?:[\w-]{{1,40}}/){{1,12}}[\w-]{{1,40}}\.{one_of(list(FILE_TYPES))}\b)"
        r"[\w-]{1,40}(?:/[\w-]{1,40}){1,12}",
        lambda m: m[0].replace("/", " slash "),
    ),
    rule(r"\b([A-Z]):\\(?=\w)", r"\1 colon backslash "),
    rule(r"(?<=\w\w)\\(?=\w\w)", " backslash "),
    rule(r"(?<!\S)--(?=[a-z])", "dash dash "),
    rule(r"(?<!\S)-([a-zA-Z])(?![\w-])", r"dash \1"),
    rule(
        rf"\b({one_of(list(_KEYS))}) ?(?:\+ ?(?=\w)|-(?=[A-Z]\b|[FA-Z][a-z]{{0,6}}[+-]))",
        lambda m: _KEYS[m[1]] + " ",
    ),
    rule(r"(?<=[a-z]) ?\+ ?(?=(?:Shift|Alt|Tab|Enter|Delete|Del|Esc|Escape|F[0-9]{1,2})\b)", " "),
)
