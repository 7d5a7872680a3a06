"""A TOML file of API keys in, one entry for each out.

No error quotes what is in the file, but for the names of keys and fields. Knows nothing about who
sends what.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mira.errors import InvalidSettings
from mira.files import read_toml
from mira.voices import KEY_NAME

MAX_BYTES = 1 << 20
MAX_KEYS = 1000  # each secret of a request is compared with all: that many take 0.07 ms
MIN_SECRET_CHARS, MAX_SECRET_CHARS = 16, 512
ADVICE = "Write each key as [NAME] with its lines below: see docs/keys.md."
NAMES = "a key's name has 1 to 32 letters, digits, '-' and '_', and begins with a letter or digit"
SECRET = re.compile(r"[!-~]*")  # what goes through every client's headers

Right = Literal["speak", "read", "voices", "operate"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of a key may; None is without limit."""

    may: frozenset[Right]
    sockets: int | None = None  # at once
    contexts: int | None = None  # of all its sockets, at once
    characters_a_minute: int | None = None
    own_voices: bool = False
    """Whether the voices that it brings are seen by no other key."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key."""

    name: str
    digest: bytes = field(repr=False)  # SHA-256 of the secret
    grant: Grant


class _Section(BaseModel):
    """What may stand below a key's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    key: str = ""
    sha256: str = Field("", pattern="^([0-9a-fA-F]{64})?$")
    may: list[Right] = ["speak", "read"]
    sockets: int | None = Field(None, ge=0)
    contexts: int | None = Field(None, ge=0)
    characters_a_minute: int | None = Field(None, ge=0)
    own_voices: bool = False


def read_key_file(path: Path) -> list[Entry]:
    """Read a file of sections such as `[phone]`, each with a `key` or its `sha256`.

    Raises:
        InvalidSettings: It can't be read or used; the message names the line or the key.
    """
    found = read_toml(path, MAX_BYTES, "api_keys_file", ADVICE)
    if not found:
        raise InvalidSettings(f"api_keys_file: {path} has no key. {ADVICE}")
    return [_entry(f"api_keys_file: {path}", *each) for each in found.items()]


def entry_of(where: str, name: str, secret: str, grant: Grant) -> Entry:
    """Make an entry of a secret.

    Args:
        where: It was given, for errors.
        name: Of the key.
        secret: In clear.
        grant: What its holder may.

    Raises:
        InvalidSettings: Name or secret can't be used.
    """
    if not KEY_NAME.fullmatch(name):  # which may be a secret in the wrong place
        raise InvalidSettings(f"{where}: {NAMES}.")
    if not MIN_SECRET_CHARS <= len(secret) <= MAX_SECRET_CHARS:
        raise InvalidSettings(
            f"{where}: {name}: the key has {len(secret)} characters. Take {MIN_SECRET_CHARS} to "
            f"{MAX_SECRET_CHARS} that nobody guesses: openssl rand -hex 32 prints some."
        )
    if not SECRET.fullmatch(secret):
        raise InvalidSettings(
            f"{where}: {name}: the key has a space or a letter that is not ASCII in it."
        )
    return Entry(name, hashlib.sha256(secret.encode("ascii")).digest(), grant)


def _entry(where: str, name: str, given: object) -> Entry:
    if not KEY_NAME.fullmatch(name):
        raise InvalidSettings(f"{where}: {NAMES}.")
    if not isinstance(given, dict):
        raise InvalidSettings(f"{where}: {name} is no section. {ADVICE}")
    try:
        section = _Section.model_validate(given)
    except ValidationError as error:  # which quotes what it was given
        raise InvalidSettings(f"{where}: {name}: {_problem(error)}") from None
    if bool(section.key) == bool(section.sha256):
        raise InvalidSettings(f"{where}: {name}: write its `key`, or the `sha256` of that.")
    grant = Grant(
        frozenset(section.may),
        section.sockets,
        section.contexts,
        section.characters_a_minute,
        section.own_voices,
    )
    if section.key:
        return entry_of(where, name, section.key, grant)
    return Entry(name, bytes.fromhex(section.sha256), grant)


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["type"] == "extra_forbidden":  # the field's name may be a secret
        return f"there can be {', '.join(_Section.model_fields)}, and nothing else."
    return f"{first['loc'][0]}: {first['msg']}."
