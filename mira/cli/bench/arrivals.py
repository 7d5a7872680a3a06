"""A rate and a seed in, who asks for what and when out.

Knows nothing about who answers.
"""

import random
from dataclasses import dataclass

REPLIES = (  # the kind of thing that agents say
    "Hello there.",
    "How can I help you today?",
    "Sure, one moment please.",
    "Thanks for calling Northwind, my name is Clara.",
    "I have found your booking for the fourteenth of March.",
    "Your order left our warehouse this morning and should reach you tomorrow before noon.",
    "I'm sorry to hear that, let me see what I can do for you right away.",
    "The total comes to forty two dollars and fifty cents, including delivery.",
    "Could you please spell your last name for me?",
    "You can change the appointment online, or I can do it for you now if you tell me a day.",
    "Is there anything else that I can help you with before we finish?",
    "Please hold the line while I check that with a colleague.",
)
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


def sentences(count: int, first: int = 0) -> str:
    """Join `count` replies, beginning with the one at `first`."""
    return " ".join(REPLIES[(first + i) % len(REPLIES)] for i in range(count))
