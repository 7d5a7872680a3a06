"""ISLEX: every word of the file is found in it, and what it says is canonical."""

import random
from pathlib import Path

import pytest

from mira.builtin.isle import FILE, Isle
from mira.errors import CheckpointError
from mira.text.sounds import PHONEMES, STRESSES, ipa


@pytest.fixture(scope="module")
def isle() -> Isle:
    return Isle()


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").rstrip("\n").split("\n")


def test_words_are_found_wherever_they_are(isle: Isle) -> None:
    words = [line.partition("(")[0] for line in lines_of(FILE)]
    assert len({*words}) > 250_000
    chosen = [*words[:50], *random.Random(0).sample(words, 2000), *words[-50:]]
    lost = {word for word in chosen if isle.find(word) is None}
    assert lost <= {"w-2"}  # that line has no sounds


@pytest.mark.parametrize(
    "word", ["", " ", "(", "#", "a(", "zzzzzz", "siobhann", "_", "ñ", "a\n", "0"]
)
def test_what_it_lacks_is_not_found(isle: Isle, word: str) -> None:
    assert isle.find(word) is None


@pytest.mark.parametrize(
    ("word", "one", "is_name", "is_word"),
    [
        ("jose", "hˌoʊzˈeɪ", True, False),
        ("o'neill", "oʊnˈil", True, False),
        ("at&t", None, True, True),
        ("washington", "wˈɑʃɪŋtən", True, True),
        ("dogrose", "dˈɑɡɹoʊz", False, True),
    ],
)
def test_what_it_knows(
    isle: Isle, word: str, one: str | None, is_name: bool, is_word: bool
) -> None:
    entry = isle.find(word)
    assert entry
    assert one is None or one in entry.pronunciations
    assert (entry.is_name, entry.is_word) == (is_name, is_word)


def test_initials_are_told(isle: Isle) -> None:
    said = {word: isle.find(word) for word in ("ymca", "irs", "nafta")}
    assert [entry and entry.is_initials for entry in said.values()] == [True, True, False]


def test_what_it_says_is_canonical(isle: Isle) -> None:
    for line in random.Random(1).sample(lines_of(FILE), 2000):
        entry = isle.find(line.partition("(")[0])
        for sounds in entry.pronunciations if entry else ():
            assert {*sounds} <= {*"".join(PHONEMES), *STRESSES, " "}, line
            assert ipa(sounds).translate(BARE) == sounds.translate(BARE), line


BARE = str.maketrans("", "", "".join(STRESSES))


def test_another_file_can_be_searched(tmp_path: Path) -> None:
    for count in (1, 2, 3, 10, 100):
        words = [f"w{number:03}" for number in range(count)]
        path = tmp_path / f"{count}.txt"
        path.write_text("\n".join(f"{word}(nn) # w ˈʌ n #" for word in words), "utf-8")
        isle = Isle(path)
        assert all(isle.find(word) for word in words)
        assert not any(map(isle.find, ("v", "w", "w000a", "w0005", "x")))


def test_a_file_that_is_lost_is_named(tmp_path: Path) -> None:
    path = tmp_path / "isle.txt"
    for _ in ("absent", "empty"):
        with pytest.raises(CheckpointError, match=r"isle\.txt can't be read: .* Install pysle"):
            Isle(path)
        path.touch()
