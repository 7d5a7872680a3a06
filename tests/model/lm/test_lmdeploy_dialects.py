"""What LMDeploy's engines call the ids, and the model that is cut for one of them."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mira.errors import SynthesisFailed
from mira.model.checkpoint.language import EMBEDDING, HEAD
from mira.model.checkpoint.layout import Checkpoint
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.base import sayable
from mira.model.lm.lmdeploy_dialects import (
    CUT_ROWS,
    MOST_BANNED,
    cut,
    cut_dialect,
    generation,
    published_dialect,
    speech_logits,
)
from mira.model.lm.lmdeploy_engine import BLOCK_TOKENS
from mira.model.lm.prompt import PromptBuilder
from mira.types import Sampling
from tests.model.lm.conftest import GLOBAL_TOKENS
from tests.model.lm.lmdeploy_stand_ins import embedding, imported
from tests.model.lm.reference import Reference


def test_published_dialect(mira: Checkpoint, prompt: list[int]) -> None:
    dialect = published_dialect(mira.tokens, mira.dims.vocab_rows)
    first = mira.tokens.first_speech
    assert dialect.inputs(prompt) == {"input_ids": prompt}
    assert [dialect.code(first + code) for code in (0, 8191)] == [0, 8191]
    assert [dialect.code(end) for end in mira.tokens.end_ids] == [None] * len(mira.tokens.end_ids)
    for other in (-1, first - 1, first + SPEECH_CODES, mira.tokens.start_speech):
        with pytest.raises(SynthesisFailed, match="no speech"):
            dialect.code(other)


def test_cut_dialect(mira: Checkpoint, prompts: PromptBuilder) -> None:
    table = embedding(mira)
    dialect = cut_dialect(mira.tokens, table)
    prompt = prompts.build("hello", GLOBAL_TOKENS, [5, 8191])
    inputs = dialect.inputs(prompt)
    assert inputs["input_ids"][-2:] == [5, 8191]
    assert set(inputs["input_ids"][:-2]) == {dialect.banned[0]}
    assert inputs["input_embedding_ranges"] == [[0, len(prompt)]]
    (given,) = inputs["input_embeddings"]
    assert given.dtype == torch.bfloat16 and torch.equal(given, table[torch.tensor(prompt)])
    assert dialect.code(8191) == 8191
    assert [dialect.code(end) for end in dialect.ends] == [None] * len(mira.tokens.end_ids)
    for unsayable in (*dialect.banned, -1, CUT_ROWS):
        with pytest.raises(SynthesisFailed, match="no speech"):
            dialect.code(unsayable)


def test_all_of_the_cut_vocabulary_is_said_ends_or_is_banned(mira: Checkpoint) -> None:
    dialect = cut_dialect(mira.tokens, embedding(mira))
    ids = [*range(SPEECH_CODES), *dialect.ends, *dialect.banned]
    assert ids == list(range(CUT_ROWS))
    assert 0 < len(dialect.banned) < MOST_BANNED and 0 not in dialect.banned  # nor bans it id 0


@pytest.mark.parametrize("layout", ["mira", "spark"])
def test_a_cut_model_computes_the_same(
    layout: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Of the same prompt the same logits, in another order, and none of anything but speech."""
    from transformers import AutoConfig, Qwen2ForCausalLM

    checkpoint: Checkpoint = request.getfixturevalue(layout)
    prompts = PromptBuilder(checkpoint.language / "tokenizer.json", checkpoint.tokens)
    prompt = prompts.build("hello world", GLOBAL_TOKENS, [1, 2, 3])
    whole = cut(checkpoint.language, checkpoint.language_weights, checkpoint.tokens, tmp_path)
    inputs = cut_dialect(checkpoint.tokens, whole).inputs(prompt)

    model: Any = Qwen2ForCausalLM(AutoConfig.from_pretrained(tmp_path)).float()
    missing = model.load_state_dict(indexed(tmp_path), strict=False).missing_keys
    assert missing in ([], [HEAD])
    model.tie_weights()
    with torch.inference_mode():
        logits = model(inputs_embeds=inputs["input_embeddings"][0][None].float()).logits[0]
    assert logits.shape == (len(prompt), CUT_ROWS)
    reference = Reference(checkpoint.language, checkpoint.tokens)
    expected = reference.logits(prompt, [])[0]
    tolerance = 1e-4 if layout == "mira" else 0.1  # Spark's is float32, and rounded on the way in
    assert np.abs(logits[-1, : len(expected)].numpy() - expected).max() < tolerance
    assert not logits[:, len(expected) :].any()


