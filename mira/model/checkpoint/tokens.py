"""A tokenizer's files in, the ids of everything that a speech prompt is made of out.

Knows nothing about prompts. Ids are looked up by name, since fine-tunes move them; the names are
MiraTTS' or Spark-TTS'. Source: added_tokens.json of the two published models.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mira.errors import CheckpointError
from mira.model.checkpoint.tensors import reading, unexpected
from mira.model.codec.base import GLOBAL_CODES, SPEECH_CODES

if TYPE_CHECKING:
    from tokenizers import Tokenizer


Naming = Literal["mira", "spark"]


NAMES: dict[Naming, dict[str, str]] = {
    "mira": {
        "speech": "speech_token_",
        "global": "context_token_",
        "start_text": "start_text",
        "end_text": "end_text",
        "start_globals": "context_audio_start",
        "end_globals": "context_audio_end",
        "start_speech": "prompt_speech_start",
    },
    "spark": {
        "speech": "bicodec_semantic_",
        "global": "bicodec_global_",
        "start_text": "start_content",
        "end_text": "end_content",
        "start_globals": "start_global_token",
        "end_globals": "end_global_token",
        "start_speech": "start_semantic_token",
    },
}
"""What a family of checkpoints calls its tokens, without the `<|` and `|>` around them; those of
speech and of speakers are followed by the code."""
TASK, END, END_SPEECH = "task_tts", "im_end", "end_semantic_token"
"""What both call theirs."""


@dataclass(frozen=True, slots=True)
class TokenMap:
    """Where a vocabulary keeps what speech is made of; every number is a vocabulary id."""

    naming: Naming
    first_speech: int  # of SPEECH_CODES in a row
    first_global: int  # of GLOBAL_CODES in a row
    task_tts: int
    start_text: int
    end_text: int
    start_globals: int
    end_globals: int
    start_speech: int
    end_ids: tuple[int, ...]  # each ends the speech; the first is `<|im_end|>`


def read_tokens(directory: Path, vocab_rows: int, declared_ends: tuple[int, ...]) -> TokenMap:
    """Look a model's tokens up.

    Args:
        directory: Holds tokenizer.json.
        vocab_rows: Of the embedding; every id must be below it.
        declared_ends: What the model's configuration says ends a generation.

    Raises:
        CheckpointError: The tokenizer is missing or damaged, lacks one of the tokens, or its
            codes are not in a row.
    """
    path = directory / "tokenizer.json"
    tokenizer = load_tokenizer(path)

    def find(name: str) -> int | None:
        found: int | None = tokenizer.token_to_id(f"<|{name}|>")
        return found

    def require(name: str) -> int:
        found = find(name)
        if found is None:
            raise CheckpointError(f"{path}: expected the token <|{name}|>; found none")
        if found >= vocab_rows:
            below = f"an id below the embedding's {vocab_rows} rows"
            raise unexpected(path, f"<|{name}|>", below, found)
        return found

    def require_row(prefix: str, count: int) -> int:
        first = require(f"{prefix}0")
        for code in range(1, count):
            if (found := require(f"{prefix}{code}")) != first + code:
                after = f"id {first + code}, after its neighbour's"
                raise unexpected(path, f"<|{prefix}{code}|>", after, found)
        return first

    namings = [naming for naming in NAMES if find(f"{NAMES[naming]['speech']}0") is not None]
    if not namings:
        expected = " or ".join(f"<|{names['speech']}0|>" for names in NAMES.values())
        raise CheckpointError(
            f"{path}: expected {expected}; found neither, so this is no speech model"
        )
    names = NAMES[namings[0]]
    # Trained to end with <|im_end|>; some fine-tunes with <|end_semantic_token|> before it.
    end_speech = find(END_SPEECH)
    ends = [require(END), *declared_ends, *([] if end_speech is None else [end_speech])]
    return TokenMap(
        naming=namings[0],
        first_speech=require_row(names["speech"], SPEECH_CODES),
        first_global=require_row(names["global"], GLOBAL_CODES),
        task_tts=require(TASK),
        start_text=require(names["start_text"]),
        end_text=require(names["end_text"]),
        start_globals=require(names["start_globals"]),
        end_globals=require(names["end_globals"]),
        start_speech=require(names["start_speech"]),
        end_ids=tuple(dict.fromkeys(end for end in ends if end < vocab_rows)),
    )


def load_tokenizer(path: Path) -> "Tokenizer":
    """Read a tokenizer.json.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    from tokenizers import Tokenizer

    with reading(path):
        return Tokenizer.from_buffer(path.read_bytes())
