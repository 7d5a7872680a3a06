"""Deepgram's Aura over a real socket, as its SDK, Pipecat and LiveKit speak it."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from mira.server.sockets import replies
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client, Message
from tests.toys import ToySynthesizer

PATH = "/v1/speak?model=anna&encoding=linear16&sample_rate=24000"
FLUSH, CLEAR, CLOSE = {"type": "Flush"}, {"type": "Clear"}, {"type": "Close"}
TEXT = "Your table for two is booked. We look forward to it!"
LONG = " ".join(f"Sentence {'abcdefghij'[n % 10] * 3} goes on and on." for n in range(40))


def speak(text: str) -> dict[str, str]:
    return {"type": "Speak", "text": text}


def words(text: str) -> list[dict[str, str]]:
    """Text as LiveKit's plugin sends it."""
    return [speak(f"{word} ") for word in text.split()]


def hear_until(client: Client, kind: str) -> tuple[bytes, list[Message]]:
    """All audio, and all messages, up to the first of a kind."""
    audio, messages = b"", list[Message]()
    while not messages or messages[-1]["type"] != kind:
        heard = client.hear()
        if isinstance(heard, bytes):
            audio += heard
        else:
            messages.append(heard)
    return audio, messages


def seconds(audio: bytes) -> float:
    return len(audio) / 48000


@pytest.fixture
def aura(shared: Served) -> Iterator[Client]:
    with Client(shared, PATH) as client:
        greeting = client.hear()
        assert isinstance(greeting, dict)
        assert greeting["type"] == "Metadata" and greeting["model_name"] == "anna"
        assert {"request_id", "model_version", "model_uuid"} < set(greeting)
        yield client


def spoken(shared: Served, text: str) -> bytes:
    body = {"input": text, "voice": "anna", "response_format": "pcm"}
    return shared.post("/v1/audio/speech", json=body).content


def test_words_are_a_turn_that_a_flush_ends(shared: Served, aura: Client) -> None:
    aura.say(*words(TEXT), FLUSH)
    audio, messages = hear_until(aura, "Flushed")
    assert messages == [{"type": "Flushed", "sequence_id": 0}]
    assert audio == spoken(shared, TEXT + " ")
    aura.say(*words("And another one."), FLUSH)
    again, messages = hear_until(aura, "Flushed")
    assert messages == [{"type": "Flushed", "sequence_id": 1}]
    assert again == spoken(shared, "And another one. ")


def test_a_sentence_is_heard_before_the_flush(aura: Client) -> None:
    aura.say(*words("One two three. Four"))
    assert isinstance(aura.hear(2), bytes)


def test_turns_that_are_sent_at_once_are_spoken_in_order(shared: Served, aura: Client) -> None:
    aura.say(speak("One two."), FLUSH, speak("Three four five."), FLUSH, FLUSH)
    first, _ = hear_until(aura, "Flushed")
    second, _ = hear_until(aura, "Flushed")
    assert (first, second) == (spoken(shared, "One two."), spoken(shared, "Three four five."))
    assert hear_until(aura, "Flushed") == (b"", [{"type": "Flushed", "sequence_id": 2}])


def test_a_flush_of_nothing_is_flushed(aura: Client) -> None:
    aura.say(FLUSH)
    assert aura.hear() == {"type": "Flushed", "sequence_id": 0}
    aura.say(speak(""), speak("  "), FLUSH)
    assert aura.hear() == {"type": "Flushed", "sequence_id": 1}


def test_nothing_follows_a_clear_and_the_next_turn_is_whole(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.002)
    served = serve(toy)
    with Client(served, PATH) as client:
        client.say(speak(LONG), FLUSH, speak("Never heard."), FLUSH)
        client.hear()
        for _ in range(5):
            assert isinstance(client.hear(), bytes)
        client.say(CLEAR)
        _, messages = hear_until(client, "Cleared")
        cleared = messages[-1]
        assert [message["type"] for message in messages] == ["Cleared"]
        at = cleared["spoken"]
        assert at["sent"]["ms"] >= at["heard"]["ms"] >= 0
        assert 0 < at["sent"]["characters"] < len(LONG)
        assert client.rest() == []
        client.say(speak("Hello there."), FLUSH)
        audio, messages = hear_until(client, "Flushed")
        assert audio == spoken(served, "Hello there.")
        assert len(messages) == 1
    served.wait_idle()


