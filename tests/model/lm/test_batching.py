"""Laws of stepping many streams together, on a runner that checks what it is handed."""

import queue
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice

import numpy as np
import numpy.typing as npt
import pytest

from mira.errors import GIVE_UP_AFTER, NotReady, SynthesisFailed
from mira.model.checkpoint.tokens import TokenMap
from mira.model.codec.base import SPEECH_CODES
from mira.model.lm import batching
from mira.model.lm.batching import TOKENS_AHEAD, BatchingLM, Row
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback
from mira.types import Sampling

FIRST, ENDS = 100, (7,)
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]


VOCABULARY = TokenMap("mira", FIRST, 50, 1, 1, 1, 1, 1, 1, ENDS)


class ToyRunner:
    """Remembers what was read on which page; what comes next depends on all of it."""

    step_tokens = 64
    page_tokens = 4
    vocab_rows = FIRST + SPEECH_CODES

    @property
    def max_context(self) -> int:
        return self.num_pages * self.page_tokens

    def __init__(self, num_pages: int = 4000, step_s: float = 0.0, max_streams: int = 16) -> None:
        self.num_pages, self.max_streams = num_pages, max_streams
        self.step_s = step_s
        self.steps: list[list[Row]] = []
        self.restarts = 0
        self.broken: Exception | None = None
        self.fails_to_restart = 0
        self.last_logit = 0.0  # of every stream
        self._content: dict[int, list[int]] = {}

    def step(self, rows: Sequence[Row]) -> npt.NDArray[np.float32]:
        assert rows
        time.sleep(self.step_s)
        if self.broken is not None:
            raise self.broken
        self.steps.append(list(rows))
        return np.stack([self._read(row) for row in rows])

    def _read(self, row: Row) -> npt.NDArray[np.float32]:
        for position, i in enumerate(row.ids, row.past):
            page, offset = row.pages[position // self.page_tokens], position % self.page_tokens
            if offset == 0:
                self._content[page] = []
            assert len(self._content[page]) == offset, "somebody else wrote here"
            self._content[page].append(i)
        used = -(-(row.past + len(row.ids)) // self.page_tokens)
        history = [i for page in row.pages[:used] for i in self._content[page]]
        logits = np.random.default_rng(history).normal(0, 2, SPEECH_CODES + 1).astype(np.float32)
        logits[SPEECH_CODES] = -50  # no end, unless a test wants one
        logits[0] += self.last_logit
        return logits

    def restart(self) -> None:
        self.restarts += 1
        self._content.clear()
        if self.fails_to_restart:
            self.fails_to_restart -= 1
            raise RuntimeError("no memory yet")
        self.broken = None


@pytest.fixture
def toy() -> ToyRunner:
    return ToyRunner()


@pytest.fixture
def lm(toy: ToyRunner) -> Iterator[BatchingLM]:
    with closing(BatchingLM(toy, VOCABULARY)) as lm:
        yield lm


def sampling(seed: int, tokens: int = 30) -> Sampling:
    return Sampling(seed=seed, max_new_tokens=tokens)


def wait_for(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


def streams(lm: BatchingLM) -> int:
    """That wait or speak."""
    return len(lm._waiting) + len(lm._running)


def idle(lm: BatchingLM) -> bool:
    return not streams(lm) and len(lm._free) == lm._runner.num_pages


def test_random_cancellations_disturb_nobody(lm: BatchingLM) -> None:
    """Sixteen at a time, some given up at a random token: each is what it is alone."""
    random_ = random.Random(0)
    jobs = [(random_.choices(range(FIRST), k=random_.randint(1, 90)), seed) for seed in range(48)]
    until = [random_.choice([None, random_.randint(0, 25)]) for _ in jobs]
    alone = [list(lm.generate(prompt, sampling(seed))) for prompt, seed in jobs]

    def run(number: int) -> list[int]:
        prompt, seed = jobs[number]
        with closing(lm.generate(prompt, sampling(seed))) as tokens:
            return list(islice(tokens, until[number]))

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(run, range(len(jobs))))
    assert found == [tokens[:stop] for tokens, stop in zip(alone, until, strict=True)]
    wait_for(lambda: idle(lm))


def test_two_hundred_cancelled_leave_nothing(lm: BatchingLM) -> None:
    threads = threading.active_count()
    for seed in range(200):
        with closing(lm.generate(PROMPT, sampling(seed, 500))) as tokens:
            next(tokens)
    wait_for(lambda: idle(lm))
    assert threading.active_count() == threads


def test_a_cancelled_stream_is_in_no_later_step(toy: ToyRunner, lm: BatchingLM) -> None:
    """The step that runs at that moment is the last one."""
    toy.step_s = 0.01
    with closing(lm.generate(PROMPT, sampling(0, 1000))) as tokens:
        next(tokens)
    steps = len(toy.steps)
    wait_for(lambda: idle(lm))
    assert len(toy.steps) <= steps + 1


def test_streams_share_steps(toy: ToyRunner, lm: BatchingLM) -> None:
    toy.step_s = 0.002
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: list(lm.generate(PROMPT, sampling(seed))), range(8)))
    assert max(map(len, toy.steps)) == 8
    assert len(toy.steps) < 60  # 240 one by one


