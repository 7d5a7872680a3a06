"""As many streams as there are places, and every place is given back."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

import pytest
from anyio import CancelScope, current_time

from mira.errors import Overloaded
from mira.server.admission import LONGEST_RETRY_S, MOST_BESIDE, Admission
from mira.server.capacity import Capacity
from mira.settings import Settings
from mira.stream.clock import StreamClock
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

PATH = "/v1/audio/speech-stream"


def admitting(count: int, queue_s: float = 0.0, beginners: int = 64) -> Admission:
    capacity = Capacity(count, count, count, beginners)
    return Admission(capacity, Settings(queue_s=queue_s, full_stall_timeout_s=0.2))


@asynccontextmanager
async def place(admission: Admission, clock: StreamClock | None = None) -> AsyncIterator[None]:
    """Hold one."""
    clock = clock or StreamClock()
    with CancelScope() as scope:
        try:
            await admission.enter(clock, scope)
            yield
        finally:
            admission.leave(clock)


def test_places_are_counted_and_given_back() -> None:
    async def run() -> None:
        admission = admitting(2)
        async with place(admission), place(admission):
            assert (admission.active, admission.capacity.free) == (2, 0)
            with pytest.raises(Overloaded) as caught:
                await place(admission).__aenter__()
            assert caught.value.retry_after_s >= 1
            assert admission.active == 2
        with pytest.raises(ValueError, match="broken"):
            async with place(admission):
                raise ValueError("broken")
        assert (admission.active, admission.capacity.free) == (0, 2)

    asyncio.run(run())


def test_idle_is_when_the_last_place_is_given_back() -> None:
    async def run() -> None:
        admission = admitting(2)
        await admission.idle()
        async with place(admission):
            waiting = asyncio.ensure_future(admission.idle())
            async with place(admission):
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not waiting.done()
        await asyncio.wait_for(waiting, 5)

    asyncio.run(run())


def test_who_waits_gets_the_next_place_in_turn() -> None:
    async def run() -> list[str]:
        admission, order = admitting(1, 5), []

        async def speak(name: str) -> None:
            async with place(admission):
                assert admission.active == 1
                order.append(name)
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(speak("first"))
            await asyncio.sleep(0)
            second = tasks.create_task(speak("second"))
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):  # one speaks, one waits: that is all there is room for
                await speak("third")
            await asyncio.gather(first, second)
            await speak("fourth")
        assert (admission.active, admission.capacity.free) == (0, 1)
        return order

    assert asyncio.run(run()) == ["first", "second", "fourth"]


def test_who_waits_for_too_long_or_leaves_takes_no_place() -> None:
    async def run() -> None:
        admission = admitting(1, 0.05)
        async with place(admission):
            with pytest.raises(Overloaded):
                await place(admission).__aenter__()
            leaving = asyncio.ensure_future(place(admission).__aenter__())
            await asyncio.sleep(0.01)
            leaving.cancel()
            await asyncio.wait([leaving])
        async with place(admission):
            assert admission.active == 1
        await asyncio.wait_for(admission.idle(), 5)

    asyncio.run(run())


def test_a_place_that_came_by_time_alone_is_taken() -> None:
    """More may speak a while after somebody found no place; nothing else happens then."""

    async def run(queue_s: float, asks_again: bool) -> list[str]:
        admission = Admission(Capacity(1, 3, 1, 64), Settings(queue_s=queue_s))
        order: list[str] = []

        async def speak(name: str) -> None:
            async with place(admission, clock := StreamClock()):
                order.append(name)
                clock.ready(10.0)
                await asyncio.sleep(20)

        tasks = [asyncio.ensure_future(speak(name)) for name in ("first", "second")]
        await asyncio.sleep(0.9)
        if asks_again:
            assert order == ["first"]
            tasks.append(asyncio.ensure_future(speak("third")))
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return order

    assert asyncio.run(run(0.7, asks_again=False)) == ["first", "second"]
    assert asyncio.run(run(20, asks_again=True)) == ["first", "second"]


def test_those_who_begin_wait_for_each_other() -> None:
    """Four callers, one of whom may wait for a first word at a time."""

    async def run() -> None:
        admission = admitting(4, queue_s=5, beginners=1)
        clocks = [StreamClock() for _ in range(4)]
        speaking: list[int] = []

        async def speak(number: int) -> None:
            async with place(admission, clocks[number]):
                speaking.append(number)
                await asyncio.sleep(5)

        tasks = [asyncio.ensure_future(speak(number)) for number in range(4)]
        for number in range(2):
            await asyncio.sleep(0.02)
            assert (speaking, admission.capacity.free) == ([*range(number + 1)], 0)
            clocks[number].ready(10.0)
            admission.ready(clocks[number])
        await asyncio.sleep(0.02)
        assert speaking == [0, 1, 2, 3], "two speak well, so two more may begin"
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert admission.active == 0

    asyncio.run(run())


def test_who_is_refused_is_told_when_a_place_may_be_free() -> None:
    async def run() -> None:
        admission = admitting(2)

        async def refused() -> int:
            with pytest.raises(Overloaded) as caught:
                await place(admission).__aenter__()
            said = str(caught.value)
            assert f"in {caught.value.retry_after_s} second" in said
            return caught.value.retry_after_s

        async with place(admission), place(admission):
            assert await refused() == 1
            for held in admission._speaking.values():  # they have been speaking for a while
                held.since -= 20
            assert await refused() in (10, 11), "two end within the time that one of them takes"
            for held in admission._speaking.values():
                held.since -= 1000
            assert await refused() == LONGEST_RETRY_S

    asyncio.run(run())


def test_a_listener_is_waited_for_until_others_want_its_place() -> None:
    async def run() -> None:
        admission = admitting(1)

        async def stall() -> bool:
            clock = StreamClock()
            with CancelScope() as scope:
                await admission.enter(clock, scope)
                try:
                    clock.ready(0.1)
                    admission.ready(clock)
                    await asyncio.sleep(20)
                finally:
                    admission.leave(clock)
            return scope.cancelled_caught

        stalling = asyncio.ensure_future(stall())
        await asyncio.sleep(0.3)
        assert not stalling.done()
        with suppress(Overloaded):
            async with place(admission):
                pass
        assert await asyncio.wait_for(stalling, 5)
        assert await asyncio.wait_for(stall(), 5), "soon after that nobody is waited for long"

    asyncio.run(run())


def start(served: Served) -> Wire:
    wire = Wire(served)
    wire.post(PATH, {"input": "One two three four five six seven."})
    return wire


def test_one_too_many_is_told_to_come_back(toy: ToySynthesizer, serve: Serve) -> None:
    go_on = threading.Event()
    toy.before_block = lambda number: number < 1 or go_on.wait(20)
    served = serve(toy, max_streams=2)
    with ExitStack() as stack:
        talking = [stack.enter_context(start(served)) for _ in "ab"]
        assert [wire.read_head() for wire in talking] == [200, 200]
        assert served.get("/health").json()["active_streams"] == 2
        assert served.get("/health/ready").json()["free_streams"] == 0
        refused = served.post(PATH, json={"input": "Me too."})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        error = refused.json()["error"]
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        assert (error["param"], "2 streams" in error["message"]) == (None, True)
        assert f" {refused.headers['retry-after']} second" in error["message"]
        go_on.set()
        whole = 2 * len(toy.whole("One two three four five six seven.")) * 16000 // 24000
        assert [sum(map(len, wire.chunks())) for wire in talking] == [whole, whole]
    served.wait_idle()
    assert served.post(PATH, json={"input": "Me too."}).status_code == 200
    assert toy.opened == toy.closed == 3


@pytest.mark.parametrize("way", ["close", "reset"])
def test_who_leaves_while_it_waits_makes_room_for_another(
    way: str, toy: ToySynthesizer, serve: Serve
) -> None:
    go_on = threading.Event()
    toy.before_block = lambda number: number < 1 or go_on.wait(60)
    served = serve(toy, max_streams=1, queue_s=60)
    waiting = served.service.admission._waiting
    with start(served) as talking:
        assert talking.read_head() == 200
        with start(served) as leaving:
            wait_until(lambda: len(waiting) == 1)
            getattr(leaving, way)()
            wait_until(lambda: not waiting)
        with start(served) as staying:
            wait_until(lambda: len(waiting) == 1)
            go_on.set()
            assert list(talking.chunks())
            assert staying.read_head() == 200
            assert list(staying.chunks())
    served.wait_idle()
    assert toy.opened == toy.closed == 2
    telemetry = served.service.telemetry
    assert (telemetry.cancelled, dict(telemetry.failures)) == (0, {}), "it never held a place"


@pytest.mark.parametrize("way", ["end", "leave", "reset", "fail early", "fail late", "say nothing"])
def test_the_place_is_free_again_after(way: str, serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.002)
    served = serve(toy, max_streams=1)
    for _ in range(3):
        served.wait_idle()
        toy.fail_at = {"fail early": 0, "fail late": 3}.get(way)
        with Wire(served) as wire:
            wire.post(PATH, {"input": "..." if way == "say nothing" else "One two three."})
            status = wire.read_head()
            assert status == {"fail early": 500, "say nothing": 400}.get(way, 200)
            if way == "end":
                assert list(wire.chunks())
            elif way == "reset":
                wire.reset()
            elif way == "fail late":
                with pytest.raises(EOFError):
                    list(wire.chunks())
        wait_until(lambda: served.service.admission.active == 0, 5)
    toy.fail_at = None
    assert served.post(PATH, json={"input": "One two three."}).status_code == 200
    assert toy.opened == toy.closed


def test_a_machine_that_is_too_slow_lets_few_in(serve: Serve) -> None:
    """It keeps two fed and a half, and twelve call again and again: the others are refused, and
    those that are let in hear it nearly without gaps."""
    toy = ToySynthesizer(block_s=0.25, compute_s=0.1, at_once=1)
    served = serve(toy, queue_s=0.2, phrases_mb=0)
    answers: list[int] = []
    most = 0
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            answer = served.post(PATH, json={"input": "One two three four five. " * 4})
            answers.append(answer.status_code)

    callers = [threading.Thread(target=call) for _ in range(12)]
    for caller in callers:
        caller.start()

    def some_were_spoken_to() -> bool:
        nonlocal most
        most = max(most, served.service.admission.active)
        return answers.count(200) >= 4

    try:
        wait_until(some_were_spoken_to, 60)
    finally:
        over.set()
        for caller in callers:
            caller.join(60)
    assert set(answers) == {200, 429}
    assert 2 <= most <= 6
    assert served.service.admission.capacity.limit < 64


# ---------------------------------------------------------------- beside all places


def test_what_need_not_be_computed_takes_no_place() -> None:
    async def run() -> None:
        admission, beside = admitting(1), StreamClock()
        with CancelScope() as scope:
            assert admission.free
            assert admission.let_by(beside, scope)
            assert admission.free
            async with place(admission):
                assert (admission.active, admission.free) == (2, False)
                assert admission.let_by(StreamClock(), scope)
                with pytest.raises(Overloaded, match="All 1 streams"):
                    await place(admission).__aenter__()
            admission.ready(beside)
            assert scope.deadline < float("inf")  # its listener is bounded as any other
            admission.sent(beside)
            admission.leave(beside)
            assert (admission.active, admission.free) == (1, True)

    asyncio.run(run())


def test_who_waits_is_let_by_once_nothing_need_be_computed() -> None:
    async def run() -> None:
        admission, waits = admitting(1, 20), StreamClock()
        async with place(admission):
            waiting = asyncio.ensure_future(admission.enter(waits, CancelScope()))
            await asyncio.sleep(0)
            assert admission.let_by(waits, CancelScope())
            await asyncio.wait_for(waiting, 5)
            assert admission.active == 2
            assert admission.let_by(waits, CancelScope())  # asked again: it is in
            admission.leave(waits)
            assert (admission.active, admission.free) == (1, False)
        assert (admission.active, admission.free) == (0, True)

    asyncio.run(run())


def test_what_need_not_be_computed_says_nothing_of_when_a_place_is_free() -> None:
    async def run() -> None:
        admission, beside = admitting(1), StreamClock()

        async def refused() -> int:
            with pytest.raises(Overloaded) as caught:
                await place(admission).__aenter__()
            return caught.value.retry_after_s

        async with place(admission):
            assert admission.let_by(beside, CancelScope())
            admission._speaking[beside].since -= 1000
            assert await refused() == 1
            admission.leave(beside)
            assert await refused() == 1

    asyncio.run(run())


def test_what_need_not_be_computed_fills_nothing() -> None:
    async def run() -> None:
        admission, clock = admitting(2, beginners=1), StreamClock()
        with CancelScope() as scope:
            await admission.enter(clock, scope)
            assert admission.let_by(StreamClock(), CancelScope())
            with pytest.raises(Overloaded):  # until the one that begins has begun
                await place(admission).__aenter__()
            clock.ready(0.1)
            admission.ready(clock)
            assert scope.deadline > current_time() + 10  # nobody is refused for want of its place
            admission.leave(clock)

    asyncio.run(run())


def test_there_may_be_only_so_many_beside() -> None:
    async def run() -> None:
        admission = admitting(1)
        clocks = [StreamClock() for _ in range(MOST_BESIDE)]
        assert all(admission.let_by(clock, CancelScope()) for clock in clocks)
        assert not admission.let_by(StreamClock(), CancelScope())
        admission.leave(clocks[0])
        assert admission.let_by(StreamClock(), CancelScope())
        with pytest.raises(Overloaded):
            admission.check_late(clocks[1])

    asyncio.run(run())
