"""What Cartesia's clients may send, and what can't be used of it."""

import pytest

from mira.errors import InvalidRequest, Overloaded
from mira.server.cartesia.requests import failure, read_generation
from mira.server.utterance import Delivery

PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}


def test_what_is_not_said_has_a_default() -> None:
    asked = read_generation({"transcript": "Hi.", "output_format": PCM, "duration": 3})
    assert asked.delivery == Delivery("pcm", 24000)
    assert (asked.voice_name, asked.patience_s, asked.continues) == (None, 3.0, None)


def test_the_frameworks_fields_mean_something() -> None:
    asked = read_generation(
        {
            "transcript": "Hi.",
            "voice": {"mode": "id", "id": "heart"},
            "output_format": {**PCM, "encoding": "pcm_mulaw", "sample_rate": 8000},
            "generation_config": {"speed": 1.2, "volume": 0.5, "emotion": "sad"},
            "max_buffer_delay_ms": 0,
            "continue": True,
        }
    )
    assert asked.delivery == Delivery("ulaw", 8000, 1.2, 0.5)
    assert (asked.voice_name, asked.patience_s, asked.continues) == ("heart", 0, True)


@pytest.mark.parametrize("voice", ["heart", {"id": "heart"}, {"mode": "id", "id": "heart"}])
def test_a_voice_may_be_said_in_several_ways(voice: object) -> None:
    asked = read_generation({"transcript": "Hi.", "voice": voice, "output_format": PCM})
    assert asked.voice_name == "heart"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"transcript": None}, "transcript"),
        ({"transcript": 5}, "transcript"),
        ({"voice": ["heart"]}, "voice"),
        ({"voice": {"mode": "id", "id": "a" * 300}}, "voice"),
        ({"output_format": None}, "output_format"),
        ({"output_format": {**PCM, "sample_rate": 7}}, "output_format"),
        ({"output_format": {**PCM, "encoding": "pcm_s8"}}, "output_format"),
        ({"output_format": {**PCM, "container": "ogg"}}, "output_format"),
        ({"output_format": {**PCM, "container": "wav", "encoding": "pcm_s8"}}, "output_format"),
        ({"generation_config": {"speed": 9}}, "generation_config"),
        ({"generation_config": {"speed": float("nan")}}, "generation_config"),
        ({"max_buffer_delay_ms": -1}, "max_buffer_delay_ms"),
        ({"continue": "yes"}, "continue"),
        ({"add_phoneme_timestamps": True}, "add_phoneme_timestamps"),
    ],
)
def test_what_can_not_be_used_is_named(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        _ = read_generation({"transcript": "Hi.", "output_format": PCM, **fields}).delivery
    assert refused.value.param == param
    assert str(refused.value).startswith(param)


def test_a_failure_has_all_that_cartesia_says_of_one() -> None:
    said = failure(Overloaded("Full."))
    assert said["status_code"] == 429
    assert {"type", "done", "title", "message", "error_code", "status_code", "request_id"} == {
        *said
    }
    assert failure(ZeroDivisionError("secret"))["status_code"] == 500
    assert "secret" not in str(failure(ZeroDivisionError("secret")))
