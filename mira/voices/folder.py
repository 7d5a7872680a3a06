"""The folder that voices are kept in: which files are voices, read, written and removed.

A voice is NAME.wav (or another kind of recording) with NAME.txt beside it, as people put them
there, or NAME.voice, which holds all of it in one file: that is what is written here, so that at
every moment a voice is whole or absent. What people put there may be the only copy: it is never
deleted, but moved to a folder beside. Knows nothing about what is recorded.
"""

import hashlib
import logging
import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from mira.errors import InvalidRequest, InvalidSettings, StorageFailed
from mira.files import storing, sweep, sync_folder, write_whole
from mira.types import MAX_TRANSCRIPT_CHARS, check_transcript
from mira.voices.archive import (
    RECORDING,
    RECORDING_SUFFIXES,
    SUFFIX,
    Card,
    Clip,
    VoiceFile,
    pack,
    unpack,
)
from mira.voices.files import Stamp, open_within, read_within, stamp_of
from mira.voices.names import clean_stored_name

log = logging.getLogger(__name__)

REMOVED = "removed"
"""Folder in the voices' own: recordings and transcripts that people brought, of removed voices."""

_TRANSCRIPT = ".txt"
_PREFERENCE = (SUFFIX, *RECORDING_SUFFIXES, _TRANSCRIPT)
"""Suffixes: of two recordings with the same name the first one here counts."""
_TRANSCRIPT_BYTES = 4 * MAX_TRANSCRIPT_CHARS + 1024
_NO_STAMP = (0, 0, 0)  # of what is there and can't be looked at: reading it will tell why


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that should be a voice, as it was found."""

    name: str
    filename: str
    stamps: tuple[Stamp, Stamp | None]  # of the file, and of the transcript beside it

    @property
    def suffix(self) -> str:
        """Suffix of the file, in lower case."""
        return Path(self.filename).suffix.lower()

    @property
    def place(self) -> str:
        """Name of the file as it is: the same, 64 hexadecimal digits, as long as its recording."""
        file = repr((self.filename, self.stamps[0])).encode("utf-8", "backslashreplace")
        return hashlib.blake2b(file, digest_size=32).hexdigest()


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    name: str  # without suffix, in the form that names are kept in
    suffix: str  # in lower case


def check_folder(path: Path) -> None:
    """Raise InvalidSettings if there is something else where the voices' folder should be."""
    if path.exists() and not path.is_dir():
        raise InvalidSettings(
            f"voices_dir: {path} is no folder. Name one, or one that is not there yet."
        )


