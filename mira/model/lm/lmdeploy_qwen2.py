"""LMDeploy's Qwen2 with a head for speech alone; found by its name, in `lmdeploy_engine.py`.

Needs LMDeploy to be imported. Source: LMDeploy 0.18, how its engine in PyTorch builds a model.
"""

from typing import Any

import torch
from lmdeploy.pytorch.models.qwen2 import Qwen2ForCausalLM

from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.lmdeploy_dialects import speech_logits


class SpeechQwen2(Qwen2ForCausalLM):  # type: ignore[misc]  # has no types
    """Its configuration says what is speech, in `mira_first_speech` and `mira_end_ids`."""

    def update_weights(self) -> None:
        """Cut the head, once it is loaded."""
        super().update_weights()
        first, ends, whole = self.config.mira_first_speech, self.config.mira_end_ids, self.lm_head
        rows = [*range(first, first + SPEECH_CODES), *ends]
        self.speech_rows = torch.tensor(rows, device=whole.weight.device)
        self.speech_head = whole.weight.detach()[self.speech_rows]

    def get_logits(self, hidden_states: Any) -> Any:
        """[..., hidden] -> [..., vocabulary]."""
        rows = len(self.lm_head.weight)
        return speech_logits(hidden_states, self.speech_head, self.speech_rows, rows)
