"""How many streams there may be, on simulated machines of known strength."""

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.server.capacity import FORGET_S, PROBE_AFTER_S, Capacity
from mira.stream.clock import StreamClock
from tests.server.machines import AllAtOnce, InTurns, Machine, Time

TAKES_TURNS, BATCHES = 4, 1024  # beginners


def machine(
    kind: type[Machine], strength: float, first: int = 64, least: int = 1, most: int = 64
) -> Machine:
    time = Time()
    beginners = TAKES_TURNS if kind is InTurns else BATCHES
    return kind(strength, time, Capacity(least, most, first, beginners, time))


def speaking(made: Machine, for_s: float, calls_per_s: float) -> tuple[float, int, int]:
    """How many spoke on average, the spread of the limit, and how many percent heard gaps."""
    counts: list[int] = []
    limits: list[int] = []
    broken, ended = made.broken, made.ended

    def look() -> None:
        counts.append(len(made.calls))
        limits.append(made.capacity.limit)

    made.run(for_s, calls_per_s, each=look)
    percent = round(100 * (made.broken - broken) / (made.ended - ended))
    return mean(counts), max(limits) - min(limits), percent


@pytest.mark.parametrize(
    ("kind", "strength", "first"),
    [(InTurns, 40, 64), (AllAtOnce, 20, 64), (AllAtOnce, 20, 1), (AllAtOnce, 4, 2)],
)
def test_under_demand_it_comes_near_what_the_machine_can_do_and_stays(
    kind: type[Machine], strength: int, first: int
) -> None:
    made = machine(kind, strength, first)
    made.run(200, strength / 4)  # hundreds of callers, most of them refused
    count, spread, percent = speaking(made, 300, strength / 4)
    assert 0.7 * strength < count <= strength
    assert spread <= max(2, strength / 10)
    assert percent < 20, "what it costs to try whether one more can be spoken to"


def test_a_machine_for_one_call_is_seldom_tried_with_two() -> None:
    made = machine(AllAtOnce, 1.3, first=1)
    made.run(200, 0.5)
    count, _, percent = speaking(made, 400, 0.5)
    assert 0.8 < count < 1.3
    assert percent < 50, "of those who call all the time"


def test_what_a_machine_can_do_is_offered_to_the_last_place() -> None:
    """Half of what it can do is asked for: nobody is refused, nobody runs dry."""
    made = machine(InTurns, 40)
    _, spread, percent = speaking(made, 120, 1.0)
    assert (made.refused, spread, percent) == (0, 0, 0)


@pytest.mark.parametrize(("kind", "strength"), [(InTurns, 40), (AllAtOnce, 20)])
def test_a_loaded_moment_is_forgotten(kind: type[Machine], strength: int) -> None:
    made = machine(kind, strength)
    made.run(30, strength / 40)
    made.strength = strength / 10
    made.run(10, strength / 40)
    assert made.capacity.limit < 0.7 * 64
    made.strength = strength
    made.run(3 * FORGET_S, strength / 80)
    assert made.capacity.limit > 0.9 * 64


@pytest.mark.parametrize("kind", [InTurns, AllAtOnce])
def test_it_is_found_again_while_demand_goes_on(kind: type[Machine]) -> None:
    made = machine(kind, 20)
    made.run(60, 5)
    made.strength = 2
    made.run(20, 5)
    made.strength = 20
    made.run(150, 5)
    assert speaking(made, 60, 5)[0] > 0.7 * 20


def test_a_bad_minute_is_forgotten_though_nothing_happens() -> None:
    made = machine(AllAtOnce, 2)
    made.run(20, 3)
    assert made.capacity.limit < 40
    for call in made.calls:
        made.capacity.leave(call.clock)
    made.time.s += 3600
    assert made.capacity.limit == 64


@pytest.mark.parametrize("strength", [5, 10, 40])
def test_a_burst_is_let_in_as_fast_as_it_can_be_answered(strength: int) -> None:
    made = machine(InTurns, strength)
    waiting = 64
    for _ in range(100):
        while waiting and made.capacity.free:
            made.call(15)
            waiting -= 1
        made.tick()
    assert min(4, strength) <= made.let_in <= 1.5 * strength, "within a second"


def test_a_burst_is_let_in_as_far_as_the_machine_goes() -> None:
    """Twice as many as it can speak to call at once, and again and again for two seconds."""
    made = machine(InTurns, 20)
    waiting = 40
    for tick in range(4000):
        while tick < 200 and waiting and made.capacity.free:
            made.call(30)
            waiting -= 1
        made.tick()
    assert 0.6 * 20 < made.let_in < 1.3 * 20
    assert made.broken <= 2


