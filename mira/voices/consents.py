"""Recordings of people who consent, each in a file of its own.

Knows nothing about which voices were made with them.
"""

import re
import secrets
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from mira.errors import ConsentNotFound, InvalidRequest
from mira.files import make_folder, storing, sweep, write_whole
from mira.voices.archive import (
    SPOKEN,
    Card,
    Clip,
    Consent,
    largest,
    read_archive,
    write_archive,
)
from mira.voices.files import open_within, read_within

_SUFFIX = ".consent"
_ID = re.compile(r"cons_[0-9a-f]{24}")


class Consents:
    """Files in one folder, which is made when the first is written.

    Args:
        folder: For nothing else.
        max_recording_bytes: Of each recording.
        at_most: Number of consents that are kept.
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
        sweep(self._folder)
        if len(list(self._folder.glob(f"*{_SUFFIX}"))) >= self._at_most:
            raise InvalidRequest(f"There are {self._at_most} consents already: delete some.")
        made = Consent(
            id=f"cons_{secrets.token_hex(12)}", name=name, language=language, created_at=created_at
        )
        self._write(made, recording)
        return made

    def all(self) -> list[Consent]:
        """Every consent that can be read, the oldest first."""
        found = []
        for path in self._folder.glob(f"cons_*{_SUFFIX}"):
            with suppress(InvalidRequest), open_within(self._folder, path.name) as file:
                card, _ = read_archive(file, self._max_bytes, described=True)
                found += [card.consent] if card.consent else []
        return sorted(found, key=lambda consent: (consent.created_at, consent.id))

    def get(self, id: str) -> tuple[Consent, Clip]:
        """One, with what was recorded.

        Raises:
            ConsentNotFound: There is none with this id.
            InvalidRequest: It is damaged.
        """
        path = self._existing(id)
        try:
            data = read_within(self._folder, path.name, largest(self._max_bytes))
            card, clips = read_archive(BytesIO(data), self._max_bytes)
        except InvalidRequest as error:
            raise InvalidRequest(f"The consent {id} is damaged: delete it. {error}") from error
        if card.consent is None or SPOKEN not in clips:
            raise InvalidRequest(f"The consent {id} is damaged: delete it.")
        return card.consent, clips[SPOKEN]

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
        path = self._existing(id)
        with storing(f"{path.name!r} can't be removed"):
            path.unlink(missing_ok=True)

    def _existing(self, id: str) -> Path:
        path = self._folder / f"{id}{_SUFFIX}"
        if not _ID.fullmatch(id) or not path.is_file():
            raise ConsentNotFound(
                f"There is no consent {id[:64]!r}. GET /v1/audio/voice_consents lists them."
            )
        return path

    def _write(self, consent: Consent, recording: Clip) -> None:
        make_folder(self._folder)
        data = write_archive(Card(name=consent.name, consent=consent), {SPOKEN: recording})
        write_whole(self._folder / f"{consent.id}{_SUFFIX}", data, private=True)
