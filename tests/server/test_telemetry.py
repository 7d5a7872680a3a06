"""What is counted, without a server around it."""

import numpy as np
import pytest

from mira.errors import InvalidRequest
from mira.server.telemetry import NAMED_VOICES, OTHERS, RECENT, Telemetry, Used
from mira.stream.clock import StreamClock
from mira.voices.names import clean_name


def clock(ttfa_s: float, audio_s: float, late: int = 0) -> StreamClock:
    """A stream whose first chunk came after `ttfa_s`, then `late` ones too late."""
    now = 0.0
    made = StreamClock(lambda: now)
    now = ttfa_s
    made.ready(audio_s, ttfa_s)
    made.sent()
    for _ in range(late):
        now += audio_s + 1
        made.ready(audio_s, audio_s + 1)
        made.sent()
    return made


def test_two_do_not_add_up() -> None:
    one, other = Telemetry(), Telemetry()
    one.first_audio("anna", clock(0.1, 1.0))
    one.substituted += 1
    assert (one.uses.total(), other.uses.total()) == (1, 0)
    assert b'mira_requests_total{voice="anna"} 1.0' in one.prometheus(0, 2, 2)
    assert b'voice="anna"' not in other.prometheus(0, 2, 2)


def test_percentiles_are_over_the_recent_streams() -> None:
    telemetry = Telemetry()
    assert telemetry.percentiles() == {"ttfa_ms": None, "turn_ttfa_ms": None, "rtf": None}
    for number in range(RECENT + 500):
        made = clock(0.001 * (number + 1), 1.0)
        telemetry.first_audio("anna", made)
        telemetry.ended(made, cancelled=False)
    recent_ms = np.arange(501, RECENT + 501)
    found = telemetry.percentiles()
    for name, rank in (("p50", 50), ("p95", 95), ("p99", 99)):
        assert found["ttfa_ms"] is not None
        assert found["rtf"] is not None
        expected_ms = float(np.percentile(recent_ms, rank))
        assert found["ttfa_ms"][name] == pytest.approx(expected_ms, abs=0.001)
        assert found["rtf"][name] == pytest.approx(expected_ms / 1000, abs=0.001)


def test_what_ended_is_added_up() -> None:
    telemetry = Telemetry()
    telemetry.ended(clock(0.1, 2.0, late=2), cancelled=False)
    telemetry.ended(clock(0.1, 1.0), cancelled=True)
    telemetry.failed("SynthesisFailed")
    assert (telemetry.audio_s, telemetry.underruns, telemetry.cancelled) == (7.0, 2, 1)
    text = telemetry.prometheus(3, 2, 5).decode()
    for line in (
        "mira_audio_seconds_total 7.0",
        "mira_underruns_total 2.0",
        "mira_cancellations_total 1.0",
        'mira_errors_total{kind="SynthesisFailed"} 1.0',
        "mira_active_streams 3.0",
        "mira_free_streams 2.0",
        "mira_max_streams 5.0",
        "mira_real_time_factor_count 2.0",
    ):
        assert line in text.splitlines()


def test_a_stream_without_audio_counts_in_no_average() -> None:
    telemetry = Telemetry()
    silent = StreamClock(lambda: 0.0)
    telemetry.first_audio("anna", silent)
    telemetry.ended(silent, cancelled=True)
    assert telemetry.percentiles() == {"ttfa_ms": None, "turn_ttfa_ms": None, "rtf": None}
    assert telemetry.cancelled == 1


def test_voices_beyond_a_number_are_counted_together() -> None:
    telemetry = Telemetry()
    made = clock(0.1, 1.0)
    for number in range(2 * NAMED_VOICES):
        telemetry.first_audio("anna", made)  # who speaks all the time keeps her name
        telemetry.first_audio(f"upload{number}", made)
    assert len(telemetry.uses) == NAMED_VOICES + 1
    assert telemetry.uses.total() == 4 * NAMED_VOICES
    assert telemetry.uses["anna"] == 2 * NAMED_VOICES
    assert telemetry.uses[f"upload{2 * NAMED_VOICES - 1}"] == 1
    assert telemetry.uses["upload0"] == 0
    said = telemetry.prometheus(0, 2, 2).decode()
    spoken = [line for line in said.splitlines() if line.startswith("mira_requests_total{")]
    assert {line.partition('"')[2].partition('"')[0] for line in spoken} == set(telemetry.uses)
    assert sum(float(line.split()[-1]) for line in spoken) == 4 * NAMED_VOICES


def test_no_voice_can_be_called_as_the_others_are() -> None:
    with pytest.raises(InvalidRequest):
        clean_name(OTHERS)


def test_sockets_and_turns_are_read_as_they_are() -> None:
    telemetry = Telemetry()
    telemetry.used = lambda: {"phone": Used(2, 1, 500)}
    telemetry.turn_began(clock(0.02, 1.0))
    telemetry.turns["dropped"] += 1

    def lines() -> list[str]:
        return telemetry.prometheus(0, 2, 2).decode().splitlines()

    with telemetry.socket("Cartesia"), telemetry.socket("Cartesia"), telemetry.context():
        assert {
            'mira_sockets{protocol="Cartesia"} 2.0',
            "mira_contexts 1.0",
            'mira_turns_total{outcome="dropped"} 1.0',
            "mira_turn_first_audio_seconds_count 1.0",
            'mira_turn_first_audio_seconds_bucket{le="0.02"} 1.0',
            'mira_key_sockets{key="phone"} 2.0',
            'mira_key_contexts{key="phone"} 1.0',
            'mira_key_characters_total{key="phone"} 500.0',
        } < {*lines()}
    assert {'mira_sockets{protocol="Cartesia"} 0.0', "mira_contexts 0.0"} < {*lines()}
