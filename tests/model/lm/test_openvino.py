"""The CPU backend on a converted tiny checkpoint; its contract is test_base.py's."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from mira.errors import CheckpointError, InvalidSettings, SynthesisFailed
from mira.model.convert import convert_language
from mira.model.lm.batching import BatchingLM
from mira.model.lm.openvino import GRAPH, OpenVINORunner, check_processor
from mira.types import Sampling
from tests.model.lm.test_batching import idle, wait_for

GREEDY = Sampling(temperature=0, max_new_tokens=40)


@pytest.fixture(scope="module")
def converted(mira, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("converted")
    convert_language(mira, directory, "bf16")
    return directory


@pytest.fixture(scope="module")
def lm(mira, converted: Path):
    runner = OpenVINORunner(converted / GRAPH, threads=1, max_streams=16)
    with closing(BatchingLM(runner, mira.tokens)) as lm:
        yield lm


def test_greedy_and_drawn_tokens_are_the_reference_s(lm, reference, prompt) -> None:
    for sampling in (GREEDY, Sampling(seed=3, max_new_tokens=60)):
        assert list(lm.generate(prompt, sampling)) == list(reference.generate(prompt, sampling))


def test_sixteen_with_random_cancellations(lm, prompts) -> None:
    random_ = random.Random(1)
    texts = ["hello", "the world", "hello the world", "one two three four"]
    jobs = [
        (prompts.build(random_.choice(texts), random_.sample(range(4096), 32)), seed)
        for seed in range(32)
    ]
    until = [random_.choice([None, random_.randint(0, 25)]) for _ in jobs]

    def run(number: int) -> list[int]:
        prompt, seed = jobs[number]
        with closing(lm.generate(prompt, Sampling(seed=seed, max_new_tokens=30))) as tokens:
            return list(islice(tokens, until[number]))

    alone = [run(number) for number in range(len(jobs))]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(run, range(len(jobs)))) == alone
    wait_for(lambda: idle(lm))


def test_a_step_that_breaks_is_recovered_from(mira, converted, prompt) -> None:
    """The request is lost in the middle of a stream, so that the next step can't run."""
    with closing(BatchingLM(OpenVINORunner(converted / GRAPH, threads=1), mira.tokens)) as lm:
        expected = list(lm.generate(prompt, GREEDY))
        tokens = lm.generate(prompt, Sampling(temperature=0, max_new_tokens=500))
        assert next(tokens) == expected[0]
        lm._runner._request = None
        with pytest.raises(SynthesisFailed, match="the language model broke"):
            list(tokens)
        wait_for(lambda: lm.ready)
        assert list(lm.generate(prompt, GREEDY)) == expected


def test_it_needs_no_torch(converted: Path) -> None:
    code = "import sys, mira.model.lm.openvino; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_graph_is_named(mira, converted: Path, tmp_path: Path, damage: str) -> None:
    (tmp_path / GRAPH).write_bytes((converted / GRAPH).read_bytes())
    if damage == "cut":
        weights = (converted / GRAPH).with_suffix(".bin").read_bytes()
        (tmp_path / GRAPH).with_suffix(".bin").write_bytes(weights[:-1000])
    with pytest.raises(CheckpointError, match=rf"{GRAPH}: can't be loaded"):
        OpenVINORunner(tmp_path / GRAPH)


def test_a_processor_without_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    check_processor()  # this one has it
    monkeypatch.setattr(Path, "read_text", lambda *_: "flags\t\t: fpu sse4_2 avx\nbugs: none\n")
    with pytest.raises(InvalidSettings, match="no AVX2"):
        check_processor()
