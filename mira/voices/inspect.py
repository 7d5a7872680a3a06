"""A recording in, what there is to say of it out: its samples, a report, or why it can't be used.

Knows nothing about which voices there are. Safe to use from several threads at once.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from mira.audio.decode import Reader
from mira.errors import InvalidRequest
from mira.settings import Settings
from mira.types import Samples
from mira.voices.cache import Cache, Report
from mira.voices.files import Unreadable
from mira.voices.folder import Candidate, Folder
from mira.voices.known import Recorded, Rejected
from mira.voices.names import shown_name
from mira.voices.quality import Quality, assess

log = logging.getLogger(__name__)

NEVER = ((-1, -1, -1), None)  # stamps that no file has


class Inspector:
    """Looks at recordings.

    Args:
        settings: Limits of each recording.
        folder: Where files are.
        cache: What was said of them before.
        taken: Names that no recording can have.
    """

    def __init__(
        self, settings: Settings, folder: Folder, cache: Cache, taken: Sequence[str]
    ) -> None:
        self._max_bytes = settings.max_recording_bytes
        self._max_seconds = settings.max_recording_s
        self._folder = folder
        self._cache = cache
        self._taken = taken
        self._reader = Reader()

    def decode(self, recording: bytes) -> tuple[Samples, int, str]:
        """Read an audio file: its samples, their rate in Hz, and the suffix that such a file has.

        Raises:
            InvalidRequest: It can't be read, or is over a limit.
        """
        found = self._reader.read(recording, self._max_bytes, self._max_seconds)
        return found.samples, found.sample_rate, f".{found.suffix}"

    def assess(self, recording: bytes) -> tuple[Quality, str]:
        """Judge an audio file: the report, and the suffix that such a file has.

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
            if shown_name(candidate.name) in self._taken:
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
        if report := self._cache.report(candidate.place):
            return Recorded.of(candidate, self._folder.read(candidate, described=True), report)
        file = self._folder.read(candidate)
        quality, _ = self.assess(file.recording.data)
        report = Report(content=file.content, quality=quality)
        self._cache.keep_report(candidate.place, report)
        return Recorded.of(candidate, file, report)
