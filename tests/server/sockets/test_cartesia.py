"""Cartesia's socket, message by message, as its clients speak it."""

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.server.sockets import cartesia
from mira.server.sockets.cartesia import MOST_CONTEXTS
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client, audio
from tests.toys import ANNA, ToySynthesizer

PATH = "/tts/websocket"
PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}
HEART = {"mode": "id", "id": "heart"}


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
        first = client.until(lambda message: message["type"] == "chunk")
        client.say({"context_id": "C", "cancel": True})
        *before, told = client.until(lambda message: message.get("cancelled"))
        assert told["type"] == "flush_done"  # which no client minds
        sent, heard = told["spoken"]["sent"], told["spoken"]["heard"]
        assert sent["ms"] > heard["ms"] >= 0 and sent["characters"] >= heard["characters"]
        assert sent["ms"] == pytest.approx(len(audio(first + before)) / 48, abs=1)
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
        assert error["type"] == "error" and error["status_code"] == 400 and not error["done"]
        assert "context_id" in error
        client.say(asked("One."))
        assert client.until(is_done)[-1]["type"] == "done"


def test_words_come_as_they_stand_in_the_transcript_before_their_audio(speaker: Served) -> None:
    parts = ["Your table for two", " is booked, for $100. ", "We look forward", " to it!"]
    with Client(speaker, PATH) as client:
        for part in parts:
            client.say(asked(part, add_timestamps=True, voice=HEART, **{"continue": True}))
        client.say(asked(" ", add_timestamps=True, voice=HEART, **{"continue": False}))
        heard = client.until(is_done)
    told = list[tuple[str, float]]()
    heard_s = 0.0
    for message in heard:
        if message["type"] == "timestamps":
            lists = message["word_timestamps"]
            assert all(start >= heard_s - 0.001 for start in lists["start"])
            told += zip(lists["words"], lists["start"])
        elif message["type"] == "chunk":
            heard_s += len(base64.b64decode(message["data"])) / 48000
    assert [word for word, _ in told] == "".join(parts).split()
    assert [at for _, at in told] == sorted(at for _, at in told)
    assert told[-1][1] < heard_s


def test_sentences_without_a_space_between_are_words_of_their_own(speaker: Served) -> None:
    """Pipecat sends each as a message, and waits for nothing."""
    fields = {"add_timestamps": True, "max_buffer_delay_ms": 0, "voice": HEART}
    with Client(speaker, PATH) as client:
        client.say(asked("Hello there.", **fields, **{"continue": True}))
        first = client.until(lambda message: message["type"] == "chunk")
        client.say(asked("How are you?", **fields, **{"continue": True}))
        client.say(asked("", **fields, **{"continue": False}))
        heard = first + client.until(is_done)
    lists = [m["word_timestamps"]["words"] for m in heard if m["type"] == "timestamps"]
    assert [word for words in lists for word in words] == ["Hello", "there.", "How", "are", "you?"]
    assert {message["type"] for message in heard} == {"chunk", "timestamps", "done"}


def test_a_flush_is_told_by_its_number(shared: Served) -> None:
    with Client(shared, PATH) as client:
        client.say(asked("One two", **{"continue": True, "flush": True}))
        *heard, told = client.until(lambda message: message["type"] == "flush_done")
        assert told["flush_done"] and told["flush_id"] == 1 and not told["done"]
        assert {message["flush_id"] for message in heard} == {1}
        client.say(asked(" three", **{"continue": False, "flush": True}))
        *heard, told, done = client.until(is_done)
        assert (told["flush_id"], done["type"]) == (2, "done")
        assert {message["flush_id"] for message in heard} == {2}


