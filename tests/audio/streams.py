"""Signals, and the ways to put them through a stage."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

from mira.types import Samples

Out = TypeVar("Out", covariant=True)


class Stage(Protocol[Out]):
    def push(self, samples: Samples) -> Out: ...
    def flush(self) -> Out: ...


def outputs(stage: Stage[Out], parts: Iterable[Samples]) -> list[Out]:
    """Use the stage up."""
    return [*map(stage.push, parts), stage.flush()]


def cut(samples: Samples, lengths: Sequence[int]) -> list[Samples]:
    """Cut into parts of these lengths, over and over until the samples are used up."""
    parts, start = [], 0
    while start < len(samples):
        for length in lengths:
            parts.append(samples[start : start + length])
            start += length
    return parts


def part_lengths() -> st.SearchStrategy[list[int]]:
    """Nothing, single samples, odd ends, 20 ms frames and more than a codec's frame."""
    one = st.one_of(st.integers(0, 3), st.integers(4, 700), st.sampled_from([480, 960, 5000]))
    # Not only tiny parts: they would make a test of minutes, and three in a row are enough.
    return st.lists(one, min_size=1, max_size=8).filter(lambda some: sum(some) >= 60 * len(some))


def tone(frequency: float, sample_rate: int, duration_s: float, amplitude: float = 0.5) -> Samples:
    time_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * frequency * time_s)).astype(np.float32)


def noise(num_samples: int, seed: int = 0, amplitude: float = 0.2) -> Samples:
    return np.random.default_rng(seed).uniform(-amplitude, amplitude, num_samples).astype("f4")


def level_db(samples: Samples) -> float:
    """Root mean square, relative to full scale."""
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-30))