def test_a_long_prompt_is_read_in_parts(toy: ToyRunner) -> None:
    with closing(BatchingLM(toy, VOCABULARY)) as lm:
        expected = list(lm.generate(list(range(90)), sampling(0)))
    parts = [len(rows[0].ids) for rows in toy.steps[:3]]
    assert parts == [64, 26, 1]
    assert all(sum(len(row.ids) for row in rows) <= 64 for rows in toy.steps)
    whole = ToyRunner()
    whole.step_tokens = 1000
    with closing(BatchingLM(whole, VOCABULARY)) as lm:
        assert list(lm.generate(list(range(90)), sampling(0))) == expected


def test_a_new_prompt_does_not_hold_up_who_speaks(toy: ToyRunner, lm: BatchingLM) -> None:
    toy.step_s = 0.003
    with closing(lm.generate(PROMPT, sampling(0, 900))) as speaking:
        next(speaking)
        with closing(lm.generate(list(range(90)) * 8, sampling(1))) as long:
            reader = threading.Thread(target=lambda: next(long))
            reader.start()
            list(islice(speaking, 30))
            reader.join()
    for rows in toy.steps:
        assert any(len(row.ids) == 1 for row in rows) or len(rows) == 1


def test_who_does_not_read_is_not_computed_for(toy: ToyRunner, lm: BatchingLM) -> None:
    with closing(lm.generate(PROMPT, sampling(0, 200))) as tokens:
        first = next(tokens)
        wait_for(lambda: len(toy.steps) >= TOKENS_AHEAD)
        time.sleep(0.05)
        # The first took all that there were: more than one, if it was slow to wake.
        assert len(toy.steps) <= 2 * TOKENS_AHEAD
        rest = list(tokens)
    assert [first, *rest] == list(lm.generate(PROMPT, sampling(0, 200)))


def test_who_renders_is_woken_when_it_is_worth_it(toy: ToyRunner, lm: BatchingLM) -> None:
    """For twenty tokens, if it wants so many; for the last ones however few they are."""
    toy.step_s, playback = 0.001, Playback()
    alone = list(lm.generate(PROMPT, sampling(0, 50)))
    toy.steps.clear()
    playback.wants = lambda tokens: tokens >= 20
    with closing(lm.generate(PROMPT, sampling(0, 50), playback)) as tokens:
        first = next(tokens)
        assert len(toy.steps) >= 20
        assert [first, *tokens] == alone


@pytest.mark.parametrize("cap", [30, TOKENS_AHEAD, 200])
def test_who_wants_more_than_will_come_gets_all_there_is(lm: BatchingLM, cap: int) -> None:
    playback = Playback()
    playback.wants = lambda tokens: False
    found = list(lm.generate(PROMPT, sampling(0, cap), playback))
    assert found == list(lm.generate(PROMPT, sampling(0, cap)))
    assert len(found) == cap


