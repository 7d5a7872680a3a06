"""A directory that `mira model convert` made in, what it holds out, checked.

Knows nothing of what the files compute. The manifest is written first and marked complete last, so
that what a conversion left half done can't pass for whole.
"""

import hashlib
import json
import logging
import re
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mira.errors import CheckpointError
from mira.files import write_whole
from mira.model.checkpoint.layout import Checkpoint
from mira.model.checkpoint.tokens import TokenMap

log = logging.getLogger(__name__)

MANIFEST = "mira.json"
LOCK = f"{MANIFEST}.lock"
TOKENIZER = "tokenizer.json"
CODEC = "codec"  # the directory of the codec's graphs
FORMAT = 3
"""Version of the directory, and of how it is made; one of another version is converted again."""

HASHED_AT_ONCE = 4  # files; hashing holds up no other thread

_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # git's SHA-1, or SHA-256
_IDENTITY = ("format", "source", "asked", "tokens")

AGAIN = "convert the model again: mira model convert MODEL"


@dataclass(frozen=True, slots=True)
class Converted:
    """A complete conversion."""

    directory: Path
    weights: str  # how the language model's are stored
    tokens: TokenMap

    @property
    def tokenizer(self) -> Path:
        """The file that reads text."""
        return self.directory / TOKENIZER


@dataclass(slots=True)
class Manifest:
    """What a conversion has done so far; kept in its directory."""

    directory: Path
    content: dict[str, Any]

    @classmethod
    def find(
        cls, directory: Path, source: str, asked: str, tokens: TokenMap, replace: bool = False
    ) -> "Manifest":
        """Look what there is of a conversion: all, parts that it can go on from, or nothing.

        Damage is logged, and leaves nothing. No file is written.

        Args:
            source: `identity` of the checkpoint.
            asked: How the language model's weights are to be stored.
            replace: The directory is ours, whatever it holds.

        Raises:
            CheckpointError: The directory holds something else, which is not to be replaced.
        """
        fresh: dict[str, Any] = {"format": FORMAT, "source": source, "asked": asked}
        fresh |= {"tokens": json.loads(json.dumps(asdict(tokens))), "complete": False, "parts": []}
        other = ""
        try:
            if not is_converted(directory):
                if not all(map(_is_manifest, directory.glob("*"))):
                    other = "is not empty; name a new directory"
            elif any((found := _read(directory)).get(key) != fresh[key] for key in _IDENTITY):
                other = "holds another conversion; delete it or name another directory"
            else:
                _check_seal(directory, found)
                if found["complete"] is True:
                    open_converted(directory)
                return cls(directory, found)
        except CheckpointError as error:
            log.warning("converting anew: %s", error)
        if other and not replace:
            raise CheckpointError(f"{directory}: {other}")
        if other:
            log.warning("converting anew: %s: %s", directory, other)
        return cls(directory, fresh)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.content["complete"] is True

    def begin(self, origin: str = "") -> None:
        """Note that a conversion begins or goes on; no codec stays of one that begins anew.

        Args:
            origin: See `origin_of`.
        """
        self.content["origin"] = origin
        if not self.content["parts"]:
            shutil.rmtree(self.directory / CODEC, ignore_errors=True)
        self._write()

    def has(self, part: str) -> bool:
        """Tell whether a part is finished."""
        return part in self.content["parts"]

    def finished(self, part: str, **facts: object) -> None:
        """Note that a part is finished, and facts about it."""
        self.content["parts"].append(part)
        self.content.update(facts)
        self._write()

    def complete(self) -> None:
        """Note that nothing is left to do, and what each file holds: damage is found by that."""
        files = {
            path.relative_to(self.directory).as_posix(): fingerprint([path])
            for path in sorted(self.directory.rglob("*"))
            if path.is_file() and not _is_manifest(path)
        }
        self.content |= {"complete": True, "files": files}
        self._write()

    def _write(self) -> None:
        self.content["seal"] = _seal(self.content)
        text = json.dumps(self.content, indent=1) + "\n"
        write_whole(self.directory / MANIFEST, text.encode(), durable=False)