def test_contexts_do_not_mix(shared: Served, shared_toy: ToySynthesizer) -> None:
    texts = {
        f"C{n}": f"Sentence {['one', 'two', 'three', 'four'][n]} is this. " * 2 for n in range(4)
    }
    with Client(shared, PATH) as client:
        for context_id, text in texts.items():
            client.say(asked(text, context_id, **{"continue": True}))
        for context_id in texts:
            client.say(asked("", context_id))
        heard = list[dict[str, Any]]()
        while sum(map(is_done, heard)) < 4:
            heard += client.until(is_done)
        alone = dict[str, bytes]()
        for context_id, text in texts.items():
            client.say(asked(text, context_id))
            alone[context_id] = audio(client.until(is_done))
    for context_id in texts:
        assert audio([m for m in heard if m["context_id"] == context_id]) == alone[context_id]


@pytest.mark.parametrize(
    "fields",
    [
        {"add_phoneme_timestamps": True},
        {"output_format": None},
        {"output_format": {**PCM, "sample_rate": 11}},
        {"transcript": None},
        {"transcript": "a" * 5000},
        {"voice": 5},
    ],
)
def test_an_error_names_its_context_and_ends_it(shared: Served, fields: dict[str, object]) -> None:
    with Client(shared, PATH) as client:
        client.say(asked("One two three. " * 4, **{"continue": True}))
        client.until(lambda message: message["type"] == "chunk")
        client.say({**asked("Four."), **fields})
        error = client.until(is_done)[-1]
        if fields == {"output_format": None}:  # said once is enough
            assert error["type"] == "done"
            return
        assert (error["type"], error["context_id"], error["status_code"]) == ("error", "C", 400)
        assert error["message"] and error["title"] and error["error_code"]
        assert client.rest() == []


def test_what_comes_after_the_end_of_a_context_is_refused(shared: Served) -> None:
    with Client(shared, PATH) as client:
        client.say(asked("One two three. " * 20), asked("Four."))
        error = client.until(is_done)[-1]
        assert error["error_code"] == "context_closed"


def test_a_cancel_of_nothing_is_told_too(shared: Served) -> None:
    with Client(shared, PATH) as client:
        client.say({"context_id": "never", "cancel": True})
        told = client.hear()
        assert isinstance(told, dict)
        assert (told["context_id"], told["cancelled"]) == ("never", True)
        assert "spoken" not in told


def test_too_many_contexts_are_refused(shared: Served) -> None:
    with Client(shared, PATH) as client:
        client.say(*(asked(" ", f"C{n}", **{"continue": True}) for n in range(MOST_CONTEXTS + 1)))
        error = client.hear()
        assert isinstance(error, dict)
        assert (error["status_code"], error["context_id"]) == (429, f"C{MOST_CONTEXTS}")


def test_a_long_answer_in_one_context_is_spoken_to_its_end(serve: Serve) -> None:
    """Several times as long as a request's longest text; the last words are right too."""
    toy = ToySynthesizer(s_per_char=0.0005)
    served = serve(toy, max_text_chars=120)
    text = "".join(f"Sentence {'abcdefghij'[n % 10] * 3} has no end. " for n in range(18))
    parts = [f"{word} " for word in text.split()]
    with Client(served, PATH) as client:
        for part in parts:
            client.say(asked(part, add_timestamps=True, **{"continue": True}))
        client.say(asked("", add_timestamps=True))
        heard = client.until(is_done)
        assert heard[-1]["type"] == "done"
        lists = [m["word_timestamps"] for m in heard if m["type"] == "timestamps"]
        assert [word for told in lists for word in told["words"]] == text.split()
        starts = [at for told in lists for at in told["start"]]
        assert starts == sorted(starts)
        assert starts[-1] == pytest.approx(len(audio(heard)) / 48000, abs=0.1)
        client.say(asked("a" * 121, "D"))
        told = client.until(is_done)[-1]
        assert (told["error_code"], told["context_id"]) == ("string_above_max_length", "D")
        client.say(*(asked("One two three. " * 8, "E", **{"continue": True}) for _ in range(17)))
        told = client.until(is_done)[-1]
        assert (told["error_code"], told["context_id"]) == ("string_above_max_length", "E")
        assert "All its parts together have at most 1920" in told["message"]


