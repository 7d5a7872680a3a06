"""The few operations compute what transformers' many do."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mira.model.lm.torch_qwen2 import Qwen2

IDS = torch.randint(0, 8000, (3, 50), generator=torch.Generator().manual_seed(0))


def published(mira, dtype: torch.dtype):
    from transformers import AutoModelForCausalLM  # three seconds, of this test's process alone

    return AutoModelForCausalLM.from_pretrained(mira.language, dtype=dtype)


@pytest.fixture(scope="module")
def model(mira):
    return published(mira, torch.float32)


def causal(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    heads = (part.transpose(1, 2) for part in (query, key, value))
    mixed = F.scaled_dot_product_attention(*heads, is_causal=True, enable_gqa=True)
    return mixed.transpose(1, 2).flatten(2)


def logits(mira, model, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Ours and theirs, of every fifth id."""
    tensors, rows = model.state_dict(), range(0, mira.dims.vocab_rows, 5)
    with torch.inference_mode():
        ours = Qwen2(tensors.__getitem__, mira.dims, rows, 4000)
        found = ours.logits(ours(IDS, positions, causal))
        expected = model(input_ids=IDS, position_ids=positions).logits[..., rows]
    return found, expected


@pytest.mark.parametrize("first", [0, 3000])
def test_logits_are_transformers_own(mira, model, first: int) -> None:
    found, expected = logits(mira, model, first + torch.arange(50).expand(3, -1))
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


def test_in_bfloat16_they_are_as_near_the_exact_ones_as_transformers(mira, model) -> None:
    rounded = published(mira, torch.bfloat16)
    positions = torch.arange(50).expand(3, -1)
    exact, _ = logits(mira, model, positions)
    ours, theirs = (error(found.float(), exact) for found in logits(mira, rounded, positions))
    assert 1e-6 < ours < 1.1 * theirs


def error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).square().mean() / exact.square().mean())
