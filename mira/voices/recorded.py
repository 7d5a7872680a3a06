"""What is known of a recorded voice, and what may be one.

Knows nothing about where it came from.
"""

import hashlib
from dataclasses import dataclass, field

from mira.errors import InvalidRequest
from mira.settings import Settings
from mira.types import Voice
from mira.voices.archive import Consent, VoiceFile
from mira.voices.cache import Tokens
from mira.voices.folder import Candidate
from mira.voices.quality import Quality


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recording may be, and how many there may be."""

    max_bytes: int = 10 << 20
    max_seconds: float = 60.0
    max_voices: int = 4096


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of one voice. A value: who holds it is not disturbed by changes."""

    candidate: Candidate
    content: str  # names the recording by its bytes: see `VoiceFile`
    version: str  # of recording and transcript: another one sounds otherwise
    format: str  # of the recording, such as wav
    transcript: str
    consent: Consent | None
    created_at: int  # Unix time, s
    quality: Quality = field(repr=False)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.candidate.name


def limits_of(settings: Settings) -> Limits:
    """Those that the settings set."""
    return Limits(settings.max_recording_bytes, settings.max_recording_s, settings.max_voices)


def recorded_of(candidate: Candidate, voice: VoiceFile, content: str, quality: Quality) -> Recorded:
    sounds_like = hashlib.sha256(f"{content} {voice.transcript}".encode())
    return Recorded(
        candidate,
        content,
        sounds_like.hexdigest()[:12],
        voice.recording.suffix.removeprefix("."),
        voice.transcript,
        voice.consent,
        voice.created_at,
        quality,
    )


def voice_of(voice: Recorded, tokens: Tokens) -> Voice:
    """The voice that a model speaks in."""
    return Voice(voice.name, tokens.global_tokens, tokens.speech_tokens, voice.transcript)


def usable(quality: Quality) -> Quality:
    """The same, or InvalidRequest with the reason if no voice can come of it."""
    if quality.grade == "unusable":
        reasons = [verdict.words for verdict in quality.verdicts if verdict.grade == "unusable"]
        raise InvalidRequest(f"The recording can't be used: {'; '.join(reasons)}.", "audio")
    return quality
