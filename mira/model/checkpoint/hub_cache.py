"""A model's name and a cache folder in, its files out: what is whole, and where the rest goes.

Knows nothing about the network. The folder is laid out as `huggingface_hub` does, which finds what
Mira downloaded and whose downloads Mira finds:

    models--owner--name/
      refs/main              the commit that a branch or tag was when it was downloaded
      blobs/DIGEST           a file's content; DIGEST.part is not whole yet
      snapshots/COMMIT/...   links to them, by the files' names
      mira/COMMIT.json       which files a commit has: ours alone
"""

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mira.errors import CheckpointError, NotDownloaded
from mira.files import write_whole
from mira.model.checkpoint.files import alone
from mira.model.checkpoint.hub_client import COMMIT, HubFile, Revision
from mira.progress import Report, amount

PART = ".part"
DEAD_AFTER_S = 3600  # a partial file of `huggingface_hub`, whose names nobody uses twice
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class HubCache:
    """What is kept of one model."""

    def __init__(self, model: str, directory: Path) -> None:
        """Look; nothing is made yet.

        Args:
            model: Owner and name, `owner/name`.
            directory: Of the cache, with a folder for each model.

        Raises:
            CheckpointError: It is to lie in a home that is not there.
        """
        self.model = model
        self._name = "models--" + model.replace("/", "--")
        try:
            self._cache = directory.expanduser().absolute()
        except RuntimeError as error:  # a number without a name runs it, and HOME is not set
            raise CheckpointError(
                f"{model}: there is no home folder to keep it in: set HF_HUB_CACHE, or HOME, to a "
                "folder."
            ) from error
        self.folder = self._cache / self._name

    def commit_of(self, revision: str) -> str | None:
        """Find the commit that a branch, tag or commit was when it was downloaded."""
        if COMMIT.fullmatch(revision):
            return revision
        try:
            commit = (self.folder / "refs" / revision).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return commit if COMMIT.fullmatch(commit) else None

    def listed(self, commit: str) -> tuple[HubFile, ...] | None:
        """List the files of a commit; None if it isn't known here which those are."""
        try:
            entries = json.loads(self._list(commit).read_bytes())
            return tuple(HubFile(str(name), int(n), str(digest)) for name, n, digest in entries)
        except (OSError, ValueError, TypeError):
            return None

    def snapshot(self, commit: str) -> Path:
        """Name the folder of a commit's files, which may not be there."""
        return self.folder / "snapshots" / commit

    def has(self, commit: str, file: HubFile) -> bool:
        """Tell whether a file is whole."""
        return _num_bytes(self.snapshot(commit) / file.name) == file.num_bytes

    def complete(self, revision: str, wanted: Callable[[str], bool]) -> Path | None:
        """Find the folder of a revision, if every wanted file is known to be there."""
        commit = self.commit_of(revision)
        chosen = [file for file in self.listed(commit or "") or () if wanted(file.name)]
        if commit and chosen and all(self.has(commit, file) for file in chosen):
            return self.snapshot(commit)
        return None

    def as_it_is(self, revision: str) -> Path:
        """Find the folder of a revision that another program downloaded, if incompletely.

        Raises:
            NotDownloaded: There is none, or it was ours and is incomplete.
        """
        commit = self.commit_of(revision)
        if commit and self.snapshot(commit).is_dir() and self.listed(commit) is None:
            return self.snapshot(commit)
        raise NotDownloaded(
            f"{self.model}: not all of its files are in {self.folder}, and nothing is to be "
            "downloaded. Start once with a network and without HF_HUB_OFFLINE, or copy the files "
            "to a directory and give that directory instead."
        )

    def num_bytes(self, commit: str, file: HubFile) -> int:
        """Count the bytes of a file's content that are here."""
        if self.has(commit, file) or _num_bytes(self._blob(file)) == file.num_bytes:
            return file.num_bytes
        return min(max(0, _num_bytes(self._part(file))), file.num_bytes)

    @contextmanager
    def gathering(self, file: HubFile, start: int) -> Iterator[Callable[[bytes], None]]:
        """Write a file's content from one of its bytes on; what was there from there on is gone.

        Yields:
            What takes the next bytes, and gives them to the system before it returns: they
            outlive the process.
        """
        with ExitStack() as stack:
            with self.writing():
                self._part(file).touch()
                # Not "ab": two processes that no lock keeps apart write the same to the same place.
                part = stack.enter_context(self._part(file).open("r+b", buffering=0))
                part.truncate(start)
                part.seek(start)

            def write(block: bytes) -> None:
                left = memoryview(block)
                with self.writing():
                    while left:
                        left = left[part.write(left) :]

            yield write

    def remember(self, revision: str, found: Revision) -> None:
        """Store what a branch, tag or commit is, and which files that has."""
        rows = [(file.name, file.num_bytes, file.digest) for file in found.files]
        texts = {self._list(found.commit): json.dumps(rows)}
        if not COMMIT.fullmatch(revision):
            texts[self.folder / "refs" / revision] = found.commit
        with self.writing():
            for path, text in texts.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, text.encode(), durable=False)

    def finish(self, commit: str, file: HubFile) -> bool:
        """Give a file its name, if its content is all there; False if that is damaged, and gone."""
        blob, part = self._blob(file), self._part(file)
        with self.writing():
            if _num_bytes(blob) != file.num_bytes:
                if not _is_intact(part, file):
                    part.unlink(missing_ok=True)
                    return False
                part.replace(blob)
            name = self.snapshot(commit) / file.name
            name.parent.mkdir(parents=True, exist_ok=True)
            name.unlink(missing_ok=True)
            try:
                name.symlink_to(os.path.relpath(blob, name.parent))
            except OSError:  # a file system without links
                blob.replace(name)
        return True

    def remove_remains(self, used: tuple[HubFile, ...]) -> None:
        """Remove partial content that no later download goes on from.

        Args:
            used: Files of the commit that is in use. Parts of those stay.
        """
        kept = {self._part(file) for file in used}
        for path in (self.folder / "blobs").glob("*.*"):
            with suppress(OSError):
                dead = time.time() - path.stat().st_mtime > DEAD_AFTER_S
                if (path.suffix == PART and path not in kept) or (
                    path.suffix == ".incomplete" and dead
                ):
                    path.unlink()

    @contextmanager
    def alone(self, report: Report) -> Iterator[None]:
        """Keep other processes from downloading this model; waits for one that does."""
        waiting = f"waiting for another download of {self.model} to {self.folder}"
        with ExitStack() as stack:
            with self.writing():
                (self.folder / "blobs").mkdir(parents=True, exist_ok=True)
                lock = self._cache / ".locks" / self._name / "mira.lock"
                stack.enter_context(alone(lock, report, waiting))
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the disk refuses into an error that says what to do."""
        move = "set HF_HUB_CACHE to a folder"
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise NotDownloaded(
                    f"{self.model}: the disk of {self.folder} is full ({error.strerror}). Free "
                    f"some or {move} elsewhere, and start again: the download goes on from there."
                ) from error
            raise NotDownloaded(
                f"{self.model}: {error.filename or self.folder} can't be written "
                f"({error.strerror}). Give whoever runs Mira the right to, or {move} that can be."
            ) from error

    def require_room(self, num_bytes: int) -> None:
        """Raise NotDownloaded if the disk has no room for so much."""
        if (left := shutil.disk_usage(self.folder).free) < num_bytes:
            raise NotDownloaded(
                f"{self.model}: {amount(num_bytes)} have to be downloaded to {self.folder}, where "
                f"{amount(left)} are free. Free some, or set HF_HUB_CACHE to a folder elsewhere."
            )

    def _blob(self, file: HubFile) -> Path:
        return self.folder / "blobs" / file.digest

    def _part(self, file: HubFile) -> Path:
        return self.folder / "blobs" / f"{file.digest}{PART}"

    def _list(self, commit: str) -> Path:
        return self.folder / "mira" / f"{commit}.json"


def _num_bytes(path: Path) -> int:
    """Measure a file; -1 if there is none."""
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1


def _is_intact(path: Path, file: HubFile) -> bool:
    """Read what is on the disk, not what came: an earlier process wrote of it too."""
    if file.num_bytes == 0:
        path.touch()
    if _num_bytes(path) != file.num_bytes:
        return False
    sha = hashlib.sha256()
    if len(file.digest) != 2 * sha.digest_size:
        sha = hashlib.sha1(b"blob %d\0" % file.num_bytes, usedforsecurity=False)
    with path.open("rb+") as content:
        os.fsync(content.fileno())  # or a power cut may leave its name and not its bytes
        while block := content.read(1 << 20):
            sha.update(block)
    return sha.hexdigest() == file.digest