def indexed(directory: Path) -> dict[str, torch.Tensor]:
    """The tensors that a checkpoint's index names, from where it says."""
    index = json.loads((directory / "model.safetensors.index.json").read_text("utf-8"))
    found = {}
    for name, file_name in index["weight_map"].items():
        with safe_open(directory / file_name, "pt") as file:
            found[name] = file.get_tensor(name)
    return found


def test_a_head_of_its_own_is_cut_too(mira: Checkpoint, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir(), target.mkdir()
    (source / "config.json").write_text("{}")
    head = torch.randn(mira.dims.vocab_rows, 4)
    save_file({EMBEDDING: 2 * head, HEAD: head}, source / "model.safetensors")
    cut(source, [source / "model.safetensors"], mira.tokens, target)
    found = indexed(target)
    rows = sayable(mira.tokens)
    assert torch.equal(found[HEAD][: len(rows)], head[rows])
    assert torch.equal(found[EMBEDDING], 2 * found[HEAD])


def test_speech_logits(mira: Checkpoint) -> None:
    rows, vocab_rows = torch.tensor(sayable(mira.tokens)), mira.dims.vocab_rows
    head, hidden = torch.randn(vocab_rows, 8), torch.randn(1, 3, 8)
    logits = speech_logits(hidden, head[rows], rows, vocab_rows)
    assert logits.dtype == torch.float32 and logits.shape == (1, 3, vocab_rows)
    torch.testing.assert_close(logits[..., rows], hidden @ head[rows].T)
    assert logits.isfinite().sum() == 3 * len(rows)


def test_generation(mira: Checkpoint) -> None:
    dialect = published_dialect(mira.tokens, mira.dims.vocab_rows)
    default = generation(Sampling(seed=1), dialect)
    assert default | {"random_seed": 0} == {
        "max_new_tokens": 1024,
        "do_sample": True,
        "temperature": 0.8,
        "top_k": 50,
        "top_p": 0.95,
        "min_p": 0.05,
        "repetition_penalty": 1.2,
        "random_seed": 0,
        "stop_token_ids": list(mira.tokens.end_ids),
        "bad_token_ids": [],
        "skip_special_tokens": False,
    }
    greedy = generation(Sampling(temperature=0), dialect)
    assert (greedy["do_sample"], greedy["top_k"], greedy["temperature"]) == (False, 1, 1.0)
    assert greedy["repetition_penalty"] == 1.2


def test_generation_seeds(mira: Checkpoint) -> None:
    """Spread over what engines take, which is 64 bits of one and 32 of the other."""
    dialect = published_dialect(mira.tokens, mira.dims.vocab_rows)

    def seed(value: int | None) -> int:
        found: int = generation(Sampling(seed=value), dialect)["random_seed"]
        return found

    assert seed(3) == seed(3) < 2**64
    seeds = [0, 1, 2**32, 2**32 + 1, 2**70, None, None]
    assert len({seed(value) % 2**32 for value in seeds}) == len(seeds)


@pytest.mark.parametrize("wrong", [{"temperature": 2.5}, {"top_k": 2000}])
def test_generation_that_can_not_be(mira: Checkpoint, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at most"):
        generation(Sampling(**wrong), published_dialect(mira.tokens, 10))


def test_prompts_share_too_little_to_be_cached(prompts: PromptBuilder) -> None:
    """The text comes before the voice: those that differ in it share two ids of a block of 64.

    Those that differ in the voice alone share their text: in the true vocabulary, 40 ids at most.
    """
    hello = prompts.build("hello", GLOBAL_TOKENS)
    assert shared(hello, prompts.build("the world", GLOBAL_TOKENS)) == 2
    assert 2 < shared(hello, prompts.build("hello", GLOBAL_TOKENS[::-1])) < BLOCK_TOKENS


def shared(one: list[int], other: list[int]) -> int:
    """Ids that both begin with."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def test_lmdeploy_reads_a_cut_checkpoint(mira: Checkpoint, tmp_path: Path) -> None:
    """Its configuration, its tokenizer, and of each tensor the one that the index means."""
    checkpoints = imported("lmdeploy.turbomind.checkpoint")
    from lmdeploy.archs import get_model_arch
    from lmdeploy.tokenizer import Tokenizer
    from lmdeploy.turbomind.supported_models import is_supported

    cut(mira.language, mira.language_weights, mira.tokens, tmp_path)
    found = checkpoints.create_checkpoint(str(tmp_path))
    assert set(found.keys()) == set(indexed(tmp_path))
    assert found._data[EMBEDDING].shape == (CUT_ROWS, mira.dims.hidden)
    assert is_supported(str(tmp_path))
    assert get_model_arch(str(tmp_path))[1].vocab_size == CUT_ROWS
    assert Tokenizer(str(tmp_path)).vocab_size > 0
