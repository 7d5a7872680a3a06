"""As many tokens as asked for, from as many generations as it takes, on a tiny model too."""

import json
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from mira.errors import SynthesisFailed
from mira.stream.cancel import Cancel
from mira.stream.playback import Playback
from mira.types import Sampling
from tools.bench.lm import PROMPT_TOKENS, measure, pull, together


class Counting:
    """A `LanguageModel` that ends every generation after a few tokens."""

    ready = True
    failure = ""

    def __init__(self, per_generation: int) -> None:
        self.per_generation = per_generation
        self.seeds: list[int | None] = []
        self.closed = 0

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        playback: Playback | None = None,
        cancel: Cancel | None = None,
    ) -> Generator[int, None, None]:
        """Count."""
        self.seeds.append(sampling.seed)
        try:
            for token in range(self.per_generation):
                time.sleep(0.002)
                yield token
        finally:
            self.closed += 1

    def close(self) -> None:
        """Nothing runs."""


def test_a_call_goes_on_until_it_has_its_tokens() -> None:
    model = Counting(7)
    call = pull(model, [1], 20, seed=5)
    assert model.seeds == [5, 6, 7]
    assert model.closed == 3
    assert 2 <= call.first_token_ms < call.wall_s * 1000
    assert call.wall_s >= 20 * 0.002


def test_a_model_that_says_nothing_is_not_waited_for() -> None:
    with pytest.raises(SynthesisFailed, match="next to nothing"):
        pull(Counting(0), [1], 20, seed=0)


def test_calls_run_together() -> None:
    model = Counting(50)
    began = time.perf_counter()
    calls = together(model, [[1], [2], [3], [4]], 50)
    assert len(calls) == 4
    assert time.perf_counter() - began < 3 * max(call.wall_s for call in calls)
    assert len(set(model.seeds)) == 4


def test_a_tiny_model(mira_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(str(mira_directory), (1, 2), num_tokens=10, lm_engine="torch")
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["calls"] for row in found["rows"]] == [1, 2]
    for row in found["rows"]:
        assert row["tokens/s"] > 0 and row["first token p50 ms"] > 0
        assert row["prompt tokens"] in (PROMPT_TOKENS, PROMPT_TOKENS + 1)