def test_characters_are_counted_as_they_were_sent(serve: Serve) -> None:
    control = r'\{"word": "dupilumab", "pronounce": "y"\}'
    text = f"Take {control} daily. "
    with Client(serve(ToySynthesizer(s_per_char=0.01)), PATH) as client:
        client.say(speak(text + LONG))
        heard = client.hear(), *(client.hear() for _ in range(8))  # a greeting, 0.8 s
        assert all(isinstance(message, bytes) for message in heard[1:])
        client.say(CLEAR)
        _, messages = hear_until(client, "Cleared")
        sent = messages[-1]["spoken"]["sent"]["characters"]
        assert (text + LONG)[:sent].endswith(("daily.", *LONG.split()))
        assert sent >= len(text.strip())


def test_a_clear_stops_the_engine_at_once(serve: Serve) -> None:
    toy = ToySynthesizer()
    served = serve(toy)
    with Client(served, PATH) as client:
        client.say(*[speak(LONG), FLUSH] * 3)
        client.hear()
        client.hear()
        client.say(CLEAR)
        hear_until(client, "Cleared")
        wait_until(lambda: served.service.admission.active == 0, 0.5)
        opened = toy.opened
        time.sleep(0.1)  # none of those that waited begins
        assert toy.opened == toy.closed == opened


def test_a_listener_who_interrupted_has_nothing_left_to_hear(serve: Serve) -> None:
    served = serve(ToySynthesizer())
    with Client(served, PATH) as client:
        client.say(speak(LONG))
        client.hear()
        time.sleep(0.5)  # a second ahead has left
        client.say(CLEAR)
        hear_until(client, "Cleared")
        began = time.monotonic()
        client.say(speak("Nineteen characters"), FLUSH)
        audio, _ = hear_until(client, "Flushed")
        assert time.monotonic() - began < seconds(audio) - 0.3


def test_a_clear_of_nothing_is_cleared(aura: Client) -> None:
    aura.say(CLEAR)
    assert aura.hear() == {"type": "Cleared", "sequence_id": 0}


def test_what_leaves_is_little_more_than_what_was_heard(aura: Client) -> None:
    aura.say(speak(LONG), FLUSH)
    began = time.monotonic()
    audio = b""
    while time.monotonic() - began < 1:
        heard = aura.hear()
        assert isinstance(heard, bytes)
        audio += heard
    assert 0.9 < seconds(audio) < 1 + 1 + 0.5


def test_a_close_waits_for_what_was_flushed(shared: Served, aura: Client) -> None:
    aura.say(speak(TEXT), FLUSH, CLOSE, speak("Too late."), FLUSH)
    audio, _ = hear_until(aura, "Flushed")
    assert audio == spoken(shared, TEXT)
    assert aura.closed() == (1000, "")


def test_a_close_has_the_rest_spoken(shared: Served, aura: Client) -> None:
    aura.say(speak(TEXT), CLOSE)
    audio, _ = hear_until(aura, "Flushed")
    assert audio == spoken(shared, TEXT)
    assert aura.closed() == (1000, "")


@pytest.mark.parametrize("flushed", [False, True])
def test_livekit_gives_an_interrupted_socket_back_and_no_more_is_spoken(
    serve: Serve, flushed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "STALE_S", 0.3)
    served = serve(ToySynthesizer())
    with Client(served, PATH) as client:
        client.say(*words(LONG), *([FLUSH] if flushed else []))
        time.sleep(0.6)  # interrupted: it says nothing
        began = time.monotonic()
        client.say(FLUSH, CLOSE)
        assert client.closed() == (1000, "")
        assert time.monotonic() - began < 0.5
    served.wait_idle()


def test_an_idle_socket_gets_an_answer_before_it_is_closed(aura: Client) -> None:
    aura.say(FLUSH, CLOSE)
    assert aura.hear(1) == {"type": "Flushed", "sequence_id": 0}
    assert aura.closed() == (1000, "")


def test_a_turn_that_is_left_alone_holds_no_place(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "LEFT_ALONE_S", 0.3)
    served = serve(ToySynthesizer(s_per_char=0.01))
    with Client(served, PATH) as client:
        client.hear()
        client.say(speak("One two. "))
        assert isinstance(client.hear(), bytes)
        time.sleep(0.5)
        served.wait_idle()
        client.say(speak("Three."), FLUSH)
        audio, messages = hear_until(client, "Flushed")
        assert audio == spoken(served, "Three.") and len(messages) == 1


def test_a_reply_may_be_longer_than_a_text(serve: Serve) -> None:
    served = serve(ToySynthesizer(s_per_char=0.002), max_text_chars=60)
    with Client(served, PATH) as client:
        client.hear()
        client.say(*words("One two three four. " * 20), FLUSH)
        audio, messages = hear_until(client, "Flushed")
        assert [message["type"] for message in messages] == ["Flushed"]
        assert seconds(audio) > 20 * 15 * 0.002
        client.say(speak("x" * 61))
        warning = client.hear()
        assert isinstance(warning, dict)
        assert (warning["type"], warning["code"]) == ("Warning", "BIG-0000")


