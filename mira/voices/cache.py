"""What was computed from recordings, kept on disk: by a recording's content and the model's.

JSON, so that reading it can't run anything. A file that is damaged or of another form counts as
absent, and one that can't be written is computed again next time: nothing depends on the cache but
time. Knows nothing about names.
"""

import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mira.errors import StorageFailed
from mira.voices.files import make_folder, sweep, write_whole
from mira.voices.quality import Quality

log = logging.getLogger(__name__)

_OWN = re.compile(r"[0-9a-f]{64}\.[0-9a-z]+\.(quality|tokens)\.json")
_INDEX = "index.json"
_ANY_INDEX = TypeAdapter(dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]])
_FORM = 1  # of the quality report; another one is made again
_GlobalToken = Annotated[int, Field(ge=0, lt=4096)]
_SpeechToken = Annotated[int, Field(ge=0, lt=8192)]


class Tokens(BaseModel):
    """What a model made of a recording: see `mira.types.Voice`."""

    model_config = ConfigDict(frozen=True, strict=True)

    global_tokens: tuple[_GlobalToken, ...] = Field(min_length=1, max_length=256)
    speech_tokens: tuple[_SpeechToken, ...] = Field((), max_length=1 << 16)


class Cache:
    """Files in one folder, which is made when it is needed.

    Args:
        folder: For nothing else.
        model: Names what makes tokens; empty if nothing does.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder
        self._model = model
        self._writable = True
        sweep(folder)
        self.prepared = {
            path.name.partition(".")[0] for path in self._files() if path.name.endswith(self._kind)
        }
        """Contents of recordings whose tokens are here."""
        self._index = self._read_index()

    def content(self, file: str) -> str | None:
        """What a recording was, by its file's name and stamps, so that it need not be read."""
        return self._index.get(file)

    def keep_index(self, index: Mapping[str, str]) -> None:
        """Have all of it next time, and nothing else."""
        if index == self._index:
            return
        self._index = dict(index)
        if index:
            self._write(self._folder / _INDEX, json.dumps(self._index))
        else:
            _remove(self._folder / _INDEX)

    def quality(self, content: str) -> Quality | None:
        """The report on a recording."""
        try:
            return Quality.from_json(json.loads(self._quality_file(content).read_bytes()))
        except (OSError, ValueError):
            return None

    def keep_quality(self, content: str, quality: Quality) -> None:
        """Store the report."""
        self._write(self._quality_file(content), json.dumps(quality.to_json()))

    def tokens(self, content: str) -> Tokens | None:
        """What the model made of a recording."""
        listed = content in self.prepared
        try:
            return Tokens.model_validate_json(self._tokens_file(content).read_bytes())
        except (OSError, ValidationError):
            if listed:  # else somebody may be writing it just now
                self.prepared.discard(content)
            return None

    def keep_tokens(self, content: str, tokens: Tokens) -> None:
        """Store what was computed."""
        if self._write(self._tokens_file(content), tokens.model_dump_json()):
            self.prepared.add(content)

    def forget(self, content: str) -> None:
        """Remove all that was computed from a recording, by any model."""
        self.prepared.discard(content)
        for path in self._files():
            if path.name.startswith(f"{content}."):
                _remove(path)

    def keep_only(self, contents: Collection[str]) -> None:
        """Remove what was computed from any other recording."""
        for path in self._files():
            content = path.name.partition(".")[0]
            if content not in contents:
                self.prepared.discard(content)
                _remove(path)

    def clear(self) -> int:
        """Remove everything; for how many recordings there was something."""
        contents = {path.name.partition(".")[0] for path in self._files()}
        self.keep_only(())
        self.keep_index({})
        return len(contents)

    def _read_index(self) -> dict[str, str]:
        try:
            return _ANY_INDEX.validate_json((self._folder / _INDEX).read_bytes())
        except (OSError, ValidationError):
            return {}

    @property
    def _kind(self) -> str:
        return f".{self._model or 'none'}.tokens.json"

    def _quality_file(self, content: str) -> Path:
        return self._folder / f"{content}.{_FORM}.quality.json"

    def _tokens_file(self, content: str) -> Path:
        return self._folder / f"{content}{self._kind}"

    def _files(self) -> Iterator[Path]:
        # What has another name is somebody else's.
        with suppress(OSError):
            yield from [path for path in self._folder.iterdir() if _OWN.fullmatch(path.name)]

    def _write(self, path: Path, text: str) -> bool:
        try:
            make_folder(self._folder)
            write_whole(path, text.encode(), durable=False)
        except StorageFailed as error:
            if self._writable:  # once is enough
                log.warning("voices: what is computed can't be kept: %s", error)
            self._writable = False
            return False
        return True


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
