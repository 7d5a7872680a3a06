"""Many streams in PyTorch, on the tiny checkpoint; their contract is test_base.py's."""

import logging
import random
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mira.errors import CheckpointError, InvalidSettings, SynthesisFailed
from mira.model.checkpoint.layout import Checkpoint, open_checkpoint
from mira.model.codec.base import SPEECH_CODES
from mira.model.cuda import Passes
from mira.model.lm import torch_runner
from mira.model.lm.base import sayable
from mira.model.lm.batching import BatchingLM, Row
from mira.model.lm.torch_runner import TorchRunner
from mira.types import Sampling
from tests.card import on_card
from tests.model.lm.reference import Reference
from tests.model.lm.test_batching import idle, wait_for

GREEDY = Sampling(temperature=0, max_new_tokens=40)
LENGTHS = (33, 128, 70, 97, 2, 64)
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB. GPU 0 has ...")


@pytest.fixture(scope="module")
def runner(mira: Checkpoint) -> TorchRunner:
    """Streams of any length pass all lengths that a step may have; memory is as it was found."""
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(torch_runner, "LENGTHS", (48, 64))
        runner = TorchRunner(mira, "cpu", max_streams=6, max_context=128)
        runner._keys.fill_(torch.nan)
        runner._values.fill_(torch.inf)
    return runner


@pytest.fixture(scope="module")
def lm(mira: Checkpoint, runner: TorchRunner) -> Iterator[BatchingLM]:
    with closing(BatchingLM(runner, mira.tokens)) as lm:
        yield lm


def loaded(checkpoint: Checkpoint, device: str = "cpu", **others: Any) -> BatchingLM:
    return BatchingLM(TorchRunner(checkpoint, device, **others), checkpoint.tokens)


def test_greedy_equals_a_plain_loop_over_all_logits(lm, mira, reference, prompt) -> None:
    """No cache, no sliced head: the whole prompt again at every step."""
    ids, codes = list(prompt), []
    with torch.inference_mode():
        for _ in range(GREEDY.max_new_tokens):
            scores = reference.model(torch.tensor([ids])).logits[0, -1]
            seen = torch.tensor(sorted(set(ids)))
            scores[seen] = torch.where(scores[seen] > 0, scores[seen] / 1.2, scores[seen] * 1.2)
            ids.append(int(allowed_only(mira, scores).argmax()))
            codes.append(ids[-1] - mira.tokens.first_speech)
    assert list(lm.generate(prompt, GREEDY)) == codes


def allowed_only(checkpoint: Checkpoint, scores: torch.Tensor) -> torch.Tensor:
    masked, rows = torch.full_like(scores, -torch.inf), sayable(checkpoint.tokens)
    masked[..., rows] = scores[..., rows]
    return masked


def test_greedy_equals_transformers_own_generate(lm, mira, reference, prompt) -> None:
    from transformers import LogitsProcessorList

    found = reference.model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        repetition_penalty=1.2,
        max_new_tokens=GREEDY.max_new_tokens,
        logits_processor=LogitsProcessorList([lambda ids, scores: allowed_only(mira, scores)]),
    )[0, len(prompt) :]
    codes = [i - mira.tokens.first_speech for i in found.tolist()]
    assert list(lm.generate(prompt, GREEDY)) == codes


def test_greedy_and_drawn_tokens_are_the_reference_s(lm, reference, prompt) -> None:
    for sampling in (GREEDY, Sampling(seed=3, max_new_tokens=80)):
        assert list(lm.generate(prompt, sampling)) == list(reference.generate(prompt, sampling))


def test_streams_that_come_and_go_are_what_they_are_alone(lm, reference, prompts) -> None:
    """More than there are places for, of different lengths, some given up."""
    random_ = random.Random(1)
    texts = ["hello", "the world", "hello the world", "one two three four"]
    jobs = [
        (prompts.build(random_.choice(texts), random_.sample(range(4096), 32)), seed)
        for seed in range(16)
    ]
    until = [random_.choice([None, random_.randint(0, 25)]) for _ in jobs]

    def run(number: int, speaker) -> list[int]:
        prompt, seed = jobs[number]
        with closing(speaker.generate(prompt, Sampling(seed=seed, max_new_tokens=30))) as tokens:
            return list(islice(tokens, until[number]))

    alone = [run(number, reference) for number in range(len(jobs))]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda number: run(number, lm), range(len(jobs)))) == alone
    wait_for(lambda: idle(lm))


