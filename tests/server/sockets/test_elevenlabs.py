"""ElevenLabs' sockets, message by message, as its SDK, Pipecat and LiveKit speak them."""

import json
import re
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from mira.builtin.synthesizer import BuiltinSynthesizer
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.server.sockets.client import Client, Message, audio
from tests.toys import ANNA, BEN, ToySynthesizer

PATH = f"/v1/text-to-speech/{ANNA.name}"
PCM = "output_format=pcm_24000"
MULTI = f"{PATH}/multi-stream-input?{PCM}"
PIPECAT = f"{MULTI}&model_id=eleven_flash_v2_5&auto_mode=true"
LIVEKIT = f"{PIPECAT}&inactivity_timeout=180&sync_alignment=true&apply_text_normalization=auto"
SINGLE = f"{PATH}/stream-input?{PCM}&model_id=any"
LONG = "One two three four five six seven eight. " * 40


def say(text: str, context_id: str = "C", **more: Any) -> Message:
    return {"text": text, "context_id": context_id, **more}


def close(context_id: str = "C") -> Message:
    return {"context_id": context_id, "close_context": True}


def flush(context_id: str = "C") -> Message:
    return {"context_id": context_id, "flush": True}


def is_final(message: Message) -> bool:
    return bool(message.get("isFinal"))


def has_audio(message: Message) -> bool:
    return bool(message.get("audio"))


def voiced(*texts: str, toy: ToySynthesizer) -> int:
    """Least number of bytes in which they are spoken."""
    return sum(2 * len(toy.tone(text, ANNA)) - 960 for text in texts)


def words_of(messages: list[Message]) -> list[tuple[str, int]]:
    """Words and when they begin, in milliseconds, as Pipecat reads them: it adds times up."""
    clock_ms, chars = 0, list[tuple[str, int]]()
    for message in messages:
        if lists := message.get("alignment"):
            starts = [clock_ms + start for start in lists["charStartTimesMs"]]
            chars += zip(lists["chars"], starts, strict=True)
            clock_ms = starts[-1] + lists["charDurationsMs"][-1]
    words, fresh = list[tuple[str, int]](), True
    for char, start in chars:
        if char.isspace():
            fresh = True
        elif fresh:
            words.append((char, start))
            fresh = False
        else:
            words[-1] = (words[-1][0] + char, words[-1][1])
    return words


def absolute_words(messages: list[Message]) -> list[tuple[str, int]]:
    """The same as LiveKit reads them: as they come, from the other list."""
    moved, before_ms = list[Message](), 0
    for message in messages:
        if lists := message.get("normalizedAlignment"):
            starts = [start - before_ms for start in lists["charsStartTimesMs"]]
            before_ms = lists["charsStartTimesMs"][-1] + lists["charsDurationsMs"][-1]
            shifted = {"chars": lists["chars"], "charStartTimesMs": starts}
            moved.append({"alignment": shifted | {"charDurationsMs": lists["charsDurationsMs"]}})
    return words_of(moved)


def test_pipecats_turn(shared: Served, shared_toy: ToySynthesizer) -> None:
    with Client(shared, PIPECAT) as client:
        client.say(say(" ", voice_settings={"stability": 0.5, "speed": 1.0}))
        client.say(say("Hello there."), say("How are you today?"), flush(), close())
        heard = client.until(is_final)
        assert client.rest() == []
    assert {message["contextId"] for message in heard} == {"C"}
    assert len(audio(heard, "audio")) > voiced("Hello there.", "How are you today?", toy=shared_toy)
    words = words_of(heard)
    assert [word for word, _ in words] == ["Hello", "there.", "How", "are", "you", "today?"]
    starts = [start for _, start in words]
    assert starts == sorted(starts) and starts[-1] < len(audio(heard, "audio")) / 48


def test_livekits_turn(shared: Served, shared_toy: ToySynthesizer) -> None:
    with Client(shared, LIVEKIT) as client:
        for context in ("C", "D"):
            client.say(say(" ", context, voice_settings={}))
            client.say(say("Hello there, this is the first one. ", context, flush=True))
            client.say(say("And here comes the second one. ", context, flush=True))
            client.say(say("", context, flush=True), close(context))
            heard = client.until(is_final)
            assert {message["context_id"] for message in heard} == {context}
            texts = "Hello there, this is the first one. And here comes the second one."
            words = absolute_words(heard)
            assert [word for word, _ in words] == texts.split()
            assert len(audio(heard, "audio")) > voiced(texts, toy=shared_toy) * 0.9
            assert words[7][1] > 1000  # the second sentence goes on where the first one ends


