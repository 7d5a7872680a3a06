"""A file that can be used is read; anything else is a message that says where and what to do."""

import logging
import os
from pathlib import Path

import pytest

from mira.errors import InvalidRequest, InvalidSettings
from mira.text import DictionaryFile, dictionary_of, split_sentences
from mira.text.dictionary import Dictionary

GOOD = """
# Names of callers.
Siobhan = "shi vawn"
"O'Neill" = "oh neel"
"Nguyen" = { say = "win", ipa = "wɪn" }
"GIF" = { cmu = "JH IH1 F" }
".NET" = "dot net"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "words.toml"


def said(dictionary: Dictionary, text: str = "Nguyen is on") -> str:
    return " ".join(p.sentence.text for p in split_sentences(text, dictionary=dictionary))


def test_a_file_of_words(path: Path) -> None:
    path.write_text(GOOD, "utf-8")
    dictionary = dictionary_of(path)
    assert len(dictionary) == 5
    assert said(dictionary, "Nguyen, .NET") == "Win, dot net"
    assert len(dictionary_of(str(path))) == 5


def test_nothing_and_entries_are_dictionaries_too() -> None:
    assert len(dictionary_of(None)) == 0
    assert said(dictionary_of({"Nguyen": "win"}), "Nguyen") == "Win"
    with pytest.raises(InvalidRequest, match=r"dictionary\.Nguyen: ") as error:
        dictionary_of({"Nguyen": {"ipa": "wɪn"}}, reads_phonemes=False)
    assert error.value.param == "dictionary.Nguyen"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b'Ann = "x"\nBob = y\n', r"is not valid TOML: Invalid value \(at line 2"),
        (b'Ann = "x"\nAnn = "y"\n', r"TOML: Cannot overwrite .* line 2.* each word once"),
        (b'O\'Neill = "x"', r"is not valid TOML: .* line 1"),
        (b'Ann = "x"\nBob = "\xff"\n', "line 2: save it as UTF-8"),
        (b"a = " + b"[" * 50_000, "is not valid TOML"),
        (b'#' * (1 << 20) + b"\n", "has more than 1 MiB"),
        (b'"Ann" = { ipa = "wyn" }', r"words.toml: Ann: ipa: 'y' \(U\+0079\)"),
        (b'St.Louis = "x"', r"words.toml: St: there is no 'Louis': .* A word with a dot"),
        (b'[names]\nAnn = "x"', "words.toml: names: there is no 'Ann'"),
        (b"Ann = 5", "words.toml: Ann: write how it is said"),
        (b'"&" = "and"', "words.toml: &: the word has no letter"),
        (b"".join(b'w%d = "x"\n' % n for n in range(10_001)), "10001 entries are more than the"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_named(path: Path, content: bytes, wrong: str) -> None:
    path.write_bytes(content)
    with pytest.raises(InvalidSettings, match=wrong) as error:
        dictionary_of(path)
    assert str(error.value).startswith("dictionary: ") and str(path) in str(error.value)


def test_what_is_no_file_is_named(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    for absent in (path, path.parent, path.with_name("pipe")):
        with pytest.raises(InvalidSettings, match="is no file"):
            dictionary_of(absent)


def test_a_voice_that_reads_letters(path: Path) -> None:
    path.write_text(GOOD, "utf-8")
    with pytest.raises(InvalidSettings, match="GIF: this voice reads letters, not phonemes"):
        DictionaryFile(path, reads_phonemes=False)


def test_it_is_read_again_when_it_changes(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mira")
    path.write_text('Nguyen = "win"')
    file = DictionaryFile(path, reads_phonemes=True)
    before = file.dictionary
    file.refresh()
    assert file.dictionary is before, "nothing has changed"
    path.write_text('Nguyen = "nuh win"')
    file.refresh()
    assert said(file.dictionary) == "Nuh win is on"
    assert said(before) == "Win is on", "streams that run keep theirs"
    assert caplog.messages == [f"dictionary: 1 entries in {path}"]


def test_a_bad_change_is_said_once_and_changes_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text('Nguyen = "win"')
    file = DictionaryFile(path, reads_phonemes=False)
    for content in ('Nguyen = "nu', 'Nguyen = "nu', 'Nguyen = { ipa = "wɪn" }'):
        path.unlink()
        path.write_text(content, "utf-8")
        for _ in "ab":
            file.refresh()
        assert said(file.dictionary) == "Win is on"
    assert len(caplog.messages) == 2
    assert "is not valid TOML" in caplog.messages[0] and "reads letters" in caplog.messages[1]
    assert all(message.endswith("Until then it stays as it was.") for message in caplog.messages)
    path.unlink()
    file.refresh()
    assert "is no file" in caplog.messages[-1]
    path.write_text('Nguyen = "new win"')
    file.refresh()
    assert said(file.dictionary) == "New win is on"
    path.write_text('Nguyen = "nu')
    file.refresh()
    assert len(caplog.messages) == 4, "it was mended meanwhile"
