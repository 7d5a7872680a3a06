"""A directory that `mira model convert` made in, what it holds out, checked.

Knows nothing of what the files compute. The manifest is written first and marked complete last, so
that what a conversion left half done can't pass for whole.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mira.checkpoint.tokens import TokenMap
from mira.errors import CheckpointError

MANIFEST = "mira.json"
TOKENIZER = "tokenizer.json"
CODEC = "codec"  # the directory of the codec's graphs
FORMAT = 1
"""Of the directory; another one has to be converted again."""

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
    def begin(cls, directory: Path, source: str, weights: str, tokens: TokenMap) -> "Manifest":
        """Start, or go on where the same conversion stopped.

        Args:
            source: Names the weights: `fingerprint` of their files.

        Raises:
            CheckpointError: The directory holds something else.
        """
        fresh = {
            "format": FORMAT,
            "complete": False,
            "source": source,
            "weights": weights,
            "tokens": asdict(tokens),
            "parts": [],
        }
        path = directory / MANIFEST
        if path.is_file():
            found = _read(directory)
            same = all(found.get(key) == json.loads(json.dumps(fresh[key])) for key in _IDENTITY)
            if not same:
                raise CheckpointError(
                    f"{directory}: holds another conversion; delete it or name another directory"
                )
            return cls(directory, found)
        if directory.is_dir() and any(directory.iterdir()):
            raise CheckpointError(f"{directory}: is not empty; name a new directory")
        directory.mkdir(parents=True, exist_ok=True)
        manifest = cls(directory, fresh)
        manifest._write()
        return manifest

    def has(self, part: str) -> bool:
        """Whether a part is finished."""
        return part in self.content["parts"]

    def finished(self, part: str, **facts: object) -> None:
        """A part is finished; note facts about it."""
        self.content["parts"].append(part)
        self.content.update(facts)
        self._write()

    def complete(self) -> None:
        """All parts are there."""
        tokenizer = self.directory / TOKENIZER
        self.content |= {"complete": True, "tokenizer": fingerprint([tokenizer])}
        self._write()

    def _write(self) -> None:
        partial = self.directory / f"{MANIFEST}.part"
        partial.write_text(json.dumps(self.content, indent=1) + "\n", "utf-8")
        partial.replace(self.directory / MANIFEST)


_IDENTITY = ("format", "source", "weights", "tokens")


def is_converted(directory: Path) -> bool:
    """Whether a conversion began here."""
    return (directory / MANIFEST).is_file()


def open_converted(directory: Path) -> Converted:
    """Check a conversion's directory.

    Raises:
        CheckpointError: It was made by another version, is incomplete, or its tokenizer is not
            the one it was made with.
    """
    content = _read(directory)
    if content.get("format") != FORMAT:
        raise CheckpointError(
            f"{directory}: was converted by another version of Mira (format "
            f"{content.get('format')}, expected {FORMAT}); {AGAIN}"
        )
    if content.get("complete") is not True:
        raise CheckpointError(f"{directory}: the conversion was not finished; {AGAIN}")
    if content.get("tokenizer") != fingerprint([directory / TOKENIZER]):
        raise CheckpointError(
            f"{directory}: {TOKENIZER} is not the one that the model was converted with; {AGAIN}"
        )
    try:
        tokens = content["tokens"] | {"end_ids": tuple(content["tokens"]["end_ids"])}
        return Converted(directory, content["weights"], TokenMap(**tokens))
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{directory / MANIFEST}: damaged ({error}); {AGAIN}") from error


def fingerprint(files: Sequence[Path]) -> str:
    """A hash of files' contents.

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
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged ({error}); {AGAIN}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: damaged; {AGAIN}")
    return content
