"""The independent reference: transformers' own model, a token at a time, one stream alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.base import sayable
from mira.model.lm.sampler import Sampler, pick_all
from mira.types import Sampling


class Reference:
    """Everything that can be said of a model's whole head, in float32 unless told otherwise."""

    def __init__(
        self,
        language: Path,
        tokens: TokenMap,
        dtype: torch.dtype = torch.float32,
        device: str = "cpu",
    ) -> None:
        from transformers import AutoModelForCausalLM

        self.model: Any = AutoModelForCausalLM.from_pretrained(language, dtype=dtype).to(device)
        self._first_speech, self._rows = tokens.first_speech, sayable(tokens)

    @torch.inference_mode()
    def logits(self, prompt: Sequence[int], ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """[ids + 1, 8192 + ends]: what may come after the prompt, and after each of `ids`."""
        whole = torch.tensor([[*prompt, *ids]], device=self.model.device)
        scores = self.model(whole, use_cache=False).logits[0, len(prompt) - 1 :, self._rows]
        found: npt.NDArray[np.float32] = scores.float().cpu().numpy()
        return found

    def generate(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[int]:
        """As a `LanguageModel` does."""
        columns = {row: column for column, row in enumerate(self._rows)}
        seen = [columns[i] for i in prompt if i in columns]
        sampler = Sampler(sampling, len(columns), seen)
        ids, cache = list(prompt), None
        for _ in range(sampling.max_new_tokens):
            with torch.inference_mode():
                output = self.model(torch.tensor([ids]), past_key_values=cache)
            cache = output.past_key_values
            (picked,) = pick_all([sampler], output.logits[0, -1:, self._rows].numpy())
            assert isinstance(picked, int)
            if picked >= SPEECH_CODES:
                return
            yield picked
            ids = [self._first_speech + picked]