def _is_manifest(path: Path) -> bool:
    """Tell whether a file is the manifest, its lock, or one that was never finished."""
    return path.name.lstrip(".").startswith(MANIFEST)


def is_converted(directory: Path) -> bool:
    """Tell whether a conversion began here."""
    return (directory / MANIFEST).is_file()


def origin_of(directory: Path) -> str:
    """Name where a conversion's checkpoint came from, as `convert` was told; empty if it wasn't."""
    try:
        return str(_read(directory).get("origin", ""))
    except CheckpointError:
        return ""


def open_converted(directory: Path, whole: bool = True) -> Converted:
    """Check a conversion's directory.

    Args:
        whole: Read every file, and compare it with what was written: a second for a gigabyte.

    Raises:
        CheckpointError: It was made by another version, is incomplete, or a file is not the one
            that was written.
    """
    content = _read(directory)
    if content.get("format") != FORMAT:
        raise CheckpointError(
            f"{directory}: was converted by another version of Mira (format "
            f"{content.get('format')}, expected {FORMAT}); {AGAIN}"
        )
    if content.get("complete") is not True:
        raise CheckpointError(f"{directory}: the conversion was not finished; {AGAIN}")
    _check_seal(directory, content)
    try:
        _check_files(directory, content["files"], whole)
        tokens = content["tokens"] | {"end_ids": tuple(content["tokens"]["end_ids"])}
        return Converted(directory, content["weights"], TokenMap(**tokens))
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{directory / MANIFEST}: damaged ({error}); {AGAIN}") from error


def _check_files(directory: Path, written: dict[str, str], whole: bool) -> None:
    paths = [directory / name for name in written]
    for path in paths:
        if not path.is_file():
            raise CheckpointError(f"{path}: missing; {AGAIN}")
    if not whole:
        return
    with ThreadPoolExecutor(HASHED_AT_ONCE) as pool:
        found = pool.map(lambda path: fingerprint([path]), paths)
        for path, expected, hashed in zip(paths, written.values(), found, strict=True):
            if hashed != expected:
                raise CheckpointError(f"{path}: is not what was converted; {AGAIN}")


def _check_seal(directory: Path, content: dict[str, Any]) -> None:
    if content.get("seal") != _seal(content):
        raise CheckpointError(
            f"{directory / MANIFEST}: damaged (it is not what was written); {AGAIN}"
        )


def _seal(content: dict[str, Any]) -> str:
    """Hash all else that the manifest says."""
    said = json.dumps({key: content[key] for key in sorted(content) if key != "seal"})
    return hashlib.sha256(said.encode()).hexdigest()


def identity(checkpoint: Checkpoint) -> str:
    """Name what a checkpoint's files hold, without reading them.

    By size and by when they were changed; what a hub's cache links to is named after its content,
    and no other link's target is. By the tokens as well: more files than these decide what ends a
    generation.

    Raises:
        CheckpointError: One can't be looked at.
    """
    files = [*checkpoint.language_weights, *checkpoint.files.values()]
    files += [checkpoint.language / name for name in ("config.json", TOKENIZER)]
    known: list[tuple[str, int, str]] = []
    for path in files:
        try:
            found = path.stat()
        except OSError as error:
            raise CheckpointError(f"{path}: can't be read ({error.strerror})") from error
        name = path.resolve().name if path.is_symlink() else ""
        content = name if _DIGEST.fullmatch(name) else str(found.st_mtime_ns)
        known.append((path.name, found.st_size, content))
    said = json.dumps([FORMAT, known, asdict(checkpoint.tokens)])
    return hashlib.sha256(said.encode()).hexdigest()


def fingerprint(files: Iterable[Path]) -> str:
    """Hash files' contents.

    Raises:
        CheckpointError: One can't be read.
    """
    whole = hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise CheckpointError(f"{path}: can't be read ({error.strerror})") from error
    return whole.hexdigest()


def _read(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged ({error}); {AGAIN}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: damaged; {AGAIN}")
    return content
