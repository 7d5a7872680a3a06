"""Who reads the corpus how well, on a corpus of three lines."""

import pytest

from tools.bench.reading import READERS, compare, library, slowest
from tools.corpus import Pair

CORPUS = {
    "money": [
        Pair("It costs $5.", ("It costs five dollars.",)),
        Pair("Pay $1.", ("Pay nothing.",)),
    ],
    "words": [Pair("It is fine.", ("It is bad.", "It is fine."))],
}


def test_the_right_answers_of_each_category(capsys: pytest.CaptureFixture[str]) -> None:
    readers = {name: READERS[name]() for name in ("ours", "voice alone")}
    rows = compare(readers, CORPUS, wrong="money")
    assert [(row["category"], row["ours"], row["voice alone"]) for row in rows[:3]] == [
        ("money", "1 of 2", "1 of 2"),
        ("words", "1 of 1", "1 of 1"),
        ("all", "2 of 3", "2 of 3"),
    ]
    assert 0 < float(str(rows[-2]["ours"])) <= float(str(rows[-1]["ours"]))
    said = capsys.readouterr().out
    assert "Pay $1." in said and "Pay one dollar." in said and "It costs" not in said


def test_the_words_of_others_may_have_an_and() -> None:
    pair = Pair("105", ("one hundred five",))
    assert library(str).is_right(pair, "one hundred and five")
    assert not READERS["ours"]().is_right(pair, "one hundred and five")


def test_the_slowest_of_what_is_repeated() -> None:
    rows = slowest(["a", "$1-"])
    assert [row["repeated"] for row in rows] == ["'$1-'", "'a'"]
