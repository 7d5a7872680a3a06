"""A recording in, what there is to say of it out: its samples, a report, or why it can't be used.

Knows nothing about which voices there are. Safe to use from several threads at once.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace

from mira.audio.decode import Reader
from mira.errors import InvalidRequest
from mira.types import Samples, check_transcript
from mira.voices.cache import Cache
from mira.voices.files import Unreadable
from mira.voices.folder import Candidate, Folder
from mira.voices.quality import assess
from mira.voices.recorded import Limits, Recorded, recorded_of, usable

log = logging.getLogger(__name__)

NEVER = ((-1, -1, -1), None)  # stamps that no file has


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
        limits = self._limits
        found = self._reader.read(recording, limits.max_bytes, limits.max_seconds)
        return found.samples, found.sample_rate, f".{found.suffix}"

    def look(self, candidate: Candidate) -> tuple[Candidate, Recorded | str]:
        """Look at a file: a voice, or why it can't be one.

        Returns:
            With the candidate; it has other stamps if the file has to be looked at again, because
            the failure may pass.
        """
        try:
            if candidate.name in self._taken:
                raise InvalidRequest(
                    f"{candidate.name!r} is the engine's own voice. Rename the file."
                )
            return candidate, self._inspected(candidate)
        except Unreadable as error:
            return replace(candidate, stamps=NEVER), str(error)
        except InvalidRequest as error:
            return candidate, str(error)
        except Exception:
            log.exception("voices: %r could not be looked at", candidate.filename)
            return replace(candidate, stamps=NEVER), "It could not be looked at."

    def close(self) -> None:
        """End the process that reads; another recording starts another."""
        self._reader.close()

    def _inspected(self, candidate: Candidate) -> Recorded:
        known = self._cache.content(place_of(candidate))
        if known is not None and (quality := self._cache.quality(known)):
            voice = self._folder.describe(candidate)
            check_transcript(voice.transcript)
            return recorded_of(candidate, voice, known, quality)
        voice = self._folder.read(candidate)
        check_transcript(voice.transcript)
        content = voice.content
        quality = self._cache.quality(content)
        if quality is None:
            samples, sample_rate, _ = self.decode(voice.recording.data)
            quality = usable(assess(samples, sample_rate))
            self._cache.keep_quality(content, quality)
        return recorded_of(candidate, voice, content, quality)


def place_of(candidate: Candidate) -> str:
    """A file's name and stamps: the same as long as the recording in it is."""
    return json.dumps([candidate.filename, *candidate.stamps[0]])
