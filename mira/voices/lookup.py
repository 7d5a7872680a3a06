"""A name in, the voice that speaks out.

Knows nothing about how a voice sounds or who asked.
"""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from mira.errors import InvalidRequest, InvalidSettings, VoiceNotFound
from mira.settings import Settings
from mira.types import Voice
from mira.voices.known import Recorded
from mira.voices.names import MAX_CHARS
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
    """All voices by name: the engine's own and those that were recorded.

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
        return (*self._own, *(sorted(self.store.recorded) if self.store.can_speak else ()))

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

    def called(self, name: str) -> Voice | Recorded | None:
        """Find the voice with exactly this name, whether it can speak or not."""
        name = unicodedata.normalize("NFC", name)
        return self._own.get(name) or self.store.recorded.get(name)

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
            raise VoiceNotFound(f"{voice.name!r} can't speak: {error}") from error

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
        """Look at a voice's file now: no call gets another one because its own comes later."""
        for each in (name, self._alias(name)):
            if self.store.looking and self.called(each) is None:
                self.store.look_for(each)

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
    return f"{voice.name!r} is a recording. {NEEDS_MODEL}"
