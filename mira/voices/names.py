"""What a voice may be called: safe in a URL, in a file's name and in a log.

Knows nothing about which voices there are.
"""

import unicodedata

from mira.errors import InvalidRequest

MAX_CHARS = 64
MAX_BYTES = 200  # in UTF-8; a file's name has 255, and needs some for its suffix
RESERVED = frozenset({"refresh", "clear-cache"})  # addresses beside /voices/{id}
_KINDS = frozenset({"L", "M", "N"})  # letters, marks and digits, of any script
_BETWEEN = " -_."


def clean_name(name: str) -> str:
    """Bring a name to the one form in which it is kept (NFC: macOS writes files' names in another).

    Raises:
        InvalidRequest: It can't be a voice's name.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if why := _unfit(name):
        raise InvalidRequest(
            f"name: {why}. A voice's name has 1 to {MAX_CHARS} letters, digits, spaces, '-', '_' "
            "and '.', and begins with a letter or digit.",
            "name",
        )
    return name


def _unfit(name: str) -> str | None:
    if not name:
        return "it is empty"
    if len(name) > MAX_CHARS or len(name.encode("utf-8", "replace")) > MAX_BYTES:
        return "it is too long"
    if name in RESERVED:
        return f"{name!r} is reserved"
    if unicodedata.category(name[0])[0] not in {"L", "N"}:
        return f"it begins with {name[0]!r}"
    for char in name:
        if unicodedata.category(char)[0] not in _KINDS and char not in _BETWEEN:
            return f"it has {char!r} in it"
    return None