def test_the_settings_bound_it() -> None:
    made = machine(AllAtOnce, 1, least=3, most=5)
    made.run(300, 3, text_s=4)
    assert made.capacity.limit == 3
    strong = machine(AllAtOnce, 100, first=1, least=1, most=5)
    strong.run(60, 3)
    assert strong.capacity.limit == 5


@given(
    least=st.integers(1, 8),
    more=st.integers(0, 60),
    first=st.integers(-5, 100),
    steps=st.lists(
        st.tuples(st.sampled_from(["enter", "leave", "ready", "sent", "press"]), st.floats(0, 90)),
        max_size=60,
    ),
)
def test_it_never_leaves_its_bounds_nor_turns_out_who_is_spoken_to_well(
    least: int, more: int, first: int, steps: list[tuple[str, float]]
) -> None:
    time = Time()
    capacity = Capacity(least, least + more, first, BATCHES, time)
    streams: list[StreamClock] = []
    for what, for_s in steps:
        time.s += for_s
        if what == "enter" and capacity.free:
            streams.append(StreamClock(time))
            capacity.enter(streams[-1])
        elif what == "press":
            capacity.press()
        elif streams and what == "leave":
            capacity.leave(streams.pop(0))
        elif streams and what == "ready":
            streams[-1].ready(0.5)
        elif streams and what == "sent" and streams[-1].held:
            streams[-1].sent()
        assert least <= capacity.limit <= least + more
        assert 0 <= capacity.free <= capacity.limit


def test_one_that_stutters_proves_little_and_many_prove_much() -> None:
    def after(count: int) -> int:
        time = Time()
        capacity = Capacity(1, 64, 64, BATCHES, time)
        streams = [StreamClock(time) for _ in range(count)]
        for stream in streams:
            capacity.enter(stream)
        for _ in range(4):
            for stream in streams:
                stream.ready(0.5)
                stream.sent()
            time.s += 0.75
            capacity.look()
        return capacity.limit

    assert after(1) > 40
    assert after(20) < 30


def test_a_listener_that_keeps_the_service_waiting_is_no_sign_of_trouble() -> None:
    time = Time()
    capacity = Capacity(1, 64, 64, BATCHES, time)
    stream = StreamClock(time)
    capacity.enter(stream)
    for _ in range(5):
        stream.ready(0.5)
        time.s += 60
        capacity.look()
        stream.sent()
    assert capacity.limit == 64


@pytest.mark.parametrize("has_text", [True, False])
def test_who_waits_for_long_for_a_first_word_is_one(has_text: bool) -> None:
    """Unless there is nothing to say yet."""
    time = Time()
    began = time.s
    capacity = Capacity(1, 64, 64, BATCHES, time)
    for _ in range(30):
        capacity.enter(StreamClock(time, lambda: 0.0 if has_text else time.s - began))
    for _ in range(12):
        time.s += 0.5
        capacity.look()
    assert (capacity.limit < 35) == has_text


def test_each_time_that_trouble_comes_back_the_next_try_is_later() -> None:
    time = Time()
    capacity = Capacity(1, 64, 4, BATCHES, time)
    streams = [StreamClock(time) for _ in range(4)]
    for stream in streams:
        capacity.enter(stream)

    def play(chunk_s: float, for_s: float) -> None:
        for stream in streams:
            stream.ready(chunk_s)
            stream.sent()
        time.s += for_s
        capacity.press()

    waited_s = []
    for _ in range(3):
        for _ in range(100):  # they run dry, more and more
            play(0.5, 0.75)
        low = capacity.limit
        assert low == 3, "one less than were too many"
        began = time.s
        play(5, 0.5)
        while capacity.limit <= low:
            play(0.5, 0.5)
            assert time.s < began + 400
        waited_s.append(time.s - began)
    first, second, third = waited_s
    assert 20 < first < second - 15
    assert second < third - 30


def test_a_trouble_of_long_ago_does_not_count() -> None:
    time = Time()
    capacity = Capacity(1, 64, 64, BATCHES, time)
    capacity._cut_at = time.s
    capacity._probe_after_s = PROBE_AFTER_S[1]
    time.s += 3600
    stream = StreamClock(time)
    capacity.enter(stream)
    for _ in range(5):
        stream.ready(0.5)
        stream.sent()
        time.s += 0.75
        capacity.look()
    assert capacity._probe_after_s == PROBE_AFTER_S[0]
