"""What this machine can do, measured on it at the start.

Knows nothing about which model speaks.
"""

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from mira.model.codec.base import CONTEXT, FRAME_RATE, WAVE_CONTEXT, Codec, Span, Speaker
from mira.model.lm.base import LanguageModel
from mira.types import Sampling

SENTENCE = "Thank you for waiting, I have found your booking and it can be changed right now."
HEADROOM = 1.15
"""Times real time that every call has to reach: not every moment is like the measured one."""
STEPS = 10  # of the language model, for each number of calls
SHORTEST_FIRST, LONGEST_FIRST = 8, 12  # frames: below, context eats it; above, the answer is late


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a model is here."""

    calls: int  # that it keeps fed at the same time; 1 if not even that
    first_frames: int  # of a first chunk that lasts until the second can be there
    real_time_factor: float  # of one call alone


def measure(
    language_model: LanguageModel,
    codec: Codec,
    prompt: Sequence[int],
    speaker: Speaker,
    steady_frames: int,
    most: int,
) -> Pace:
    """Step the language model for more and more calls, and render windows.

    Both run on the same processors, so their times add up: a call takes 50 steps and a second's
    windows for each second of audio.

    Args:
        prompt: Of any sentence.
        speaker: Anybody.
        steady_frames: In a large window.
        most: Calls to try.
    """
    short_s = _window_s(codec, speaker, SHORTEST_FIRST)
    steady_s = _window_s(codec, speaker, steady_frames)
    codec_factor = steady_s * FRAME_RATE / steady_frames
    alone_s = _step_s(language_model, prompt, 1)
    calls = 1
    while calls < most:
        tried = min(most, calls + max(1, calls // 2))
        step_s = _step_s(language_model, prompt, tried)
        if (step_s * FRAME_RATE + tried * codec_factor) * HEADROOM > 1:
            break
        calls = tried
    frame_s = max(0.0, (steady_s - short_s) / (steady_frames - SHORTEST_FIRST))
    return Pace(
        calls,
        _first_frames(alone_s, max(0.0, short_s - SHORTEST_FIRST * frame_s), frame_s),
        alone_s * FRAME_RATE + codec_factor,
    )


def _first_frames(step_s: float, window_s: float, frame_s: float) -> int:
    """Return the length of the shortest chunk that outlasts the making of another one like it.

    Args:
        step_s: To make a token.
        window_s: To render a window, whatever is in it.
        frame_s: And for each frame.
    """
    gained_s = 1 / FRAME_RATE - step_s - frame_s  # by each frame, on what the window costs
    if gained_s <= 0:
        return LONGEST_FIRST
    return min(LONGEST_FIRST, max(SHORTEST_FIRST, math.ceil(window_s / gained_s)))


def _window_s(codec: Codec, speaker: Speaker, frames: int) -> float:
    """Measure a pass: the median, without the first, which prepares what the others use."""
    span = Span(range(CONTEXT + frames + WAVE_CONTEXT), speaker, CONTEXT, CONTEXT + frames)
    ended = []
    for _ in range(4):
        codec.decode([span])
        ended.append(time.perf_counter())
    return median(later - earlier for earlier, later in pairwise(ended))


def _step_s(language_model: LanguageModel, prompt: Sequence[int], calls: int) -> float:
    """Measure the time from token to token of `calls` streams; infinite if they don't all speak.

    Nobody stops reading meanwhile: what a model made in advance would seem to take no time.
    """
    speaking: list[int] = []
    # While the prompts are read one after another, the first ones already speak.
    until_all_speak = calls * (2 + len(prompt) // 16)
    sampling = Sampling(max_new_tokens=until_all_speak + STEPS)

    def speak(seed: int) -> float:
        said: list[float] = []  # when, since all speak
        with closing(language_model.generate(prompt, replace(sampling, seed=seed))) as tokens:
            for number, _ in enumerate(tokens):
                if number == 0:
                    speaking.append(seed)
                if len(speaking) == calls:
                    said.append(time.perf_counter())
                if len(said) > STEPS:
                    break
        return (said[-1] - said[0]) / (len(said) - 1) if len(said) > 1 else math.inf

    with ThreadPoolExecutor(calls, "mira-pace") as pool:
        return max(pool.map(speak, range(calls)))
