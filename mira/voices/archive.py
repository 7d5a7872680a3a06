"""A voice as one file: its recording, transcript and consent, in or out.

A ZIP file without compression, that any tool opens; what it may hold is checked to the byte,
because it may come from a stranger. Knows nothing about folders.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mira.errors import InvalidRequest
from mira.types import MAX_TRANSCRIPT_CHARS

SUFFIX = ".voice"
RECORDING_SUFFIXES = (".wav", ".mp3", ".ogg", ".flac", ".m4a", ".webm", ".aac")
MAX_STATEMENT_CHARS = 2000
_CARD = "voice.json"
_CARD_BYTES = 64 << 10
_RECORDING = "recording"
_SPOKEN = "consent"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same voice is the same bytes, whenever it is written


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
        """Names the recording by its bytes: 64 hexadecimal digits."""
        # Not SHA-256, which takes twice as long where the processor has no instruction for it.
        return hashlib.blake2b(self.recording.data, digest_size=32).hexdigest()


class _Card(BaseModel):
    model_config = ConfigDict(strict=True)

    format: Literal[1] = 1
    name: str = Field(max_length=256)
    transcript: str = Field("", max_length=MAX_TRANSCRIPT_CHARS)
    consent: Consent | None = None
    created_at: int = 0


def pack(voice: VoiceFile) -> bytes:
    """The file of a voice; `unpack` reads it."""
    card = _Card(
        name=voice.name,
        transcript=voice.transcript,
        consent=voice.consent,
        created_at=voice.created_at,
    )
    members = {
        _CARD: card.model_dump_json(indent=1).encode(),
        _RECORDING + voice.recording.suffix: voice.recording.data,
    }
    if voice.spoken_consent is not None:
        members[_SPOKEN + voice.spoken_consent.suffix] = voice.spoken_consent.data
    return write_members(members)


def unpack(data: bytes, max_recording_bytes: int) -> VoiceFile:
    """Read a voice's file.

    Raises:
        InvalidRequest: It is something else, or damaged, or holds more than a voice.
    """
    members = read_members(data, _CARD, (_RECORDING, _SPOKEN), max_recording_bytes)
    clips = {name.partition(".")[0]: name for name in members}
    if _CARD not in members or _RECORDING not in clips:
        raise not_a_voice("it lacks its card or its recording")
    try:
        card = _Card.model_validate_json(members[_CARD])
    except ValidationError as error:
        raise not_a_voice("its card can't be read") from error

    def clip(stem: str) -> Clip:
        name = clips[stem]
        return Clip(members[name], name.removeprefix(stem))

    return VoiceFile(
        card.name,
        clip(_RECORDING),
        card.transcript,
        card.consent,
        clip(_SPOKEN) if _SPOKEN in clips else None,
        card.created_at,
    )


def describe(file: BinaryIO) -> VoiceFile:
    """Read a voice's file without its recordings: their bytes are left empty.

    Raises:
        InvalidRequest: It is something else, or damaged.
    """
    try:
        card = _Card.model_validate_json(read_card(file, _CARD))
        with zipfile.ZipFile(file) as archive:
            (name,) = (name for name in archive.namelist() if name.startswith(f"{_RECORDING}."))
    except (ValidationError, ValueError, zipfile.BadZipFile, OSError) as error:
        raise not_a_voice("its card can't be read") from error
    recording = Clip(b"", name.removeprefix(_RECORDING))
    return VoiceFile(card.name, recording, card.transcript, card.consent, None, card.created_at)


def largest(max_recording_bytes: int) -> int:
    """Bytes that a voice's file may have."""
    return 2 * max_recording_bytes + 2 * _CARD_BYTES


def write_members(members: Mapping[str, bytes]) -> bytes:
    """A ZIP file of `members`, uncompressed."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return file.getvalue()


def read_members(
    data: bytes, card: str, clips: tuple[str, ...], max_clip_bytes: int
) -> dict[str, bytes]:
    """The members of such a file: `card`, and audio files with the stems `clips`; nothing else.

    Raises:
        InvalidRequest: It holds something else, or is damaged or compressed.
    """
    allowed = {stem + suffix: max_clip_bytes for stem in clips for suffix in RECORDING_SUFFIXES}
    allowed[card] = _CARD_BYTES
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            found = archive.infolist()
            stems = [info.filename.partition(".")[0] for info in found]
            if len(set(stems)) != len(stems):
                raise not_a_voice("it holds something twice")
            for info in found:
                if info.file_size > allowed.get(info.filename, -1):
                    raise not_a_voice(f"{info.filename[:80]!r} doesn't belong there, or is too big")
                # What isn't compressed is never larger than the file that it is in.
                if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                    raise not_a_voice("it is compressed or encrypted")
            return {info.filename: archive.read(info) for info in found}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise not_a_voice("it is damaged, or something else") from error


def read_card(file: BinaryIO, card: str) -> bytes:
    """The card of such a file, without what else is in it.

    Raises:
        InvalidRequest: There is none, or it is damaged, too large, or compressed.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            info = archive.getinfo(card)
            if info.file_size > _CARD_BYTES or info.compress_type != zipfile.ZIP_STORED:
                raise not_a_voice("its card is too big or compressed")
            return archive.read(info)
    except (KeyError, zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise not_a_voice("it is damaged, or something else") from error


def not_a_voice(why: str) -> InvalidRequest:
    """The answer to a file that isn't one."""
    return InvalidRequest(f"This is no voice that Mira exported: {why}.", "file")
