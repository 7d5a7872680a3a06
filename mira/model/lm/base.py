"""The seam between prompts and speech tokens: vocabulary ids in, codes of the codec out.

Knows nothing about text, voices or audio.
"""

from collections.abc import Generator, Sequence
from typing import Protocol

from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import SPEECH_CODES
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Sampling


def sayable(vocabulary: TokenMap) -> list[int]:
    """List the ids that can be drawn, in the order of every backend's logits: codes, then ends."""
    first = vocabulary.first_speech
    return [*range(first, first + SPEECH_CODES), *vocabulary.end_ids]


class LanguageModel(Protocol):
    """Speaks prompts; safe to use from several threads at once, each with its own generator."""

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        """Yield speech tokens until the end of speech, or `sampling.max_new_tokens` of them.

        Nothing but speech tokens and the end can be drawn. With a seed the same prompt gives the
        same tokens again.

        Args:
            prompt: Vocabulary ids, as `PromptBuilder.build` makes them; not empty.
            sampling: How to pick among the likely ones.
            playback: Who hears it, for a model that has to choose between streams.
            cancel: Ends it from any thread.

        Yields:
            Codes in [0, SPEECH_CODES), not vocabulary ids.

        Closing the generator cancels the generation and frees what it held.

        Raises:
            ValueError: The prompt is empty or holds an id outside the vocabulary.
            SynthesisFailed: The model broke while speaking.
            Cancelled: Nobody wants the rest.
            NotReady: It broke before, and is being restarted.
        """

    @property
    def max_streams(self) -> int:
        """Number of streams that may speak at the same time; more wait until one ends."""

    @property
    def ready(self) -> bool:
        """Whether it can speak: not while it is being restarted, nor once it is closed."""

    @property
    def failure(self) -> str:
        """Why only a new process can speak again; empty as long as this one may."""

    def close(self) -> None:
        """Stop what runs for it, when nobody needs it any more. May be called again."""


def check_prompt(prompt: Sequence[int], vocab_rows: int) -> None:
    """Raise ValueError for a prompt that no model can continue."""
    if not prompt:
        raise ValueError("the prompt is empty")
    if wrong := [i for i in prompt if not 0 <= i < vocab_rows]:
        raise ValueError(f"id {wrong[0]} is outside the vocabulary of {vocab_rows}")
