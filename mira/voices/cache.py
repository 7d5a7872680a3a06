"""What was computed from recordings: reports on them, and what a model made of them.

JSON, so that reading it can't run anything. A file that is damaged or of another form counts as
absent, and one that can't be written is computed again next time: nothing depends on the cache but
time.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mira.files import sweep, write_whole
from mira.voices.quality import Quality

log = logging.getLogger(__name__)

_OWN = re.compile(r"([0-9a-f]{64})\.(report|[0-9a-z]+\.tokens)\.json")
IN_MEMORY = 1024  # voices, of some 10 kB each
_GlobalToken = Annotated[int, Field(ge=0, lt=4096)]
_SpeechToken = Annotated[int, Field(ge=0, lt=8192)]


class Tokens(BaseModel):
    """What a model made of a recording: see `mira.types.Voice`."""

    model_config = ConfigDict(frozen=True, strict=True)

    global_tokens: tuple[_GlobalToken, ...] = Field(min_length=1, max_length=256)
    speech_tokens: tuple[_SpeechToken, ...] = Field((), max_length=1 << 16)


class Report(BaseModel):
    """What was found in a recording that can be used."""

    model_config = ConfigDict(frozen=True, strict=True)

    content: str = Field(pattern="^[0-9a-f]{64}$")
    """Name of the recording by its bytes: see `mira.voices.archive.VoiceFile`."""
    quality: Quality


class Cache:
    """Files in one folder, which is made when it is needed, and the tokens that spoke last.

    Reports are kept by the place of a file, tokens by the content of a recording and the model.
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

    def report(self, place: str) -> Report | None:
        """Read the report on the recording in a file, so that the file need not be read."""
        with suppress(OSError, ValidationError):
            return Report.model_validate_json((self._folder / f"{place}.report.json").read_bytes())
        return None

    def keep_report(self, place: str, report: Report) -> None:
        """Store a report."""
        self._write(f"{place}.report.json", report.model_dump_json())

    def remembered(self, content: str) -> Tokens | None:
        """Return a recording's tokens if they are in memory; they count as spoken now."""
        try:
            self._recent.move_to_end(content)
            return self._recent[content]
        except KeyError:  # never here, or just taken out
            return None

    def remember(self, content: str, tokens: Tokens) -> None:
        """Keep tokens in memory; those that spoke longest ago make room for them."""
        self._recent[content] = tokens
        self._recent.move_to_end(content)  # never taken out, which a reader would notice
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

    def forget(self, keys: Collection[str]) -> None:
        """Remove the reports on places, and all that any model made of contents."""
        for path, key in self._files() if keys else ():
            if key in keys:
                with suppress(OSError):
                    path.unlink()
        for content in keys:
            self._recent.pop(content, None)
            self._prepared.discard(content)

    def keep_only(self, keys: Collection[str]) -> None:
        """Remove what belongs to any other place or content."""
        self.forget({key for _, key in self._files()} - {*keys})

    def clear(self) -> int:
        """Remove everything; return on how many recordings there were reports."""
        self._recent.clear()
        reports = [path for path, _ in self._files() if path.name.endswith(".report.json")]
        self.keep_only(())
        return len(reports)

    def _files(self) -> list[tuple[Path, str]]:
        """List files, each with its place or content; others are somebody else's."""
        found = []
        with suppress(OSError):
            for path in self._folder.iterdir():
                if own := _OWN.fullmatch(path.name):
                    found.append((path, own[1]))
        return found

    def _write(self, name: str, text: str) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / name, text.encode(), durable=False, private=True)
        except OSError as error:
            if self._writable:  # once is enough
                log.warning("voices: what is computed can't be kept: %s", error)
            self._writable = False
            return False
        return True