def test_words_are_where_they_are_heard(speaker: Served, builtin: BuiltinSynthesizer) -> None:
    path = f"/v1/text-to-speech/{builtin.voices[0].name}/multi-stream-input?{PCM}&auto_mode=true"
    told = []
    for more, read in (("", words_of), ("&sync_alignment=true", absolute_words)):
        with Client(speaker, path + more) as client:
            client.say(say("Your table is booked."), say("See you on Monday!"), flush(), close())
            told.append(read(client.until(is_final)))
    assert told[0] == told[1]
    text = "Your table is booked. See you on Monday!"
    assert [word for word, _ in told[0]] == text.split()
    body = {"text": text}
    one = speaker.post(
        path.split("/multi")[0] + "/with-timestamps",
        json=body,
        params={"output_format": "pcm_24000"},
    ).json()["alignment"]
    starts_ms = [1000 * time_s for time_s in one["character_start_times_seconds"]]
    for (_, start), at in zip(told[0], [0, 5, 11, 14, 22, 26, 30, 33], strict=True):
        assert start == pytest.approx(starts_ms[at], abs=60)


def test_words_of_a_language_model_come_as_they_are(shared: Served) -> None:
    with Client(shared, f"{MULTI}&auto_mode=false") as client:
        tokens = ["Hel", "lo", " there", ".", " How", " are", " you", "?", " Fine"]
        client.say(say(" "), *(say(token) for token in tokens), flush(), close())
        parts = client.until(is_final)
        client.say(say("Hello there. How are you? Fine"), flush(), close())
        whole = client.until(is_final)
    assert audio(parts, "audio") == audio(whole, "audio")
    assert [word for word, _ in words_of(parts)] == [
        "Hello",
        "there.",
        "How",
        "are",
        "you?",
        "Fine",
    ]


def test_a_sentence_is_spoken_before_the_rest_of_the_text_comes(shared: Served) -> None:
    with Client(shared, f"{MULTI}&auto_mode=false") as client:
        client.say(say("Hello there. How"))
        client.until(has_audio)
    with Client(shared, PIPECAT) as client:
        client.say(say("Hello there"))  # each message is a sentence
        client.until(has_audio)


def test_what_waits_is_spoken_after_a_while(shared: Served) -> None:
    with Client(shared, f"{MULTI}&auto_mode=false") as client:
        client.say(say("Hello there"))
        client.until(has_audio, timeout_s=5)


def test_an_interruption_ends_the_context_at_once_and_says_how_far_it_got(serve: Serve) -> None:
    toy = ToySynthesizer(block_s=0.05)
    served = serve(toy)
    with Client(served, PIPECAT) as client:
        client.say(say(LONG))
        heard = client.until(lambda message: has_audio(message) and toy.audio_s > 1)
        began = time.perf_counter()
        client.say(close())
        heard += client.until(is_final)
        assert time.perf_counter() - began < 0.5
        spoken = heard[-1]["spoken"]
        assert spoken["sent"]["ms"] == pytest.approx(len(audio(heard, "audio")) / 48, abs=5)
        assert spoken["heard"]["ms"] <= spoken["sent"]["ms"]
        assert 0 < spoken["sent"]["characters"] < len(LONG)
        client.say(say("Yes?", "D"), flush("D"), close("D"))
        later = client.until(is_final)
        assert {message["contextId"] for message in later} == {"D"}
        assert [word for word, _ in words_of(later)] == ["Yes?"]
        served.wait_idle()
    assert toy.opened == toy.closed


def test_a_keep_alive_is_no_word_and_a_second_close_interrupts(serve: Serve) -> None:
    served = serve(ToySynthesizer())
    with Client(served, PIPECAT) as client:
        client.say({"text": ""}, say(""), {"text": "", "context_id": "nobody"})
        client.say(say(LONG), flush(), say(""), close())
        client.until(has_audio)
        client.say({"text": ""}, close())
        *_, final = client.until(is_final)
        assert "spoken" in final
        client.say(say(LONG, "D"))
        client.until(has_audio)
        client.say(say("", "D"), close("D"))  # a keep-alive is not all that there is to say
        *_, final = client.until(is_final)
        assert "spoken" in final
        served.wait_idle()


