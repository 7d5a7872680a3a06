"""The reference backend: equal to the whole model, computed the long way."""

import gc
import shutil
import weakref
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, DynamicCache, LogitsProcessorList

from mira.errors import CheckpointError, InvalidSettings, SynthesisFailed
from mira.model.checkpoint.layout import Checkpoint
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.transformers import TransformersLM, refuse_float16
from mira.types import Sampling

GREEDY = Sampling(temperature=0, repetition_penalty=1.2, max_new_tokens=40)


@pytest.fixture(scope="module")
def model(mira: Checkpoint):
    return AutoModelForCausalLM.from_pretrained(mira.language, dtype=torch.float32)


def allowed_only(checkpoint: Checkpoint, scores: torch.Tensor) -> torch.Tensor:
    first = checkpoint.tokens.first_speech
    allowed = [*range(first, first + SPEECH_CODES), *checkpoint.tokens.end_ids]
    masked = torch.full_like(scores, float("-inf"))
    masked[..., allowed] = scores[..., allowed]
    return masked


def test_greedy_equals_a_plain_loop_over_all_logits(mira, model, reference, prompt) -> None:
    """No cache, no sliced head: the whole prompt again at every step."""
    ids, codes = list(prompt), []
    with torch.inference_mode():
        for _ in range(GREEDY.max_new_tokens):
            scores = model(torch.tensor([ids])).logits[0, -1]
            seen = torch.tensor(sorted(set(ids)))
            scores[seen] = torch.where(scores[seen] > 0, scores[seen] / 1.2, scores[seen] * 1.2)
            ids.append(int(allowed_only(mira, scores).argmax()))
            codes.append(ids[-1] - mira.tokens.first_speech)
    assert list(reference.generate(prompt, GREEDY)) == codes


def test_greedy_equals_transformers_own_generate(mira, model, reference, prompt) -> None:
    found = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        repetition_penalty=1.2,
        max_new_tokens=GREEDY.max_new_tokens,
        logits_processor=LogitsProcessorList([lambda ids, scores: allowed_only(mira, scores)]),
    )[0, len(prompt) :]
    codes = [i - mira.tokens.first_speech for i in found.tolist()]
    assert list(reference.generate(prompt, GREEDY)) == codes


def test_a_spoken_example_is_penalised_too(reference, prompts) -> None:
    """The penalty counts the prompt's speech tokens, as transformers and TurboMind do.

    A penalty far below one is a reward: some of twenty tokens have a positive logit, and the
    likeliest of those wins by a hundredfold.
    """
    example = list(range(100, 2100, 100))
    reward = Sampling(temperature=0, repetition_penalty=0.01, max_new_tokens=1)
    prompt = prompts.build("hello", list(range(32)), example)
    assert next(reference.generate(prompt, reward)) in example


def test_the_end_ends(mira, prompt) -> None:
    """With the end token's embedding far up, the stream is empty; the end is never yielded."""
    lm = TransformersLM.load(mira.language, mira.tokens)
    lm._head[SPEECH_CODES] *= 100
    assert list(lm.generate(prompt, GREEDY)) == []


def test_any_of_the_ends_ends(mira, prompt) -> None:
    for end in range(len(mira.tokens.end_ids)):
        lm = TransformersLM.load(mira.language, mira.tokens)
        lm._head[SPEECH_CODES + end] = 100 * lm._head[SPEECH_CODES]
        assert list(lm.generate(prompt, GREEDY)) == []


def test_an_untied_head_is_used(mira, reference, prompt, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(mira.language, tmp_path / "untied"))
    tensors = load_file(directory / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].roll(-1, 0)
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})
    config = (directory / "config.json").read_text()
    (directory / "config.json").write_text(
        config.replace('"tie_word_embeddings": true', '"tie_word_embeddings": false')
    )
    untied = TransformersLM.load(directory, mira.tokens)
    first = next(reference.generate(prompt, GREEDY))
    assert next(untied.generate(prompt, GREEDY)) == first - 1


