"""Recordings of people who consent, each in a file of its own.

Knows nothing about which voices were made with them.
"""

import re
import secrets
from contextlib import suppress
from pathlib import Path

from mira.errors import ConsentNotFound, InvalidRequest
from mira.files import storing, sweep, write_whole
from mira.voices.archive import SPOKEN, Card, Clip, Consent, VoiceFile, pack, unpack
from mira.voices.files import open_within

_SUFFIX = ".consent"
_ID = re.compile(r"cons_[0-9a-f]{24}")


class Consents:
    """Files in one folder, which is made when the first is written.

    An id that none has is ConsentNotFound; what the disk refuses to write, StorageFailed.

    Args:
        folder: For nothing else.
        max_recording_bytes: Of each recording.
        at_most: Number of consents that are kept.
    """

    def __init__(self, folder: Path, max_recording_bytes: int, at_most: int) -> None:
        self._folder = folder
        self._max_bytes = max_recording_bytes
        self._at_most = at_most

    def of(self, owner: str) -> "Consents":
        """Give those of one API key, which no other one sees; those of all for ""."""
        return Consents(self._folder / owner, self._max_bytes, self._at_most) if owner else self

    def add(self, name: str, language: str, recording: Clip, created_at: int) -> Consent:
        """Keep one, or raise InvalidRequest if there are as many as may be."""
        sweep(self._folder)
        if len(list(self._folder.glob(f"*{_SUFFIX}"))) >= self._at_most:
            raise InvalidRequest(f"There are {self._at_most} consents already: delete some.")
        id = f"cons_{secrets.token_hex(12)}"
        made = Consent(id=id, name=name, language=language, created_at=created_at)
        return self._write(made, recording)

    def all(self) -> list[Consent]:
        """List the consents that can be read, the oldest first."""
        found: list[Consent] = []
        for path in self._folder.glob(f"cons_*{_SUFFIX}"):
            with suppress(InvalidRequest):
                found.append(self._read(path, described=True)[0])
        return sorted(found, key=lambda consent: (consent.created_at, consent.id))

    def describe(self, id: str) -> Consent:
        """Read one without what was recorded, or raise InvalidRequest if it is damaged."""
        return self._read(self._path(id), described=True)[0]

    def get(self, id: str) -> tuple[Consent, Clip]:
        """Read one with what was recorded, or raise InvalidRequest if it is damaged."""
        return self._read(self._path(id))

    def check(self, id: str) -> None:
        """Raise ConsentNotFound if none has this id."""
        self._path(id)

    def rename(self, id: str, name: str) -> Consent:
        """Give a consent another name."""
        consent, recording = self.get(id)
        return self._write(consent.model_copy(update={"name": name}), recording)

    def remove(self, id: str) -> None:
        """Delete it and its recording."""
        path = self._path(id)
        with storing(f"{path.name!r} can't be removed"):
            path.unlink(missing_ok=True)

    def _read(self, path: Path, *, described: bool = False) -> tuple[Consent, Clip]:
        with open_within(self._folder, path.name) as file:
            try:
                found = unpack(file, self._max_bytes, SPOKEN, described=described)
            except InvalidRequest as error:
                raise InvalidRequest(f"The consent {path.stem} is damaged: delete it.") from error
        return found.card.consent or Consent(id=path.stem), found.clips[SPOKEN]

    def _path(self, id: str) -> Path:
        path = self._folder / f"{id}{_SUFFIX}"
        if not _ID.fullmatch(id) or not path.is_file():
            raise ConsentNotFound(
                f"There is no consent {id[:64]!r}. GET /v1/audio/voice_consents lists them."
            )
        return path

    def _write(self, consent: Consent, recording: Clip) -> Consent:
        file = VoiceFile(Card(name=consent.name, consent=consent), {SPOKEN: recording})
        with storing("The consent can't be written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / f"{consent.id}{_SUFFIX}", pack(file), private=True)
        return consent
