"""A word in, how ISLEX says that it is pronounced out: 255,000 words and names of American English.

The dictionary stays in its file, which is sorted: nothing is read at the start, and a word's lines
are found by halving. Knows nothing about the voice.

Source: ISLEX (MIT, Mark Hasegawa-Johnson), the file in the wheel of pysle 4.0.2 (MIT), of which no
code is used.
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mira.files import SortedLines

FILE = Path(str(files("pysle"))) / "data" / "ISLEdict.txt"

# "joaquin(nnp,nnp_boyname_0.014,nnp_surname_0.000) # w ˌɑ . k ˈi n #"
_LINE = re.compile(r"(?P<word>[^(]+)\((?P<tags>[^)]*)\) # (?P<sounds>.+) #\s*")
_CANONICAL = {
    **{"ei": "eɪ", "ɑɪ": "aɪ", "ɔi": "ɔɪ", "ɝ": "ɜɹ", "ɚ": "əɹ", "g": "ɡ", "ɵ": "θ"},
    **{"n̩": "ən", "l̩": "əl", ".": "", "#": " "},
}
_DOUBLE_R = re.compile("ɹ{2,}")  # "ɚ ɹ"
_SYMBOL = re.compile(r"([ˈˌ]?)(\S+)\s*")
_NAME = re.compile(r"(?:^|,)nnps?_(?:surname|boyname|girlname|city|company|product|state|place)")
_OTHER_TAG = re.compile(r"(?:^|,)(?!nnps?(?:_|,|$)|\+)[a-z]")
_DROPPED = bytes({*range(128)} - {*b" _0123456789abcdefghijklmnopqrstuvwxyz"})
_END = re.compile(rb"[^(&.]*")
_SPACES = bytes.maketrans(b"_", b" ")


@dataclass(frozen=True, slots=True)
class Entry:
    """How one word may sound, and what it is."""

    pronunciations: tuple[str, ...]
    """In canonical IPA, in no order that means anything."""
    is_name: bool
    """Of a person, a place, a company or a product."""
    is_word: bool
    """An ordinary one, too."""
    is_initials: bool
    """Read letter by letter, or nearly: "AARP"."""


class Isle:
    """ISLEX, searched in its file. Safe on several threads."""

    def __init__(self, path: Path = FILE) -> None:
        """Map the file.

        Args:
            path: Of another file in the same form.

        Raises:
            CheckpointError: It is missing or empty.
        """
        self._lines = SortedLines(path, _key, "pysle")

    def find(self, word: str) -> Entry | None:
        """Return what is known of a word in small letters; None: nothing."""
        sounds, tags = [], ""
        for line in self._lines.of(_key(word.encode())):
            entry = _LINE.fullmatch(line.decode())
            if entry and entry["word"] == word:
                sounds.append(_canonical(entry["sounds"]))
                tags = entry["tags"]
        if not sounds:
            return None
        name = bool(_NAME.search(tags))
        common = not name or bool(_OTHER_TAG.search(tags))
        return Entry(tuple(sounds), name, common, "+abbreviation" in tags)


def _key(line: bytes) -> bytes:
    """Return what the file is sorted by: letters, digits and the spaces between words.

    Of "at&t" and "c.s" only what is before the mark.
    """
    word = _END.match(line)
    return word[0].translate(_SPACES, _DROPPED) if word else b""


def _canonical(sounds: str) -> str:
    said = "".join(
        stress + _CANONICAL.get(symbol, symbol) for stress, symbol in _SYMBOL.findall(sounds)
    )
    return _DOUBLE_R.sub("ɹ", said)
