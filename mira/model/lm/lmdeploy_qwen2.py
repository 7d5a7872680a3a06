"""LMDeploy's Qwen2 with a head for speech alone; found by its name, in `lmdeploy_engine.py`.

Needs LMDeploy to be imported. Source: LMDeploy 0.18, how its engine in PyTorch builds a model.
"""

from typing import Any

from lmdeploy.pytorch.models.qwen2 import Qwen2ForCausalLM

from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.lmdeploy_dialects import SpeechHead


class SpeechQwen2(Qwen2ForCausalLM):  # type: ignore[misc]  # has no types
    """Its configuration says what is speech, in `mira_first_speech` and `mira_end_ids`."""

    def update_weights(self) -> None:
        """Cut the head, once it is loaded."""
        super().update_weights()
        vocabulary = self.config
        first = vocabulary.mira_first_speech
        self.speech_head = SpeechHead(
            self.lm_head.weight, [*range(first, first + SPEECH_CODES), *vocabulary.mira_end_ids]
        )

    def get_logits(self, hidden_states: Any) -> Any:
        """[..., hidden] -> [..., vocabulary]."""
        return self.speech_head.logits(hidden_states)
