"""Gathering: fewer passes, the same samples, and nobody left waiting."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from mira.errors import GIVE_UP_AFTER, SynthesisFailed
from mira.model.codec import batch
from mira.model.codec.base import Span, Speaker
from mira.model.codec.batch import BatchingCodec
from mira.stream.cancel import Cancel, Cancelled
from mira.stream.playback import Playback
from mira.types import Samples

NOBODY = Speaker(*(np.zeros(shape, np.float32) for shape in (1, (1, 1), (1, 1))))


class Echo:
    """Says each span's tokens back; counts passes, and can be held and broken."""

    sample_rate = 50
    samples_per_frame = 1
    failure = ""

    def __init__(self) -> None:
        self.closed = False
        self.slowly = False
        self.passes: list[int] = []
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None

    def decode(self, spans: Sequence[Span]) -> list[Samples]:
        self.passes.append(len(spans))
        self.started.set()
        self.go_on.wait(10)
        time.sleep(0.01 if self.slowly else 0)  # so that those who wait wake in order
        if self.error is not None:
            raise self.error
        return [np.array(span.tokens, np.float32) for span in spans]

    def encode(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        return (sample_rate,)

    def speech_tokens(self, samples: Samples, sample_rate: int) -> tuple[int, ...]:
        return (len(samples), sample_rate)

    def close(self) -> None:
        self.closed = True

    def speaker(self, global_tokens: Sequence[int]) -> Speaker:
        return NOBODY


def span(*tokens: int) -> Span:
    return Span(tokens, NOBODY, 0, len(tokens))


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def gather(echo: Echo) -> Iterator[Callable[..., BatchingCodec]]:
    opened: list[BatchingCodec] = []

    def open_codec(**options: float) -> BatchingCodec:
        opened.append(BatchingCodec(echo, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_codec
    echo.go_on.set()
    for codec in opened:
        codec.close()


def test_requests_that_come_together_share_a_pass(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    codec = gather(gather_s=10, max_spans=4)  # only the fourth ends the wait
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda i: codec.decode([span(i, i + 1)]), range(4)))
    assert [answer[0].tolist() for answer in answers] == [[i, i + 1] for i in range(4)]
    assert echo.passes == [4]


def test_those_that_come_during_a_pass_share_the_next(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    codec = gather(gather_s=0)
    echo.go_on.clear()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(codec.decode, [span(0)])
        assert echo.started.wait(10)
        others = [pool.submit(codec.decode, [span(i)]) for i in range(1, 6)]
        wait_until(lambda: len(codec._requests) == 5)
        echo.go_on.set()
        assert [future.result(10)[0].tolist() for future in (first, *others)] == [
            [i] for i in range(6)
        ]
    assert echo.passes == [1, 5]


def test_lone_request_waits_no_longer_than_told(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    codec = gather(gather_s=0.001)
    assert [block.tolist() for block in codec.decode([span(1), span(2, 3)])] == [[1], [2, 3]]
    assert echo.passes == [2]


def test_failure_reaches_everyone_in_the_pass_and_nobody_after(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    codec = gather(gather_s=10, max_spans=3)
    echo.error = SynthesisFailed("out of memory")
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(codec.decode, [span(i)]) for i in range(3)]
        for future in futures:
            with pytest.raises(SynthesisFailed, match="out of memory"):
                future.result(10)
    echo.error = None
    assert len(codec.decode([span(1), span(2), span(3)])) == 3


def test_a_codec_that_always_fails_is_given_up(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    codec = gather(gather_s=0)
    for failures in (GIVE_UP_AFTER - 1, GIVE_UP_AFTER):
        echo.error = None
        codec.decode([span(1)])  # the row begins anew
        assert not codec.failure
        echo.error = MemoryError("all\nfull")
        for _ in range(failures):
            with pytest.raises(SynthesisFailed, match="MemoryError: all full"):
                codec.decode([span(1)])
    assert codec.failure.startswith(f"The codec failed {GIVE_UP_AFTER} times in a row")
    assert "all full. The process has to be started anew" in codec.failure


class Unclear(Playback):
    """Nobody can say how urgent it is."""

    def __init__(self) -> None:
        super().__init__()
        self.begins = False

    def left_s(self) -> float | None:
        raise ArithmeticError("no clock")


def test_what_can_not_be_gathered_reaches_everybody_who_waits(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    codec = gather(gather_s=0)
    echo.go_on.clear()
    told: queue.Queue[str] = queue.Queue()

    def render(playback: Playback | None) -> None:
        try:
            codec.decode([Span((1,), NOBODY, 0, 1, playback)])
            told.put("")
        except SynthesisFailed as error:
            told.put(str(error))

    def start(playback: Playback | None) -> None:  # one that is never told holds up no test
        threading.Thread(target=render, args=(playback,), daemon=True).start()

    start(None)
    assert echo.started.wait(10)
    for playback in (Playback(), Unclear()):
        start(playback)
    wait_until(lambda: len(codec._requests) == 2)
    echo.go_on.set()
    assert sorted("no clock" in told.get(timeout=10) for _ in range(3)) == [False, True, True]
    assert len(codec.decode([span(1), span(2)])) == 2


@pytest.mark.parametrize("passes", [1, 2])
def test_who_hangs_up_waits_for_no_pass(
    echo: Echo, gather: Callable[..., BatchingCodec], passes: int
) -> None:
    """Neither for one that has not begun, nor for one that never ends; the others have theirs."""
    codec, cancel = gather(gather_s=0, max_spans=1), Cancel()
    echo.go_on.clear()
    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(codec.decode, [span(7)]) for _ in range(passes - 1)]
        assert not others or echo.started.wait(10)
        leaves = pool.submit(codec.decode, [replace(span(8), cancel=cancel)])
        assert echo.started.wait(10)
        wait_until(lambda: len(codec._requests) == len(others))
        others.append(pool.submit(codec.decode, [span(9)]))
        try:
            cancel()
            with pytest.raises(Cancelled):
                leaves.result(5)
        finally:
            echo.go_on.set()
        assert [int(other.result(10)[0][0]) for other in others] == [7, 9][-len(others) :]
    assert echo.passes == [1] * 2


def test_closing_finishes_what_was_asked_and_refuses_more(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    codec = gather(gather_s=0)
    echo.go_on.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(codec.decode, [span(7)])
        assert echo.started.wait(10)
        second = pool.submit(codec.decode, [span(8)])
        wait_until(lambda: len(codec._requests) == 1)
        closing = pool.submit(codec.close)
        wait_until(lambda: codec._closed)
        echo.go_on.set()
        closing.result(10)
        assert [first.result(10)[0][0], second.result(10)[0][0]] == [7, 8]
    codec.close()
    assert echo.closed
    with pytest.raises(SynthesisFailed, match="closed"):
        codec.decode([span(1)])


def test_closing_waits_for_a_pass_that_hangs_no_longer_than_told(
    echo: Echo, gather: Callable[..., BatchingCodec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "CLOSE_S", 0.05)
    codec = gather(gather_s=0)
    echo.go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        hangs = pool.submit(codec.decode, [span(0)])
        assert echo.started.wait(10)
        asked = [hangs, pool.submit(codec.decode, [span(1)])]
        wait_until(lambda: len(codec._requests) == 1)
        codec.close()
        for waits in asked:
            with pytest.raises(SynthesisFailed, match="the codec is closed"):
                waits.result(5)
    assert echo.closed


def test_the_most_urgent_go_first(echo: Echo, gather: Callable[..., BatchingCodec]) -> None:
    codec = gather(gather_s=0, max_spans=1)
    echo.go_on.clear()
    rendered: list[float] = []

    def render(left_s: float | None) -> None:
        playback = Playback()
        if left_s is not None:
            playback.takes(left_s)
        codec.decode([Span((1,), NOBODY, 0, 1, playback)])
        rendered.append(left_s or 0.0)

    with ThreadPoolExecutor(5) as pool:
        pool.submit(codec.decode, [span(0)])
        assert echo.started.wait(10)
        for number, left_s in enumerate((9.0, None, 0.1, 5.0), 1):
            pool.submit(render, left_s)
            wait_until(lambda number=number: len(codec._requests) == number)
        echo.slowly = True
        echo.go_on.set()
    assert rendered == [0.1, 0.0, 5.0, 9.0]


def test_who_waits_in_silence_has_the_processors_alone(
    echo: Echo, gather: Callable[..., BatchingCodec]
) -> None:
    """A pass for somebody who has heard nothing yet waits for them; one for a lead does not."""
    processors = threading.Lock()
    codec = gather(gather_s=0, processors=processors)
    silent, ahead = Playback(), Playback()
    ahead.takes(0.2)  # urgent, but not silent
    with processors, ThreadPoolExecutor(1) as pool:
        assert codec.decode([Span((1,), NOBODY, 0, 1, ahead)])
        waiting = pool.submit(codec.decode, [Span((2,), NOBODY, 0, 1, silent)])
        time.sleep(0.05)
        assert not waiting.done()
        processors.release()
        assert waiting.result(10)[0].tolist() == [2]
        processors.acquire()


def test_the_rest_is_passed_on(gather: Callable[..., BatchingCodec]) -> None:
    codec = gather()
    assert (codec.sample_rate, codec.samples_per_frame) == (50, 1)
    assert codec.encode(np.zeros(1, np.float32), 24000) == (24000,)
    assert codec.speech_tokens(np.zeros(3, np.float32), 24000) == (3, 24000)
    assert codec.speaker([]) is NOBODY
