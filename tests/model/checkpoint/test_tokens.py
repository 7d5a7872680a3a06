"""Token ids: the published ones at true size, and every gap in them found."""

import json
from pathlib import Path

import pytest

from mira.errors import CheckpointError
from mira.model.checkpoint.tokens import TokenMap, read_tokens
from tools.tiny.tokenizer import make_tokenizer

PUBLISHED = {
    "first_speech": 155761,
    "first_global": 151665,
    "task_tts": 165137,
    "start_text": 165146,
    "end_text": 165152,
    "start_globals": 165150,
    "end_globals": 165156,
    "start_speech": 165151,
    "end_ids": (151645, 151643, 165157),
}


@pytest.mark.parametrize("naming", ["mira", "spark"])
def test_the_published_ids(tmp_path: Path, naming) -> None:
    tokenizer = make_tokenizer(naming, true_size=True)
    assert tokenizer.get_vocab_size() == 165158
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    found = read_tokens(tmp_path, 166_000, declared_ends=(151645, 151643))
    assert found == TokenMap(naming=naming, **PUBLISHED)


def change(directory: Path, tmp_path: Path, edit) -> Path:
    content = json.loads((directory / "tokenizer.json").read_text("utf-8"))
    edit(content["added_tokens"])
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    return tmp_path


def swap(tokens: list, left: str, right: str) -> None:
    first, second = (next(t for t in tokens if t["content"] == name) for name in (left, right))
    first["content"], second["content"] = right, left


def test_codes_that_are_not_in_a_row_are_named(mira_directory: Path, tmp_path: Path) -> None:
    names = "<|speech_token_17|>", "<|speech_token_4000|>"
    directory = change(mira_directory, tmp_path, lambda tokens: swap(tokens, *names))
    with pytest.raises(CheckpointError, match=r"<\|speech_token_17\|>: expected id \d+, after"):
        read_tokens(directory, 99999, ())


def test_a_missing_token_is_named(mira_directory: Path, tmp_path: Path) -> None:
    def rename(tokens: list) -> None:
        next(t for t in tokens if t["content"] == "<|end_text|>")["content"] = "<|other|>"

    directory = change(mira_directory, tmp_path, rename)
    with pytest.raises(CheckpointError, match=r"expected the token <\|end_text\|>; found none"):
        read_tokens(directory, 99999, ())


def test_a_tokenizer_without_speech_is_named(mira_directory: Path, tmp_path: Path) -> None:
    directory = change(mira_directory, tmp_path, lambda tokens: tokens.clear())
    with pytest.raises(CheckpointError, match=r"speech_token_0\|> or <\|bicodec_semantic_0\|>"):
        read_tokens(directory, 99999, ())


def test_ids_beyond_the_embedding_are_named(mira_directory: Path, mira) -> None:
    rows = mira.tokens.first_speech + 8000
    with pytest.raises(CheckpointError, match=f"below the embedding's {rows} rows"):
        read_tokens(mira_directory, rows, ())


def test_a_damaged_tokenizer_is_named(tmp_path: Path, mira_directory: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_tokens(tmp_path, 1, ())
    whole = (mira_directory / "tokenizer.json").read_bytes()
    (tmp_path / "tokenizer.json").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: damaged or incomplete"):
        read_tokens(tmp_path, 1, ())
