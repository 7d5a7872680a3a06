"""What a voice may be called: safe in a URL, in a file's name and in a log.

A voice that one API key alone may see is stored as NAME@KEY, and called NAME by its holder; no
voice that all may see has an @ in its name. Knows nothing about which voices there are.
"""

import re
import unicodedata

from mira.errors import InvalidRequest

MAX_CHARS = 64
MAX_BYTES = 200  # in UTF-8; a file's name has 255, and needs some for its suffix
RESERVED = frozenset({"refresh", "clear-cache"})  # addresses beside /voices/{id}
KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""What an API key may be called."""
_OWNER = "@"
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


def clean_stored_name(name: str) -> str:
    """Do the same with the name that a voice is stored under: NAME, or NAME@KEY.

    Raises:
        InvalidRequest: It can't be such a name.
    """
    plain, at, owner = name.partition(_OWNER)
    if not at:
        return clean_name(name)
    plain, owner = clean_name(plain), owner.strip()
    if not KEY_NAME.fullmatch(owner):
        raise InvalidRequest(
            f"name: {owner!r} is no API key's name, which is what stands after an {_OWNER}.", "name"
        )
    whole = stored_name(plain, owner)
    if len(whole.encode()) > MAX_BYTES:
        raise InvalidRequest("name: it is too long.", "name")
    return whole


def stored_name(name: str, owner: str) -> str:
    """Tell what a voice is stored under whose `owner` is a key, or "" for all."""
    return f"{name}{_OWNER}{owner}" if owner else name


def shown_name(stored: str) -> str:
    """Tell what a voice is called by those who may see it."""
    return stored.partition(_OWNER)[0]


def owner_of(stored: str) -> str:
    """Tell which key alone may see a voice; "" if all may."""
    return stored.partition(_OWNER)[2]


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