def test_a_step_wakes_nobody_for_whom_it_is_not_worth_it(toy: ToyRunner, lm: BatchingLM) -> None:
    """Sixty threads that wake for each token leave the model's own no time for the next."""
    toy.step_s, asking = 0.001, list[str]()
    playback = Playback()

    def wants(tokens: int) -> bool:
        asking.append(threading.current_thread().name)
        return False

    playback.wants = wants
    assert len(list(lm.generate(PROMPT, sampling(0, 40), playback))) == 40
    assert asking == ["mira-lm"] * 39  # and not the reader, who would have been awake for that


def test_too_few_pages_are_waited_for(toy: ToyRunner) -> None:
    """Room for two streams of 37 tokens at a time: ten, and each says what it says alone."""
    toy.num_pages = 20
    with closing(BatchingLM(toy, VOCABULARY)) as lm:
        alone = [list(lm.generate(PROMPT, sampling(seed))) for seed in range(10)]
        with ThreadPoolExecutor(10) as pool:
            found = pool.map(lambda seed: list(lm.generate(PROMPT, sampling(seed))), range(10))
            assert list(found) == alone
        assert max(map(len, toy.steps)) == 2
        with pytest.raises(
            SynthesisFailed, match="1000 new ones don't fit into the 80 of a stream"
        ):
            next(lm.generate(PROMPT, sampling(0, 1000)))


def test_whoever_waits_can_give_up(toy: ToyRunner) -> None:
    """A call that hangs up before its first token waits for no place, and takes none."""
    toy.step_s = 0.002
    cancel, ended = Cancel(), threading.Event()

    def read(tokens: Generator[int, None, None]) -> None:
        with pytest.raises(Cancelled):
            list(tokens)
        ended.set()

    toy.max_streams = 1
    with closing(BatchingLM(toy, VOCABULARY)) as lm:
        with closing(lm.generate(PROMPT, sampling(0, 300))) as speaking:
            next(speaking)
            waiting = lm.generate(PROMPT, sampling(1), cancel=cancel)
            reader = threading.Thread(target=read, args=(waiting,))
            reader.start()
            wait_for(lambda: streams(lm) == 2)
            cancel()
            reader.join(5)
            assert not reader.is_alive()
            assert ended.is_set()
            assert streams(lm) == 1
            list(speaking)
        wait_for(lambda: idle(lm))
        with pytest.raises(Cancelled):  # nor does one that left before
            next(lm.generate(PROMPT, sampling(1), cancel=cancel))


def test_the_lowest_pages_go_first(toy: ToyRunner, lm: BatchingLM) -> None:
    """And those that were given back go first again."""
    for _ in range(2):
        with closing(lm.generate(PROMPT, sampling(0))) as tokens:
            next(tokens)
            assert toy.steps[-1][0].pages == list(range(10))
        wait_for(lambda: idle(lm))


def listener_with(left_s: float) -> Playback:
    playback = Playback()
    playback.takes(left_s)
    return playback


