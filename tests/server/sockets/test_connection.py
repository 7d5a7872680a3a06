"""What all sockets share, on real connections and without any protocol."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI
from starlette.websockets import WebSocket

from mira.errors import InvalidRequest, Overloaded
from mira.server.key_file import Grant
from mira.server.keys import EVERYTHING, Caller
from mira.server.pacing import Pacing
from mira.server.sockets.connection import Turns, connected, read
from mira.server.state import Service
from mira.server.turn import Done, Event, Turn
from mira.server.utterance import Delivery
from tests.conftest import Serve
from tests.server.serving import Served, ready_service, wait_until
from tests.server.sockets.client import Client
from tests.toys import ANNA, ToySynthesizer

PCM = Delivery("pcm", 24000)
LONG = "One two three four five six seven. " * 50


@pytest.mark.parametrize(
    "data", ["", "{", "[]", "1", "null", '"a"', b"{}", "[" * 100_000, "9" * 5000, "{'a': 1}"]
)
def test_what_is_no_object_is_refused(data: str | bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(data)
    assert refused.value.code == "invalid_json"


def echoing(served: Served, idle_s: float) -> None:
    """An endpoint that says what it is told."""
    app: FastAPI = served.app

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        service = served.service
        async with (
            connected(service, websocket) as connection,
            Turns(service, connection.caller, 1).open() as turns,
        ):

            async def refuse(error: InvalidRequest) -> None:
                await connection.send({"error": str(error)})

            async for message in connection.messages(idle_s, refuse, turns):
                await connection.send(message)
                await connection.send(b"bytes")


def test_messages_go_both_ways_until_nothing_is_said(serve: Serve) -> None:
    served = serve(ToySynthesizer())
    echoing(served, 0.3)
    with Client(served, "/echo") as client:
        for count in range(3):
            time.sleep(0.15)
            client.say("{", {"count": count})
            assert "error" in client.hear()  # type: ignore[operator]
            assert client.hear() == {"count": count}
            assert client.hear() == b"bytes"
        assert client.closed()[0] == 1000
    wait_until(lambda: served.connections == 0)


class Ears:
    """Told what happens; may be slow."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.events: list[Event] = []
        self.failures: list[Exception] = []
        self._slow_s = slow_s

    async def __call__(self, event: Event) -> None:
        await asyncio.sleep(self._slow_s)
        self.events.append(event)

    async def failed(self, error: Exception) -> None:
        self.failures.append(error)


async def until(reached: Callable[[], object]) -> None:
    """Poll what can't notify."""
    while not reached():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def in_turns(
    toy: ToySynthesizer,
    main: Callable[[Service, Turns], Awaitable[None]],
    caller: Caller | None = None,
    **options: bool,
) -> None:
    async def bounded() -> None:
        service = ready_service(toy)
        whose = caller or Caller("", EVERYTHING)
        async with Turns(service, whose, 3, **options).open() as turns:
            await asyncio.wait_for(main(service, turns), 20)
        assert len(turns) == service.admission.active == 0

    asyncio.run(bounded())
    assert toy.opened == toy.closed
    wait_until(lambda: "mira-ahead" not in {thread.name for thread in threading.enumerate()}, 2)


def turn(service: Service, text: str) -> Turn:
    made = Turn(service, ANNA, PCM, pacing=Pacing(PCM, lead_s=600))
    made.push(text)
    made.finish()
    return made


def test_nothing_is_told_after_a_cancel_not_even_what_waited() -> None:
    ears = Ears(slow_s=0.01)

    async def main(service: Service, turns: Turns) -> None:
        turns.begin("a", turn(service, LONG), ears, ears.failed)
        await until(lambda: len(ears.events) >= 3)
        assert turns.cancel("a") is not None
        told = len(ears.events)
        assert turns.cancel("a") is None
        turns.begin("a", turn(service, "One."), Ears(), ears.failed)  # the name is free at once
        await asyncio.sleep(0.1)
        assert len(ears.events) == told

    in_turns(ToySynthesizer(), main)
    assert not ears.failures


def test_not_even_an_end_that_waited_is_told() -> None:
    waiting, told = list[Event](), list[Event]()

    async def main(service: Service, turns: Turns) -> None:
        async def tell(event: Event) -> None:
            if isinstance(event, Done):
                waiting.append(event)
                await asyncio.sleep(0.05)  # the client takes nothing
                told.append(event)

        turns.begin("a", turn(service, "One."), tell, Ears().failed)
        await until(lambda: waiting)
        turns.cancel("a")
        await asyncio.sleep(0.1)

    in_turns(ToySynthesizer(), main)
    assert not told


def test_too_many_are_refused_and_a_failure_ends_one() -> None:
    ears = Ears()

    async def main(service: Service, turns: Turns) -> None:
        for name in "abc":
            turns.begin(name, Turn(service, ANNA, PCM), ears, ears.failed)
        with pytest.raises(Overloaded):
            turns.begin("d", Turn(service, ANNA, PCM), ears, ears.failed)
        turns.cancel("b")
        turns.begin("d", turn(service, "One two. Three four."), ears, ears.failed)
        await until(lambda: not turns.get("d"))
        assert turns.names == ("a", "c")

    in_turns(ToySynthesizer(fail_at=2), main)
    assert len(ears.failures) == 1


