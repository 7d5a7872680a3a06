"""Recordings of people who consent, each in a file of its own.

Knows nothing about which voices were made with them.
"""

import re
import secrets
from pathlib import Path

from pydantic import ValidationError

from mira.errors import ConsentNotFound, InvalidRequest
from mira.voices.archive import Clip, Consent, largest, read_card, read_members, write_members
from mira.voices.files import (
    make_folder,
    open_within,
    read_within,
    remove_file,
    sweep,
    write_whole,
)

_SUFFIX = ".consent"
_CARD = "consent.json"
_RECORDING = "recording"
_ID = re.compile(r"cons_[0-9a-f]{24}")


class Consents:
    """Files in one folder, which is made when the first is written.

    Args:
        folder: For nothing else.
        max_recording_bytes: Of each recording.
        at_most: So many are kept.
    """

    def __init__(self, folder: Path, max_recording_bytes: int, at_most: int) -> None:
        self._folder = folder
        self._max_bytes = max_recording_bytes
        self._at_most = at_most

    def add(self, name: str, language: str, recording: Clip, created_at: int) -> Consent:
        """Keep one.

        Raises:
            InvalidRequest: There are as many as may be.
            StorageFailed: It can't be written.
        """
        if len(self._files()) >= self._at_most:
            raise InvalidRequest(f"There are {self._at_most} consents already: delete some.")
        made = Consent(
            id=f"cons_{secrets.token_hex(12)}", name=name, language=language, created_at=created_at
        )
        self._write(made, recording)
        return made

    def all(self) -> list[Consent]:
        """The oldest first."""
        found = []
        for path in self._files():
            try:
                with open_within(self._folder, path.name) as file:
                    found.append(Consent.model_validate_json(read_card(file, _CARD)))
            except (InvalidRequest, ValidationError):  # somebody else's file, or damaged
                continue
        return sorted(found, key=lambda consent: (consent.created_at, consent.id))

    def get(self, id: str) -> tuple[Consent, Clip]:
        """One, with what was recorded.

        Raises:
            ConsentNotFound: There is none with this id.
            InvalidRequest: It is damaged.
        """
        self._require(id)
        return self._read(id)

    def rename(self, id: str, name: str) -> Consent:
        """Give a consent another name.

        Raises:
            ConsentNotFound: There is none with this id.
            StorageFailed: It can't be written.
        """
        consent, recording = self.get(id)
        renamed = consent.model_copy(update={"name": name})
        self._write(renamed, recording)
        return renamed

    def remove(self, id: str) -> None:
        """Delete it and its recording.

        Raises:
            ConsentNotFound: There is none with this id.
            StorageFailed: It can't be removed.
        """
        self._require(id)
        remove_file(self._path(id))

    def _require(self, id: str) -> None:
        if not _ID.fullmatch(id) or not self._path(id).is_file():
            raise ConsentNotFound(
                f"There is no consent {id[:64]!r}. GET /v1/audio/voice_consents lists them."
            )

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}{_SUFFIX}"

    def _files(self) -> list[Path]:
        sweep(self._folder)
        return list(self._folder.glob(f"cons_*{_SUFFIX}"))

    def _write(self, consent: Consent, recording: Clip) -> None:
        make_folder(self._folder)
        members = {
            _CARD: consent.model_dump_json(indent=1).encode(),
            _RECORDING + recording.suffix: recording.data,
        }
        write_whole(self._path(consent.id), write_members(members))

    def _read(self, id: str) -> tuple[Consent, Clip]:
        data = read_within(self._folder, f"{id}{_SUFFIX}", largest(self._max_bytes))
        members = read_members(data, _CARD, (_RECORDING,), self._max_bytes)
        try:
            consent = Consent.model_validate_json(members.pop(_CARD, b""))
            name, recording = members.popitem()
        except (ValidationError, KeyError) as error:  # the latter: there is no recording
            raise InvalidRequest(f"The consent {id} is damaged: delete it.") from error
        return consent, Clip(recording, name.removeprefix(_RECORDING))