class Folder:
    """Does not have to exist before the first voice is written.

    Args:
        path: Of the folder.
        max_recording_bytes: Larger ones are refused.
    """

    def __init__(self, path: Path, max_recording_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_recording_bytes

    def scan(self) -> tuple[list[Candidate], dict[str, str]]:
        """Find the files that should be voices, and say why others can't be for their name."""
        sweep(self.path)
        return self._sorted_out(self._files())

    def find(self, name: str) -> Candidate | None:
        """Find the file that should be the voice with this name."""
        candidates, _ = self._sorted_out(self._of(name))
        return next(iter(candidates), None)

    def unchanged(self, candidate: Candidate) -> bool:
        """Tell whether its files are still those that were found."""
        return self._stamps(self.path / candidate.filename) == candidate.stamps

    def read(self, candidate: Candidate, *, described: bool = False) -> VoiceFile:
        """Read all that there is of a voice; if `described`, its recordings are empty.

        Raises:
            InvalidRequest: It can't be read, or is too large.
        """
        if candidate.suffix == SUFFIX:
            with open_within(self.path, candidate.filename) as file:
                return unpack(file, self._max_bytes, described=described)
        limit = self._max_bytes
        data = b"" if described else read_within(self.path, candidate.filename, limit)
        return self._brought(candidate, data)

    def write(self, voice: VoiceFile) -> Candidate:
        """Put a voice in the place of whatever has its name; what people brought is moved aside.

        Raises:
            StorageFailed: It can't be written; then there is what was there before.
        """
        name = voice.card.name
        path = self.path / f"{name}{SUFFIX}"
        with storing("The voice can't be written"):
            self.path.mkdir(parents=True, exist_ok=True)
            stamp = stamp_of(write_whole(path, pack(voice), private=True))
        # Until these are gone they are in the shadow of the new file, which is all that matters.
        try:
            found = [file for file in self._of(name) if file.path.name != path.name]
            if kept := self._take_away(found):
                log.info("voices: %r replaces what is now %s", path.name, ", ".join(kept))
        except StorageFailed as error:
            log.warning("voices: what %r replaces stays beside it: %s", path.name, error)
        return Candidate(name, path.name, (stamp, None))

    def remove(self, name: str) -> list[str] | None:
        """Delete what was written here of a voice, and move aside what people brought.

        Returns:
            The files that were moved, by where they are now, as seen from here; None if there is
            nothing with this name.

        Raises:
            StorageFailed: One can't be deleted or moved.
        """
        found = self._of(name)
        return self._take_away(found) if found else None

    def _sorted_out(self, files: Iterable[_File]) -> tuple[list[Candidate], dict[str, str]]:
        candidates: dict[str, Candidate] = {}
        problems: dict[str, str] = {}
        for file in sorted(files, key=_by_preference):
            if file.suffix == _TRANSCRIPT:
                continue
            try:
                name = clean_stored_name(file.name)
            except InvalidRequest as error:
                problems[_shown(file.path)] = str(error)
                continue
            if first := candidates.get(name):
                problems[_shown(file.path)] = (
                    f"There is {first.filename} with the same name, and that one speaks. Rename or "
                    "remove one of them."
                )
            elif stamps := self._stamps(file.path):
                candidates[name] = Candidate(name, file.path.name, stamps)
        return list(candidates.values()), problems

    def _brought(self, candidate: Candidate, recording: bytes) -> VoiceFile:
        """Read the transcript beside what people put there."""
        transcript = ""
        if candidate.stamps[1] is not None:
            name = _beside(self.path / candidate.filename).name
            try:
                text = read_within(self.path, name, _TRANSCRIPT_BYTES)
                transcript = text.decode("utf-8-sig").strip()
            except InvalidRequest as error:
                # Of its own kind: one that can't be read now is looked at again.
                raise type(error)(f"{name}: {error}", "transcript") from error
            except UnicodeDecodeError as error:
                message = f"{name}: is no text in UTF-8. Save it as that."
                raise InvalidRequest(message, "transcript") from error
        check_transcript(transcript)
        created_at = candidate.stamps[0][1] // 10**9
        card = Card(name=candidate.name, transcript=transcript, created_at=created_at)
        return VoiceFile(card, {RECORDING: Clip(recording, candidate.suffix)})

    def _files(self) -> Iterator[_File]:
        try:
            with os.scandir(self.path) as entries:
                paths = [Path(entry.path) for entry in entries if not _is_folder(entry)]
        except OSError:  # none there yet, or none that can be looked into
            return
        for path in paths:
            suffix = path.suffix.lower()
            if not path.name.startswith(".") and suffix in _PREFERENCE:
                yield _File(path, unicodedata.normalize("NFC", path.stem).strip(), suffix)

    def _of(self, name: str) -> list[_File]:
        """Find a voice's files; a text belongs to a recording, not to what has its own inside."""
        found = [file for file in self._files() if file.name == name]
        brought = any(file.suffix in RECORDING_SUFFIXES for file in found)
        return [file for file in found if brought or file.suffix != _TRANSCRIPT]

    def _take_away(self, files: list[_File]) -> list[str]:
        """Delete or move aside files, one after another; return where they are now.

        After each there is the same voice or none. What is in the shadow of another file goes
        first, so that it never comes to light. A transcript goes after a recording that would be
        another voice without it, and before one that is in a shadow itself, for nobody would know
        later whose it was.
        """
        shadowed = any(file.suffix == SUFFIX for file in files)
        rank = {_TRANSCRIPT: -1 if shadowed else 1, SUFFIX: 2}
        files = sorted(files, key=_by_preference, reverse=True)
        files = sorted(files, key=lambda file: rank.get(file.suffix, 0))
        aside = self._free_places([file.path for file in files if file.suffix != SUFFIX])
        for file in files:
            _take(file.path, aside.get(file.path))
        if files:
            sync_folder(self.path)
        return [f"{REMOVED}/{_shown(place)}" for place in aside.values()]

    def _free_places(self, paths: list[Path]) -> dict[Path, Path]:
        """Find places to move files to: all under one name, which tells what belongs together."""
        for number in count(1):
            more = f" {number}" if number > 1 else ""
            folder = self.path / REMOVED
            places = {path: folder / f"{path.stem}{more}{path.suffix}" for path in paths}
            if not any(map(os.path.lexists, places.values())):
                break
        return places

    def _stamps(self, path: Path) -> tuple[Stamp, Stamp | None] | None:
        own = _stamp(path)
        if own is None:
            return None
        return own, None if path.suffix.lower() == SUFFIX else _stamp(_beside(path))


def _stamp(path: Path) -> Stamp | None:
    """Look at a file; None if it is gone."""
    try:
        return stamp_of(path.stat())
    except FileNotFoundError:
        return _NO_STAMP if path.is_symlink() else None
    except OSError:
        return _NO_STAMP


def _take(path: Path, place: Path | None) -> None:
    """Move a file, or delete it if there is no place for it."""
    with storing(f"{path.name!r} can't be taken away"):
        if place:
            place.parent.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # somebody else was quicker
            path.rename(place) if place else path.unlink()


def _by_preference(file: _File) -> tuple[int, str]:
    return _PREFERENCE.index(file.suffix), file.path.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, which is reported when it is read
        return False


def _beside(recording: Path) -> Path:
    """Find the transcript of a recording: where it is, or would be."""
    usual = recording.with_suffix(_TRANSCRIPT)
    loud = recording.with_suffix(_TRANSCRIPT.upper())
    return loud if not usual.exists() and loud.exists() else usual


def _shown(path: Path) -> str:
    """Spell a file's name for people: on the disk it may be in any encoding."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")
