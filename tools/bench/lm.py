"""The language model alone: prompts in many random voices, pulled by as many threads.

calls               simultaneous
tokens/s            speech tokens in all calls together; each call needs 50 to keep up
slowest call        tokens/s of the slowest one, its prompts included
first token p50 ms  asked -> first speech token, all calls asking in the same moment
prompt tokens       in each prompt

A call that ends before it has said what it should goes on with the same prompt and another seed,
so that all calls run for as long as the measurement does.
"""

import itertools
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mira.cli.bench.arrivals import REPLIES
from mira.cli.bench.command import numbers
from mira.cli.bench.report import percentile, report
from mira.errors import SynthesisFailed
from mira.load.parts import load_parts
from mira.model.codec.base import GLOBAL_CODES, GLOBAL_TOKENS
from mira.model.lm.base import LanguageModel
from mira.settings import load_settings
from mira.types import Sampling

if TYPE_CHECKING:
    from mira.model.lm.prompt import PromptBuilder

PROMPT_TOKENS = 60
ROUNDS = 7  # of first tokens


@dataclass(frozen=True, slots=True)
class Call:
    """What one call got."""

    first_token_ms: float
    wall_s: float


def main(model: str, calls: str = "1,4,8", tokens: int = 200) -> None:
    """Measure the language model alone: tokens a second, time to the first."""
    measure(model, numbers("--calls", calls, int), tokens)


def measure(directory: str, calls: Sequence[int], num_tokens: int = 200, **settings: str) -> None:
    """Measure a model, and print.

    Args:
        directory: A model, as in the setting of this name.
        calls: How many at once; one row each.
        num_tokens: That each call pulls; 50 are a second of speech.
        settings: Others than `model`.
    """
    loaded = load_parts(load_settings(flags={"model": directory, **settings})[0])
    with closing(loaded) as parts:
        model = parts.language_model
        prompts = [voice_prompt(parts.prompts, seed) for seed in range(max(calls))]
        together(model, prompts[:1], num_tokens)  # the first call of all is slower
        rows = [_row(model, prompts[:count], num_tokens) for count in calls]
    report("lm", rows, {"model": directory, "tokens": num_tokens, **settings})


def voice_prompt(prompts: "PromptBuilder", seed: int) -> list[int]:
    """Ask a random voice for words, as few as make PROMPT_TOKENS ids of it."""
    voice = [random.Random(seed).randrange(GLOBAL_CODES) for _ in range(GLOBAL_TOKENS)]
    text = " ".join(REPLIES[seed % len(REPLIES) :] + REPLIES)
    built = (prompts.build(text[:end], voice) for end in itertools.count(1))
    return next(prompt for prompt in built if len(prompt) >= PROMPT_TOKENS)


def together(model: LanguageModel, prompts: Sequence[list[int]], num_tokens: int) -> list[Call]:
    """Make one call for each prompt, all in the same moment."""
    gate = threading.Barrier(len(prompts))

    def one_call(number: int) -> Call:
        gate.wait()
        return pull(model, prompts[number], num_tokens, seed=1000 * number)

    with ThreadPoolExecutor(len(prompts)) as pool:
        return list(pool.map(one_call, range(len(prompts))))


def pull(model: LanguageModel, prompt: Sequence[int], num_tokens: int, seed: int) -> Call:
    """Pull `num_tokens` speech tokens, from as many generations as that needs.

    Raises:
        SynthesisFailed: The model broke, or says next to nothing.
    """
    began, arrived = time.perf_counter(), list[float]()
    for attempt in range(num_tokens):
        with closing(model.generate(prompt, Sampling(seed=seed + attempt))) as tokens:
            for _ in itertools.islice(tokens, num_tokens - len(arrived)):
                arrived.append(time.perf_counter())
        if len(arrived) == num_tokens:
            return Call((arrived[0] - began) * 1000, arrived[-1] - began)
    raise SynthesisFailed("The model says next to nothing: its speed can't be measured.")


def _row(model: LanguageModel, prompts: Sequence[list[int]], num_tokens: int) -> dict[str, object]:
    firsts = [call.first_token_ms for _ in range(ROUNDS) for call in together(model, prompts, 1)]
    calls = together(model, prompts, num_tokens)
    wall_s = max(call.wall_s for call in calls)
    return {
        "calls": len(prompts),
        "tokens/s": len(prompts) * num_tokens / wall_s,
        "slowest call": num_tokens / wall_s,
        "first token p50 ms": percentile(firsts, 50),
        "first token max ms": max(firsts),
        "prompt tokens": max(map(len, prompts)),
    }
