"""How many calls a machine takes: on models whose speed is known."""

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np
import pytest

from mira.errors import SynthesisFailed
from mira.model.codec.base import Span, Speaker
from mira.model.lm.batching import BatchingLM
from mira.model.pace import (
    LONGEST_FIRST,
    SHORTEST_FIRST,
    _first_frames,
    _step_s,
    measure,
)
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Samples, Sampling
from tests.model.lm.test_batching import PROMPT, VOCABULARY, ToyRunner

NOBODY = Speaker(*(np.zeros(shape, np.float32) for shape in (1, (1, 1), (1, 1))))


class Renders:
    """A `Codec` that takes so long for a window, and so long for each frame in it."""

    def __init__(self, window_s: float, frame_s: float) -> None:
        self.window_s = window_s
        self.frame_s = frame_s

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        (span,) = spans
        time.sleep(self.window_s + self.frame_s * (span.stop - span.start))
        return [np.zeros(0, np.float32)]


def measured(step_s: float, codec: Renders, most: int = 64):
    lm = BatchingLM(ToyRunner(step_s=step_s, max_streams=64), VOCABULARY)
    try:
        return measure(lm, codec, PROMPT, NOBODY, 75, most)  # type: ignore[arg-type]
    finally:
        lm.close()


def test_a_model_that_batches() -> None:
    """Steps take half of the time, and each call's windows a twentieth: a few fit."""
    pace = measured(0.01, Renders(0.0, 0.001))
    assert 2 <= pace.calls <= 7
    assert pace.first_frames == SHORTEST_FIRST
    assert 0.5 < pace.real_time_factor < 1


@pytest.mark.parametrize("most", [1, 3, 5])
def test_as_many_as_asked_for_and_no_more(most: int) -> None:
    assert measured(0.0, Renders(0.0, 0.0), most).calls == most


def step_s(max_streams: int, calls: int) -> float:
    """Measured on steps of 20 ms, with a prompt that fills one."""
    runner = ToyRunner(step_s=0.02, max_streams=max_streams)
    with closing(BatchingLM(runner, VOCABULARY)) as lm:
        return _step_s(lm, list(range(60)), calls)


def test_what_was_made_while_others_began_counts_for_nothing() -> None:
    """Prompts are read one after another: the first stream is then far ahead of the last."""
    assert step_s(max_streams=16, calls=12) >= 0.019


def test_calls_that_would_wait_for_a_place_do_not_count() -> None:
    assert step_s(max_streams=4, calls=6) == math.inf
    assert step_s(max_streams=4, calls=12) == math.inf


def test_a_machine_that_is_too_slow_takes_one_call_and_begins_late() -> None:
    pace = measured(0.03, Renders(0.05, 0.001))
    assert (pace.calls, pace.first_frames) == (1, LONGEST_FIRST)
    assert pace.real_time_factor > 1.5


@pytest.mark.parametrize(("step_s", "window_s", "frame_s"), [(0.01, 0.08, 0.002), (0.005, 0.15, 0)])
def test_a_first_chunk_lasts_until_the_second_is_there(
    step_s: float, window_s: float, frame_s: float
) -> None:
    frames = _first_frames(step_s, window_s, frame_s)
    assert SHORTEST_FIRST < frames < LONGEST_FIRST
    assert frames * 0.02 >= frames * (step_s + frame_s) + window_s
    assert (frames - 1) * 0.02 < (frames - 1) * (step_s + frame_s) + window_s


class Breaks:
    ready = True
    failure = ""

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        if sampling.seed == 1:
            raise SynthesisFailed("no memory")
        yield from range(50)


def test_a_model_that_breaks_while_it_is_measured_hangs_nothing() -> None:
    with pytest.raises(SynthesisFailed, match="no memory"):
        measure(Breaks(), Renders(0, 0), PROMPT, NOBODY, 75, 8)  # type: ignore[arg-type]