def test_a_step_of_every_kind_of_row(runner, reference, prompts) -> None:
    """Prompts in parts, one ending in a single token, beside streams that speak: exact logits."""
    first = prompts.build("hello", list(range(32)))
    second = prompts.build("one two three four", list(range(32, 64)))

    def check(*rows: tuple[int, list[int], int]) -> None:
        """(place, all ids, how many of them were read before)"""
        found = runner.step([Row(ids[past:], past, [place]) for place, ids, past in rows])
        expected = [reference.logits(ids, [])[0] for _, ids, _ in rows]
        np.testing.assert_allclose(found, expected, atol=1e-4)

    check((4, first[:20], 0))
    check((4, first[:21], 20), (1, second[:30], 0))
    check((1, second, 30), (4, first[:22], 21), (0, first[:1], 0))
    check((0, first, 1), (1, [*second, first[0]], len(second)))
    # Who spoke in a place before has no part in what is read there now.
    check((3, second[9:10], 0), (4, first[:23], 22))
    check((3, first[:20], 0))
    check((3, first, 20), (4, first[:24], 23))


def test_prompts_of_all_lengths_share_passes(runner, reference, monkeypatch) -> None:
    """Each is what it is alone, however few or many others it is filled up with."""
    dice = random.Random(0)
    read: list[tuple[int, int, int]] = []
    whole = runner._pass
    monkeypatch.setattr(runner, "_passes", Passes(torch.device("cpu"), "none is recorded"))
    monkeypatch.setattr(runner, "_pass", lambda *shape: (read.append(shape), whole(*shape)))
    prompts = [[dice.randrange(runner.vocab_rows) for _ in range(n)] for n in LENGTHS]
    found = runner.step([Row(ids, 0, [place]) for place, ids in enumerate(prompts)])
    expected = [reference.logits(ids, [])[0] for ids in prompts]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert read == [(4, 128, 128), (2, 64, 64)]  # 512 tokens at once, the longest first


def test_it_goes_on_where_it_can_not_record(mira, reference, prompt, caplog, monkeypatch) -> None:
    """Nothing depends on what was recorded, and how long it took is said."""
    monkeypatch.setattr(torch_runner, "RECORDING_S", 0.0)
    with caplog.at_level(logging.INFO):
        runner = TorchRunner(mira, "cpu", max_streams=2, max_context=128)
    assert "language model: 0 passes recorded in 0.0 s" in caplog.text
    with closing(BatchingLM(runner, mira.tokens)) as lm:
        assert list(lm.generate(prompt, GREEDY)) == list(reference.generate(prompt, GREEDY))


def test_what_overflowed_is_not_left_to_the_next_stream(runner, prompt) -> None:
    expected = runner.step([Row(prompt, 0, [2])])
    with torch.inference_mode():
        runner._keys[:, 2] = torch.nan
        runner._values[:, 2] = torch.inf
    np.testing.assert_array_equal(runner.step([Row(prompt, 0, [2])]), expected)


def test_a_stream_longer_than_its_place_is_refused(lm, prompt) -> None:
    fits = 128 - len(prompt) + 1
    assert len(list(lm.generate(prompt, Sampling(seed=4, max_new_tokens=fits)))) <= fits
    with pytest.raises(SynthesisFailed, match=rf"and {fits + 1} new ones don't fit into the 128"):
        next(lm.generate(prompt, Sampling(max_new_tokens=fits + 1)))


def test_too_small_a_card_names_the_setting(mira, monkeypatch) -> None:
    def fail(*_, **__) -> None:
        raise FULL

    monkeypatch.setattr("torch.zeros", fail)
    expected = (
        r"no room for 3 streams of 2048 tokens: set max_streams lower, .* \(CUDA out of memory\)"
    )
    with pytest.raises(InvalidSettings, match=expected):
        TorchRunner(mira, "cpu", max_streams=3)


def test_a_card_that_is_full_fails_its_streams_and_comes_back(
    lm, runner, reference, prompt, monkeypatch
) -> None:
    def fail(*_) -> None:
        raise FULL

    with closing(lm.generate(prompt, Sampling(temperature=0, max_new_tokens=80))) as tokens:
        next(tokens)
        with monkeypatch.context() as patch:
            patch.setattr(runner, "_read", fail)
            with pytest.raises(SynthesisFailed, match="set max_streams lower"):
                list(lm.generate(prompt, GREEDY))
            with pytest.raises(SynthesisFailed):
                list(tokens)
        wait_for(lambda: lm.ready)
    assert list(lm.generate(prompt, GREEDY)) == list(reference.generate(prompt, GREEDY))


