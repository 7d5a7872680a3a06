"""What a conversion left is used when it is whole, and otherwise refused in one line."""

import json
import os
import shutil
from pathlib import Path

import pytest

from mira.errors import CheckpointError
from mira.model.checkpoint.converted import (
    CODEC,
    MANIFEST,
    TOKENIZER,
    Manifest,
    fingerprint,
    identity,
    is_converted,
    open_converted,
)
from mira.model.checkpoint.layout import Checkpoint, open_checkpoint


def begin(*arguments: object, **options: bool) -> Manifest:
    manifest = Manifest.find(*arguments, **options)
    manifest.directory.mkdir(exist_ok=True)
    manifest.begin()
    return manifest


@pytest.fixture
def directory(mira: Checkpoint, tmp_path: Path) -> Path:
    """A complete one, without the graphs: nothing here reads them."""
    directory = tmp_path / "converted"
    manifest = begin(directory, "source", "int4", mira.tokens)
    manifest.finished("language", weights="int4")
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
        ({"format": 99}, r"another version of Mira \(format 99, expected 3\)"),
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
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: is not what was converted"):
        open_converted(directory)
    tokenizer.unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: missing"):
        open_converted(directory)


def test_one_flipped_bit_is_found(mira: Checkpoint, tmp_path: Path) -> None:
    manifest = begin(tmp_path, "source", "int4", mira.tokens)
    manifest.finished("language", weights="int4")
    weights = tmp_path / "codec" / "prenet.bin"
    weights.parent.mkdir()
    weights.write_bytes(bytes(1000))
    manifest.complete()
    assert open_converted(tmp_path).weights == "int4"
    weights.write_bytes(bytes(500) + b"\1" + bytes(499))
    with pytest.raises(CheckpointError, match=r"prenet\.bin: is not what was converted"):
        open_converted(tmp_path)
    assert open_converted(tmp_path, whole=False).weights == "int4"


def test_a_checkpoint_that_changes_is_another_one(mira: Checkpoint, tmp_path: Path) -> None:
    copied = open_checkpoint(shutil.copytree(mira.directory, tmp_path / "copy"))
    before = identity(copied)
    assert identity(open_checkpoint(copied.directory)) == before
    config = copied.directory / "config.json"
    config.write_text(config.read_text() + "\n")
    assert identity(copied) != before


@pytest.mark.parametrize("digits", [40, 64])
def test_what_a_hubs_cache_links_to_is_named_after_its_content(
    mira: Checkpoint, tmp_path: Path, digits: int
) -> None:
    copied, blob = linked_config(mira, tmp_path, "0123456789abcdef" * 4)
    blob = blob.rename(tmp_path / blob.name[:digits])
    (copied.directory / "config.json").unlink()
    (copied.directory / "config.json").symlink_to(blob)
    before = identity(copied)
    os.utime(blob, (0, 0))
    assert identity(copied) == before


def test_any_other_link_is_looked_behind(mira: Checkpoint, tmp_path: Path) -> None:
    """A run that is trained on, under the same name and of the same size."""
    copied, target = linked_config(mira, tmp_path, "latest.json")
    before = identity(copied)
    os.utime(target, (0, 0))
    assert identity(copied) != before


def linked_config(mira: Checkpoint, folder: Path, target: str) -> tuple[Checkpoint, Path]:
    """A copy, whose config.json is a link."""
    copied = open_checkpoint(shutil.copytree(mira.directory, folder / "copy"))
    config = copied.directory / "config.json"
    config.rename(folder / target)
    config.symlink_to(folder / target)
    return copied, folder / target


def test_another_end_of_a_generation_is_another_model(mira: Checkpoint, tmp_path: Path) -> None:
    copied = open_checkpoint(shutil.copytree(mira.directory, tmp_path / "copy"))
    before = identity(copied)
    ends = {"eos_token_id": [mira.tokens.end_ids[0], mira.tokens.first_speech - 1]}
    (copied.directory / "generation_config.json").write_text(json.dumps(ends))
    assert identity(open_checkpoint(copied.directory)) != before


def test_a_conversion_goes_on_where_it_stopped(mira: Checkpoint, tmp_path: Path) -> None:
    first = begin(tmp_path, "source", "int4", mira.tokens)
    first.finished("codec", size=3)
    again = begin(tmp_path, "source", "int4", mira.tokens)
    assert again.has("codec")
    assert not again.has("language")
    assert again.content["size"] == 3


@pytest.mark.parametrize(("source", "weights"), [("other", "int4"), ("source", "int8")])
def test_another_conversion_is_not_gone_on_from(
    mira: Checkpoint, tmp_path: Path, source: str, weights: str
) -> None:
    begin(tmp_path, "source", "int4", mira.tokens)
    with pytest.raises(CheckpointError, match="holds another conversion"):
        begin(tmp_path, source, weights, mira.tokens)


def test_what_is_ours_is_replaced(mira: Checkpoint, tmp_path: Path) -> None:
    begin(tmp_path, "other", "int4", mira.tokens).finished("language")
    (tmp_path / CODEC).mkdir()
    again = begin(tmp_path, "source", "int4", mira.tokens, replace=True)
    assert not again.has("language")
    assert not (tmp_path / CODEC).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"parts": ["language"]}'])
def test_what_a_power_cut_left_of_a_manifest_is_begun_anew(
    mira: Checkpoint, tmp_path: Path, content: str
) -> None:
    first = begin(tmp_path, "source", "int4", mira.tokens)
    damaged = first.content | json.loads(content) if content.startswith('{"') else None
    (tmp_path / MANIFEST).write_text(json.dumps(damaged) if damaged else content)
    again = begin(tmp_path, "source", "int4", mira.tokens)
    assert not again.has("language")
    assert not again.is_complete


def test_nor_is_a_disk_that_was_full_at_once_in_the_way(mira: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / f".{MANIFEST}.0123456789abcdef.part").touch()
    assert not begin(tmp_path, "source", "int4", mira.tokens).is_complete


def test_a_complete_one_is_complete_until_it_is_damaged(directory: Path, mira: Checkpoint) -> None:
    again = Manifest.find(directory, "source", "int4", mira.tokens)
    assert again.is_complete
    assert again.has("language")
    (directory / TOKENIZER).unlink()
    again = Manifest.find(directory, "source", "int4", mira.tokens)
    assert not again.is_complete
    assert not again.has("language")


def test_a_directory_with_something_else_in_it_is_left_alone(
    mira: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="is not empty"):
        begin(tmp_path, "source", "int4", mira.tokens)
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
