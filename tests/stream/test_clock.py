"""What a stream's clock says, told by a clock that the test moves."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.stream.clock import Player, StreamClock


class Time:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def time() -> Time:
    return Time()


def test_nothing_is_known_before_the_first_chunk(time: Time) -> None:
    clock = StreamClock(time)
    time.s += 5
    assert (clock.ttfa_ms, clock.rtf, clock.audio_s, clock.underruns) == (None, None, 0, 0)


def test_time_to_first_audio_is_from_accepted_to_ready(time: Time) -> None:
    clock = StreamClock(time)
    time.s += 0.25
    clock.ready(1.0)
    time.s += 0.5
    clock.sent()
    clock.ready(1.0)
    assert clock.ttfa_ms == pytest.approx(250)


def test_real_time_factor_is_work_per_audio(time: Time) -> None:
    clock = StreamClock(time)
    clock.ready(1.0, 0.2)
    time.s += 7.0  # it is made while the listener takes its time, or nothing is made at all
    clock.sent()
    clock.ready(2.0, 0.4)
    assert clock.work_s == pytest.approx(0.6)
    assert clock.audio_s == pytest.approx(3.0)
    assert clock.rtf == pytest.approx(0.2)


def play(time: Time, *chunks: tuple[float, float, float]) -> StreamClock:
    """Each chunk: seconds of work before it, seconds it plays, seconds until it is sent."""
    clock = StreamClock(time)
    for work_s, audio_s, wait_s in chunks:
        time.s += work_s
        clock.ready(audio_s, work_s)
        time.s += wait_s
        clock.sent()
    return clock


@pytest.mark.parametrize(
    ("chunks", "underruns"),
    [
        ([(9.0, 1.0, 0.0)], 0),  # the wait for the first chunk is TTFA, not an underrun
        ([(0.1, 1.0, 0.0), (0.9, 1.0, 0.0), (1.0, 1.0, 0.0)], 0),
        ([(0.1, 1.0, 0.0), (1.1, 1.0, 0.0)], 1),
        # What was computed early is still there for the chunk that is late.
        ([(0.1, 2.0, 0.0), (0.1, 2.0, 0.0), (3.5, 1.0, 0.0)], 0),
        ([(0.1, 2.0, 0.0), (0.1, 2.0, 0.0), (4.1, 1.0, 0.0)], 1),
        # After an underrun the listener goes on from the late chunk, with nothing in hand.
        ([(0.1, 1.0, 0.0), (5.0, 1.0, 0.0), (0.9, 1.0, 0.0)], 1),
        ([(0.1, 1.0, 0.0), (5.0, 1.0, 0.0), (1.1, 1.0, 0.0)], 2),
    ],
)
def test_an_underrun_is_a_moment_with_nothing_left(
    time: Time, chunks: list[tuple[float, float, float]], underruns: int
) -> None:
    assert play(time, *chunks).underruns == underruns


@given(chunks=st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 10)), min_size=1, max_size=20))
def test_a_player_hears_everything_and_waits_at_its_underruns(
    chunks: list[tuple[float, float]],
) -> None:
    """From the first audio on it plays or waits: the two add up to the time that passes."""
    player, now, waited_s, late = Player(), 1000.0, 0.0, 0
    assert player.left_s(now) is None
    for gap_s, audio_s in chunks:
        now += gap_s
        head_room_s = player.takes(audio_s, now)
        if head_room_s is not None and head_room_s < 0:
            waited_s, late = waited_s - head_room_s, late + 1
    assert player.underruns == late
    heard_s = sum(audio_s for _, audio_s in chunks)
    began = 1000.0 + chunks[0][0]
    assert player.runs_dry_at == pytest.approx(began + heard_s + waited_s)


def test_a_listener_who_makes_us_wait_causes_no_underrun(time: Time) -> None:
    """Its buffer was full, so it had enough to play."""
    assert play(time, (0.1, 1.0, 60.0), (0.9, 1.0, 60.0), (0.9, 1.0, 0.0)).underruns == 0
    assert play(time, (0.1, 1.0, 60.0), (1.1, 1.0, 0.0)).underruns == 1


@given(
    chunks=st.lists(
        st.tuples(st.floats(0, 10), st.floats(0.01, 10), st.floats(0, 10)), min_size=1, max_size=20
    )
)
def test_laws(chunks: list[tuple[float, float, float]]) -> None:
    time = Time()
    clock = play(time, *chunks)
    assert clock.work_s == pytest.approx(sum(work for work, _, _ in chunks), abs=1e-6)
    assert clock.audio_s == pytest.approx(sum(audio for _, audio, _ in chunks))
    assert 0 <= clock.underruns < len(chunks)
    late = [work > audio for (_, audio, _), (work, _, _) in pairwise(chunks)]
    if not any(late):
        assert clock.underruns == 0


def test_waiting_earns_no_credit(time: Time) -> None:
    """A listener in real time keeps us waiting with every chunk, and still notices a stall."""
    chunks = [(0.01, 1.0, 0.99)] * 60
    assert play(time, *chunks, (30.0, 1.0, 0.0)).underruns == 1


def test_head_room_is_what_was_left_to_play_when_a_chunk_came(time: Time) -> None:
    clock = StreamClock(time)
    assert (clock.left_s, clock.head_room_s) == (None, None)
    clock.ready(1.0)
    assert (clock.left_s, clock.head_room_s, clock.held) == (1.0, None, True)
    clock.sent()
    time.s += 0.75
    clock.ready(2.0)
    assert (clock.left_s, clock.head_room_s, clock.chunks) == (2.25, 0.25, 2)
    clock.sent()
    time.s += 3
    assert clock.left_s == -0.75
    clock.ready(1.0)
    assert (clock.left_s, clock.head_room_s, clock.held) == (1.0, -0.75, True)


def test_waits_for_text_are_neither_late_nor_work(time: Time) -> None:
    waited_s = 2.0
    clock = StreamClock(time, lambda: waited_s)
    time.s += 2.5
    clock.ready(1.0)
    clock.sent()
    assert clock.ttfa_ms == pytest.approx(500)
    time.s += 3.25
    waited_s += 3.0
    assert clock.left_s == pytest.approx(0.75)
    clock.ready(1.0)
    clock.sent()
    assert (clock.underruns, clock.head_room_s, clock.left_s) == (0, 0.75, 1.0)
    time.s += 3.25
    waited_s += 2.0
    clock.ready(1.0)
    assert (clock.underruns, clock.head_room_s) == (1, -0.25)


class Listener:
    """Takes chunks of half a second, plays them, and has a buffer of two seconds."""

    def __init__(self, time: Time, pace: float = 1.0) -> None:
        self.time, self.pace = time, pace
        self.clock = StreamClock(time)
        self.buffered_s = 0.0

    def take(self, chunks: int, pause_s: float = 0.0) -> float:
        """Take so many, the first after a pause; the most it was behind while it did."""
        most_s = 0.0
        for _ in range(chunks):
            self.clock.ready(0.5)
            wait_s = pause_s + max(self.buffered_s + 0.5 - 2.0, 0) / self.pace
            pause_s = 0.0
            self.time.s += wait_s
            self.buffered_s = max(self.buffered_s - wait_s * self.pace, 0) + 0.5
            most_s = max(most_s, 10 - self.clock.patience_left_s(10))
            self.clock.sent()
        return most_s


def test_a_listener_in_real_time_is_never_behind(time: Time) -> None:
    assert Listener(time).take(200) <= 0
    assert Listener(time, pace=0.7).take(200) < 1


def test_who_pauses_is_behind_until_it_has_played_for_a_while(time: Time) -> None:
    listener = Listener(time)
    listener.take(10)
    for _ in range(3):
        assert 6 < listener.take(1, pause_s=8) <= 8
        listener.take(40)
        assert listener.clock.behind_s == 0


def test_who_trickles_is_ever_more_behind(time: Time) -> None:
    listener = Listener(time, pace=0.05)
    assert listener.take(6) > 10
    assert listener.take(6) > 60


def test_who_never_takes_a_chunk_is_behind_once_it_has_played_the_others(time: Time) -> None:
    listener = Listener(time)
    listener.take(4)
    listener.clock.ready(0.5)
    assert listener.clock.patience_left_s(30) == pytest.approx(32)
    time.s += 40
    assert listener.clock.patience_left_s(30) == pytest.approx(-8)


def test_what_is_no_audio_is_waited_for_and_counts_as_nothing(time: Time) -> None:
    clock = StreamClock(time)
    clock.ready(1.0)
    clock.sent()
    time.s += 0.5
    clock.aside()
    assert clock.held
    assert clock.patience_left_s(30) == pytest.approx(30.5)
    time.s += 0.25
    clock.sent()
    assert not clock.held
    assert (clock.chunks, clock.audio_s, clock.left_s) == (1, 1.0, pytest.approx(0.25))
    time.s += 60  # there is no text
    clock.aside()
    assert clock.patience_left_s(30) == pytest.approx(30)
    assert (clock.underruns, clock.behind_s) == (0, 0)


def test_what_is_kept_back_is_not_held_against_the_listener(time: Time) -> None:
    clock = StreamClock(time)
    for _ in range(5):
        clock.ready(6.0)
        in_hand_s = (clock.left_s or 0.0) - 6.0
        clock.kept_back(5.0)
        time.s += 5.0
        assert clock.patience_left_s(5) == pytest.approx(5 + in_hand_s)
        time.s += 1.0  # that it takes itself
        clock.sent()
        assert clock.behind_s == 0


def test_what_is_no_audio_begins_no_playing(time: Time) -> None:
    clock = StreamClock(time)
    clock.aside()  # a flush, before which nothing could be spoken
    clock.sent()
    time.s += 0.5
    assert clock.left_s is None
    clock.ready(1.0)
    assert (clock.underruns, clock.head_room_s, clock.ttfa_ms) == (0, None, pytest.approx(500))
