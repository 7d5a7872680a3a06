"""A name in, the voice that speaks out.

Knows nothing about how a voice sounds or who asked.
"""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass

from mira.errors import InvalidRequest, InvalidSettings, NotAllowed, VoiceNotFound
from mira.settings import Settings
from mira.types import Voice
from mira.voices.known import Recorded
from mira.voices.names import MAX_CHARS, clean_name, owner_of, shown_name, stored_name
from mira.voices.store import NEEDS_MODEL, VoiceStore

OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin"),
    *("nova", "onyx", "sage", "shimmer", "verse"),
)
"""Some clients can send no other names, so each is an alias: of the default voice, unless set."""
NEAR_OF = 1000  # voices among which near names are looked for


@dataclass(frozen=True, slots=True)
class Found:
    """What a name led to."""

    voice: Voice
    instead: str = ""
    """Why the default voice stands in for the one that was asked for; empty if it doesn't."""


class Voices:
    """All voices by name: the engine's own and those that were recorded, for all or for one key.

    Args:
        settings: `default_voice` stands in for voices that can't speak, unless `strict_voices` is
            set. OpenAI's names that are not among `voice_aliases` lead to the default voice,
            whichever voices come and go.
        own: The engine's, at least one.
        store: Those that were recorded; as it is when somebody asks.

    Raises:
        InvalidSettings: There is no default voice, usable or not. It is looked for, whether the
            rest of the folder has been looked at or not.
    """

    def __init__(self, settings: Settings, own: Sequence[Voice], store: VoiceStore) -> None:
        self.store = store
        self.strict = settings.strict_voices
        self._owner = ""
        self._own = {voice.name: voice for voice in own}
        self._aliases = settings.voice_aliases
        self._default_name = default = settings.default_voice
        self._look_for(default)
        rejected = {filename.rpartition(".")[0] for filename in store.unusable}
        if self.called(default) is None and default not in rejected:
            raise InvalidSettings(
                f"default_voice: there is no voice {default!r}, nor a recording called so in "
                f"{store.path}. There is: {', '.join(self.names)}."
            )

    @property
    def own(self) -> tuple[Voice, ...]:
        """The engine's, in its order."""
        return tuple(self._own.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all voices that can speak: the engine's own, then the others by name."""
        return (*self._own, *(sorted(self.recorded) if self.store.can_speak else ()))

    @property
    def recorded(self) -> Mapping[str, Recorded]:
        """The others, by the name that they are called here, in no order."""
        shared, mine = {}, {}
        for stored, voice in self.store.recorded.items():
            owner = owner_of(stored)
            if not owner:
                shared[stored] = voice
            elif owner == self._owner:
                mine[shown_name(stored)] = voice
        return shared | mine

    @property
    def unusable(self) -> dict[str, str]:
        """The files that should be a voice and can't be, and why."""
        return {
            filename: why
            for filename, why in self.store.unusable.items()
            if owner_of(filename.rpartition(".")[0]) in ("", self._owner)
        }

    @property
    def default(self) -> str:
        """Name of the voice that stands in for others: the one that was set, if it can speak."""
        voice = self.called(self._default_name)
        can_speak = self.store.can_speak if isinstance(voice, Recorded) else voice is not None
        return self._default_name if can_speak else next(iter(self._own))

    @property
    def aliases(self) -> dict[str, str]:
        """Other names, and the voice that each leads to now."""
        return {**dict.fromkeys(OPENAI_VOICES, self.default), **self._aliases}

    def of(self, owner: str) -> "Voices":
        """Give what the holder of a key sees: what all see, and the voices of its own.

        Args:
            owner: Name of the key; "" for what all see.
        """
        if owner == self._owner:
            return self
        view = copy(self)
        view._owner = owner
        return view

    def called(self, name: str) -> Voice | Recorded | None:
        """Find the voice with exactly this name, whether it can speak or not."""
        name = unicodedata.normalize("NFC", name)
        if voice := self._own.get(name):
            return voice
        places = map(self.store.recorded.get, self._stored(name))
        return next((voice for voice in places if voice is not None), None)

    def look_for(self, name: str) -> None:
        """Look at a voice's file now, if there may be one that nobody has looked at."""
        if self.store.looking and self.called(name) is None:
            for stored in self._stored(name):
                self.store.look_for(stored)

    def to_add(self, name: str) -> str:
        """Tell what a voice that is brought here is stored under, or raise InvalidRequest."""
        return stored_name(clean_name(name), self._owner)

    def remove(self, name: str) -> list[str]:
        """Remove a voice that was brought here; see `VoiceStore.remove`.

        Raises:
            NotAllowed: It is one that all see, and this is what one key sees.
            VoiceNotFound: There is none.
        """
        for stored in self._stored(unicodedata.normalize("NFC", name))[:1]:  # its own, if it may
            with suppress(VoiceNotFound):
                return self.store.remove(stored)
        if self._owner and isinstance(self.called(name), Recorded):
            raise NotAllowed(f"{name!r} belongs to all keys; this one changes its own voices only.")
        raise VoiceNotFound(f"There is no recorded voice {name!r}.")

    def at_once(self, name: str) -> Found | None:
        """Do as `find` if the answer is in memory; otherwise return None."""
        voice = self._meant(name)
        known = self._in_memory(voice)
        if known is not None:
            return Found(known)
        can_speak_later = self.store.looking if voice is None else self.store.can_speak
        stand_in = self._in_memory(self.called(self.default))
        if self.strict or can_speak_later or stand_in is None:
            return None
        return Found(stand_in, _obstacle(name, voice))

    def find(self, name: str, compute: bool = True) -> Found:
        """Find the voice with this name or alias, else the default one.

        Args:
            name: As somebody sent it.
            compute: It may have to be cloned; otherwise only read and looked at.

        Raises:
            NotPrepared: It has to be cloned, and `compute` is not set.
            VoiceNotFound: It can't speak, and `strict` is set.
        """
        self._look_for(name)
        voice = self._meant(name)
        if voice is None and not self.strict:  # looking for near names takes a while
            return Found(self.stand_in(compute), _obstacle(name, voice))
        try:
            return Found(self.exactly(name, compute))
        except VoiceNotFound as error:
            if self.strict:
                raise
            return Found(self.stand_in(compute), str(error))

    def exactly(self, name: str, compute: bool = True) -> Voice:
        """Find the voice with this name or alias, or let VoiceNotFound say why not. See `find`."""
        self._look_for(name)
        voice = self._meant(name)
        if isinstance(voice, Voice):
            return voice
        if voice is None:
            names = self.names[:NEAR_OF]
            near = difflib.get_close_matches(name[:MAX_CHARS], names, n=3) or names[:10]
            raise VoiceNotFound(f"{_obstacle(name, voice)} Try {' or '.join(near)}.")
        if not self.store.can_speak:
            raise VoiceNotFound(_obstacle(name, voice))
        try:
            return self.store.prepare(voice, compute)
        except InvalidRequest as error:
            if self._meant(name) not in (voice, None):  # replaced while it waited for its turn
                return self.exactly(name, compute)
            called = shown_name(voice.name)
            raise VoiceNotFound(f"{called!r} can't speak: {error}") from error

    def stand_in(self, compute: bool = True) -> Voice:
        """Find the default voice, or one of the engine's own if it can't be used. See `find`."""
        try:
            return self.exactly(self.default, compute)
        except VoiceNotFound:
            return next(iter(self._own.values()))

    def note(self, voice: Recorded) -> str | None:
        """Tell whoever brought a recording why it doesn't speak yet, and who does."""
        if self.store.can_speak:
            return None
        instead = "its requests are answered 404" if self.strict else f"{self.default!r} speaks"
        return f"The recording is kept. {NEEDS_MODEL} Until then {instead}."

    def _look_for(self, name: str) -> None:
        """Look at voices' files now: no call gets another one because its own comes later."""
        for each in (name, self._alias(name)):
            self.look_for(each)

    def _stored(self, name: str) -> tuple[str, ...]:
        """List what a voice with this name may be stored under; what this view has first."""
        if owner_of(name):
            return ()
        return (stored_name(name, self._owner), name) if self._owner else (name,)

    def _meant(self, name: str) -> Voice | Recorded | None:
        return self.called(name) or self.called(self._alias(name))

    def _alias(self, name: str) -> str:
        """Tell what an alias leads to; empty if it is none."""
        if name.lower() in OPENAI_VOICES and name not in self._aliases:
            return self._aliases.get(name.lower(), self.default)
        return self._aliases.get(name, "")

    def _in_memory(self, voice: Voice | Recorded | None) -> Voice | None:
        return self.store.remembered(voice) if isinstance(voice, Recorded) else voice


def _obstacle(name: str, voice: Voice | Recorded | None) -> str:
    if voice is None:
        return f"There is no voice {name!r}."
    return f"{shown_name(voice.name)!r} is a recording. {NEEDS_MODEL}"