def test_contexts_do_not_mix(shared: Served) -> None:
    def alone(text: str) -> bytes:
        with Client(shared, PIPECAT) as client:
            client.say(say(text), flush(), close())
            return audio(client.until(is_final), "audio")

    texts = {"C": "One two three four.", "D": "Five six seven eight nine."}
    with Client(shared, PIPECAT) as client:
        for name, text in texts.items():
            client.say(say(text, name), flush(name), close(name))
        heard = client.until(is_final)
        heard += client.until(is_final)
    for name, text in texts.items():
        own = [message for message in heard if message["contextId"] == name]
        assert audio(own, "audio") == alone(text)
        assert " ".join(word for word, _ in words_of(own)) == text


def test_closing_the_socket_says_what_there_is(shared: Served) -> None:
    with Client(shared, PIPECAT) as client:
        client.say(say("Hello there."), {"close_socket": True}, say("No more.", "D"))
        heard = client.until(is_final)
        assert [word for word, _ in words_of(heard)] == ["Hello", "there."]
        assert client.closed()[0] == 1000
    with Client(shared, PIPECAT) as client:
        client.say({"close_socket": True})
        assert client.closed()[0] == 1000


@pytest.mark.parametrize("text", ["", " ", "...", "🙂"])
def test_nothing_to_say_is_final_without_audio(shared: Served, text: str) -> None:
    with Client(shared, PIPECAT) as client:
        client.say(say(" "), say(text), flush(), close())
        assert not audio(client.until(is_final), "audio")


def test_a_text_that_came_at_once_or_in_parts_is_closed_with_1000(shared: Served) -> None:
    opening = {
        "text": " ",
        "try_trigger_generation": True,
        "voice_settings": None,
        "generation_config": {"chunk_length_schedule": [50]},
    }
    spoken = []
    for parts in (["Hello there, ", "this is ", "a test. "], ["Hello there, this is a test. "]):
        with Client(shared, SINGLE) as client:
            client.say(opening, *({"text": part} for part in parts), {"text": ""})
            heard = client.until(is_final)
            assert client.closed() == (1000, "")
        assert " ".join(word for word, _ in words_of(heard)) == "Hello there, this is a test."
        spoken.append(audio(heard, "audio"))
    assert spoken[0] == spoken[1] and len(spoken[0]) > 48000


def test_a_whole_text_comes_faster_than_it_plays(shared: Served) -> None:
    began = time.perf_counter()
    with Client(shared, SINGLE) as client:
        client.say({"text": LONG}, {"text": ""})
        heard = client.until(is_final, timeout_s=60)
    assert len(audio(heard, "audio")) / 48000 > 3 * (time.perf_counter() - began)


def test_a_closed_socket_is_an_interruption(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.01)
    served = serve(toy)
    for path, messages in ((SINGLE, [{"text": LONG}]), (PIPECAT, [say(LONG), flush(), close()])):
        with Client(served, path) as client:
            client.say(*messages)
            client.until(has_audio)
        served.wait_idle()
    assert toy.opened == toy.closed


@pytest.mark.parametrize("bad", ["{", "[]", "3", '"text"', b"\0\1", '{"text": 1}', '{"text": {}}'])
def test_nonsense_is_told_and_the_others_go_on(shared: Served, bad: str | bytes) -> None:
    with Client(shared, PIPECAT) as client:
        client.say(bad, say("Hello."), flush(), close())
        heard = client.until(is_final)
        while "error" in heard[-1]:
            heard = client.until(is_final)
        assert [word for word, _ in words_of(heard)] == ["Hello."]


@pytest.mark.parametrize("bad", ["{", "[]", b"\0\1", '{"text": 1}'])
def test_nonsense_ends_a_single_text(shared: Served, bad: str | bytes) -> None:
    with Client(shared, SINGLE) as client:
        client.say(bad)
        failed = client.hear()
        assert isinstance(failed, dict) and failed["message"] and failed["code"] == 1008
        code, reason = client.closed()
        assert code == 1008 and reason


