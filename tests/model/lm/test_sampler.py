"""Law: the distribution is the one that transformers' own processors leave."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mira.model.lm.sampler import Sampler, distribution, pick_all
from mira.types import Sampling

NUM = 300
SAMPLINGS = st.builds(
    Sampling,
    temperature=st.floats(0.1, 2),
    top_k=st.integers(0, NUM + 1),
    top_p=st.floats(0.05, 1),
    min_p=st.floats(0, 1),
    repetition_penalty=st.floats(0.5, 2),
)


def published(logits: Tensor, seen: list[int], sampling: Sampling) -> Tensor:
    """Probabilities [NUM] by transformers, in the order of its `generate`."""
    from transformers import (
        MinPLogitsWarper,
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    processors = [
        RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty),
        TemperatureLogitsWarper(sampling.temperature),
        *([TopKLogitsWarper(sampling.top_k)] if sampling.top_k else []),
        *([TopPLogitsWarper(sampling.top_p)] if sampling.top_p < 1 else []),
        MinPLogitsWarper(sampling.min_p),
    ]
    scores, ids = logits[None].clone(), torch.tensor([seen], dtype=torch.long)
    for process in processors:
        scores = process(ids, scores)
    return scores[0].softmax(dim=0)


def ours(logits: Tensor, seen: list[int], sampling: Sampling) -> Tensor:
    sampler = Sampler(sampling, NUM, seen)
    columns, kept = distribution([sampler], logits.numpy()[None])
    probabilities = torch.zeros(NUM)
    own = kept[0] > 0  # behind them, column 0 fills up
    probabilities[columns[0, own]] = torch.from_numpy(kept[0, own]).float()
    return probabilities


def tokens_near_an_edge(logits: Tensor, seen: list[int], sampling: Sampling) -> bool:
    """Whether a sum or a ratio is so near its limit that rounding decides."""
    from transformers import RepetitionPenaltyLogitsProcessor

    penalised = RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)(
        torch.tensor([seen], dtype=torch.long), logits[None].clone()
    )
    scaled = penalised[0].double() / sampling.temperature
    ranked = scaled.sort(descending=True).values[: sampling.top_k or None].softmax(dim=0)
    edges = [ranked.cumsum(0) - sampling.top_p, ranked / ranked[0] - sampling.min_p]
    return any(bool((edge.abs() < 1e-5).any()) for edge in edges)


@given(st.integers(0, 2**31), st.lists(st.integers(0, NUM - 1), max_size=40), SAMPLINGS)
def test_equals_transformers(seed: int, seen: list[int], sampling: Sampling) -> None:
    logits = 3 * torch.randn(NUM, generator=torch.Generator().manual_seed(seed))
    found, expected = ours(logits, seen, sampling), published(logits, seen, sampling)
    if not tokens_near_an_edge(logits, seen, sampling):
        assert torch.equal(found > 0, expected > 0)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("top_k", [5, 50])
def test_ties_are_kept_as_transformers_does(top_k: int) -> None:
    """bfloat16 logits tie often."""
    logits = torch.randn(NUM, generator=torch.Generator().manual_seed(0)).mul(4).round() / 4
    sampling = Sampling(top_k=top_k, top_p=1, min_p=0)
    found, expected = ours(logits, [3], sampling), published(logits, [3], sampling)
    assert (found > 0).sum() > top_k
    torch.testing.assert_close(found, expected)


@st.composite
def any_sampling(draw: st.DrawFn) -> Sampling:
    return Sampling(
        temperature=draw(st.sampled_from([0, 0.1, 0.8, 2])),
        top_k=draw(st.sampled_from([0, 1, 5, 50, 128, 129, NUM])),
        top_p=draw(st.sampled_from([0.3, 0.95, 1])),
        min_p=draw(st.sampled_from([0, 0.05, 1])),
        repetition_penalty=draw(st.sampled_from([0.7, 1, 1.2])),
        seed=draw(st.integers(0, 9)),
    )


@given(
    samplings=st.lists(any_sampling(), min_size=1, max_size=9),
    step=st.sampled_from([0.0, 0.25]),
    seed=st.integers(0, 2**31),
    broken=st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_together_each_picks_what_it_picks_alone(
    samplings: list[Sampling], step: float, seed: int, broken: list[bool]
) -> None:
    """To the last bit, over several steps; with logits that tie, and some that overflowed."""
    random = np.random.default_rng(seed)
    together, alone = (
        [Sampler(sampling, NUM, range(row, 9 * row)) for row, sampling in enumerate(samplings)]
        for _ in range(2)
    )
    likely = random.normal(0, 4, (len(samplings), NUM))
    for _ in range(4):  # the same columns are likely again: that they were picked matters
        logits = (likely + random.normal(0, 0.5, likely.shape)).astype(np.float32)
        if step:
            logits = (logits / step).round() * np.float32(step)
        logits[broken[: len(samplings)], random.integers(NUM)] = random.choice([np.nan, -np.inf])
        found = pick_all(together, logits)
        for row, sampler in enumerate(alone):
            assert [found[row]] == pick_all([sampler], logits[row : row + 1])
            assert (found[row] is None) == broken[row]


def pick(sampler: Sampler, logits: npt.NDArray[np.float32]) -> int | None:
    (picked,) = pick_all([sampler], logits[None])
    return picked


def normal(seed: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(NUM, np.float32)


def test_draws_follow_the_distribution() -> None:
    """4000 draws of a pair, three to one: five deviations are 137."""
    logits = np.full(NUM, -50, np.float32)
    logits[[7, 9]] = np.log([3, 1])
    sampling = Sampling(temperature=1, repetition_penalty=1, seed=0)
    sampler = Sampler(sampling, NUM)
    picks = [pick(sampler, logits) for _ in range(4000)]
    assert set(picks) == {7, 9}
    assert abs(picks.count(7) - 3000) < 137


def test_zero_temperature_is_the_likeliest() -> None:
    """Of several that are as likely, the first."""
    logits = normal(1)
    logits[[7, 200]] = logits.max()
    sampler = Sampler(Sampling(temperature=0, repetition_penalty=1), NUM)
    assert {pick(sampler, logits) for _ in range(20)} == {int(logits.argmax())}


def test_what_was_picked_or_prompted_is_penalised() -> None:
    logits = np.zeros(NUM, np.float32)
    logits[1], logits[2], logits[3] = 3.0, 2.9, 2.8
    greedy = Sampling(temperature=0, repetition_penalty=1.2)
    sampler = Sampler(greedy, NUM)
    assert [pick(sampler, logits) for _ in range(5)] == [1, 2, 3, 1, 1]  # once each, not twice
    assert pick(Sampler(greedy, NUM, seen=[1]), logits) == 2


def test_a_seed_repeats_and_no_seed_does_not() -> None:
    logits = normal(2)

    def picks(seed: int | None) -> list[int]:
        sampler = Sampler(Sampling(seed=seed), NUM)
        return [pick(sampler, logits) for _ in range(20)]

    assert picks(5) == picks(5)
    assert picks(5) != picks(6)
    assert picks(None) != picks(None)


def test_global_random_numbers_are_left_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    pick(Sampler(Sampling(seed=1), NUM), normal(0))
    pick(Sampler(Sampling(), NUM), normal(0))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_nothing_is_picked_of_what_overflowed(bad: float) -> None:
    logits = np.zeros(NUM, np.float32)
    logits[17] = bad
    assert pick(Sampler(Sampling(), NUM), logits) is None
