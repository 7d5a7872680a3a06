"""What is known of a folder's files at a moment: which are voices, and which can't be.

Each change replaces the whole, so that readers need no lock; whoever changes it holds one. Knows
nothing about files.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mira.voices.folder import Candidate
from mira.voices.recorded import Recorded


class Known:
    """Nothing at first."""

    def __init__(self) -> None:
        self._recorded: MappingProxyType[str, Recorded] = MappingProxyType({})
        self._rejected: Mapping[str, tuple[Candidate, str]] = {}  # by file
        self.problems: Mapping[str, str] = {}
        """Files that can't be voices for their names, and why."""

    @property
    def recorded(self) -> Mapping[str, Recorded]:
        """Voices by name: the same object until one changes."""
        return self._recorded

    @property
    def unusable(self) -> dict[str, str]:
        """Every file that should be a voice and can't be, and why."""
        rejected = {filename: why for filename, (_, why) in self._rejected.items()}
        return dict(sorted({**self.problems, **rejected}.items()))

    @property
    def names(self) -> set[str]:
        """Of all files, usable or not."""
        return {*self._recorded, *(candidate.name for candidate, _ in self._rejected.values())}

    @property
    def has_rejected(self) -> bool:
        """Whether there is a file that can't be used for what is in it."""
        return bool(self._rejected)

    def has(self, candidate: Candidate) -> bool:
        """Whether just this was looked at before."""
        voice = self._recorded.get(candidate.name)
        rejected = self._rejected.get(candidate.filename)
        return (voice is not None and voice.candidate == candidate) or (
            rejected is not None and rejected[0] == candidate
        )

    def put(self, voice: Recorded) -> None:
        """There is this voice, instead of whatever had its name."""
        self._without(voice.name, [voice])

    def drop(self, name: str) -> None:
        """There is nothing with this name."""
        self._without(name, [])

    def reject(self, candidate: Candidate, why: str) -> bool:
        """A file can't be used; whether that is news."""
        before = self._rejected.get(candidate.filename)
        self.drop(candidate.name)
        self._rejected = {**self._rejected, candidate.filename: (candidate, why)}
        return before is None or before[1] != why

    def uses(self, content: str) -> bool:
        """Whether a voice has this recording."""
        return any(voice.content == content for voice in self._recorded.values())

    def made_with(self, consent_id: str) -> list[str]:
        """Names of the voices that were made with a consent."""
        return [
            voice.name
            for voice in self._recorded.values()
            if voice.consent is not None and voice.consent.id == consent_id
        ]

    def _without(self, name: str, voices: Iterable[Recorded]) -> None:
        recorded = self._recorded.copy()
        recorded.pop(name, None)
        recorded.update({voice.name: voice for voice in voices})
        self._recorded = MappingProxyType(recorded)
        self._rejected = {
            filename: rejected
            for filename, rejected in self._rejected.items()
            if rejected[0].name != name
        }