def test_what_is_wrong_in_a_context_ends_that_one(shared: Served) -> None:
    with Client(shared, PIPECAT) as client:
        client.say(say("Hello.", "D"), say("One."), say("x" * 100_000))
        failed = client.until(lambda message: "error" in message)[-1]
        assert (failed["contextId"], failed["isFinal"]) == ("C", True)
        client.say(flush("D"), close("D"))
        heard = client.until(is_final)
        assert {message["contextId"] for message in heard} == {"D"}


def test_what_nobody_closes_ends_after_a_while(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mira.server.elevenlabs.messages.IDLE_S", 0.6)
    served = serve(ToySynthesizer())
    with Client(served, f"{PIPECAT}&inactivity_timeout=0.1") as client:
        client.say(say("Hello."), say("Hello.", "D"))
        kept = []
        for _ in range(6):
            time.sleep(0.25)
            client.say({"text": ""}, say("", "D"))  # keeps the socket and one context
            kept += client.rest(0.01)
        finals = [message for message in kept if isinstance(message, dict) and is_final(message)]
        assert [message["contextId"] for message in finals] == ["C"]
        assert served.service.admission.active == 1
        assert client.closed()[0] == 1008
    served.wait_idle()


def test_there_are_only_so_many_contexts(shared: Served) -> None:
    with Client(shared, PIPECAT) as client:
        client.say(*(say("x", f"C{number}", voice_settings={}) for number in range(33)))
        failed = client.until(lambda message: "error" in message)[-1]
        assert (failed["contextId"], failed["code"]) == ("C32", 1013)


def test_what_breaks_is_told(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=0))
    with Client(served, PIPECAT) as client:
        client.say(say("Hello."))
        failed = client.until(is_final)[-1]
        assert "broken" in failed["error"] and failed["contextId"] == "C"
    with Client(served, SINGLE) as client:
        client.say({"text": "Hello. "}, {"text": ""})
        assert client.closed()[0] == 1011


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PATH}/stream-input?output_format=pcm_7", 400),
        (f"{PATH}/multi-stream-input?seed=x", 400),
        (f"/v1/text-to-speech/{'x' * 300}/stream-input", 400),
        ("/v1/text-to-speech/nobody/multi-stream-input", 404),
        (f"{PATH}/other", 404),
    ],
)
def test_a_handshake_is_refused_with_its_reason(serve: Serve, path: str, status: int) -> None:
    served = serve(ToySynthesizer(), strict_voices=True)
    with pytest.raises(InvalidStatus) as refused, Client(served, path):
        pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["detail"]["message"]


@pytest.mark.parametrize("path", [MULTI, SINGLE])
def test_a_long_answer_in_one_context_is_spoken_to_its_end(serve: Serve, path: str) -> None:
    served = serve(ToySynthesizer(s_per_char=0.0005), max_text_chars=120)
    text = "".join(f"Sentence {'abcdefghij'[n % 10] * 3} has no end. " for n in range(18))
    with Client(served, f"{path}&sync_alignment=true") as client:
        client.say(*(say(f"{word} ") for word in text.split()))
        client.say(flush(), close()) if path == MULTI else client.say({"text": ""})
        heard = client.until(is_final)
        words = absolute_words(heard)
        assert [word for word, _ in words] == text.split()
        assert words[-1][1] == pytest.approx(len(audio(heard, "audio")) / 48, abs=100)
        if path == MULTI:
            client.say(say("a" * 121, "D"))
            (told,) = client.until(is_final)
            assert told["contextId"] == "D" and "120" in told["error"]


DIALOGUE = f"/v1/text-to-dialogue/multi-stream-input?{PCM}&model_id=eleven_v3&sync_alignment=true"


def is_over(message: Message) -> bool:
    """A dialogue's own end."""
    return bool(message.get("is_final"))


