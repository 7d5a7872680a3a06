"""LMDeploy's engines: the contract, over engines that compute nothing, and what surrounds it.

What of LMDeploy runs without a GPU is in lmdeploy_stand_ins.py. On one, its engines themselves are
in `BACKENDS` of test_base.py.
"""

import importlib.util
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import islice

import pytest

from mira.errors import GIVE_UP_AFTER, NotReady, SynthesisFailed
from mira.model.checkpoint.layout import Checkpoint
from mira.model.lm import lmdeploy
from mira.model.lm.lmdeploy import LMDeployLM
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback
from mira.types import Sampling
from tests.model.lm.lmdeploy_stand_ins import (
    Output,
    Status,
    ToyEngine,
    around,
    pytorch_requests,
    toy,
    turbomind_requests,
)
from tests.model.lm.test_base import (  # noqa: F401 - the contract, over this file's `lm`
    test_a_seed_repeats,
    test_closing_frees,
    test_codes_are_in_the_codebook,
    test_interleaved_as_alone,
    test_it_streams,
    test_most_streams_end_by_themselves,
    test_prompts_differ,
    test_prompts_that_can_not_be_are_refused,
    test_seeds_differ,
    test_the_cap_is_exact,
    test_together_as_alone,
)

ENGINES: list[Callable[[Checkpoint], LMDeployLM]] = [toy]
if importlib.util.find_spec("lmdeploy"):  # without it, test_lmdeploy_engine.py says so
    ENGINES += [pytorch_requests, turbomind_requests]


@pytest.fixture(scope="module", params=ENGINES)
def lm(request: pytest.FixtureRequest, mira: Checkpoint) -> Iterator[LMDeployLM]:
    with closing(request.param(mira)) as lm:
        yield lm


@pytest.fixture
def engine(mira: Checkpoint) -> ToyEngine:
    return ToyEngine(mira.tokens.first_speech, step_s=0.001)


def sampling(seed: int = 0, max_new_tokens: int = 1024) -> Sampling:
    return Sampling(seed=seed, max_new_tokens=max_new_tokens)


def greedy(max_new_tokens: int = 1024) -> Sampling:
    """A toy that is not asked to draw never ends by itself."""
    return Sampling(temperature=0, max_new_tokens=max_new_tokens)


def freed(lm: LMDeployLM, but: int = 0) -> bool:
    """Whether all streams but some are gone within a second."""
    deadline = time.monotonic() + 1
    while len(lm._streams) > but and time.monotonic() < deadline:
        time.sleep(0.001)
    return len(lm._streams) == but


def test_the_engine_runs_on_the_loop(mira: Checkpoint, engine: ToyEngine) -> None:
    with closing(around(engine, mira)) as lm:
        assert engine.started and lm.ready
    assert engine.closed and not lm.ready


