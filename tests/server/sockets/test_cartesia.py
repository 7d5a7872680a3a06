"""Cartesia's socket, message by message, as its clients speak it."""

from typing import Any

import pytest

from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.sockets.client import Client, audio
from tests.toys import ANNA, ToySynthesizer

PATH = "/tts/websocket"
PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}


def asked(transcript: str, context_id: str = "C", **fields: Any) -> dict[str, object]:
    """A whole request, as most clients send each."""
    return {
        "model_id": "sonic-3",
        "voice": {"mode": "id", "id": ANNA.name},
        "output_format": PCM,
        "language": "en",
        "context_id": context_id,
        "transcript": transcript,
        **fields,
    }


def is_done(message: dict[str, Any]) -> bool:
    return message["type"] in ("done", "error")


def test_a_text_at_once_is_spoken_and_done(shared: Served, shared_toy: ToySynthesizer) -> None:
    with Client(shared, PATH) as client:
        client.say(asked("One two three."))
        heard = client.until(is_done)
    assert {message["context_id"] for message in heard} == {"C"}
    assert [message["type"] for message in heard[:-1]] == ["chunk"] * (len(heard) - 1)
    assert heard[-1] | {"done": True, "status_code": 200} == heard[-1]
    assert len(audio(heard)) >= 2 * len(shared_toy.tone("One two three.", ANNA)) - 960
    assert all(message["done"] is False for message in heard[:-1])


def test_a_text_in_parts_is_one_turn(shared: Served) -> None:
    with Client(shared, PATH) as client:
        client.say(asked("One two ", **{"continue": True}), asked("three. ", **{"continue": True}))
        client.say(asked("", **{"continue": False}))
        parts = audio(client.until(is_done))
        client.say(asked("One two three. "))
        assert audio(client.until(is_done)) == parts


def test_a_cancelled_context_says_nothing_more(serve: Serve) -> None:
    served = serve(ToySynthesizer(compute_s=0.002))
    with Client(served, PATH) as client:
        client.say(asked("One two three four five six. " * 30, **{"continue": True}))
        client.until(lambda message: message["type"] == "chunk")
        client.say({"context_id": "C", "cancel": True})
        *_, done = client.until(is_done)
        assert done["type"] == "done"
        assert done["spoken"]["sent"]["ms"] > done["spoken"]["heard"]["ms"] >= 0
        assert client.rest() == []
    served.wait_idle()


@pytest.mark.parametrize("message", ["{", "[]", "1", b"{}", '{"context_id": 5}', "{}"])
def test_what_is_no_request_is_told_so_and_the_socket_goes_on(
    shared: Served, message: str | bytes
) -> None:
    with Client(shared, PATH) as client:
        client.say(message)
        error = client.hear()
        assert isinstance(error, dict)
        assert error["type"] == "error" and error["status_code"] == 400 and error["done"]
        assert "context_id" in error
        client.say(asked("One."))
        assert client.until(is_done)[-1]["type"] == "done"