def test_an_untied_head_is_used(mira, reference, prompt, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(mira.directory, tmp_path / "untied"))
    tensors = load_file(directory / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].roll(-1, 0)
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})
    config = (directory / "config.json").read_text()
    (directory / "config.json").write_text(
        config.replace('"tie_word_embeddings": true', '"tie_word_embeddings": false')
    )
    with closing(loaded(open_checkpoint(directory), max_streams=1)) as untied:
        first = next(reference.generate(prompt, GREEDY))
        assert next(untied.generate(prompt, GREEDY)) == first - 1


def test_a_tied_head_is_the_embedding_whatever_the_files_hold(
    mira, reference, prompt, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(mira.directory, tmp_path / "tied"))
    tensors = load_file(directory / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].roll(-1, 0)
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})
    with closing(loaded(open_checkpoint(directory), max_streams=1)) as tied:
        assert next(tied.generate(prompt, GREEDY)) == next(reference.generate(prompt, GREEDY))


def test_damaged_weights_are_named(mira, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(mira.directory, tmp_path / "damaged"))
    tensors = load_file(directory / "model.safetensors")
    tensors["model.norm.weight"][3] = float("nan")
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"safetensors: model\.norm\.weight: expected finite"):
        TorchRunner(open_checkpoint(directory), "cpu")


def test_bfloat16_speaks(mira, prompt) -> None:
    with closing(loaded(mira, dtype=torch.bfloat16, max_streams=1)) as lm:
        assert len(list(lm.generate(prompt, GREEDY))) == GREEDY.max_new_tokens


@pytest.mark.parametrize("end", [0, 1])
def test_any_of_the_ends_ends(runner, mira, prompt, end: int, monkeypatch) -> None:
    """With an end's row of the head far up, the stream is empty; the end is never yielded."""
    assert end < len(mira.tokens.end_ids)
    head = runner._net.head.clone()
    head[SPEECH_CODES + end] = 100 * head[SPEECH_CODES]
    monkeypatch.setattr(runner._net, "head", head)
    with closing(BatchingLM(runner, mira.tokens)) as lm:
        assert list(lm.generate(prompt, GREEDY)) == []


def test_a_spoken_example_is_penalised_too(lm, prompts) -> None:
    """The penalty counts the prompt's speech tokens, as transformers and TurboMind do.

    A penalty far below one is a reward: some of twenty tokens have a positive logit, and the
    likeliest of those wins by a hundredfold.
    """
    example = list(range(100, 2100, 100))
    reward = Sampling(temperature=0, repetition_penalty=0.01, max_new_tokens=1)
    prompt = prompts.build("hello", list(range(32)), example)
    assert next(lm.generate(prompt, reward)) in example


@on_card
def test_on_a_card_recorded_steps_are_those_of_the_reference(mira, prompt) -> None:
    """In bfloat16, through recorded passes: as near the exact logits as the reference's are."""
    exact = Reference(mira.language, mira.tokens)
    rounded = Reference(mira.language, mira.tokens, torch.bfloat16, "cuda")
    runner = TorchRunner(mira, "cuda", torch.bfloat16, max_streams=3)
    ids = [mira.tokens.first_speech + number for number in range(30)]
    found = [runner.step([Row(prompt, 0, [2])])[0]]
    for past, one in enumerate(ids, len(prompt)):
        found.append(runner.step([Row([one], past, [2])])[0])
    true = exact.logits(prompt, ids)
    error = np.square(np.stack(found) - true).mean()
    assert error < 1.2 * np.square(rounded.logits(prompt, ids) - true).mean()


@on_card
def test_on_a_card_too_many_streams_name_the_setting(mira) -> None:
    with pytest.raises(InvalidSettings, match="set max_streams lower"):
        TorchRunner(mira, "cuda", max_streams=100_000, max_context=1 << 15)


@on_card
def test_on_a_card_who_hangs_up_is_gone_in_50_ms(mira, prompt) -> None:
    with closing(loaded(mira, "cuda")) as lm:
        for seed in range(5):
            tokens = lm.generate(prompt, Sampling(seed=seed, max_new_tokens=500))
            next(tokens)
            began = time.monotonic()
            tokens.close()
            wait_for(lambda: idle(lm))
            assert time.monotonic() - began < 0.05