def test_a_dialogue_has_the_voices_that_it_names(shared: Served) -> None:
    heard = {}
    with Client(shared, DIALOGUE) as client:
        for name in (ANNA.name, BEN.name):
            line = {"text": "Hello there. ", "voice_id": name}
            client.say({"context_id": name, "voices": [name], "voice_settings": {"stability": 1}})
            client.say({"context_id": name, "inputs": [line], "flush": True})
            client.say({"context_id": name, "keep_alive": True})
            client.say({"context_id": name, "inputs": [line | {"text": ""}], "flush": True})
            client.say(close(name))
            heard[name] = audio(client.until(is_over), "audio")
        client.say({"context_id": "both", "voices": [ANNA.name, BEN.name]})
        assert "one voice" in client.until(is_over)[-1]["error"]
    assert len(heard[ANNA.name]) == len(heard[BEN.name]) > 0
    assert heard[ANNA.name] != heard[BEN.name]


@pytest.mark.parametrize("livekit", [True, False])
def test_a_dialogues_words_are_where_each_client_takes_them_to_be(
    speaker: Served, livekit: bool
) -> None:
    """LiveKit adds up how long the audio is, Pipecat what it is told; it speaks of turns."""
    turn = {} if livekit else {"new_turn": False}
    clock_ms = 0.0
    with Client(speaker, DIALOGUE) as client:
        client.say({"context_id": "C", "voices": ["heart"]})
        for text in ("Your table is booked. ", "See you on Monday! "):
            line = {"text": text, "voice_id": "heart", **turn}
            client.say({"context_id": "C", "inputs": [line], "flush": True})
        client.say({"context_id": "C", "flush": True}, close("C"))
        heard = client.until(is_over)
    text, starts = "", list[float]()
    for message in heard:
        if lists := message.get("alignment"):
            text += "".join(lists["chars"])
            starts += [clock_ms + start for start in lists["char_start_times_ms"]]
            if not livekit:
                clock_ms += lists["char_start_times_ms"][-1] + lists["char_durations_ms"][-1]
        if livekit:
            clock_ms += len(audio([message], "audio")) / 48
    told = [starts[match.start()] for match in re.finditer(r"\S+", text)]
    one = speaker.post(
        "/v1/text-to-speech/heart/with-timestamps",
        json={"text": text},
        params={"output_format": "pcm_24000"},
    ).json()["alignment"]
    whole = [
        1000 * one["character_start_times_seconds"][m.start()] for m in re.finditer(r"\S+", text)
    ]
    assert " ".join(text.split()) == "Your table is booked. See you on Monday!"
    assert told == pytest.approx(whole, abs=60)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("One two. ")
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "text": st.sampled_from(["", " ", "Hi. ", "One", " two", "x" * 5000]) | VALUES,
    "context_id": st.sampled_from(["C", "D", "E"]) | VALUES,
    "flush": st.booleans() | VALUES,
    "close_context": st.booleans() | VALUES,
    "voice_settings": st.fixed_dictionaries({}, optional={"speed": st.floats() | VALUES}) | VALUES,
    "inputs": st.lists(st.dictionaries(st.sampled_from(["text", "voice_id"]), VALUES), max_size=2),
    "voices": st.lists(VALUES, max_size=2),
}
MESSAGES = st.one_of(
    st.fixed_dictionaries({}, optional=FIELDS).map(json.dumps),
    st.fixed_dictionaries({}, optional=FIELDS).map(json.dumps),
    st.text(max_size=10),
    st.binary(max_size=10),
    st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3)).map(json.dumps),
)
PATHS = [SINGLE, PIPECAT, MULTI, f"/v1/text-to-dialogue/multi-stream-input?{PCM}"]


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.sampled_from(PATHS), messages=st.lists(MESSAGES, max_size=10), whole=st.booleans())
def test_whatever_is_sent_the_socket_lives_or_is_closed_with_a_reason(
    shared: Served,
    shared_toy: ToySynthesizer,
    path: str,
    messages: list[str | bytes],
    whole: bool,
) -> None:
    with Client(shared, path) as client:
        try:
            client.say(*messages)
            if whole:
                client.say({"close_socket": True})
        except Exception as closed:  # noqa: BLE001 - by the server, which says why
            assert "1008" in str(closed) or "1000" in str(closed)
        if whole:
            assert client.closed(30)[0] in (1000, 1008)
    shared.wait_idle()
    assert shared.service.telemetry.failures["Internal"] == 0
    wait_until(lambda: shared_toy.opened == shared_toy.closed)
