"""What Mira itself stores, in or out: a voice, or a recorded consent, as one file.

A ZIP file without compression, that any tool opens: a card, and up to two recordings. What it may
hold is checked to the byte, because it may come from a stranger. Knows nothing about folders.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field

from mira.errors import InvalidRequest
from mira.progress import amount
from mira.types import MAX_TRANSCRIPT_CHARS

SUFFIX = ".voice"
RECORDING_SUFFIXES = (".wav", ".mp3", ".ogg", ".flac", ".m4a", ".webm", ".aac")
MAX_STATEMENT_CHARS = 2000
_CARD_PART = "voice"
_CARD = f"{_CARD_PART}.json"
_CARD_BYTES = 64 << 10
_DAMAGED = (ValueError, OverflowError, EOFError, NotImplementedError, OSError)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same voice is the same bytes, whenever it is written

RECORDING = "recording"
"""Name, in a file, of the recording that the voice is made of."""
SPOKEN = "consent"
"""Name, in a file, of the recording of whoever consents to it."""


class Consent(BaseModel):
    """Somebody's word that a voice may be made of theirs: a statement, or a recording of one."""

    model_config = ConfigDict(frozen=True, strict=True)

    statement: str = Field("", max_length=MAX_STATEMENT_CHARS)
    id: str = Field("", max_length=64)  # of a consent recording
    name: str = Field("", max_length=256)  # whose, or of what
    language: str = Field("", max_length=64)  # BCP 47
    created_at: int = 0  # Unix time, s


@dataclass(frozen=True, slots=True)
class Clip:
    """An audio file as it was brought."""

    data: bytes = field(repr=False)
    suffix: str  # one of RECORDING_SUFFIXES


class Card(BaseModel):
    """What is said of a file's recordings."""

    model_config = ConfigDict(frozen=True, strict=True)

    format: Literal[1] = 1
    name: str = Field(max_length=256)
    transcript: str = Field("", max_length=MAX_TRANSCRIPT_CHARS)
    consent: Consent | None = None
    created_at: int = 0  # Unix time, s


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """All that somebody brought for a voice; or, without a recording of it, for a consent."""

    card: Card
    clips: Mapping[str, Clip]  # by part: RECORDING or SPOKEN

    @property
    def recording(self) -> Clip:
        """Recording that the voice is made of."""
        return self.clips[RECORDING]

    @property
    def content(self) -> str:
        """Name of that recording by its bytes: 64 hexadecimal digits."""
        # Not SHA-256, which takes twice as long where the processor has no instruction for it.
        return hashlib.blake2b(self.recording.data, digest_size=32).hexdigest()


def pack(voice: VoiceFile) -> bytes:
    """Make the file of a voice or a consent, which `unpack` reads."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_CARD, _EPOCH), voice.card.model_dump_json(indent=1))
        for part, clip in voice.clips.items():
            archive.writestr(zipfile.ZipInfo(part + clip.suffix, _EPOCH), clip.data)
    return file.getvalue()


def unpack(
    file: BinaryIO, max_clip_bytes: int, part: str = RECORDING, *, described: bool = False
) -> VoiceFile:
    """Read such a file.

    Args:
        file: Open at its beginning.
        max_clip_bytes: Of each recording.
        part: Which of them must be there.
        described: Only the card and what the recordings are, which are empty.

    Raises:
        InvalidRequest: It is something else, or damaged, or holds more than it should.
        OSError: The disk refuses to read it.
    """
    if not described:
        limit = largest(max_clip_bytes)
        file = BytesIO(file.read(limit + 1))
        if file.getbuffer().nbytes > limit:
            raise _refused(f"it has more than {amount(limit)}")
    try:
        with zipfile.ZipFile(file) as archive:
            found = _contents(archive, max_clip_bytes)
            if not {_CARD_PART, part} <= found.keys():
                raise _refused("it lacks its card or its recording")
            card = Card.model_validate_json(archive.read(found.pop(_CARD_PART)))
            clips = {
                name: Clip(b"" if described else archive.read(info), Path(info.filename).suffix)
                for name, info in found.items()
            }
            return VoiceFile(card, clips)
    # A card that isn't one is a ValueError; a place that no file can have, an OverflowError.
    except (zipfile.BadZipFile, *_DAMAGED) as error:
        raise _refused("it is damaged, or something else") from error


def largest(max_clip_bytes: int) -> int:
    """Return the number of bytes that such a file may have."""
    return 2 * max_clip_bytes + 2 * _CARD_BYTES


def _contents(archive: zipfile.ZipFile, max_clip_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """List what is in it by part, all of which may be there."""
    parts = (RECORDING, SPOKEN)
    allowed = {part + suffix: max_clip_bytes for part in parts for suffix in RECORDING_SUFFIXES}
    allowed[_CARD] = _CARD_BYTES
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.file_size > allowed.get(info.filename, -1):
            raise _refused(f"{info.filename[:80]!r} doesn't belong there, or is too big")
        # What isn't compressed is never larger than the file that it is in.
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise _refused("it is compressed or encrypted")
        if found.setdefault(Path(info.filename).stem, info) is not info:
            raise _refused("it holds something twice")
    return found


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"This is no voice that Mira exported: {why}.", "file")
