"""Many streams in PyTorch, on the tiny checkpoint; their contract is test_base.py's."""

import logging
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice

import numpy as np
import pytest
import torch

from mira.errors import CheckpointError, InvalidSettings, SynthesisFailed
from mira.model.checkpoint.layout import Checkpoint
from mira.model.cuda import Passes
from mira.model.lm.batching import Row
from mira.model.lm.torch_runner import TorchLM, TorchRunner
from mira.model.lm.transformers import TransformersLM, load_model
from mira.types import Sampling
from tests.card import on_card
from tests.model.lm.test_batching import idle, wait_for

GREEDY = Sampling(temperature=0, max_new_tokens=40)
LENGTHS = (33, 128, 70, 97, 2, 64)
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB. GPU 0 has ...")


@pytest.fixture(scope="module")
def model(mira: Checkpoint):
    return load_model(mira.language, "cpu", "float32")


@pytest.fixture(scope="module")
def runner(mira: Checkpoint, model) -> TorchRunner:
    """Streams of any length pass all lengths that a step may have."""
    runner = TorchRunner(model, mira.tokens, max_streams=6, max_context=128, lengths=(48, 64))
    runner.record(20)
    return runner


@pytest.fixture(scope="module")
def lm(mira: Checkpoint, runner: TorchRunner) -> Iterator[TorchLM]:
    with closing(TorchLM(runner, mira.tokens)) as lm:
        yield lm


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
    whole = runner._read_pass
    monkeypatch.setattr(runner, "_passes", Passes(torch.device("cpu"), "none is recorded"))
    monkeypatch.setattr(runner, "_read_pass", lambda *shape: (read.append(shape), whole(*shape)))
    prompts = [[dice.randrange(runner.vocab_rows) for _ in range(n)] for n in LENGTHS]
    found = runner.step([Row(ids, 0, [place]) for place, ids in enumerate(prompts)])
    expected = [reference.logits(ids, [])[0] for ids in prompts]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert read == [(4, 128, 128), (2, 64, 64)]  # 512 tokens at once, the longest first


def test_it_goes_on_where_it_can_not_record(mira, model, reference, prompt, caplog) -> None:
    """Nothing depends on what was recorded, and how long it took is said."""
    runner = TorchRunner(model, mira.tokens, max_streams=2, max_context=128)
    with caplog.at_level(logging.INFO):
        runner.record(0)
    assert "language model: 0 passes recorded in 0.0 s" in caplog.text
    with closing(TorchLM(runner, mira.tokens)) as lm:
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


def test_too_small_a_card_names_the_setting(mira, model, monkeypatch) -> None:
    def fail(*_, **__) -> None:
        raise FULL

    monkeypatch.setattr("torch.zeros_like", fail)
    expected = (
        r"no room for 3 streams of 2048 tokens: set max_streams lower, .* \(CUDA out of memory\)"
    )
    with pytest.raises(InvalidSettings, match=expected):
        TorchRunner(model, mira.tokens, max_streams=3)


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


def test_float16_is_refused(mira, model) -> None:
    with pytest.raises(InvalidSettings, match="overflow"):
        TorchLM.load(mira.language, mira.tokens, "cpu", "float16")


def test_another_kind_of_model_is_refused(mira, model, monkeypatch) -> None:
    monkeypatch.setattr(model.config, "model_type", "llama")
    with pytest.raises(CheckpointError, match="found llama"):
        TorchRunner(model, mira.tokens)


@on_card
def test_on_a_card_recorded_steps_are_those_of_the_reference(mira, prompt) -> None:
    """In bfloat16, through recorded passes: as near the exact logits as the reference's are."""
    exact = TransformersLM.load(mira.language, mira.tokens)
    rounded = TransformersLM.load(mira.language, mira.tokens, "cuda", "bfloat16")
    runner = TorchRunner(load_model(mira.language, "cuda", "bfloat16"), mira.tokens, 3)
    runner.record(20)
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
        TorchLM.load(mira.language, mira.tokens, max_streams=100_000, max_context=1 << 15)


@on_card
def test_on_a_card_who_hangs_up_is_gone_in_50_ms(mira, prompt) -> None:
    with closing(TorchLM.load(mira.language, mira.tokens)) as lm:
        for seed in range(5):
            tokens = lm.generate(prompt, Sampling(seed=seed, max_new_tokens=500))
            next(tokens)
            began = time.monotonic()
            tokens.close()
            wait_for(lambda: idle(lm))
            assert time.monotonic() - began < 0.05