def test_closing_cancels_within_a_step(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    engine.step_s = 0.01
    with closing(around(engine, mira)) as lm:
        tokens = lm.generate(prompt, greedy())
        next(tokens)
        tokens.close()
        assert freed(lm)
        made = engine.steps
        time.sleep(0.05)
        assert engine.steps == made <= 3
        assert not engine.speaking


def test_a_listener_that_leaves_stops_its_stream(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    """Also while its reader waits for a token that is long in coming."""
    engine.goes_on.clear()
    with closing(around(engine, mira)) as lm, ThreadPoolExecutor() as pool:
        cancel = Cancel()
        reading = pool.submit(lambda: list(lm.generate(prompt, sampling(), cancel=cancel)))
        time.sleep(0.05)
        cancel()
        with pytest.raises(Cancelled):
            reading.result(1)
        assert freed(lm) and lm.ready
        assert engine.waits_cancelled == 0, "the engine in PyTorch would count it forever"
        engine.go_on()
        assert len(list(lm.generate(prompt, greedy(5)))) == 5


def test_a_stream_that_is_left_ends_although_its_interruption_was_lost(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    engine.step_s, engine.deaf = 0.01, True
    with closing(around(engine, mira)) as lm:
        tokens = lm.generate(prompt, greedy())
        next(tokens)
        tokens.close()
        assert freed(lm) and lm.ready
        assert engine.steps <= 4 and engine.waits_cancelled == 0


def test_whoever_leaves_disturbs_nobody(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    """Left at any token or moment, waiting or ending: others say what they say alone."""
    engine.step_s = 0.0005

    def listen(lm: LMDeployLM, number: int) -> None:
        dice, cancel, said = random.Random(number), Cancel(), []
        leaves = dice.choice(
            [None, dice.randrange(60), threading.Timer(dice.random() / 20, cancel)]
        )
        if isinstance(leaves, threading.Timer):
            leaves.start()
        with (
            suppress(Cancelled),
            closing(lm.generate(prompt, sampling(number % 8, 40), cancel=cancel)) as tokens,
        ):
            said += islice(tokens, leaves if isinstance(leaves, int) else None)
        assert said == alone[number % 8][: len(said) if leaves is not None else None]

    with closing(around(engine, mira)) as lm, ThreadPoolExecutor(16) as pool:
        alone = [list(lm.generate(prompt, sampling(seed, 40))) for seed in range(8)]
        list(pool.map(lambda number: listen(lm, number), range(200)))
        assert freed(lm) and lm.ready
        assert len(lm._idle) == lm.max_streams and not lm._waiting
        assert engine.waits_cancelled == engine.wrongly_interrupted == 0


def test_a_listener_that_leaves_while_waiting(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    with closing(around(engine, mira, streams=1)) as lm, ThreadPoolExecutor() as pool:
        with closing(lm.generate(prompt, greedy())) as speaks:
            next(speaks)
            cancel = Cancel()
            waits = pool.submit(lambda: list(lm.generate(prompt, sampling(), cancel=cancel)))
            time.sleep(0.05)
            assert len(lm._streams) == 2
            cancel()
            with pytest.raises(Cancelled):
                waits.result(1)
            assert freed(lm, but=1)
        assert freed(lm)


def test_the_most_urgent_goes_first(mira: Checkpoint, engine: ToyEngine, prompt: list[int]) -> None:
    order: list[str] = []

    def speak(lm: LMDeployLM, name: str, playback: Playback) -> None:
        next(lm.generate(prompt, sampling(), playback))
        order.append(name)

    about_to_run_dry, patient = Playback(), Playback(live=False)
    about_to_run_dry.takes(0.1)
    with closing(around(engine, mira, streams=1)) as lm, ThreadPoolExecutor() as pool:
        with closing(lm.generate(prompt, greedy())) as speaks:
            next(speaks)
            for name, playback in (("patient", patient), ("dry", about_to_run_dry)):
                pool.submit(speak, lm, name, playback)
                time.sleep(0.05)
        pool.shutdown()
    assert order == ["dry", "patient"]


def test_what_nobody_takes_stays_in_the_engine(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    with closing(around(engine, mira)) as lm, closing(lm.generate(prompt, greedy(30))) as tokens:
        first = next(tokens)
        time.sleep(0.2)
        assert engine.steps == 30
        assert [first, *tokens] == list(lm.generate(prompt, greedy(30)))


def test_warming_up_fills_the_batch(mira: Checkpoint, engine: ToyEngine) -> None:
    with closing(around(engine, mira)) as lm:
        lm.warm_up([mira.tokens.first_global])
        assert freed(lm)


def test_warming_up_is_bounded(
    mira: Checkpoint, engine: ToyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmdeploy, "WARM_UP_S", 0.0)
    with closing(around(engine, mira)) as lm, pytest.raises(SynthesisFailed, match="took 0 s"):
        lm.warm_up([mira.tokens.first_global])


def test_a_prompt_that_is_too_long(mira: Checkpoint, engine: ToyEngine) -> None:
    with (
        closing(around(engine, mira)) as lm,
        pytest.raises(SynthesisFailed, match="don't fit into"),
    ):
        next(lm.generate([mira.tokens.first_global] * 1025, sampling()))


def test_one_stream_fails(mira: Checkpoint, engine: ToyEngine, prompt: list[int]) -> None:
    with closing(around(engine, mira)) as lm:
        engine.answer = Output(Status.OUT_OF_MEMORY)
        with pytest.raises(SynthesisFailed, match=r"OUT_OF_MEMORY; lower max_streams"):
            list(lm.generate(prompt, sampling()))
        engine.answer = RuntimeError("CUDA error: an illegal\nmemory access")
        with pytest.raises(SynthesisFailed, match=r"broke: .*an illegal"):
            list(lm.generate(prompt, sampling()))
        engine.answer = None
        assert lm.ready and freed(lm)
        assert len(list(lm.generate(prompt, greedy(5)))) == 5


def test_the_engine_dies(mira: Checkpoint, engine: ToyEngine, prompt: list[int]) -> None:
    with closing(around(engine, mira)) as lm:
        engine.answer, engine.alive = Output(Status.INTERNAL_ENGINE_ERROR), False
        with pytest.raises(SynthesisFailed, match="broke: INTERNAL_ENGINE_ERROR"):
            list(lm.generate(prompt, sampling()))
        assert not lm.ready
        assert "INTERNAL_ENGINE_ERROR. The process has to be started anew" in lm.failure
        with pytest.raises(NotReady, match="started anew"):
            list(lm.generate(prompt, sampling()))


def test_an_engine_that_lives_and_always_fails_is_given_up(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    with closing(around(engine, mira)) as lm:
        for answers in (GIVE_UP_AFTER - 1, GIVE_UP_AFTER):
            engine.answer = None
            list(lm.generate(prompt, greedy(5)))  # a whole stream: the row begins anew
            for _ in range(answers):
                assert lm.ready and not lm.failure
                engine.answer = Output(Status.INTERNAL_ENGINE_ERROR)
                with pytest.raises(SynthesisFailed, match="INTERNAL_ENGINE_ERROR"):
                    list(lm.generate(prompt, sampling()))
        assert f"{GIVE_UP_AFTER} streams failed in a row" in lm.failure
        assert not lm.ready


def test_the_loop_dies(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for an answer or for an instance is told, as are those who come later."""
    monkeypatch.setattr(lmdeploy, "STALL_S", 0.5)
    monkeypatch.setattr(lmdeploy, "CLOSE_S", 0.1)
    engine.goes_on.clear()

    def end() -> None:
        raise SystemExit("goodbye")

    with closing(around(engine, mira, streams=1)) as lm, ThreadPoolExecutor() as pool:
        streams = [pool.submit(lambda: list(lm.generate(prompt, greedy()))) for _ in range(2)]
        while len(lm._streams) < 2:
            time.sleep(0.001)
        lm._loop.call_soon_threadsafe(end)
        for stream in streams:
            with pytest.raises((SynthesisFailed, NotReady), match="broke"):
                stream.result(10)
        assert "goodbye" in lm.failure or "no answer" in lm.failure


def test_the_engine_says_what_it_died_of(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int]
) -> None:
    engine.answer, engine.alive = Output(Status.INTERNAL_ENGINE_ERROR), False
    engine.died_of = MemoryError("CUDA out of memory")
    with closing(around(engine, mira)) as lm:
        with pytest.raises(SynthesisFailed, match=r"MemoryError: CUDA out of.*lower max_streams"):
            list(lm.generate(prompt, sampling()))
        assert not lm.ready


def test_the_engine_does_not_answer(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmdeploy, "STALL_S", 0.1)
    engine.goes_on.clear()
    with closing(around(engine, mira)) as lm:
        with pytest.raises(SynthesisFailed, match="no answer in"):
            list(lm.generate(prompt, sampling()))
        assert not lm.ready


@pytest.mark.parametrize(
    "answer", [Output(Status.SUCCESS, [7]), Output(Status.CANCEL), Output(Status.SUCCESS)]
)
def test_it_says_what_it_may_not(
    mira: Checkpoint, engine: ToyEngine, prompt: list[int], answer: Output
) -> None:
    """No speech, or an end in the middle."""
    engine.answer = answer
    why = "said 7, which is no speech|broke: CANCEL|ended in the middle"
    with closing(around(engine, mira)) as lm:
        with pytest.raises(SynthesisFailed, match=why):
            list(lm.generate(prompt, sampling()))
        assert freed(lm) and lm.ready


def test_closing_ends_all(mira: Checkpoint, engine: ToyEngine, prompt: list[int]) -> None:
    """Who reads, who waits to, and who was reading a moment ago."""
    lm = around(engine, mira, streams=2)
    paused = lm.generate(prompt, greedy())
    next(paused)
    engine.step_s = 0.05
    with ThreadPoolExecutor() as pool:
        others = [pool.submit(lambda: list(lm.generate(prompt, greedy()))) for _ in range(2)]
        time.sleep(0.1)
        lm.close()
        for other in others:
            with pytest.raises(SynthesisFailed, match="closed"):
                other.result(1)
    with pytest.raises(SynthesisFailed, match="closed"):
        list(paused)
    with pytest.raises(SynthesisFailed, match="closed"):
        list(lm.generate(prompt, greedy()))
    lm.close()
    assert engine.closed and not engine.speaking
    assert not [thread for thread in threading.enumerate() if thread is lm._thread]