@pytest.mark.parametrize(
    "message",
    [
        *("{", "[]", "1", b"{}", "{}", "[" * 5000),
        *('{"type": 5}', '{"type": "Speak"}', '{"type":"Interrupt"}'),
        '{"type": "Speak", "text": ["a"]}',
    ],
)
def test_what_is_no_message_is_warned_of_and_the_socket_goes_on(
    aura: Client, message: str | bytes
) -> None:
    aura.say(message)
    warning = aura.hear()
    assert isinstance(warning, dict)
    assert (warning["type"], warning["code"]) == ("Warning", "MESSAGE-0000")
    assert warning["description"] == warning["warn_msg"] != ""
    aura.say(speak("One."), FLUSH)
    assert hear_until(aura, "Flushed")[0]


def test_too_many_turns_at_once_are_warned_of(aura: Client) -> None:
    aura.say(speak(LONG), *[FLUSH] * (replies.MOST_TURNS + 3), CLEAR)
    _, messages = hear_until(aura, "Cleared")
    assert [message["type"] for message in messages] == ["Warning"] * 3 + ["Cleared"]


def test_a_failure_is_told_and_ends_the_turn(serve: Serve) -> None:
    toy = ToySynthesizer(fail_at=1)
    served = serve(toy)
    with Client(served, PATH) as client:
        client.hear()
        client.say(*words(TEXT))
        _, messages = hear_until(client, "Error")
        assert messages[-1]["description"]
        client.say(speak("More of the same turn."), FLUSH)
        audio, messages = hear_until(client, "Flushed")
        assert audio == b"" and len(messages) == 1
        toy.fail_at = None
        client.say(speak("Hello."), FLUSH)
        assert hear_until(client, "Flushed")[0] == spoken(served, "Hello.")


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("?encoding=mp3", 400, "linear16"),
        ("?sample_rate=1", 400, "24000"),
        ("?speed=nan", 400, "speed"),
        ("?model=nobody%0a", 404, "nobody"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/speak", "/v2/speak"])
def test_a_refused_handshake_says_why(
    serve: Serve,
    path: str,
    query: str,
    status: int,
    says: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = serve(ToySynthesizer(), strict_voices=True)
    with pytest.raises(InvalidStatus) as refused, Client(served, path + query):
        pass
    response = refused.value.response
    assert response.status_code == status
    assert says in response.headers["dg-error"]
    assert says in json.loads(response.body or b"")["err_msg"]
    wait_until(lambda: served.connections == 0)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_client_that_leaves_takes_its_turns_along(serve: Serve) -> None:
    toy = ToySynthesizer()
    served = serve(toy)
    for leave in (lambda client: None, lambda client: client.socket.socket.close()):
        with Client(served, PATH) as client:
            client.say(speak(LONG), FLUSH, speak(LONG), FLUSH)
            client.hear()
            client.hear()
            leave(client)
        served.wait_idle()
    wait_until(lambda: toy.opened == toy.closed)
    wait_until(lambda: "mira-ahead" not in {thread.name for thread in threading.enumerate()})


ACTS = st.lists(
    st.one_of(
        st.sampled_from([FLUSH, CLEAR, {"type": "Configure"}, "{", "[]", b"\x00", "null"]),
        st.text(max_size=30).map(speak),
        st.sampled_from(["One two. ", "Three", " ", "", "<br>", "$5", ". A", "é" * 30]).map(speak),
        st.dictionaries(st.sampled_from(["type", "text"]), st.text(max_size=5) | st.integers()),
    ),
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_whatever_is_said_the_next_turn_is_whole(shared: Served, acts: list[Any]) -> None:
    with Client(shared, PATH) as client:
        client.say(*acts, CLEAR)
        _, messages = hear_until(client, "Cleared")
        for _ in range(acts.count(CLEAR)):
            _, more = hear_until(client, "Cleared")
            messages += more
        kinds = {message["type"] for message in messages}
        assert kinds <= {"Metadata", "Flushed", "Cleared", "Warning"}
        client.say(speak("Hello there."), FLUSH)
        audio, _ = hear_until(client, "Flushed")
        assert seconds(audio) == pytest.approx(0.6, abs=0.05)
        client.say(CLOSE)
        assert client.closed() == (1000, "")
    shared.wait_idle()
