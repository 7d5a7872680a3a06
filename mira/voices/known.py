"""What is known of a folder's files at a moment: which are voices, and which can't be.

Each change replaces the whole, so that readers need no lock; whoever changes it holds one. Knows
nothing about where files are, nor what a model makes of them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mira.voices.archive import Consent, VoiceFile
from mira.voices.cache import Report
from mira.voices.folder import Candidate
from mira.voices.quality import Quality


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of one voice. A value: who holds it is not disturbed by changes."""

    candidate: Candidate
    content: str  # names the recording by its bytes: see `VoiceFile`
    transcript: str
    consent: Consent | None
    created_at: int  # Unix time, s
    format: str  # of the recording, such as wav
    version: str  # of recording and transcript: another one sounds otherwise
    quality: Quality = field(repr=False)

    @classmethod
    def of(cls, candidate: Candidate, file: VoiceFile, report: Report) -> "Recorded":
        """Gather what to know of a file, which may lack the recording that the report is on."""
        card = file.card
        version = hashlib.sha256(f"{report.content} {card.transcript}".encode()).hexdigest()[:12]
        said = card.transcript, card.consent, card.created_at
        format = file.recording.suffix.removeprefix(".")
        return cls(candidate, report.content, *said, format, version, report.quality)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.candidate.name


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that should be a voice and can't be."""

    candidate: Candidate
    why: str


class Known:
    """What is known of the files in the folder; nothing at first."""

    def __init__(self) -> None:
        self.recorded: MappingProxyType[str, Recorded] = MappingProxyType({})
        """Voices by name: the same object until one changes."""
        self.rejected: Mapping[str, Rejected] = {}
        """By the name that the voice would have."""
        self.misnamed: Mapping[str, str] = {}
        """Files that can't be voices for their names, and why."""

    @property
    def unusable(self) -> dict[str, str]:
        """Every file that should be a voice and can't be, and why."""
        rejected = {each.candidate.filename: each.why for each in self.rejected.values()}
        return dict(sorted({**self.misnamed, **rejected}.items()))

    def has(self, candidate: Candidate) -> bool:
        """Tell whether just this was looked at before."""
        known = self.recorded.get(candidate.name) or self.rejected.get(candidate.name)
        return known is not None and known.candidate == candidate

    def put(self, name: str, found: Recorded | Rejected | None) -> None:
        """Replace what is known of a name."""
        recorded, rejected = self.recorded.copy(), {**self.rejected}
        recorded.pop(name, None)
        rejected.pop(name, None)
        if isinstance(found, Recorded):
            recorded[name] = found
        elif found is not None:
            rejected[name] = found
        self.recorded, self.rejected = MappingProxyType(recorded), rejected

    def uses(self, content: str) -> bool:
        """Tell whether a voice has this recording."""
        return any(voice.content == content for voice in self.recorded.values())

    def made_with(self, consent_id: str) -> list[str]:
        """List the names of the voices that were made with a consent."""
        found = [voice for voice in self.recorded.values() if voice.consent is not None]
        return [voice.name for voice in found if voice.consent and voice.consent.id == consent_id]
