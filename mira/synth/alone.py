"""How many listeners a synthesizer that doesn't batch keeps fed, measured at the start.

Knows nothing about which one it is; the built-in voice must not need a Mira model's libraries.
"""

import time
from contextlib import closing

from mira.synth.base import Synthesizer

HEADROOM = 1.15
"""Times real time that every call has to reach: not every moment is like the measured one."""

SENTENCE = "Thank you for waiting, I have found your booking and it can be changed right now."
ONE_S = 0.3  # of speaking for one listener after another


def calls_of_one(synthesizer: Synthesizer, most: int) -> int:
    """How many listeners a synthesizer that doesn't batch keeps fed, from 1 to `most`."""
    spoken_s = took_s = 0.0
    began = time.perf_counter()
    while took_s < ONE_S:
        with closing(synthesizer.synthesize(SENTENCE, synthesizer.voices[0])) as blocks:
            for block in blocks:
                spoken_s += len(block) / synthesizer.sample_rate
                if time.perf_counter() - began >= ONE_S:
                    break
        took_s = time.perf_counter() - began
    return max(1, min(most, int(spoken_s / took_s / HEADROOM)))
