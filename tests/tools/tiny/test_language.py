"""The random language model: loads as any other, and its one quiet channel ends speech."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mira.model.checkpoint.language import EMBEDDING, find_language_model
from tools.tiny.language import tiny_dims, true_dims, write_language_model


@pytest.mark.parametrize("layout", ["mira", "spark"])
def test_transformers_loads_every_tensor(layout, request) -> None:
    from transformers import AutoModelForCausalLM

    directory = request.getfixturevalue(layout).language
    model, info = AutoModelForCausalLM.from_pretrained(
        directory, dtype="auto", output_loading_info=True
    )
    assert not any(info.values()), info
    assert type(model).__name__ == "Qwen2ForCausalLM"
    assert model.dtype == {"mira": torch.bfloat16, "spark": torch.float32}[layout]
    assert model.config.eos_token_id == request.getfixturevalue(layout).tokens.end_ids[0]


def test_both_layouts_hold_one_model(mira, spark) -> None:
    one, two = (load_file(layout.language / "model.safetensors") for layout in (mira, spark))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name].bfloat16()) for name in one)


def test_there_are_more_rows_than_tokens() -> None:
    for tokens in (1, 63, 64, 13787):
        assert tokens + 64 <= tiny_dims(tokens).vocab_rows < tokens + 192
    assert true_dims().vocab_rows == 166_000


def test_the_end_listens_to_a_channel_that_no_token_has(mira, tmp_path: Path) -> None:
    dims = tiny_dims(200)
    write_language_model(tmp_path, dims, (150, 151), "F32", seed=0)
    embedding = load_file(tmp_path / "model.safetensors")[EMBEDDING].numpy()
    assert np.flatnonzero(embedding[:, 0]).tolist() == [150]
    assert np.flatnonzero(embedding[150]).tolist() == [0]
    assert not embedding[151].any()
    assert find_language_model(tmp_path).dims == dims
