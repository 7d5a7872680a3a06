"""The random checkpoint's tokenizer behaves as Qwen2's, through both libraries that read it."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer

TEXTS = [
    "hello the world",
    "  Two  spaces,\nnew lines\r\n\r\n",
    "Zahlen: 123, 4.5 %",
    "可控语音合成。",
    "naïve café 👩‍🚀",
]


@pytest.mark.parametrize("layout", ["mira", "spark"])
def test_both_libraries_agree(layout, request) -> None:
    from transformers import AutoTokenizer

    directory: Path = request.getfixturevalue(layout).language
    plain = Tokenizer.from_file(str(directory / "tokenizer.json"))
    auto = AutoTokenizer.from_pretrained(directory)
    speech = "<|speech_token_8191|><|im_end|>" if layout == "mira" else "<|bicodec_semantic_3|>"
    for text in [*TEXTS, speech]:
        ids = plain.encode(text).ids
        assert auto(text)["input_ids"] == ids
        assert plain.decode(ids, skip_special_tokens=False) == text


def test_words_are_merged(mira) -> None:
    tokenizer = Tokenizer.from_file(str(mira.language / "tokenizer.json"))
    assert tokenizer.encode("hello the world").tokens == ["hello", "Ġthe", "Ġworld"]


def test_speech_is_added_but_not_special(mira) -> None:
    """As published: skipping special tokens keeps those of speech."""
    tokenizer = Tokenizer.from_file(str(mira.language / "tokenizer.json"))
    first = mira.tokens.first_speech
    assert tokenizer.decode([first + 7, mira.tokens.end_ids[0]]) == "<|speech_token_7|>"