def test_a_context_that_nobody_ends_gives_its_place_back(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiveKit says nothing when its listener speaks."""
    monkeypatch.setattr(cartesia, "EXPIRES_S", 0.4)
    served = serve(ToySynthesizer())
    with Client(served, PATH) as client:
        client.say(asked("One two. ", **{"continue": True}))
        client.until(lambda message: message["type"] == "chunk")
        assert served.service.admission.active == 1
        assert client.until(is_done)[-1]["type"] == "done"
        served.wait_idle()
        client.say(asked("Three.", **{"continue": False}))
        assert audio(client.until(is_done))


def test_whoever_leaves_in_the_middle_leaves_nothing(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.002)
    served = serve(toy)
    for _ in range(5):
        with Client(served, PATH) as client:
            client.say(*(asked("One two. " * 40, f"C{n}") for n in range(4)))
            client.until(lambda message: message["type"] == "chunk")
    served.wait_idle()
    wait_until(lambda: served.connections == 0)
    assert toy.opened == toy.closed


def test_an_unknown_voice_is_the_default_one_or_an_error(serve: Serve) -> None:
    voices = [{"mode": "id", "id": "nobody"}, {"mode": "embedding", "embedding": [0.1] * 192}]
    for strict, kind in ((False, "done"), (True, "error")):
        with Client(serve(ToySynthesizer(), strict_voices=strict), PATH) as client:
            for voice in voices:
                client.say(asked("One.", voice=voice))
                assert client.until(is_done)[-1]["type"] == kind


def test_the_services_own_words_are_said_so(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "words.toml").write_text('xyzzy = "one two three four"', "utf-8")
    served = serve(ToySynthesizer(), dictionary=tmp_path / "words.toml")
    with Client(served, PATH) as client:
        client.say(asked("xyzzy."))
        dictated = audio(client.until(is_done))
        client.say(asked("One two three four."))
        assert len(dictated) == pytest.approx(len(audio(client.until(is_done))), rel=0.2)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.floats(allow_nan=True),
    st.sampled_from(["", " ", "One two. ", "Thr", "$5", "<br>", "\ud800", "é" * 300, "C", "D"]),
    st.just(PCM),
    st.just({"mode": "id", "id": "anna"}),
    st.just([]),
)
DELAY = "max_buffer_delay_ms"
TIMED = ("add_timestamps", "add_phoneme_timestamps")
FIELDS = st.sampled_from(
    [*asked(""), *TIMED, DELAY, "continue", "flush", "cancel", "generation_config"]
)
MESSAGES = st.one_of(
    st.dictionaries(FIELDS, VALUES, max_size=6),
    st.builds(
        lambda text, context_id, more, flush, delay: asked(
            text, context_id, flush=flush, max_buffer_delay_ms=delay, **{"continue": more}
        ),
        st.sampled_from(["", " ", "One two. ", "Thr", "ee.", "$5", "é" * 30]),
        st.sampled_from(["C", "D", "E"]),
        st.booleans(),
        st.booleans(),
        st.sampled_from([None, 0, 50]),
    ),
    st.builds(
        lambda context_id: {"context_id": context_id, "cancel": True}, st.sampled_from(["C", "D"])
    ),
    st.sampled_from(["{", "", "[]", b"\x00\xff", b"{}", "[" * 2000, '{"transcript": NaN}']),
)


@settings(max_examples=60)
@given(messages=st.lists(MESSAGES, max_size=12))
def test_whatever_is_said_has_an_answer_and_leaves_nothing(
    shared: Served, shared_toy: ToySynthesizer, messages: list[Any]
) -> None:
    with Client(shared, PATH) as client:
        client.say(*messages, {"context_id": "last", "cancel": True})
        heard = client.until(lambda message: message["context_id"] == "last")
        client.say(asked("One.", "alive"))  # whatever there was, it speaks
        heard += client.until(lambda message: message["context_id"] == "alive" and is_done(message))
        assert heard[-1]["type"] == "done"
    for message in heard:
        assert message["type"] in ("chunk", "timestamps", "flush_done", "done", "error")
        assert isinstance(message["context_id"], str)
        assert message.get("status_code", 0) < 500
    shared.wait_idle()
    assert shared_toy.opened == shared_toy.closed
