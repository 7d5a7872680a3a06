"""What Deepgram's clients ask for, as we understand it."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidRequest
from mira.server.deepgram.requests import (
    AURA,
    FLUX,
    Clear,
    Configure,
    Flush,
    Interrupt,
    Speak,
    left_out,
    model_id,
    plain,
    read_message,
    read_query,
)
from mira.server.utterance import Delivery


@pytest.mark.parametrize(
    ("query", "delivery"),
    [
        ({}, Delivery("mp3", 22050)),
        ({"encoding": "linear16"}, Delivery("wav", 24000)),
        ({"encoding": "linear16", "container": "none"}, Delivery("pcm", 24000)),
        (
            {"encoding": "linear16", "container": "none", "sample_rate": "8000"},
            Delivery("pcm", 8000),
        ),
        ({"encoding": "mulaw"}, Delivery("wav_ulaw", 8000)),
        ({"encoding": "alaw", "container": "wav", "speed": "2"}, Delivery("wav_alaw", 8000, 2.0)),
        ({"encoding": "mulaw", "container": "none"}, Delivery("ulaw", 8000)),
        ({"encoding": "alaw", "container": "none"}, Delivery("alaw", 8000)),
        ({"encoding": "opus", "container": "none"}, Delivery("opus", 48000)),
        ({"encoding": "mp3", "bit_rate": "32000"}, Delivery("mp3", 22050, bit_rate=32000)),
        ({"encoding": "flac", "speed": "1.5"}, Delivery("flac", 48000, 1.5)),
        ({"mip_opt_out": "true", "tag": "a"}, Delivery("mp3", 22050)),
    ],
)
def test_the_answer_to_a_request(query: dict[str, str], delivery: Delivery) -> None:
    assert read_query(query).of_request() == delivery


@pytest.mark.parametrize(
    ("query", "delivery"),
    [
        ({}, Delivery("pcm", 24000)),
        ({"encoding": "LINEAR16", "sample_rate": "32000"}, Delivery("pcm", 32000)),
        ({"encoding": "mulaw", "expressivity": "1"}, Delivery("ulaw", 8000)),
        (
            {"encoding": "alaw", "sample_rate": "16000", "speed": "0.7"},
            Delivery("alaw", 16000, 0.7),
        ),
    ],
)
def test_the_audio_of_a_socket(query: dict[str, str], delivery: Delivery) -> None:
    assert read_query(query).of_socket() == delivery


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"encoding": "mp3"}, "encoding"),
        ({"encoding": "pcm"}, "encoding"),
        ({"sample_rate": "11025"}, "sample_rate"),
        ({"sample_rate": "many"}, "sample_rate"),
        ({"speed": "nan"}, "speed"),
        ({"speed": "9"}, "speed"),
        ({"model": "m" * 257}, "model"),
    ],
)
def test_what_a_socket_refuses(query: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidRequest, match=param) as refused:
        read_query(query).of_socket()
    assert refused.value.param == param


@pytest.mark.parametrize("query", [{"callback": "http://x"}, {"encoding": "speex"}])
def test_what_a_request_refuses(query: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        read_query(query).of_request()


def test_messages() -> None:
    assert read_message({"type": "Speak", "text": "Hi ", "more": 1}, AURA) == Speak(text="Hi ")
    assert isinstance(read_message({"type": "Flush"}, FLUX), Flush)
    assert isinstance(read_message({"type": "Clear"}, AURA), Clear)
    offset = {"type": "time_ms", "value": 250}
    interrupt = read_message({"type": "Interrupt", "playback_offset": offset}, FLUX)
    assert isinstance(interrupt, Interrupt) and interrupt.playback_offset
    assert interrupt.playback_offset.value == 250
    configure = read_message({"type": "Configure", "speed": 1}, FLUX)
    assert isinstance(configure, Configure) and configure.speed == 1


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": None},
        {"type": ["Speak"], "text": "x"},
        {"type": "Interrupt"},
        {"type": "Speak"},
        {"type": "Speak", "text": 5},
    ],
)
def test_what_is_no_message_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        read_message(message, AURA)


def test_an_object_is_asked_for_in_the_clients_words() -> None:
    with pytest.raises(InvalidRequest, match=r"^playback_offset: Input should be a JSON object$"):
        read_message({"type": "Interrupt", "playback_offset": 250}, FLUX)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(["text", "speed", "playback_offset", "type"]), JSON)


@given(kind=st.sampled_from([*FLUX, *AURA, "Other"]), fields=FIELDS)
def test_any_message_is_read_or_refused(kind: str, fields: dict[str, object]) -> None:
    for kinds in (AURA, FLUX):
        try:
            read_message({"type": kind, **fields}, kinds)
        except InvalidRequest as error:
            assert str(error)


def test_words_with_a_pronunciation_are_read_as_words() -> None:
    control = "\\" + json.dumps({"word": "dupilumab", "pronounce": "duːpˈɪljuːmæb"})[:-1] + "\\}"
    assert plain(f"Take {control} daily.") == "Take dupilumab daily."
    assert plain(r"A \{brace and {more}") == r"A \{brace and {more}"


def test_endless_controls_take_no_time() -> None:
    began = time.perf_counter()
    plain('\\{"word": "a"' * 300)
    assert time.perf_counter() - began < 1


def test_a_voice_has_the_same_id_each_time() -> None:
    assert model_id("heart") == model_id("heart") != model_id("anna")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "A ", "two {three ", r"\{ "]),
            st.sampled_from(["", "x", "New York"]),
        ),
        max_size=4,
    )
)
def test_what_is_left_out_is_known_by_its_place(parts: list[tuple[str, str]]) -> None:
    control = r'\{"word": "%s", "pronounce": "y"\}'
    text = "".join(before + control % word for before, word in parts)
    said, left = plain(text), list(left_out(text))
    assert len(said) + sum(number for _, number in left) == len(text)
    for chars, char in enumerate(said, 1):
        sent = chars + sum(number for at, number in left if at <= chars)
        assert char in text[:sent] and sent <= len(text)
        ends = text[:sent].endswith(r"\}")
        assert ends or text[sent - 1] == char
