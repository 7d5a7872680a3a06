"""The few operations compute what transformers' many do."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from mira.errors import CheckpointError
from mira.model.lm.torch_qwen2 import Qwen2

IDS = torch.randint(0, 8000, (3, 50), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def model(mira):
    return AutoModelForCausalLM.from_pretrained(mira.language, dtype=torch.float32)


def causal(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    heads = (part.transpose(1, 2) for part in (query, key, value))
    mixed = F.scaled_dot_product_attention(*heads, is_causal=True, enable_gqa=True)
    return mixed.transpose(1, 2).flatten(2)


def hidden(model, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Ours and theirs."""
    with torch.inference_mode():
        ours = Qwen2(model, 4000)
        found = ours.finish(ours(IDS, positions, causal))
        expected = model.get_decoder()(input_ids=IDS, position_ids=positions).last_hidden_state
    return found, expected


@pytest.mark.parametrize("first", [0, 3000])
def test_hidden_states_are_transformers_own(model, first: int) -> None:
    found, expected = hidden(model, first + torch.arange(50).expand(3, -1))
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


def test_in_bfloat16_they_are_as_near_the_exact_ones_as_transformers(mira, model) -> None:
    rounded = AutoModelForCausalLM.from_pretrained(mira.language, dtype=torch.bfloat16)
    positions = torch.arange(50).expand(3, -1)
    exact, _ = hidden(model, positions)
    ours, theirs = (error(found.float(), exact) for found in hidden(rounded, positions))
    assert 1e-6 < ours < 1.1 * theirs


def error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).square().mean() / exact.square().mean())


def test_another_architecture_is_refused(model, monkeypatch: pytest.MonkeyPatch) -> None:
    config = LlamaConfig(
        vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    with pytest.raises(CheckpointError, match="expected a qwen2 with full_attention; found llama"):
        Qwen2(LlamaForCausalLM(config), 10)
    layers = ["full_attention", "sliding_attention"]
    monkeypatch.setattr(model.config, "layer_types", layers)
    with pytest.raises(CheckpointError, match="found qwen2, full_attention, sliding_attention"):
        Qwen2(model, 10)
