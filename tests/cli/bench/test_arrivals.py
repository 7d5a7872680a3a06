"""Arrivals are a Poisson process, drawn by a seed."""

import numpy as np
import pytest

from mira.cli.bench.arrivals import LONG_SENTENCES, REPLIES, poisson


@pytest.mark.parametrize("rate", [0.5, 4.0, 50.0])
def test_as_many_come_as_the_rate_says_and_independently(rate: float) -> None:
    duration_s = 4000 / rate
    at = np.array([asked.at_s for asked in poisson(rate, duration_s, 0.7, seed=1)])
    assert len(at) == pytest.approx(4000, abs=4 * 4000**0.5)  # four standard deviations
    assert at.min() > 0
    assert at.max() < duration_s
    gaps = np.diff(at)
    assert gaps.min() > 0
    # Of an exponential distribution mean and standard deviation are the same.
    assert gaps.mean() == pytest.approx(1 / rate, rel=0.07)
    assert gaps.std() == pytest.approx(1 / rate, rel=0.1)
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 0.07


def test_short_replies_and_long_answers_are_mixed_as_asked() -> None:
    texts = [asked.text for asked in poisson(10.0, 300.0, 0.7, seed=2)]
    short = [text for text in texts if text in REPLIES]
    assert len(short) / len(texts) == pytest.approx(0.7, abs=0.04)
    assert set(short) == set(REPLIES)
    longest = max(map(len, REPLIES))
    assert all(len(text) > longest for text in texts if text not in REPLIES)
    assert LONG_SENTENCES > 1
    assert {asked.text in REPLIES for asked in poisson(10.0, 10.0, 1.0, seed=2)} == {True}


def test_a_seed_draws_the_same_again_whatever_other_rates_are_tried() -> None:
    assert poisson(4.0, 30.0, 0.7, seed=5) == poisson(4.0, 30.0, 0.7, seed=5)
    assert poisson(4.0, 30.0, 0.7, seed=5) != poisson(4.0, 30.0, 0.7, seed=6)
    assert poisson(4.0, 60.0, 0.7, seed=5)[:50] == poisson(4.0, 30.0, 0.7, seed=5)[:50]
