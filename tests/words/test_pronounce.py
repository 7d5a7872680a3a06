"""How words may be said."""

from pathlib import Path

import pocketsphinx
import pytest

from mira.errors import CheckpointError
from mira.types import Span, Word
from mira.words.pronounce import MAX_PHONES, MAX_WAYS, Pronunciations

CMUDICT = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))


@pytest.fixture(scope="module")
def pronunciations() -> Pronunciations:
    return Pronunciations(CMUDICT)


def ways(pronunciations: Pronunciations, text: str, phonemes: str = "") -> list[str]:
    return [" ".join(way) for way in pronunciations(Word(text, Span(0, 1), phonemes))]


def test_every_line_of_the_dictionary_is_found(pronunciations: Pronunciations) -> None:
    lines = CMUDICT.read_text("utf-8").splitlines()
    for line in [*lines[:50], *lines[::997], *lines[-50:]]:
        head, *said = line.split()
        word = head.partition("(")[0]
        if word[0].isalnum() and word[-1].isalnum():
            assert " ".join(said) in ways(pronunciations, word), line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello,", "HH AH L OW"),
        ("“Hello”", "HH EH L OW"),
        ("a", "EY"),
        ("don’t", "D OW N T"),
        ("well-known", "W EH L N OW N"),
        ("IT", "AY T IY"),
        ("IT", "IH T"),
        ("zucchini's", "Z UW K IY N IY Z"),
    ],
)
def test_a_word_is_found_without_its_marks(
    pronunciations: Pronunciations, text: str, said: str
) -> None:
    assert said in ways(pronunciations, text)


def test_what_the_dictionary_has_not_others_are_asked() -> None:
    asked = []

    def pronounce(word: str) -> str:
        asked.append(word)
        return "kwɪksˈoʊtə"

    pronunciations = Pronunciations(CMUDICT, pronounce)
    assert ways(pronunciations, "Quixota,") == ["K W IH K S OW T AH"]
    assert ways(pronunciations, "Quixota-like") == ["K W IH K S OW T AH L AY K"]
    assert asked == ["Quixota", "Quixota"]


def test_known_phonemes_come_first_and_the_letters_after(pronunciations: Pronunciations) -> None:
    assert ways(pronunciations, "read", "ɹˈɛd") == ["R EH D", "R IY D"]
    assert ways(pronunciations, "Xyzzyqat", "zˈɪziˌkæt") == ["Z IH Z IY K AE T"]


@pytest.mark.parametrize("text", ["—", "", "…", "你好", "Привет", "xqzzt"])
def test_what_nobody_can_say_has_no_way(pronunciations: Pronunciations, text: str) -> None:
    assert ways(pronunciations, text) == []


def test_ways_are_few_and_short() -> None:
    pronunciations = Pronunciations(CMUDICT, lambda word: "ɑ" * 200)
    many = ways(pronunciations, "-".join(["a"] * 20))
    assert 0 < len(many) <= MAX_WAYS
    assert all(len(way.split()) <= MAX_PHONES for way in many)
    assert ways(pronunciations, "xqzzt") == []


def test_a_file_that_is_missing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Install pocketsphinx again"):
        Pronunciations(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(CheckpointError, match="Install pocketsphinx again"):
        Pronunciations(tmp_path / "empty")


def test_it_knows_english(pronunciations: Pronunciations) -> None:
    for text, known in (("Hello,", True), ("it’s", True), ("mother-in-law.", True), ("你", False)):
        assert pronunciations.knows(Word(text, Span(0, 1))) is known
    assert not pronunciations.knows(Word("devraient", Span(0, 1)))
    assert not pronunciations.knows(Word("—", Span(0, 1)))
