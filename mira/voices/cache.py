"""What was computed from recordings, by their content and the model's: on disk, and in memory.

JSON, so that reading it can't run anything. A file that is damaged or of another form counts as
absent, and one that can't be written is computed again next time: nothing depends on the cache but
time. Knows nothing about names.
"""

import json
import logging
import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mira.errors import StorageFailed
from mira.files import make_folder, sweep, write_whole
from mira.voices.quality import Quality

log = logging.getLogger(__name__)

_OWN = re.compile(r"([0-9a-f]{64})\.(quality|[0-9a-z]+\.tokens)\.json")
IN_MEMORY = 1024  # voices, of some 10 kB each
_INDEX = "index.json"
_ANY_INDEX = TypeAdapter(dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]])
_GlobalToken = Annotated[int, Field(ge=0, lt=4096)]
_SpeechToken = Annotated[int, Field(ge=0, lt=8192)]


class Tokens(BaseModel):
    """What a model made of a recording: see `mira.types.Voice`."""

    model_config = ConfigDict(frozen=True, strict=True)

    global_tokens: tuple[_GlobalToken, ...] = Field(min_length=1, max_length=256)
    speech_tokens: tuple[_SpeechToken, ...] = Field((), max_length=1 << 16)


class Cache:
    """Files in one folder, which is made when it is needed, and the tokens that spoke last.

    Safe to use from several threads at once. Whoever removes something sees to it that nobody keeps
    it again.

    Args:
        folder: For nothing else.
        model: Names what makes tokens; empty if nothing does.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder
        self._tokens_end = f".{model or 'none'}.tokens.json"
        self._writable = True
        sweep(folder)
        self._recent: OrderedDict[str, Tokens] = OrderedDict()
        self._prepared = {  # contents of recordings whose tokens are on the disk
            content for path, content in self._files() if path.name.endswith(self._tokens_end)
        }
        self._index: dict[str, str] = {}
        with suppress(OSError, ValidationError):
            self._index = _ANY_INDEX.validate_json((folder / _INDEX).read_bytes())

    def content(self, place: str) -> str | None:
        """Tell what a recording was by its file's name and stamps, so that it need not be read."""
        return self._index.get(place)

    def keep_index(self, index: Mapping[str, str]) -> None:
        """Store all of it for the next start, and nothing else."""
        if index == self._index:
            return
        self._index = dict(index)
        if index:
            self._write(_INDEX, json.dumps(self._index))
        else:
            with suppress(OSError):
                (self._folder / _INDEX).unlink()

    def quality(self, content: str) -> Quality | None:
        """Read the report on a recording."""
        with suppress(OSError, ValidationError):
            path = self._folder / f"{content}.quality.json"
            return Quality.model_validate_json(path.read_bytes())
        return None

    def keep_quality(self, content: str, quality: Quality) -> None:
        """Store the report."""
        self._write(f"{content}.quality.json", quality.model_dump_json())

    def remembered(self, content: str) -> Tokens | None:
        """Return a recording's tokens if they are in memory; they count as spoken now."""
        try:
            self._recent.move_to_end(content)
            return self._recent[content]
        except KeyError:  # never here, or just taken out
            return None

    def remember(self, content: str, tokens: Tokens) -> None:
        """Keep tokens in memory; those that spoke longest ago make room for them."""
        self._recent.pop(content, None)
        self._recent[content] = tokens
        while len(self._recent) > IN_MEMORY:
            self._recent.popitem(last=False)

    def at_hand(self, content: str) -> bool:
        """Tell whether there are tokens of a recording."""
        return content in self._prepared or content in self._recent

    def tokens(self, content: str) -> Tokens | None:
        """Read a recording's tokens from the disk."""
        listed = content in self._prepared
        with suppress(OSError, ValidationError):
            path = self._folder / f"{content}{self._tokens_end}"
            return Tokens.model_validate_json(path.read_bytes())
        if listed:  # else somebody may be writing it just now
            self._prepared.discard(content)
        return None

    def keep_tokens(self, content: str, tokens: Tokens) -> None:
        """Store a recording's tokens, and keep them in memory."""
        self.remember(content, tokens)
        if self._write(f"{content}{self._tokens_end}", tokens.model_dump_json()):
            self._prepared.add(content)

    def forget(self, contents: Collection[str]) -> None:
        """Remove all that was computed from recordings, by any model."""
        for path, content in self._files():
            if content in contents:
                with suppress(OSError):
                    path.unlink()
        for content in contents:
            self._recent.pop(content, None)
            self._prepared.discard(content)

    def keep_only(self, contents: Collection[str]) -> int:
        """Remove what was computed from any other recording; return how many there were."""
        others = {content for _, content in self._files()} - {*contents}
        self.forget(others)
        return len(others)

    def clear(self) -> int:
        """Remove everything; return of how many recordings there was something."""
        self._recent.clear()
        self.keep_index({})
        return self.keep_only(())

    def _files(self) -> list[tuple[Path, str]]:
        """List files, each with the content that it is of; others are somebody else's."""
        found = []
        with suppress(OSError):
            for path in self._folder.iterdir():
                if own := _OWN.fullmatch(path.name):
                    found.append((path, own[1]))
        return found

    def _write(self, name: str, text: str) -> bool:
        try:
            make_folder(self._folder)
            write_whole(self._folder / name, text.encode(), durable=False, private=True)
        except StorageFailed as error:
            if self._writable:  # once is enough
                log.warning("voices: what is computed can't be kept: %s", error)
            self._writable = False
            return False
        return True
