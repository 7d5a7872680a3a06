"""API keys in, who holds which and what each may out.

Secrets are kept as their SHA-256 alone, and compared in a time that says nothing about them. Knows
nothing about requests.
"""

import hashlib
import hmac
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial

from mira.errors import InvalidSettings, NotAllowed
from mira.files import Reread
from mira.server.allowance import Allowance
from mira.server.key_file import MAX_KEYS, Entry, Grant, Right, entry_of, read_key_file
from mira.server.telemetry import Used
from mira.settings import Settings

log = logging.getLogger(__name__)

EVERYTHING = Grant(frozenset(("speak", "read", "voices", "operate")))
NOTHING = Grant(frozenset())
MEANT: dict[Right, str] = {
    "speak": "have text spoken",
    "read": "read which voices there are",
    "voices": "change voices",
    "operate": "ask how the service is",
}


class Caller:
    """Whoever holds a key, or anybody where none is needed. A key whose rights change, whose secret
    does or that goes changes what its holder may at once, on an open socket too.

    Args:
        name: Of the key; "" for anybody.
        grant: What it may.
        used: What was used of that; None: nothing.
    """

    def __init__(self, name: str, grant: Grant, used: Allowance | None = None) -> None:
        self.name = name
        self.grant = grant
        self._used = used or Allowance()

    @property
    def owner(self) -> str:
        """Whose voices it brings and removes: the key's name, or "" for those of all."""
        return self.name if self.grant.own_voices else ""

    def may(self, right: Right) -> bool:
        """Tell whether it has this right."""
        return right in self.grant.may

    @property
    def characters_left(self) -> int | None:
        """How many may be spoken now; None: as many as it likes."""
        most = self.grant.characters_a_minute
        return None if most is None else self._used.left(most)

    def check_may(self, right: Right) -> None:
        """Raise NotAllowed without this right."""
        if not self.may(right):
            raise NotAllowed(f"This key may not {MEANT[right]}: it lacks the right `{right}`.")

    def say(self, characters: int) -> None:
        """Count characters that are to be spoken.

        Raises:
            InvalidRequest, Overloaded: They are too many for a minute, or for this one.
            NotAllowed: It may not speak, or not any more.
        """
        self.check_may("speak")
        self._used.say(characters, self.grant.characters_a_minute)

    @property
    def used(self) -> Used:
        """What it uses of its limits."""
        used = self._used
        return Used(used.held["socket"], used.held["context"], used.said)

    def socket(self) -> AbstractContextManager[None]:
        """Count a socket while the block lasts, or raise Overloaded if that is one too many."""
        return self._used.holding("socket", self.grant.sockets)

    def context(self) -> AbstractContextManager[None]:
        """Count a context of a socket in the same way."""
        return self._used.holding("context", self.grant.contexts)


class Keys:
    """The keys of the settings and of their file, read again when it changes.

    Raises:
        InvalidSettings: One can't be used, here only: later on the last ones stay.
    """

    def __init__(self, settings: Settings) -> None:
        read = partial(_read, settings)
        path = settings.api_keys_file
        self.path = path
        self._file = Reread(path, read) if path else None
        self._known: Mapping[tuple[str, bytes], Caller] = {}  # by the key's name and its digest
        self._used: dict[str, Allowance] = {}  # by the key's name, whichever secret it has
        self._anybody = Caller("", EVERYTHING)
        self._stranger = Caller("", NOTHING)
        self._take(self._file.value if self._file else read())

    def __len__(self) -> int:
        return len(self._known)

    @property
    def needed(self) -> bool:
        """Whether nobody is served without a key."""
        return bool(self._known)

    @property
    def stranger(self) -> Caller:
        """Whoever has no key: may do nothing if one is needed, otherwise everything."""
        return self._stranger if self.needed else self._anybody

    def used(self) -> dict[str, Used]:
        """Tell what the holder of each key uses of its limits, by the key's name."""
        return {caller.name: caller.used for caller in self._known.values()}

    def holder(self, secrets: Sequence[str]) -> Caller | None:
        """Find who holds one of these, of which the first that is known counts.

        Every secret is compared with every key: how long it takes depends on their numbers alone.
        """
        found = None
        for secret in secrets:
            digest = hashlib.sha256(secret.encode("utf-8", "backslashreplace")).digest()
            for (_, known), caller in self._known.items():
                if hmac.compare_digest(digest, known):
                    found = found or caller
        return found

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        if self._file and self._file.refresh():
            self._take(self._file.value)
            log.info("keys: %d, with those of %s", len(self), self.path)

    def _take(self, entries: Sequence[Entry]) -> None:
        """Have these from now on. Readers on other threads see all of them or those before."""
        known = {}
        for entry in entries:
            place = entry.name, entry.digest
            used = self._used.setdefault(entry.name, Allowance())
            known[place] = self._known.get(place) or Caller(entry.name, NOTHING, used)
            known[place].grant = entry.grant
        for gone in self._known.keys() - known.keys():  # a secret that was changed is out, too
            self._known[gone].grant = NOTHING
        self._known = known


def _read(settings: Settings) -> list[Entry]:
    """Put the setting's keys and the file's together."""
    entries = [
        entry_of("api_keys", name, secret.get_secret_value(), EVERYTHING)
        for name, secret in settings.api_keys.items()
    ]
    path = settings.api_keys_file
    if path is not None:
        entries += read_key_file(path)
    if len(entries) > MAX_KEYS:
        raise InvalidSettings(f"There are {len(entries)} API keys: {MAX_KEYS} are the limit.")
    for what in ("name", "digest"):
        seen: dict[object, str] = {}
        for entry in entries:
            value = entry.name.lower() if what == "name" else entry.digest
            if value in seen:
                raise InvalidSettings(
                    f"api_keys, api_keys_file: {seen[value]} and {entry.name} have the same "
                    f"{'name' if what == 'name' else 'secret'}. Give each its own."
                )
            seen[value] = entry.name
    return entries
