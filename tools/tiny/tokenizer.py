"""A naming in, a small working Qwen2 tokenizer with every token of speech out.

Knows nothing about models. The added tokens are the published ones in the published order, with
the same ids at true size; the words it can spell are a handful. Source: the tokenizer of
Qwen2.5-0.5B-Instruct and the expansion script of Spark-TTS.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mira.model.checkpoint.tokens import END_SPEECH, NAMES, Naming
from mira.model.codec.base import GLOBAL_CODES, SPEECH_CODES

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_MERGES = "t h|th e|Ġ the|i n|e r|o n|Ġ a|l l|h e|he ll|hell o|w o|wo r|wor l|worl d|Ġ world"
_TRUE_BASE = 151643  # ids before `<|endoftext|>` in the real vocabulary
_CONTROL = ("endoftext", "im_start", "im_end")
_OTHER_CONTROL = (
    *("object_ref_start", "object_ref_end", "box_start", "box_end", "quad_start", "quad_end"),
    *("vision_start", "vision_end", "vision_pad", "image_pad", "video_pad"),
    *("<tool_call>", "</tool_call>", "fim_prefix", "fim_middle", "fim_suffix", "fim_pad"),
    *("repo_name", "file_sep"),
)
_ATTRIBUTES = (
    ("pitch_value", 1001),
    ("pitch_var_value", 11),
    ("pitch_label", 5),
    ("pitch_var_label", 5),
    ("speed_value", 11),
    ("speed_label", 5),
    ("loudness_value", 31),
    ("loudness_label", 5),
    ("age", 5),
    ("gender", 3),
    ("emotion", 101),
)
_TASKS = (
    *("vc", "tts", "asr", "s2s", "t2s", "cap", "understand"),
    *("controllable_tts", "prompt_tts", "edit"),
)


def write_tokenizer(
    directory: Path, naming: Naming, true_size: bool = False
) -> tuple[int, tuple[int, int]]:
    """Write every tokenizer file of the published repositories.

    Returns:
        How many tokens there are, and the ids of those that end a generation: `<|im_end|>`, which
        ends speech, and `<|endoftext|>`.
    """
    tokenizer = make_tokenizer(naming, true_size)
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)  # in any order
    _write(directory / "vocab.json", dict(sorted(vocabulary.items(), key=lambda item: item[1])))
    merges = "".join(f"{merge}\n" for merge in _MERGES.split("|"))
    (directory / "merges.txt").write_text(f"#version: 0.2\n{merges}", "utf-8")
    added = tokenizer.get_added_tokens_decoder()
    ids = {token.content: i for i, token in added.items()}
    _write(directory / "added_tokens.json", ids)
    special = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    _write(directory / "special_tokens_map.json", special)
    decoder = {
        str(i): {
            "content": token.content,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": token.special,
        }
        for i, token in added.items()
    }
    config: dict[str, Any] = {"tokenizer_class": "Qwen2Tokenizer", "model_max_length": 131072}
    config |= special | {"added_tokens_decoder": decoder, "add_prefix_space": False}
    _write(directory / "tokenizer_config.json", config)
    num_tokens: int = tokenizer.get_vocab_size(with_added_tokens=True)
    return num_tokens, (ids["<|im_end|>"], ids["<|endoftext|>"])


def make_tokenizer(naming: Naming, true_size: bool = False) -> "Tokenizer":
    """Build the tokenizer; `true_size` gives every token the id it has in the published one."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
    from tokenizers import pre_tokenizers as split
    from tokenizers.processors import ByteLevel

    merges = [(left, right) for left, _, right in (m.partition(" ") for m in _MERGES.split("|"))]
    pieces = sorted(split.ByteLevel.alphabet()) + [left + right for left, right in merges]
    if true_size:  # words that no merge leads to
        pieces += [f"\u0120unused{i}" for i in range(_TRUE_BASE - len(pieces))]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = split.Sequence(
        [
            split.Split(Regex(_SPLIT), behavior="isolated"),
            split.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.post_processor = ByteLevel(add_prefix_space=False, trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(f"<|{name}|>", normalized=False, special=True) for name in _CONTROL]
    )
    # As published: tokens of speech are added ones, but not flagged as special.
    names = [
        name if name.startswith("<") else f"<|{name}|>"
        for name in [*_OTHER_CONTROL, *_speech_names(naming)]
    ]
    tokenizer.add_tokens([AddedToken(name, normalized=False, special=False) for name in names])
    return tokenizer


def _speech_names(naming: Naming) -> Iterator[str]:
    names = NAMES[naming]
    yield from (f"{names['global']}{code}" for code in range(GLOBAL_CODES))
    yield from (f"{names['speech']}{code}" for code in range(SPEECH_CODES))
    for attribute, count in _ATTRIBUTES:
        yield from (f"{attribute}_{value}" for value in range(count))
    yield from (f"task_{task}" for task in _TASKS)
    for edge, text, globals_ in (
        ("start", names["start_text"], names["start_globals"]),
        ("end", names["end_text"], names["end_globals"]),
    ):
        yield from (text, f"{edge}_style_label")
        yield f"{edge}_style_prompt"
        yield f"{edge}_acoustic_token"
        yield globals_
        yield names["start_speech"] if edge == "start" else END_SPEECH


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
