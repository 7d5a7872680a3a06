"""What people write, and the words that a person would say: tests/text/corpus as pairs.

Knows nothing about who reads it: the tests read it with ours, `tools.bench reading` with others
too. Not among the tests, since some of the libraries install a package of that name.
"""

from dataclasses import dataclass
from pathlib import Path

from mira.text import split_sentences

CORPUS = Path(__file__).parents[1] / "tests" / "text" / "corpus"


@dataclass(frozen=True, slots=True)
class Pair:
    """What is written, and one or more right ways to say it, ours first."""

    written: str
    spoken: tuple[str, ...]

    def agrees(self, said: str) -> bool:
        """Compare letters only: case, marks, hyphens and spaces don't count."""
        return letters(said) in map(letters, self.spoken)


def categories() -> dict[str, list[Pair]]:
    """Read all files, each of which is a category, in the order of their names."""
    return {path.stem: _pairs(path) for path in sorted(CORPUS.glob("*.tsv"))}


def letters(text: str) -> str:
    """Return what is compared."""
    return "".join(filter(str.isalnum, text.lower()))


def read(text: str) -> str:
    """Read as ours does, all pieces in one line."""
    return " ".join(piece.sentence.text for piece in split_sentences(text))


def _pairs(category: Path) -> list[Pair]:
    found = []
    for line in category.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            written, spoken = line.split("\t")
            found.append(Pair(written.replace("⏎", "\n"), tuple(spoken.split(" | "))))
    return found
