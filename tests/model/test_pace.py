"""How many calls a machine takes: on models whose speed is known."""

import math
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np
import pytest

from mira.errors import SynthesisFailed
from mira.model import pace as pace_module
from mira.model.codec.base import Span, Speaker
from mira.model.lm.batching import BatchingLM
from mira.model.pace import (
    LONGEST_FIRST,
    SHORTEST_FIRST,
    STEPS,
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


class Clocks(threading.local):
    """In place of `time`: each thread's own hands, which move when it says so."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class OnTime:
    """A `LanguageModel` and a `Codec` that take so long by `clocks`, whatever else runs here."""

    ready = True
    failure = ""

    def __init__(self, clocks: Clocks, step_s: float, frame_s: float) -> None:
        self.clocks, self.step_s, self.frame_s = clocks, step_s, frame_s
        self.all_begin: dict[int, threading.Barrier] = {}  # by number of calls
        self.lock = threading.Lock()

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        calls = (sampling.max_new_tokens - STEPS) // 2  # two tokens more for each short prompt
        with self.lock:
            begin = self.all_begin.setdefault(calls, threading.Barrier(calls, timeout=60))
        for number in range(sampling.max_new_tokens):
            if number == 1:
                begin.wait()
            self.clocks.now += self.step_s
            yield number

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        (span,) = spans
        self.clocks.now += self.frame_s * (span.stop - span.start)
        return [np.zeros(0, np.float32)]


def test_a_model_that_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps take half of the time, and each call's windows a twentieth: six fit, nine don't."""
    monkeypatch.setattr(pace_module, "time", clocks := Clocks())
    model = OnTime(clocks, step_s=0.01, frame_s=0.001)
    pace = measure(model, model, [0], NOBODY, 75, 64)  # type: ignore[arg-type]
    assert (pace.calls, pace.first_frames) == (6, SHORTEST_FIRST)
    assert pace.real_time_factor == pytest.approx(0.55)
    assert max(model.all_begin) == 9


@pytest.mark.parametrize("most", [1, 3, 5])
def test_as_many_as_asked_for_and_no_more(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "time", clocks := Clocks())
    model = OnTime(clocks, step_s=0.0, frame_s=0.0)
    assert measure(model, model, [0], NOBODY, 75, most).calls == most  # type: ignore[arg-type]


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
    with closing(BatchingLM(ToyRunner(step_s=0.03, max_streams=64), VOCABULARY)) as lm:
        pace = measure(lm, Renders(0.05, 0.001), PROMPT, NOBODY, 75, 64)  # type: ignore[arg-type]
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
