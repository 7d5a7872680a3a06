"""What a listener goes through follows from when the pieces came in."""

from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists, tuples

from mira.cli.bench.client import Client
from mira.cli.bench.listening import hear, leading_silence, play
from mira.errors import InvalidRequest
from tests.server.serving import Served

GAPS_AND_AUDIO = lists(tuples(floats(0, 2), floats(0.01, 2)), min_size=1, max_size=20)


def test_a_stream_that_comes_in_time() -> None:
    played = play(10.0, [(10.3, 0.2), (10.4, 0.5), (10.9, 0.5)], silence_s=0.05)
    assert played.audible_ms == pytest.approx(350)
    assert not played.late_ms
    assert played.head_room_ms == pytest.approx(100)
    assert played.audio_s == pytest.approx(1.2)
    assert played.answer_s == pytest.approx(0.9)


def test_running_dry_is_counted_once_each_time_and_shifts_what_follows() -> None:
    # Plays 0.3 to 0.5, waits, plays 0.6 to 0.8; the third piece comes in time, the fourth late.
    arrivals = [(0.3, 0.2), (0.6, 0.2), (0.75, 0.1), (1.0, 0.1)]
    played = play(0.0, arrivals, silence_s=0.0)
    assert played.late_ms == pytest.approx((100, 100))
    assert played.head_room_ms == pytest.approx(-100)
    assert played.audible_ms == pytest.approx(300)


def test_waiting_within_the_first_silence_is_not_an_underrun_but_delays_what_is_heard() -> None:
    played = play(0.0, [(0.1, 0.2), (0.5, 1.0)], silence_s=0.25)
    assert not played.late_ms
    assert played.audible_ms == pytest.approx(550)  # 50 ms into the second piece


def test_pieces_that_come_together_are_one_chunk() -> None:
    played = play(0.0, [(0.1, 0.05), (0.102, 0.05), (0.15, 0.1)], silence_s=0.0)
    assert played.head_room_ms == pytest.approx(50)
    assert play(0.0, [(0.1, 0.5), (0.103, 0.5)], silence_s=0.0).head_room_ms is None


@given(GAPS_AND_AUDIO, floats(0, 1))
def test_laws(gaps_and_audio: list[tuple[float, float]], silence: float) -> None:
    times = np.cumsum([gap for gap, _ in gaps_and_audio]).tolist()
    arrivals = list(zip(times, [audio_s for _, audio_s in gaps_and_audio], strict=True))
    total_s = sum(audio_s for _, audio_s in arrivals)
    played = play(0.0, arrivals, silence_s=0.9 * silence * total_s)
    assert played.audible_ms >= (times[0] + 0.9 * silence * total_s) * 1000 - 1e-6
    assert 0 <= len(played.late_ms) < len(arrivals)
    assert played.audio_s == pytest.approx(total_s)
    # A pause can only be heard after something else was; silence hides pauses, and makes none.
    assert len(played.late_ms) <= len(play(0.0, arrivals).late_ms)
    at_once = [(times[0], audio_s) for _, audio_s in arrivals]
    assert not play(0.0, at_once).late_ms


def test_silence_ends_at_50_db_below_full_scale() -> None:
    samples = np.array([0, 0.003, -0.003, -0.0033, 1], np.float32)
    assert leading_silence(samples) == 3
    assert leading_silence(samples[:3]) is None
    assert leading_silence(np.zeros(0, np.float32)) is None


@pytest.mark.parametrize("name", ["pcm", "wav", "mp3", "opus", "aac", "flac"])
def test_every_format_is_heard_alike(shared: Served, name: str) -> None:
    with closing(Client(shared.url)) as client:
        pieces = list(client.speak("Hello there.", {"response_format": name}))
    played = hear(pieces[0][0] - 0.5, pieces, name, 24000)
    assert played is not None
    assert played.audio_s == pytest.approx(0.6, abs=0.12)
    assert 500 <= played.audible_ms < 1000


def test_what_is_silent_and_what_is_no_audio() -> None:
    assert hear(0.0, [(0.1, bytes(4800))], "pcm", 24000) is None
    assert hear(0.0, [], "pcm", 24000) is None
    with pytest.raises(InvalidRequest):
        hear(0.0, [(0.1, bytes(4800))], "mp3", 24000)
