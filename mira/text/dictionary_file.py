"""A TOML file of words in, the dictionary that it is out; another one when the file changes.

Knows nothing about what is done with it.
"""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mira.errors import InvalidRequest, InvalidSettings
from mira.files import Reread, read_toml
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
    found = read_toml(
        path,
        MAX_BYTES,
        "dictionary",
        'Write each word once, on a line of its own: "Siobhan" = "shi vawn".',
    )
    try:
        return Dictionary.of(found, MAX_ENTRIES, reads_phonemes)
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
        self._file = Reread(path, partial(read_dictionary, path, reads_phonemes))

    @property
    def dictionary(self) -> Dictionary:
        """Words of the file, as it is or was."""
        return self._file.value

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        if self._file.refresh():
            log.info("dictionary: %d entries in %s", len(self.dictionary), self._path)