def test_who_has_plenty_waits_for_who_runs_dry(toy: ToyRunner, lm: BatchingLM) -> None:
    toy.step_s = 0.002
    jobs = {left: lm.generate(PROMPT, sampling(0, 60), listener_with(left)) for left in (0.1, 50.0)}
    done: dict[float, int] = {}

    def run(left: float) -> None:
        list(jobs[left])
        done[left] = len(toy.steps)

    threads = [threading.Thread(target=run, args=(left,)) for left in (50.0, 0.1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done[0.1] <= 70
    assert done[50.0] >= 110


def test_the_most_urgent_gets_the_pages(toy: ToyRunner) -> None:
    order: list[float] = []
    toy.max_streams = 1
    with closing(BatchingLM(toy, VOCABULARY)) as lm:
        toy.step_s = 0.002
        with closing(lm.generate(PROMPT, sampling(0, 400))) as speaking:
            next(speaking)

            def run(left: float) -> None:
                list(lm.generate(PROMPT, sampling(1, 3), listener_with(left)))
                order.append(left)

            threads = [threading.Thread(target=run, args=(left,)) for left in (9, 0.1, 5)]
            for number, thread in enumerate(threads, 2):
                thread.start()
                wait_for(lambda number=number: streams(lm) == number)
        for thread in threads:
            thread.join()
    assert order == [0.1, 5, 9]


def test_what_breaks_fails_its_streams_and_comes_back(toy: ToyRunner, lm: BatchingLM) -> None:
    alone = list(lm.generate(PROMPT, sampling(0)))
    toy.step_s = 0.002
    toy.fails_to_restart = 2
    with closing(lm.generate(PROMPT, sampling(0, 500))) as tokens:
        next(tokens)
        toy.broken = RuntimeError("the card fell out")
        with pytest.raises(SynthesisFailed, match="the card fell out"):
            list(tokens)
    assert not lm.ready
    with pytest.raises(NotReady, match="restarted"):
        next(lm.generate(PROMPT, sampling(0)))
    wait_for(lambda: lm.ready)
    assert toy.restarts == 3
    assert list(lm.generate(PROMPT, sampling(0))) == alone
    wait_for(lambda: idle(lm))


def test_what_can_not_be_brought_back_is_given_up(
    toy: ToyRunner, lm: BatchingLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "FIRST_RESTART_S", 0.0005)
    toy.broken, toy.fails_to_restart = RuntimeError("gone"), 10**9
    with pytest.raises(SynthesisFailed, match="gone"):
        list(lm.generate(PROMPT, sampling(0)))
    wait_for(lambda: lm.failure != "")
    assert toy.restarts == GIVE_UP_AFTER - 1
    assert not lm.ready
    why = rf"failed {GIVE_UP_AFTER} times in a row.*no memory yet\. The process has to"
    with pytest.raises(NotReady, match=why):
        next(lm.generate(PROMPT, sampling(0)))
    assert lm.failure.count("\n") == 0


def test_what_breaks_each_time_that_it_is_brought_back_is_given_up(
    toy: ToyRunner, lm: BatchingLM
) -> None:
    """The step that a restart is tried with is not what breaks it."""

    def speak(broken: bool) -> None:
        wait_for(lambda: lm.ready)
        toy.broken = RuntimeError("too warm") if broken else None
        list(lm.generate(PROMPT, sampling(0)))

    def fail() -> None:
        with pytest.raises(SynthesisFailed, match="too warm"):
            speak(broken=True)

    for _ in range(GIVE_UP_AFTER - 1):
        fail()
    speak(broken=False)  # a whole stream: the row begins anew
    for _ in range(GIVE_UP_AFTER - 1):
        fail()
    assert not lm.failure
    fail()
    wait_for(lambda: "too warm" in lm.failure)


class Unclear(Playback):
    """Nobody can say how urgent it is."""

    def left_s(self) -> float | None:
        raise ArithmeticError("no clock")


def speaking(lm: BatchingLM, *listeners: Playback) -> list["queue.Queue[SynthesisFailed]"]:
    """Streams that are to fail, and what each is told; one that never is holds up no test."""

    def speak(playback: Playback, told: "queue.Queue[SynthesisFailed]") -> None:
        try:
            list(lm.generate(PROMPT, sampling(1, 900), playback))
        except SynthesisFailed as error:
            told.put(error)

    answers = [queue.Queue[SynthesisFailed]() for _ in listeners]
    for pair in zip(listeners, answers, strict=True):
        threading.Thread(target=speak, args=pair, daemon=True).start()
    return answers


def test_whatever_breaks_the_planning_reaches_everybody(toy: ToyRunner, lm: BatchingLM) -> None:
    toy.step_s = 0.002
    alone = list(lm.generate(PROMPT, sampling(0)))
    told = speaking(lm, Playback(), Playback(), Playback())
    wait_for(lambda: streams(lm) == 3)
    told += speaking(lm, Unclear())
    assert ["no clock" in str(answer.get(timeout=10)) for answer in told] == [True] * 4
    wait_for(lambda: lm.ready)
    assert idle(lm)
    assert list(lm.generate(PROMPT, sampling(0))) == alone


def test_what_is_no_exception_reaches_everybody_too(toy: ToyRunner, lm: BatchingLM) -> None:
    """As a library's `exit` in the model's thread would be."""
    toy.broken = SystemExit("goodbye")  # type: ignore[assignment]
    (told,) = speaking(lm, Playback())
    assert "goodbye" in str(told.get(timeout=10))
    wait_for(lambda: lm.ready)


def test_one_stream_that_overflows_fails_alone(toy: ToyRunner, lm: BatchingLM) -> None:
    toy.last_logit = float("nan")
    with pytest.raises(SynthesisFailed, match="not finite"):
        list(lm.generate(PROMPT, sampling(0)))
    toy.last_logit = 0.0
    assert lm.ready
    assert len(list(lm.generate(PROMPT, sampling(0)))) == 30


def test_logits_of_another_shape_break_it_like_a_failed_step(
    toy: ToyRunner, lm: BatchingLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as those of another model's graph: whoever listens is told, and nobody waits."""
    said: list[str] = []

    def listen() -> None:
        with pytest.raises(SynthesisFailed) as caught:
            list(lm.generate(PROMPT, sampling(0)))
        said.append(str(caught.value))

    step = ToyRunner.step
    for part in (np.s_[:, :-1], np.s_[:0]):
        with monkeypatch.context() as patch:
            patch.setattr(toy, "step", lambda rows, part=part: step(toy, rows)[part])
            patch.setattr(toy, "restart", lambda: patch.undo())
            listener = threading.Thread(target=listen, daemon=True)
            listener.start()
            listener.join(10)
            wait_for(lambda: lm.ready)
    assert len(said) == 2
    assert len(list(lm.generate(PROMPT, sampling(0)))) == 30


def test_each_stream_that_breaks_has_an_error_of_its_own(toy: ToyRunner, lm: BatchingLM) -> None:
    toy.step_s = 0.002
    errors: list[SynthesisFailed] = []

    def listen(seed: int) -> None:
        with pytest.raises(SynthesisFailed) as caught:
            list(lm.generate(PROMPT, sampling(seed, 900)))
        errors.append(caught.value)

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(listen, seed) for seed in range(4)]
        wait_for(lambda: bool(toy.steps) and len(toy.steps[-1]) == 4)
        toy.broken = RuntimeError("gone")
        for future in futures:
            future.result(10)
    assert len({id(error) for error in errors}) == 4


def test_closing_ends_everybody(toy: ToyRunner) -> None:
    lm = BatchingLM(toy, VOCABULARY)
    toy.step_s = 0.002
    tokens = lm.generate(PROMPT, sampling(0, 1000))
    next(tokens)
    lm.close()
    lm.close()
    with pytest.raises(SynthesisFailed, match="closed"):
        list(tokens)
    with pytest.raises(SynthesisFailed, match="closed"):
        next(lm.generate(PROMPT, sampling(0)))
    assert not lm.ready


def test_closing_tells_whoever_reads_from_a_step_that_hangs(
    toy: ToyRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "CLOSE_S", 0.05)
    goes_on = threading.Event()
    monkeypatch.setattr(toy, "step", lambda rows: goes_on.wait(10))
    lm = BatchingLM(toy, VOCABULARY)
    with ThreadPoolExecutor() as pool:
        reads = pool.submit(lambda: list(lm.generate(PROMPT, sampling(0))))
        wait_for(lambda: bool(lm._running))
        lm.close()
        with pytest.raises(SynthesisFailed, match="is closed"):
            reads.result(5)
    goes_on.set()
    lm._thread.join(10)


def test_closing_ends_a_model_that_can_not_be_restarted(toy: ToyRunner) -> None:
    lm = BatchingLM(toy, VOCABULARY)
    toy.broken, toy.fails_to_restart = RuntimeError("gone"), 10**9
    with pytest.raises(SynthesisFailed, match="gone"):
        next(lm.generate(PROMPT, sampling(0)))
    began = time.monotonic()
    lm.close()
    assert time.monotonic() - began < 1
