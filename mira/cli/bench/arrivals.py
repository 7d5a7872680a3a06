"""A rate and a seed in, who asks for what and when out.

Knows nothing about who answers.
"""

import random
from dataclasses import dataclass

from mira.cli.bench.texts import REPLIES, sentences

LONG_SENTENCES = 6  # about 20 s of speech


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the load."""

    at_s: float  # after the load began
    text: str


def poisson(rate: float, duration_s: float, short: float, seed: int) -> list[Asked]:
    """Draw what independent callers ask for: the time between two of them is exponential.

    Args:
        rate: Requests a second, on average.
        duration_s: Nobody asks later than this.
        short: Share of requests for one short reply, in [0, 1]; the others are long answers.
        seed: The same one draws the same again.
    """
    dice = random.Random(f"{seed} {rate}")
    asked: list[Asked] = []
    at_s = dice.expovariate(rate)
    while at_s < duration_s:
        count = 1 if dice.random() < short else LONG_SENTENCES
        asked.append(Asked(at_s, sentences(count, dice.randrange(len(REPLIES)))))
        at_s += dice.expovariate(rate)
    return asked
