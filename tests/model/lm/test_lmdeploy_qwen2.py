"""LMDeploy's Qwen2, with a head for speech alone."""

from types import SimpleNamespace
from typing import Any

import torch

from mira.model.checkpoint.layout import Checkpoint
from mira.model.lm.base import sayable
from tests.model.lm.lmdeploy_stand_ins import embedding, imported


def test_the_head_is_cut_when_the_weights_are_loaded(mira: Checkpoint) -> None:
    imported("lmdeploy.pytorch.models.qwen2")
    from mira.model.lm.lmdeploy_qwen2 import SpeechQwen2

    model: Any = SpeechQwen2.__new__(SpeechQwen2)  # building one takes a GPU
    torch.nn.Module.__init__(model)
    model.config = SimpleNamespace(
        tie_word_embeddings=True,
        mira_first_speech=mira.tokens.first_speech,
        mira_end_ids=list(mira.tokens.end_ids),
    )
    table = torch.nn.Parameter(embedding(mira).float(), requires_grad=False)
    model.model = SimpleNamespace(get_input_embeddings=lambda: SimpleNamespace(weight=table))
    model.lm_head = torch.nn.Linear(table.shape[1], 1, bias=False)
    model.update_weights()

    hidden = torch.randn(1, 2, table.shape[1])
    logits = model.get_logits(hidden)
    rows = sayable(mira.tokens)
    assert logits.shape == (1, 2, len(table)) and logits.isfinite().sum() == 2 * len(rows)
    torch.testing.assert_close(logits[..., rows], hidden @ table[rows].T)
