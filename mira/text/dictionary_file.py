"""A TOML file of words in, the dictionary that it is out; another one when the file changes.

Knows nothing about what is done with it.
"""

import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path

from mira.errors import InvalidRequest, InvalidSettings, one_line
from mira.text.dictionary import Dictionary

log = logging.getLogger(__name__)

MAX_BYTES = 1 << 20
MAX_ENTRIES = 10_000


def read_dictionary(path: Path, reads_phonemes: bool = True) -> Dictionary:
    """Read a file of lines such as `"Nguyen" = { say = "win", ipa = "wɪn" }`; see `Dictionary.of`.

    Args:
        path: Of the file.
        reads_phonemes: Whether the voice does.

    Raises:
        InvalidSettings: It can't be read or used; the message names the line or the entry.
    """
    try:
        if not path.is_file():  # nor one that a read would wait for
            raise InvalidSettings(f"dictionary: {path} is no file. Write one, or unset it.")
        with path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)
        if len(found) > MAX_BYTES:
            raise InvalidSettings(
                f"dictionary: {path} has more than {MAX_BYTES >> 20} MiB. Leave words out."
            )
        return Dictionary.of(tomllib.loads(found.decode("utf-8")), MAX_ENTRIES, reads_phonemes)
    except OSError as error:
        raise InvalidSettings(f"dictionary: {path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise InvalidSettings(f"dictionary: {path}, line {line}: save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = one_line(error).partition(": ")[2] or "too deeply nested"
        raise InvalidSettings(
            f"dictionary: {path} is not valid TOML: {reason}. Write each word once, on a line of "
            'its own: "Siobhan" = "shi vawn".'
        ) from error
    except InvalidRequest as error:
        raise InvalidSettings(f"dictionary: {path}: {error}") from error


def dictionary_of(
    given: Mapping[str, object] | str | Path | None, reads_phonemes: bool = True
) -> Dictionary:
    """Make a dictionary of entries or of a file of them; None: an empty one.

    Raises:
        InvalidRequest: An entry can't be used; `param` says which.
        InvalidSettings: See `read_dictionary`.
    """
    if given is None:
        return Dictionary()
    if isinstance(given, Mapping):
        return Dictionary.of(given, MAX_ENTRIES, reads_phonemes, "dictionary")
    return read_dictionary(Path(given), reads_phonemes)


class DictionaryFile:
    """The dictionary that a file is; the last one that could be used, if the file can't be.

    Raises:
        InvalidSettings: See `read_dictionary`.
    """

    def __init__(self, path: Path, reads_phonemes: bool) -> None:
        self._path = path
        self._reads_phonemes = reads_phonemes
        self._state = self._look()
        self._wrong = ""
        self.dictionary = read_dictionary(path, reads_phonemes)

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        state = self._look()  # first: what is written meanwhile makes it another one
        if state == self._state:
            return
        self._state = state
        try:
            self.dictionary = read_dictionary(self._path, self._reads_phonemes)
        except InvalidSettings as error:
            if str(error) != self._wrong:
                log.warning("%s Until then it stays as it was.", error)
            self._wrong = str(error)
        else:
            self._wrong = ""
            log.info("dictionary: %d entries in %s", len(self.dictionary), self._path)

    def _look(self) -> tuple[int, ...] | None:
        """Tell what changes when the file does; None if there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