def test_a_key_has_contexts_of_its_own_and_gets_each_back() -> None:
    ears, key = Ears(), Caller("key", Grant(EVERYTHING.may, contexts=2))

    async def main(service: Service, turns: Turns) -> None:
        async with Turns(service, key, 3).open() as others:
            others.begin("a", Turn(service, ANNA, PCM), ears, ears.failed)
            turns.begin("a", turn(service, LONG), ears, ears.failed)
            with pytest.raises(Overloaded, match="2 at once"):
                turns.begin("b", turn(service, "One."), ears, ears.failed)
            for name in "abcdef":
                assert turns.cancel(name)
                last = chr(ord(name) + 1)
                turns.begin(last, turn(service, "One two."), ears, ears.failed)
            await until(lambda: not len(turns))
            turns.begin("b", turn(service, "One."), ears, ears.failed)
        turns.begin("c", Turn(service, ANNA, PCM), ears, ears.failed)

    in_turns(ToySynthesizer(), main, key)
    with key.context(), key.context():
        pass
    assert not ears.failures


def test_a_context_that_failed_is_given_back_though_nobody_takes_the_news() -> None:
    ears, key = Ears(), Caller("key", Grant(EVERYTHING.may, contexts=1))

    async def main(service: Service, turns: Turns) -> None:
        told = asyncio.Event()

        async def stalled(error: Exception) -> None:
            told.set()
            await asyncio.sleep(60)

        turns.begin("a", turn(service, "One two. Three four."), ears, stalled)
        assert service.telemetry.contexts == 1
        await told.wait()
        assert service.telemetry.contexts == 0 and turns.names == ("a",)
        with key.context():
            pass

    in_turns(ToySynthesizer(fail_at=2), main, key)


def test_a_mistake_of_ours_is_a_failure_too() -> None:
    ears = Ears()

    async def main(service: Service, turns: Turns) -> None:
        async def broken(event: Event) -> None:
            raise ZeroDivisionError

        turns.begin("a", turn(service, "One."), broken, ears.failed)
        await until(lambda: not turns.get("a"))
        assert service.telemetry.failures["Internal"] == 1

    in_turns(ToySynthesizer(), main)
    assert isinstance(ears.failures[0], ZeroDivisionError)


def test_in_order_each_waits_for_the_one_before() -> None:
    order: list[str] = []

    async def main(service: Service, turns: Turns) -> None:
        for name, text in (("a", LONG), ("b", "One."), ("c", "Two.")):

            async def tell(event: Event, name: str = name) -> None:
                order.append(name)

            turns.begin(name, turn(service, text), tell, Ears().failed)
        await until(lambda: not len(turns))

    in_turns(ToySynthesizer(), main, in_order=True)
    assert [*dict.fromkeys(order)] == ["a", "b", "c"]
    assert order == sorted(order)


def test_in_order_none_waits_for_what_is_computed_for_a_cancelled_one() -> None:
    stuck, going_on = threading.Event(), threading.Event()

    def before_block(number: int) -> None:
        if not stuck.is_set():
            stuck.set()
            going_on.wait(20)

    ears = Ears()

    async def main(service: Service, turns: Turns) -> None:
        turns.begin("a", turn(service, "One."), Ears(), Ears().failed)
        await until(stuck.is_set)
        turns.cancel("a")
        turns.begin("b", turn(service, "Two."), ears, ears.failed)
        await until(lambda: not turns.get("b"))
        assert isinstance(ears.events[-1], Done)
        going_on.set()

    in_turns(ToySynthesizer(before_block=before_block), main, in_order=True)


@pytest.mark.parametrize(("fail_at", "outcome"), [(None, "done"), (0, "failed"), (2, "failed")])
def test_how_a_turn_ends_is_counted_once(fail_at: int | None, outcome: str) -> None:
    ears = Ears()

    async def main(service: Service, turns: Turns) -> None:
        telemetry = service.telemetry
        turns.begin("a", turn(service, "One two. Three four."), ears, ears.failed)
        assert telemetry.contexts == 1
        await until(lambda: not turns.get("a"))
        assert telemetry.contexts == 0
        assert telemetry.turns == {outcome: 1}
        assert telemetry.failures == ({"SynthesisFailed": 1} if outcome == "failed" else {})
        assert telemetry.registry.get_sample_value("mira_turn_first_audio_seconds_count") == (
            0 if fail_at == 0 else 1
        )

    in_turns(ToySynthesizer(fail_at=fail_at), main)


def test_interrupted_is_not_dropped() -> None:
    ears = Ears()

    async def main(service: Service, turns: Turns) -> None:
        for name in "ab":
            turns.begin(name, turn(service, LONG), ears, ears.failed)
        turns.begin("nothing was said in it", Turn(service, ANNA, PCM), ears, ears.failed)
        await until(lambda: ears.events)
        turns.cancel("a")
        assert (service.telemetry.turns, service.telemetry.contexts) == ({"interrupted": 1}, 2)
        await turns.close()
        counted = {"interrupted": 1, "dropped": 1}
        assert (service.telemetry.turns, service.telemetry.contexts) == (counted, 0)

    in_turns(ToySynthesizer(), main)


def test_done_is_told_last() -> None:
    ears = Ears()

    async def main(service: Service, turns: Turns) -> None:
        turns.begin("a", turn(service, "One two."), ears, ears.failed)
        await until(lambda: not turns.get("a"))

    in_turns(ToySynthesizer(), main)
    assert isinstance(ears.events[-1], Done)
