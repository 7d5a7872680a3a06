"""What a conversion left is used when it is whole, and otherwise refused in one line."""

import json
from pathlib import Path

import pytest

from mira.checkpoint.converted import (
    MANIFEST,
    TOKENIZER,
    Manifest,
    fingerprint,
    is_converted,
    open_converted,
)
from mira.checkpoint.layout import Checkpoint
from mira.errors import CheckpointError


@pytest.fixture
def directory(mira: Checkpoint, tmp_path: Path) -> Path:
    """A complete one, without the graphs: nothing here reads them."""
    directory = tmp_path / "converted"
    manifest = Manifest.begin(directory, "source", "int4", mira.tokens)
    manifest.finished("codec")
    (directory / TOKENIZER).write_bytes((mira.language / TOKENIZER).read_bytes())
    manifest.complete()
    return directory


def edit(directory: Path, **changes: object) -> None:
    path = directory / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_was_written_is_read(directory: Path, mira: Checkpoint) -> None:
    found = open_converted(directory)
    assert (found.tokens, found.weights) == (mira.tokens, "int4")
    assert found.tokenizer == directory / TOKENIZER
    assert is_converted(directory)
    assert not is_converted(mira.directory)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 99}, r"another version of Mira \(format 99, expected 1\)"),
        ({"complete": False}, "was not finished"),
        ({"tokens": {}}, "damaged"),
        ({"tokens": None}, "damaged"),
    ],
)
def test_what_can_not_be_used_has_to_be_converted_again(
    directory: Path, changes: dict[str, object], said: str
) -> None:
    edit(directory, **changes)
    with pytest.raises(CheckpointError, match=said) as caught:
        open_converted(directory)
    assert "convert the model again: mira model convert" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_manifest(directory: Path, content: str) -> None:
    (directory / MANIFEST).write_text(content)
    with pytest.raises(CheckpointError, match=r"mira\.json: damaged"):
        open_converted(directory)


def test_another_tokenizer_has_other_ids(directory: Path) -> None:
    tokenizer = directory / TOKENIZER
    tokenizer.write_text(tokenizer.read_text().replace("speech_token_7|", "speech_token_07|"))
    with pytest.raises(CheckpointError, match="not the one that the model was converted with"):
        open_converted(directory)
    tokenizer.unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: can't be read"):
        open_converted(directory)


def test_a_conversion_goes_on_where_it_stopped(mira: Checkpoint, tmp_path: Path) -> None:
    first = Manifest.begin(tmp_path, "source", "int4", mira.tokens)
    first.finished("codec", size=3)
    again = Manifest.begin(tmp_path, "source", "int4", mira.tokens)
    assert again.has("codec")
    assert not again.has("language")
    assert again.content["size"] == 3


@pytest.mark.parametrize(("source", "weights"), [("other", "int4"), ("source", "int8")])
def test_another_conversion_is_not_gone_on_from(
    mira: Checkpoint, tmp_path: Path, source: str, weights: str
) -> None:
    Manifest.begin(tmp_path, "source", "int4", mira.tokens)
    with pytest.raises(CheckpointError, match="holds another conversion"):
        Manifest.begin(tmp_path, source, weights, mira.tokens)


def test_a_directory_with_something_else_in_it_is_left_alone(
    mira: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="is not empty"):
        Manifest.begin(tmp_path, "source", "int4", mira.tokens)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_fingerprints_tell_files_apart(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"12")
    b.write_bytes(b"3")
    assert fingerprint([a, b]) != fingerprint([b, a])
    before = fingerprint([a, b])
    a.write_bytes(b"1")
    b.write_bytes(b"23")
    assert fingerprint([a, b]) != before
