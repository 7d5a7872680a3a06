"""What Mira itself stores, in or out: a voice, or a recorded consent, as one file.

A ZIP file without compression, that any tool opens: a card, and up to two recordings. What it may
hold is checked to the byte, because it may come from a stranger. Knows nothing about folders.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field

from mira.errors import InvalidRequest
from mira.types import MAX_TRANSCRIPT_CHARS

SUFFIX = ".voice"
RECORDING_SUFFIXES = (".wav", ".mp3", ".ogg", ".flac", ".m4a", ".webm", ".aac")
MAX_STATEMENT_CHARS = 2000
_CARD = "voice.json"
_CARD_BYTES = 64 << 10
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same voice is the same bytes, whenever it is written

RECORDING = "recording"
"""Which of a file's recordings: that of the voice."""
SPOKEN = "consent"
"""That of whoever consents to it."""


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


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """All that somebody brought for a voice."""

    name: str
    recording: Clip
    transcript: str = ""
    consent: Consent | None = None
    spoken_consent: Clip | None = None
    created_at: int = 0  # Unix time, s

    @property
    def content(self) -> str:
        """Name of the recording by its bytes: 64 hexadecimal digits."""
        # Not SHA-256, which takes twice as long where the processor has no instruction for it.
        return hashlib.blake2b(self.recording.data, digest_size=32).hexdigest()


class Card(BaseModel):
    """What is said of a file's recordings."""

    model_config = ConfigDict(strict=True)

    format: Literal[1] = 1
    name: str = Field(max_length=256)
    transcript: str = Field("", max_length=MAX_TRANSCRIPT_CHARS)
    consent: Consent | None = None
    created_at: int = 0


def pack(voice: VoiceFile) -> bytes:
    """The file of a voice; `unpack` reads it."""
    card = Card(
        name=voice.name,
        transcript=voice.transcript,
        consent=voice.consent,
        created_at=voice.created_at,
    )
    return write_archive(card, {RECORDING: voice.recording, SPOKEN: voice.spoken_consent})


def unpack(file: BinaryIO, max_clip_bytes: int, *, described: bool = False) -> VoiceFile:
    """Read a voice's file.

    Args:
        file: Whole.
        max_clip_bytes: Of each recording.
        described: Only its card and what its recordings are, which are empty.

    Raises:
        InvalidRequest: It is something else, or damaged, or holds more than a voice.
    """
    card, clips = read_archive(file, max_clip_bytes, described=described)
    if RECORDING not in clips:
        raise _refused("it lacks its recording")
    said = card.transcript, card.consent, clips.get(SPOKEN), card.created_at
    return VoiceFile(card.name, clips[RECORDING], *said)


def largest(max_clip_bytes: int) -> int:
    """Bytes that such a file may have."""
    return 2 * max_clip_bytes + 2 * _CARD_BYTES


def write_archive(card: Card, clips: Mapping[str, Clip | None]) -> bytes:
    """Make a file of a card and recordings."""
    members = {_CARD: card.model_dump_json(indent=1).encode()}
    members |= {part + clip.suffix: clip.data for part, clip in clips.items() if clip is not None}
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return file.getvalue()


def read_archive(
    file: BinaryIO, max_clip_bytes: int, *, described: bool = False
) -> tuple[Card, dict[str, Clip]]:
    """Read what `write_archive` wrote; see `unpack`."""
    with _opened(file) as archive:
        found = _contents(archive, max_clip_bytes)
        if _CARD not in found:
            raise _refused("it lacks its card")
        card = Card.model_validate_json(archive.read(found.pop(_CARD)))
        clips = {}
        for name, info in found.items():
            part, dot, suffix = name.partition(".")
            clips[part] = Clip(b"" if described else archive.read(info), dot + suffix)
        return card, clips


@contextmanager
def _opened(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    # A card that isn't one is a ValueError, too.
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise _refused("it is damaged, or something else") from error


def _contents(archive: zipfile.ZipFile, max_clip_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """What is in it by name, all of which may be there."""
    parts = (RECORDING, SPOKEN)
    allowed = {part + suffix: max_clip_bytes for part in parts for suffix in RECORDING_SUFFIXES}
    allowed[_CARD] = _CARD_BYTES
    found = archive.infolist()
    if len({info.filename.partition(".")[0] for info in found}) < len(found):
        raise _refused("it holds something twice")
    for info in found:
        if info.file_size > allowed.get(info.filename, -1):
            raise _refused(f"{info.filename[:80]!r} doesn't belong there, or is too big")
        # What isn't compressed is never larger than the file that it is in.
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise _refused("it is compressed or encrypted")
    return {info.filename: info for info in found}


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"This is no voice that Mira exported: {why}.", "file")
