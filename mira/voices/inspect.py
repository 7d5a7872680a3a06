"""A recording in, what there is to say of it out: its samples, a report, or why it can't be used.

Knows nothing about which voices there are. Safe to use from several threads at once.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mira.audio.decode import Reader
from mira.errors import InvalidRequest
from mira.settings import Settings
from mira.types import Samples, check_transcript
from mira.voices.cache import Cache
from mira.voices.files import Unreadable
from mira.voices.folder import Candidate, Folder
from mira.voices.known import Recorded, Rejected
from mira.voices.quality import Quality, assess

log = logging.getLogger(__name__)

NEVER = ((-1, -1, -1), None)  # stamps that no file has


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recording may be, and how many there may be."""

    max_bytes: int = 10 << 20
    max_seconds: float = 60.0
    max_voices: int = 4096

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Those that the settings set."""
        return cls(settings.max_recording_bytes, settings.max_recording_s, settings.max_voices)


class Inspector:
    """Looks at recordings within limits.

    Args:
        folder: Where files are.
        cache: What was said of them before.
        limits: Of each recording.
        taken: Names that no recording can have.
    """

    def __init__(self, folder: Folder, cache: Cache, limits: Limits, taken: Sequence[str]) -> None:
        self._folder = folder
        self._cache = cache
        self._limits = limits
        self._taken = taken
        self._reader = Reader()

    def decode(self, recording: bytes) -> tuple[Samples, int, str]:
        """The samples of an audio file, their rate in Hz, and the suffix that such a file has.

        Raises:
            InvalidRequest: It can't be read, or is over a limit.
        """
        found = self._reader.read(recording, self._limits.max_bytes, self._limits.max_seconds)
        return found.samples, found.sample_rate, f".{found.suffix}"

    def assess(self, recording: bytes) -> tuple[Quality, str]:
        """The report on an audio file, and the suffix that such a file has.

        Raises:
            InvalidRequest: No voice can come of it, or see `decode`.
        """
        samples, sample_rate, suffix = self.decode(recording)
        quality = assess(samples, sample_rate)
        if quality.grade == "unusable":
            reasons = [each.words for each in quality.verdicts if each.grade == "unusable"]
            raise InvalidRequest(f"The recording can't be used: {'; '.join(reasons)}.", "audio")
        return quality, suffix

    def look(self, candidate: Candidate) -> Recorded | Rejected:
        """Look at a file: a voice, or why it can't be one.

        Returns:
            If the failure may pass, with the stamps NEVER: it has to be looked at again.
        """
        again = replace(candidate, stamps=NEVER)
        try:
            if candidate.name in self._taken:
                name = candidate.name
                return Rejected(candidate, f"{name!r} is the engine's own voice. Rename the file.")
            return self._look(candidate)
        except InvalidRequest as error:
            return Rejected(again if isinstance(error, Unreadable) else candidate, str(error))
        except Exception:
            log.exception("voices: %r could not be looked at", candidate.filename)
            return Rejected(again, "It could not be looked at.")

    def close(self) -> None:
        """End the process that reads; another recording starts another."""
        self._reader.close()

    def _look(self, candidate: Candidate) -> Recorded:
        known = self._cache.content(place_of(candidate))
        quality = self._cache.quality(known) if known else None
        file = self._folder.describe(candidate) if quality else self._folder.read(candidate)
        check_transcript(file.transcript)
        content = known if known and quality else file.content
        quality = quality or self._cache.quality(content)
        if quality is None:
            quality, _ = self.assess(file.recording.data)
            self._cache.keep_quality(content, quality)
        return Recorded.of(candidate, file, content, quality)


def place_of(candidate: Candidate) -> str:
    """A file's name and stamps: the same as long as the recording in it is."""
    return json.dumps([candidate.filename, *candidate.stamps[0]])
