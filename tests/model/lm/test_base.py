"""Contract: what every LanguageModel does, whichever library computes it.

A backend joins by a function in BACKENDS that opens a checkpoint with it. None is asked for the
same tokens as another: libraries round differently, and draw differently.
"""

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from mira.model.checkpoint.layout import Checkpoint
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm.base import LanguageModel, check_prompt
from mira.model.lm.batching import BatchingLM
from mira.model.lm.prompt import PromptBuilder
from mira.types import Sampling
from tests.card import CARD
from tests.model.lm.conftest import GLOBAL_TOKENS
from tests.model.lm.lmdeploy_stand_ins import on_a_gpu


def openvino(checkpoint: Checkpoint) -> LanguageModel:
    from mira.model.convert import convert_language
    from mira.model.lm.openvino import GRAPH, OpenVINORunner

    with TemporaryDirectory() as directory:
        convert_language(checkpoint, Path(directory), "bf16")
        runner = OpenVINORunner(Path(directory) / GRAPH, threads=1, max_streams=16)
        return BatchingLM(runner, checkpoint.tokens)


def torch_runner(checkpoint: Checkpoint, device: str = "cpu") -> LanguageModel:
    from mira.model.lm.torch_runner import TorchRunner

    # In float32: rounded to bfloat16, what is said depends on who else speaks.
    return BatchingLM(
        TorchRunner(checkpoint, device, torch.float32, max_streams=8), checkpoint.tokens
    )


def torch_runner_on_card(checkpoint: Checkpoint) -> LanguageModel:
    return torch_runner(checkpoint, "cuda")


BACKENDS: dict[str, Callable[[Checkpoint], LanguageModel]] = {
    "openvino": openvino,
    "torch": torch_runner,
}
ON_CARD: dict[str, Callable[[Checkpoint], LanguageModel]] = {
    "torch on a card": torch_runner_on_card,
    "LMDeploy": lambda checkpoint: on_a_gpu(checkpoint, "lmdeploy"),
    "LMDeploy in PyTorch": lambda checkpoint: on_a_gpu(checkpoint, "lmdeploy-pytorch"),
}


@pytest.fixture(
    scope="module", params=[*BACKENDS, *(pytest.param(name, marks=CARD) for name in ON_CARD)]
)
def lm(request: pytest.FixtureRequest, mira: Checkpoint) -> Iterator[LanguageModel]:
    with closing((BACKENDS | ON_CARD)[request.param](mira)) as lm:
        yield lm


def test_codes_are_in_the_codebook(lm: LanguageModel, prompt: list[int]) -> None:
    codes = [code for seed in range(3) for code in lm.generate(prompt, sampling(seed, 60))]
    assert all(type(code) is int for code in codes)
    assert all(0 <= code < SPEECH_CODES for code in codes)
    assert len(set(codes)) > 50


def sampling(seed: int, max_new_tokens: int = 20) -> Sampling:
    return Sampling(seed=seed, max_new_tokens=max_new_tokens)


def test_most_streams_end_by_themselves(lm: LanguageModel, prompt: list[int]) -> None:
    """This model ends after 130 tokens on average: that all four run to 500 is e^-15."""
    lengths = [sum(1 for _ in lm.generate(prompt, sampling(seed, 500))) for seed in range(4)]
    assert min(lengths) < 500


def test_the_cap_is_exact(lm: LanguageModel, prompt: list[int]) -> None:
    for cap in (1, 2, 7):
        greedy = Sampling(temperature=0, max_new_tokens=cap)
        assert len(list(lm.generate(prompt, greedy))) == cap


def test_a_seed_repeats(lm: LanguageModel, prompt: list[int]) -> None:
    first = list(lm.generate(prompt, sampling(7)))
    assert list(lm.generate(prompt, sampling(7))) == first
    assert len(first) > 5


def test_seeds_differ(lm: LanguageModel, prompt: list[int]) -> None:
    runs = [list(lm.generate(prompt, sampling(seed))) for seed in (7, 8)]
    runs += [list(lm.generate(prompt, Sampling(max_new_tokens=20))) for _ in range(2)]
    assert len({tuple(run) for run in runs}) == 4


def test_prompts_differ(lm: LanguageModel, prompts: PromptBuilder) -> None:
    """Text, speaker and spoken example all matter."""
    built = [
        prompts.build("hello", GLOBAL_TOKENS),
        prompts.build("world", GLOBAL_TOKENS),
        prompts.build("hello", GLOBAL_TOKENS[::-1]),
        prompts.build("hello", GLOBAL_TOKENS, [5, 6, 7]),
    ]
    assert len({tuple(lm.generate(prompt, sampling(0))) for prompt in built}) == 4


def test_it_streams(lm: LanguageModel, prompt: list[int]) -> None:
    """Tokens come one by one, and those seen early are those of the whole."""
    whole = list(lm.generate(prompt, sampling(3)))
    with closing(lm.generate(prompt, sampling(3))) as tokens:
        assert list(islice(tokens, 4)) == whole[:4]
        assert next(tokens) == whole[4]


def test_closing_frees(lm: LanguageModel, prompt: list[int]) -> None:
    """However many are given up, before they start or while they speak, the next one is served."""
    alone = list(lm.generate(prompt, sampling(5)))
    lm.generate(prompt, sampling(0)).close()
    for _ in range(40):
        tokens = lm.generate(prompt, sampling(5, 1000))
        assert next(tokens) == alone[0]
        tokens.close()
        assert list(tokens) == []
    gc.collect()
    assert list(lm.generate(prompt, sampling(5))) == alone


def test_together_as_alone(lm: LanguageModel, prompts: PromptBuilder) -> None:
    """Streams in several threads don't mix."""
    texts = ("hello", "the world", "hello the world", "one two three four")
    jobs = [(prompts.build(text, GLOBAL_TOKENS), sampling(i)) for i, text in enumerate(texts)]
    alone = [list(lm.generate(*job)) for job in jobs]
    with ThreadPoolExecutor(len(jobs)) as pool:
        for _ in range(2):
            assert list(pool.map(lambda job: list(lm.generate(*job)), jobs)) == alone


def test_interleaved_as_alone(lm: LanguageModel, prompt: list[int]) -> None:
    """Streams pulled in turn from one thread don't mix either."""
    alone = [list(lm.generate(prompt, sampling(seed))) for seed in (0, 1)]
    found = zip(*(lm.generate(prompt, sampling(seed)) for seed in (0, 1)), strict=False)
    assert list(found) == list(zip(*alone, strict=False))


@pytest.mark.parametrize("wrong", [[], [-1], [10**9]])
def test_prompts_that_can_not_be_are_refused(lm: LanguageModel, wrong: list[int]) -> None:
    with pytest.raises(ValueError, match=r"empty|outside"):
        next(lm.generate(wrong, sampling(0)))


def test_check_prompt() -> None:
    check_prompt([0, 9], 10)
    with pytest.raises(ValueError, match="id 10 is outside the vocabulary of 10"):
        check_prompt([0, 10], 10)
