"""A name in, the voice that speaks out.

Knows nothing about how a voice sounds or who asked.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from mira.errors import InvalidSettings, VoiceNotFound
from mira.types import Voice

OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin"),
    *("nova", "onyx", "sage", "shimmer", "verse"),
)
"""Some clients can send no other names, so these are aliases of voices that exist."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a name led to. `substituted`: nobody has that name, the default voice stands in."""

    voice: Voice
    substituted: bool


class Voices:
    """The voices of one engine, by name. Never changes."""

    def __init__(self, voices: Iterable[Voice], default: str, strict: bool = False) -> None:
        """
        Args:
            voices: At least one.
            default: Name of the one that stands in for those that don't exist.
            strict: Nobody stands in: an unknown name is VoiceNotFound.

        Raises:
            InvalidSettings: `default` is not one of `voices`.
        """
        self._by_name = {voice.name: voice for voice in voices}
        if default not in self._by_name:
            raise InvalidSettings(
                f"default_voice: there is no voice {default!r}. There is: {', '.join(self.names)}."
            )
        self._default = self._by_name[default]
        self._strict = strict

    @property
    def names(self) -> tuple[str, ...]:
        """In the engine's order."""
        return tuple(self._by_name)

    @property
    def all(self) -> tuple[Voice, ...]:
        """In the engine's order."""
        return tuple(self._by_name.values())

    @property
    def default(self) -> Voice:
        """Stands in for a name that nobody has."""
        return self._default

    def find(self, name: str) -> Found:
        """The voice with this name or alias, else the default one.

        Raises:
            VoiceNotFound: Nobody has the name and `strict` is set.
        """
        if voice := self._by_name.get(name):
            return Found(voice, substituted=False)
        if name.lower() in OPENAI_VOICES:
            return Found(self._default, substituted=False)
        if self._strict:
            near = difflib.get_close_matches(name, self.names, n=3) or self.names[:10]
            raise VoiceNotFound(f"There is no voice {name!r}. Try {' or '.join(near)}.")
        return Found(self._default, substituted=True)