def test_the_head_is_cut_to_speech(mira, reference) -> None:
    assert reference._head.shape == (SPEECH_CODES + len(mira.tokens.end_ids), 64)


def test_bfloat16_speaks(mira, prompt) -> None:
    lm = TransformersLM.load(mira.language, mira.tokens, dtype="bfloat16")
    assert lm._head.dtype == torch.bfloat16
    assert len(list(lm.generate(prompt, GREEDY))) == GREEDY.max_new_tokens


@pytest.mark.parametrize("dtype", ["float16", "fp16", "half"])
def test_float16_is_refused_with_its_reason(mira, dtype) -> None:
    with pytest.raises(InvalidSettings, match=r"overflow.*!!!!"):
        TransformersLM.load(mira.language, mira.tokens, dtype=dtype)
    with pytest.raises(InvalidSettings):
        refuse_float16(dtype)


def test_other_dtypes_are_refused(mira, model) -> None:
    with pytest.raises(InvalidSettings, match="expected auto, bfloat16 or float32"):
        TransformersLM.load(mira.language, mira.tokens, dtype="int8")  # type: ignore[arg-type]
    half = AutoModelForCausalLM.from_pretrained(mira.language, dtype=torch.float16)
    with pytest.raises(InvalidSettings, match="float16"):
        TransformersLM(half, mira.tokens)


def test_damaged_weights_are_named(mira, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(mira.language, tmp_path / "damaged"))
    weights = directory / "model.safetensors"
    tensors = load_file(weights)
    tensors["model.norm.weight"][3] = float("nan")
    save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"safetensors: \S*norm\.weight: expected finite"):
        TransformersLM.load(directory, mira.tokens)
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: can't be loaded"):
        TransformersLM.load(directory, mira.tokens)


def caches() -> int:
    gc.collect()
    return sum(type(thing) is DynamicCache for thing in gc.get_objects())


def test_closing_drops_the_cache(reference, prompt) -> None:
    before = caches()
    tokens = reference.generate(prompt, GREEDY)
    next(tokens)
    assert caches() == before + 1
    tokens.close()
    assert caches() == before


def test_a_stream_does_not_put_its_reader_in_inference_mode(reference, prompt) -> None:
    for _ in islice(reference.generate(prompt, GREEDY), 3):
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()


def test_it_computes_only_what_is_asked_for(mira, prompt) -> None:
    """Three tokens are three steps: nothing runs ahead of its reader."""
    lm = TransformersLM.load(mira.language, mira.tokens)
    steps = []
    handle = lm._body.register_forward_hook(lambda *_: steps.append(1))
    tokens = lm.generate(prompt, GREEDY)
    assert not steps
    list(islice(tokens, 3))
    assert len(steps) == 3
    handle.remove()


def test_a_broken_step_is_a_failed_synthesis(mira, prompt) -> None:
    lm = TransformersLM.load(mira.language, mira.tokens)

    def fail(*_) -> None:
        raise RuntimeError("out of memory")

    handle = lm._body.register_forward_hook(fail)
    with pytest.raises(SynthesisFailed, match="out of memory"):
        next(lm.generate(prompt, GREEDY))
    handle.remove()
    assert len(list(lm.generate(prompt, GREEDY))) == GREEDY.max_new_tokens  # the lock was freed


def test_the_model_goes_when_it_is_dropped(mira, prompt) -> None:
    lm = TransformersLM.load(mira.language, mira.tokens)
    list(lm.generate(prompt, GREEDY))
    gone = weakref.ref(lm._body)
    del lm
    gc.collect()
    assert gone() is None


def test_loading_shows_no_progress_bar(mira, capfd) -> None:
    TransformersLM.load(mira.language, mira.tokens)
    assert capfd.readouterr() == ("", "")
