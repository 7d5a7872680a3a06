"""A sentence and a voice's tokens in, the ids that make the model speak it out.

Knows the published prompt, and nothing about models or audio. Ids never pass through text: what a
user writes is tokenised as plain characters, so `<|...|>` in it is read aloud and can't act.
Source: MiraTTS' and Spark-TTS' published inference code; both build the same ids.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from mira.errors import CheckpointError, InvalidRequest, NothingToSay
from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import check_global_tokens, check_speech_tokens


class PromptBuilder:
    """Builds prompts for one model; safe to use from several threads at once.

    Args:
        tokenizer_file: The model's tokenizer.json.
        vocabulary: Where its tokens are.

    Raises:
        CheckpointError: The file is missing or damaged.
    """

    def __init__(self, tokenizer_file: Path, vocabulary: TokenMap) -> None:
        self._plain = plain_tokenizer(tokenizer_file)
        self._vocabulary = vocabulary

    def build(
        self,
        text: str,
        global_tokens: Sequence[int],
        speech_tokens: Sequence[int] = (),
        transcript: str = "",
    ) -> list[int]:
        """Ask for `text` in the voice of `global_tokens`.

        Args:
            text: What to say, in plain characters.
            global_tokens: [32], each in [0, 4096).
            speech_tokens: Of a reference recording, each in [0, 8192), for the model to go on
                from; it then takes over the recording's pace as well.
            transcript: What the recording says. It goes before the text with nothing between, as
                published, so end it with a space if the text begins a word.

        Raises:
            NothingToSay: The text is empty.
            InvalidRequest: The text is no valid Unicode, or the global tokens are no speaker's.
            SynthesisFailed: A speech token is outside its codebook.
        """
        check_global_tokens(global_tokens)
        check_speech_tokens(speech_tokens)
        if not text:
            raise NothingToSay
        ids = self._vocabulary
        return [
            ids.task_tts,
            ids.start_text,
            *self.text_ids(transcript + text),
            ids.end_text,
            ids.start_globals,
            *(ids.first_global + token for token in global_tokens),
            ids.end_globals,
            # Spark-TTS lets the model say this one itself, with probability 1. Saying it here
            # leaves nothing to generate but speech.
            ids.start_speech,
            *(ids.first_speech + token for token in speech_tokens),
        ]

    def text_ids(self, text: str) -> list[int]:
        """Tokenise plain characters: no id of a control or speech token comes out."""
        try:
            found: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        except (UnicodeEncodeError, TypeError) as error:  # half of a surrogate pair
            raise InvalidRequest("The text is not valid Unicode.", "input") from error
        return found


def plain_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer.json without the tokens that were added to its vocabulary.

    Removing them is the only way that is complete. The library's `encode_special_tokens` covers
    the tokens flagged as special, which those of speech are not; and escaping `<|` in the text
    would change what is said.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        content["added_tokens"] = []
        content["post_processor"] = None  # those of some models name added tokens
        return Tokenizer.from_str(json.dumps(content))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file") from error
    except Exception as error:  # the library raises nothing more precise
        raise CheckpointError(f"{path}: damaged or incomplete ({error})") from error
