"""The sockets' messages, without sockets."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidRequest, NotReady, Overloaded, SynthesisFailed
from mira.server.elevenlabs.messages import (
    IDLE_S,
    LONGEST_IDLE_S,
    Clock,
    Replies,
    code_of,
    failure,
    ids_of,
    last_words,
    read_message,
    read_opening,
)
from mira.server.pacing import Piece
from mira.server.turn import Interrupted
from mira.types import Span
from mira.words import SaidWord, Spoken

TEXT = "One two three."


def word(start: int, stop: int, start_s: float) -> SaidWord:
    return SaidWord(Span(start, stop), start_s, start_s + 0.2, False)


def piece(start_s: float, *words: SaidWord, data: bytes = b"\1\2") -> Piece:
    return Piece(data, start_s, start_s + 0.2, words)


def replies(clock: Clock, dialogue: bool = False) -> Replies:
    made = Replies(ids_of("C"), clock, dialogue)
    made.reads(TEXT)
    return made


def told(made: Replies) -> list[dict[str, Any]]:
    """Three words in three pieces, and the end."""
    messages = [
        made.audio(piece(0.0, word(0, 3, 0.1))),
        made.audio(piece(0.2, word(4, 7, 0.4004))),
        made.audio(piece(0.4, word(8, 14, 0.7006))),
        *made.end(Spoken(14, "two three.", 1.0)),
    ]
    return [message for message in messages if message]


def test_what_the_address_says() -> None:
    livekit = read_opening(
        {
            "model_id": "eleven_turbo_v2_5",
            "output_format": "mp3_22050_32",
            "enable_ssml_parsing": "false",
            "inactivity_timeout": "180",
            "apply_text_normalization": "auto",
            "sync_alignment": "true",
            "auto_mode": "true",
        }
    )
    assert (livekit.output.format, livekit.output.bit_rate) == ("mp3", 32000)
    assert (livekit.clock, livekit.sentences, livekit.idle_s) == (Clock.CONTEXT, True, 180)
    plain = read_opening({"auto_mode": "false", "inactivity_timeout": "1", "seed": "7"})
    assert (plain.clock, plain.sentences, plain.idle_s) == (Clock.BEFORE, False, IDLE_S)
    assert plain.seed == 7
    spoken = read_opening({"sync_alignment": "true"}, dialogue=True)
    assert (spoken.clock, spoken.dialogue) == (Clock.AUDIO, True)
    assert read_opening({"inactivity_timeout": "1e9"}).idle_s == LONGEST_IDLE_S


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("output_format", "pcm_7"),
        ("seed", "-1"),
        ("seed", "x"),
        ("inactivity_timeout", "nan"),
        ("inactivity_timeout", "0"),
        ("inactivity_timeout", "soon"),
    ],
)
def test_what_the_address_may_not_say(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=name) as raised:
        read_opening({name: value})
    assert raised.value.param == name


def test_messages_are_read_and_what_means_nothing_is_ignored() -> None:
    first = {
        "text": " ",
        "context_id": "C",
        "voice_settings": {"speed": 1.1, "stability": None},
        "generation_config": {"chunk_length_schedule": [50]},
        "try_trigger_generation": True,
        "xi_api_key": "secret",
    }
    asked = read_message(first)
    assert (asked.said, asked.context_id, asked.speed) == (" ", "C", 1.1)
    assert read_message({"close_context": True, "context_id": "C"}).said is None
    assert read_message({"text": None, "voice_settings": None, "flush": None}).speed is None


def test_a_dialogue_names_its_voices() -> None:
    inputs = [{"text": "Hi. ", "voice_id": "anna"}, {"text": "Bye. ", "voice_id": "anna"}]
    asked = read_message({"inputs": inputs, "context_id": "C"})
    assert (asked.said, asked.voice_names) == ("Hi. Bye. ", ("anna",))
    assert read_message({"voices": ["anna", "ben"]}).voice_names == ("anna", "ben")


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"text": 1}, "text"),
        ({"context_id": []}, "context_id"),
        ({"context_id": "x" * 300}, "context_id"),
        ({"flush": "yes"}, "flush"),
        ({"voice_settings": {"speed": 99}}, "voice_settings"),
        ({"inputs": "Hi."}, "inputs"),
        ({"inputs": [{}]}, "inputs"),
    ],
)
def test_what_can_not_be_read_is_named(message: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read_message(message)
    assert raised.value.param == field


def test_times_count_from_the_contexts_beginning_for_who_takes_them_so() -> None:
    messages = told(replies(Clock.CONTEXT))
    found = [message["normalizedAlignment"] for message in messages[:3]]
    assert ["".join(lists["chars"]) for lists in found] == ["One ", "two ", "three."]
    assert [lists["charStartTimesMs"][0] for lists in found] == [100, 400, 701]


def test_times_go_on_from_the_message_before_for_who_adds_them_up() -> None:
    clock_ms, starts = 0, []
    for message in told(replies(Clock.BEFORE)):
        if lists := message.get("alignment"):
            starts.append(clock_ms + lists["charStartTimesMs"][0])
            clock_ms += lists["charStartTimesMs"][-1] + lists["charDurationsMs"][-1]
    assert starts == [100, 400, 701]


def test_a_dialogues_times_count_from_each_messages_own_audio() -> None:
    *messages, final = told(replies(Clock.AUDIO, dialogue=True))
    found = [message["alignment"] for message in messages]
    assert ["".join(lists["chars"]) for lists in found] == ["One ", "two ", "three."]
    assert [lists["char_start_times_ms"][0] for lists in found] == [100, 200, 301]
    assert all(len(lists["char_durations_ms"]) == len(lists["chars"]) for lists in found)
    assert final["is_final"] is True and not messages[0]["is_final"]


@pytest.mark.parametrize("clock", [Clock.CONTEXT, Clock.BEFORE])
def test_messages_have_all_that_any_client_reads(clock: Clock) -> None:
    *audio, final = told(replies(clock))
    for message in audio:
        assert message["alignment"] == message["normalizedAlignment"] is not None
        lists = message["alignment"]
        assert lists["charStartTimesMs"] == lists["charsStartTimesMs"]
        assert lists["charDurationsMs"] == lists["charsDurationsMs"]
        assert (
            len(lists["chars"]) == len(lists["charStartTimesMs"]) == len(lists["charDurationsMs"])
        )
        assert min(lists["charDurationsMs"]) >= 0
        assert message["contextId"] == message["context_id"] == "C"
        assert not message["isFinal"]
        assert base64.b64decode(message["audio"]) == b"\1\2"
    assert final["isFinal"] is True and final["contextId"] == "C" and not final["audio"]


def test_words_wait_for_audio_and_what_is_left_comes_in_the_end() -> None:
    made = replies(Clock.CONTEXT)
    assert made.audio(piece(0.0, word(0, 3, 0.1), data=b"")) is None
    found = made.audio(piece(0.0))
    assert found and "".join(found["alignment"]["chars"]) == "One "  # type: ignore[index]
    rest, final = made.end(Spoken(3, "One", 1.0))
    assert "".join(rest["alignment"]["chars"]) == "two three."  # type: ignore[index]
    assert final["isFinal"]


def test_a_space_parts_sentences_and_is_not_counted_as_theirs() -> None:
    made = Replies(ids_of("C"), Clock.CONTEXT)
    assert made.reads("Hello.", apart=True) == "Hello. "
    assert made.reads("Bye. ", apart=True) == "Bye. "
    assert made.reads("", apart=True) == ""
    how_far = Interrupted(Spoken(11, "Hello. Bye.", 1.2346), Spoken(6, "Hello.", 0.5))
    found = made.interrupted(how_far)
    assert found["isFinal"] is True and found["contextId"] == "C"
    assert found["spoken"] == {
        "sent": {"characters": 10, "ms": 1235},
        "heard": {"characters": 6, "ms": 500},
    }


@given(
    starts=st.lists(st.floats(0, 3), min_size=3, max_size=3),
    lengths=st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_who_adds_up_and_who_does_not_hear_of_the_same_times(
    starts: list[float], lengths: list[float]
) -> None:
    spans = [(0, 3), (4, 7), (8, 14)]
    words = [
        SaidWord(Span(*span), start_s, start_s + length_s, False)
        for span, start_s, length_s in zip(spans, sorted(starts), lengths, strict=True)
    ]
    found: list[list[int]] = []
    for clock in (Clock.CONTEXT, Clock.BEFORE):
        made, clock_ms, times = replies(clock), 0, list[int]()
        messages = [made.audio(piece(0.0, said)) for said in words]
        for message in [*messages, *made.end(Spoken(14, "", 5.0))]:
            lists: Any = message and message.get("alignment")
            if lists:
                times += [clock_ms + start for start in lists["charStartTimesMs"]]
                if clock is Clock.BEFORE:
                    clock_ms += lists["charStartTimesMs"][-1] + lists["charDurationsMs"][-1]
        found.append(times)
    assert found[0] == found[1] == sorted(found[0])


def test_failures_name_their_context_and_end_it() -> None:
    error = InvalidRequest("wrong", "text")
    assert failure(error, ids_of("C")) == {
        "error": "wrong",
        "message": "wrong",
        "code": 1008,
        "isFinal": True,
        "is_final": True,
        "contextId": "C",
        "context_id": "C",
    }
    assert failure(error, {}) == {"error": "wrong", "message": "wrong", "code": 1008}
    assert last_words(error) == {"message": "wrong", "error": "invalid_value", "code": 1008}
    assert [code_of(e) for e in (Overloaded("x"), NotReady("x"))] == [1013, 1013]
    assert code_of(SynthesisFailed("x")) == code_of(ValueError("secret")) == 1011
    assert "secret" not in str(failure(ValueError("secret"), {}))
