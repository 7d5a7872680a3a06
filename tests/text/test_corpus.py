"""The corpus: what agents write, and the words that a person would say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mira.text import split_sentences

CORPUS = Path(__file__).parent / "corpus"
GOAL = 0.98


def pairs(category: Path) -> Iterator[tuple[str, list[str]]]:
    for line in category.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            written, spoken = line.split("\t")
            yield written.replace("⏎", "\n"), spoken.split(" | ")


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def read(text: str) -> str:
    return " ".join(piece.sentence.text for piece in split_sentences(text))


@pytest.mark.parametrize("category", sorted(CORPUS.glob("*.tsv")), ids=lambda path: path.stem)
def test_is_read_as_a_person_would(category: Path) -> None:
    all_pairs = list(pairs(category))
    wrong = [
        f"{written}\n    is {read(written)}\n    not {spoken[0]}"
        for written, spoken in all_pairs
        if letters(read(written)) not in map(letters, spoken)
    ]
    right = len(all_pairs) - len(wrong)
    assert right >= GOAL * len(all_pairs), f"{right} of {len(all_pairs)}\n" + "\n".join(wrong)
