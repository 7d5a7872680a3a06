"""Deepgram's Flux over a real socket, as its SDK, Pipecat and LiveKit speak it."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.sockets.client import Client, Message
from tests.server.sockets.test_deepgram import (
    CLOSE,
    FLUSH,
    LONG,
    TEXT,
    hear_until,
    seconds,
    speak,
    spoken,
    words,
)
from tests.toys import ToySynthesizer

PATH = "/v2/speak?model=anna&encoding=linear16&sample_rate=24000"
INTERRUPT = {"type": "Interrupt"}


def interrupt(played_ms: int) -> dict[str, object]:
    return {**INTERRUPT, "playback_offset": {"type": "time_ms", "value": played_ms}}


def kinds(messages: list[Message]) -> list[str]:
    return [message["type"] for message in messages]


@pytest.fixture
def flux(shared: Served) -> Iterator[Client]:
    with Client(shared, PATH) as client:
        greeting = client.hear()
        assert isinstance(greeting, dict)
        assert greeting["type"] == "Connected" and len(greeting["model_uuids"]) == 1
        assert {"request_id", "model_name", "model_version"} < set(greeting)
        yield client


def test_tokens_are_a_turn_with_an_id(shared: Served, flux: Client) -> None:
    flux.say(*map(speak, re.findall(r"\s?\w+|\W", TEXT)), FLUSH)
    audio, messages = hear_until(flux, "Flushed")
    assert kinds(messages) == ["SpeechStarted", "SpeechMetadata", "Flushed"]
    assert audio == spoken(shared, TEXT)
    assert len({message["speech_id"] for message in messages}) == 1
    assert re.fullmatch(r"dg_sp_[0-9a-f]{12}", messages[0]["speech_id"])
    assert messages[1]["audio_duration_ms"] == pytest.approx(1000 * seconds(audio), abs=1)
    assert messages[1]["input_character_count"] == len(TEXT)


def test_turns_at_once_are_told_one_after_another(flux: Client) -> None:
    flux.say(speak("One two."), FLUSH, speak("Three."), FLUSH, CLOSE)
    _, first = hear_until(flux, "Flushed")
    _, second = hear_until(flux, "Flushed")
    assert kinds(first) == kinds(second) == ["SpeechStarted", "SpeechMetadata", "Flushed"]
    assert first[0]["speech_id"] != second[0]["speech_id"]
    _, last = hear_until(flux, "SessionMetadata")
    durations = [messages[1]["audio_duration_ms"] for messages in (first, second)]
    assert last[0]["total_audio_duration_ms"] == sum(durations)
    assert last[0]["total_input_character_count"] == len("One two.Three.")
    assert flux.closed() == (1000, "")


def test_a_flush_of_nothing_is_warned_of(flux: Client) -> None:
    flux.say(FLUSH)
    warning = flux.hear()
    assert isinstance(warning, dict)
    assert (warning["type"], warning["code"]) == ("Warning", "NO_ACTIVE_SPEECH")
    assert warning["description"] == warning["warn_msg"]


@pytest.mark.parametrize("text", ["", "  ", "...", "🙂"])
def test_a_turn_with_nothing_to_say_is_ended(flux: Client, text: str) -> None:
    flux.say(speak(text), FLUSH)
    audio, messages = hear_until(flux, "Flushed")
    assert audio == b""
    assert kinds(messages) == ["SpeechStarted", "Warning", "SpeechMetadata", "Flushed"]
    assert messages[1]["code"] == "NO_SYNTHESIZABLE_TEXT"
    assert messages[2]["audio_duration_ms"] == 0


def test_nothing_follows_an_interruption_and_it_says_how_far_it_got(serve: Serve) -> None:
    served = serve(ToySynthesizer())
    with Client(served, PATH) as client:
        client.say(speak("Hello there."), FLUSH)
        _, messages = hear_until(client, "Flushed")
        before_ms = messages[-2]["audio_duration_ms"]
        client.say(*words(LONG), FLUSH)
        heard = 0.0
        while heard < 1.2:
            message = client.hear()
            heard += seconds(message) if isinstance(message, bytes) else 0.0
        client.say(interrupt(before_ms + 700))
        _, messages = hear_until(client, "SpeechInterrupted")
        told = messages[-1]
        assert kinds(messages) == ["SpeechInterrupted"]
        assert told["audio_played_ms"] == before_ms + 700
        assert told["text_spoken"] + told["text_remaining"] == LONG + " "
        assert 5 < len(told["text_spoken"]) < 25  # 50 ms a character
        assert told["metadata"]["audio_duration_ms"] > 1100
        assert client.rest() == []
        client.say(speak("Hello again."), FLUSH, CLOSE)
        audio, messages = hear_until(client, "SessionMetadata")
        assert audio == spoken(served, "Hello again.")
        total_ms = before_ms + 700 + round(1000 * seconds(audio))
        assert messages[-1]["total_audio_duration_ms"] == pytest.approx(total_ms, abs=2)
    served.wait_idle()


def test_an_interruption_before_any_audio_ends_the_turn_too(flux: Client) -> None:
    flux.say(speak("No end of"), INTERRUPT)
    _, messages = hear_until(flux, "SpeechInterrupted")
    assert messages[-1]["audio_played_ms"] == 0
    assert messages[-1]["text_remaining"] == "No end of"
    assert flux.rest(0.2) == []


def test_an_interruption_of_nothing_is_warned_of(flux: Client) -> None:
    flux.say(INTERRUPT)
    warning = flux.hear()
    assert isinstance(warning, dict)
    assert (warning["type"], warning["code"]) == ("Warning", "NO_ACTIVE_SPEECH")


@pytest.mark.parametrize("offset_ms", [0, 10**12])
def test_an_offset_beyond_what_was_sent_interrupts_too(flux: Client, offset_ms: int) -> None:
    flux.say(*words(LONG))
    hear_until(flux, "SpeechStarted")
    sent = flux.hear()
    assert isinstance(sent, bytes)
    flux.say(interrupt(offset_ms))
    more, messages = hear_until(flux, "SpeechInterrupted")
    sent_ms = 1000 * seconds(sent + more)
    assert messages[-1]["audio_played_ms"] == (pytest.approx(sent_ms, abs=250) if offset_ms else 0)


def test_another_pace_is_for_the_next_turn(flux: Client) -> None:
    flux.say(speak("Hello there, how are you?"), FLUSH)
    usual, _ = hear_until(flux, "Flushed")
    flux.say({"type": "Configure", "speed": 1.5}, speak("Hello there, how are you?"), FLUSH)
    fast, messages = hear_until(flux, "Flushed")
    assert messages[0] == {"type": "ConfigureSuccess", "applied": {"speed": 1.5}}
    assert seconds(fast) == pytest.approx(seconds(usual) / 1.5, abs=0.1)
    flux.say({"type": "Configure", "speed": 9})
    failure = flux.hear()
    assert isinstance(failure, dict)
    assert (failure["type"], failure["code"]) == ("ConfigureFailure", "SPEED_OUT_OF_RANGE")
    assert (failure["field"], failure["value"]) == ("speed", 9)


@pytest.mark.parametrize("message", ["{", "[]", b"{}", '{"type": "Clear"}', '{"type": "Speak"}'])
def test_what_is_no_message_is_an_error_and_the_socket_goes_on(
    flux: Client, message: str | bytes
) -> None:
    flux.say(message)
    error = flux.hear()
    assert isinstance(error, dict)
    assert (error["type"], error["code"]) == ("Error", "MESSAGE-0000")
    assert error["description"]
    flux.say(speak("One."), FLUSH)
    assert hear_until(flux, "Flushed")[0]


def test_a_failure_is_told_and_ends_the_turn(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=1))
    with Client(served, PATH) as client:
        client.say(*words(TEXT), FLUSH)
        _, messages = hear_until(client, "Flushed")
        assert kinds(messages)[1:] == ["SpeechStarted", "Error", "SpeechMetadata", "Flushed"]


def test_a_socket_that_livekit_gives_back_is_closed_at_once(flux: Client) -> None:
    began = time.monotonic()
    flux.say(FLUSH, CLOSE)
    _, messages = hear_until(flux, "SessionMetadata")
    assert kinds(messages) == ["Warning", "SessionMetadata"]
    assert flux.closed() == (1000, "")
    assert time.monotonic() - began < 1


ACTS = st.lists(
    st.one_of(
        st.sampled_from([FLUSH, INTERRUPT, interrupt(5), "{", b"\x00", {"type": "Configure"}]),
        st.text(max_size=30).map(speak),
        st.sampled_from(["One two. ", "Three", " ", "", "<br>", "$5", ". A"]).map(speak),
        st.fixed_dictionaries({"type": st.just("Configure"), "speed": st.floats() | st.text()}),
        st.fixed_dictionaries(
            {"type": st.just("Interrupt"), "playback_offset": st.integers() | st.none()}
        ),
    ),
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_whatever_is_said_the_next_turn_is_whole(shared: Served, acts: list[Any]) -> None:
    with Client(shared, PATH) as client:
        client.say(*acts, {"type": "Configure", "speed": 1}, speak("."), INTERRUPT)
        hear_until(client, "Connected")
        client.say(speak("Hello there."), FLUSH, CLOSE)
        _, messages = hear_until(client, "SessionMetadata")
        interrupted = max(
            at for at, message in enumerate(messages) if message["type"] == "SpeechInterrupted"
        )
        assert kinds(messages[interrupted + 1 :]) == [
            *("SpeechStarted", "SpeechMetadata", "Flushed", "SessionMetadata")
        ]
        assert messages[-3]["audio_duration_ms"] == pytest.approx(600, abs=50)
        assert client.closed() == (1000, "")
    shared.wait_idle()
