"""What is said again and again is computed once, sounds the same by every way, and is forgotten
with its voice; nothing else is kept."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mira.audio import FORMATS
from tests.conftest import Serve
from tests.server.conftest import Start
from tests.server.keyed import ask
from tests.server.serving import Served, serving, speaking, wait_until
from tests.server.sockets.client import Client, audio
from tests.server.uploading import speak, upload
from tests.server.wire import Wire
from tests.toys import ToySynthesizer
from tests.voices.bringing import ALLISON, JUNE

PHRASES, SPEECH, STREAM = "/v1/phrases", "/v1/audio/speech", "/v1/audio/speech-stream"
TEXT = "One moment, please. I am looking it up."
CARTESIA = {"cartesia-version": "2025-04-16"}
PCM = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}


@pytest.fixture
def quick() -> ToySynthesizer:
    return ToySynthesizer(s_per_char=0.01)


@pytest.fixture
def served(serve: Serve, quick: ToySynthesizer) -> Served:
    return serve(quick)


def prepare(served: Served, *texts: str, **fields: Any) -> dict[str, Any]:
    """Have them computed; all is told of each."""
    answer = served.post(PHRASES, json={"phrases": texts, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert [each["text"] for each in found["phrases"]] == [*dict.fromkeys(texts)]
    for each in found["phrases"]:
        assert each.keys() == ({"text", "ready"} if each["ready"] else {"text", "ready", "error"})
    assert found["ready"] == all(each["ready"] for each in found["phrases"])
    return found


def about(served: Served) -> dict[str, int]:
    """What the service says of what it keeps, in all places."""
    found: dict[str, int] = served.get(PHRASES).json()
    assert served.get("/stats").json()["phrases"] == found
    for name, key in (
        ("mira_phrase_hits_total", "hits"),
        ("mira_phrase_misses_total", "misses"),
        ("mira_phrases", "kept"),
        ("mira_phrase_bytes", "bytes"),
    ):
        assert served.metric(name) == found[key]
    return found


# ---------------------------------------------------------------- what is heard


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_hit_is_the_same_bytes_as_a_miss(
    served: Served, quick: ToySynthesizer, format_name: str
) -> None:
    body = {"input": TEXT, "response_format": format_name, "speed": 1.25, "volume": 0.5}
    answers = [served.post(SPEECH, json=body) for _ in range(4)]
    assert quick.opened == 2 * 2
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["x-voice-used"] for answer in answers}) == 1
    assert about(served)["hits"] == 2 * 2


@pytest.mark.parametrize(
    "body",
    [
        {"word_timestamps": True},
        {"word_timestamps": True, "stream_format": "sse"},
        {"word_timestamps": True, "response_format": "opus", "sample_rate": 8000, "tempo": 0.8},
    ],
)
def test_and_its_words_have_the_same_times(
    served: Served, quick: ToySynthesizer, body: dict[str, object]
) -> None:
    answers = [served.post(SPEECH, json={"input": TEXT, **body}) for _ in range(3)]
    assert quick.opened == 2 * 2
    assert '"words"' in answers[0].text
    assert answers[2].text == answers[0].text


def test_every_way_to_speak_profits(served: Served, quick: ToySynthesizer) -> None:
    """In whichever format: it is kept before it is encoded."""
    voice = {"mode": "id", "id": "anna"}
    assert prepare(served, TEXT)["voice"] == "anna"
    assert quick.opened == 2
    ways: list[tuple[str, dict[str, object], dict[str, str]]] = [
        (SPEECH, {"input": TEXT}, {}),
        (SPEECH, {"input": TEXT, "word_timestamps": True}, {}),
        (STREAM, {"input": TEXT, "sample_rate": 8000}, {}),
        ("/v1/text-to-speech/anna?output_format=ulaw_8000", {"text": TEXT}, {}),
        ("/v1/text-to-speech/anna/stream/with-timestamps", {"text": TEXT}, {}),
        ("/tts/bytes", {"transcript": TEXT, "voice": voice, "output_format": PCM}, CARTESIA),
        ("/v1/speak?model=anna", {"text": TEXT}, {}),
    ]
    for path, body, headers in ways:
        answer = served.post(path, json=body, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
    assert quick.opened == 2
    assert about(served)["hits"] == 2 * len(ways)


@pytest.mark.parametrize("parts", [[TEXT], [f"{word} " for word in TEXT.split()]], ids=len)
def test_on_sockets_too_where_text_comes_word_by_word(
    served: Served, quick: ToySynthesizer, parts: list[str]
) -> None:
    def say(text: str) -> tuple[bytes, list[object]]:
        heads = {"context_id": text, "model_id": "mira", "voice": {"mode": "id", "id": "anna"}}
        heads |= {"output_format": PCM, "add_timestamps": True}
        with Client(served, "/tts/websocket?cartesia_version=2025-04-16") as client:
            for part in parts:
                client.say({**heads, "transcript": part, "continue": True})
            client.say({**heads, "transcript": "", "continue": False})
            heard = client.until(lambda message: message["type"] == "done")
            times = [each["word_timestamps"] for each in heard if "word_timestamps" in each]
            return audio(heard), times

    first, second, third = (say(str(number)) for number in range(3))
    assert first == second == third
    assert first[1]
    assert quick.opened == 2 * 2
    with Client(served, "/v1/text-to-speech/anna/stream-input?output_format=pcm_24000") as client:
        client.say({"text": " "}, {"text": f"{TEXT} "}, {"text": ""})
        told = client.until(lambda message: message.get("isFinal"))
    with Client(served, "/v1/speak?model=anna&encoding=linear16&sample_rate=24000") as other:
        other.say({"type": "Speak", "text": TEXT}, {"type": "Flush"})
        heard = b""
        while len(heard) < len(first[0]):
            message = other.hear()
            heard += message if isinstance(message, bytes) else b""
    assert audio(told, "audio")[: len(first[0])] == heard == first[0]
    assert quick.opened == 2 * 2


def test_a_sentence_of_a_longer_text_profits(served: Served, quick: ToySynthesizer) -> None:
    prepare(served, "One moment, please.")
    body = {"input": "All right. One moment, please. It is seven.", "word_timestamps": True}
    answer = served.post(STREAM, json=body)
    assert quick.opened == 1 + 2
    lines = [json.loads(line) for line in answer.text.splitlines()]
    words = [word["word"] for line in lines for word in line.get("words", [])]
    assert words == body["input"].split()
    data = b"".join(base64.b64decode(line["audio"]) for line in lines if "audio" in line)
    body["seed"] = 1
    lines = [json.loads(line) for line in served.post(STREAM, json=body).text.splitlines()]
    assert b"".join(base64.b64decode(line["audio"]) for line in lines if "audio" in line) == data


# ---------------------------------------------------------------- what is not kept


def test_a_request_with_a_seed_is_computed(served: Served, quick: ToySynthesizer) -> None:
    prepare(served, TEXT)
    for _ in range(3):
        speaks = served.post(STREAM, json={"input": TEXT, "seed": 7})
        assert speaks.status_code == 200
    assert quick.opened == 2 + 3 * 2
    assert about(served)["hits"] == 0


def test_one_that_was_hung_up_on_is_not_kept(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.01, s_per_char=0.1)
    served = serve(toy, lead_s=0.2)
    body = {"input": "A sentence that takes a few seconds to say."}
    for _ in range(3):
        with Wire(served) as wire:
            wire.post(STREAM, body)
            wire.read_head()
        toy.wait_closed()
        served.wait_idle()
    assert about(served)["kept"] == 0


def test_off(serve: Serve, quick: ToySynthesizer) -> None:
    served = serve(quick, phrases_mb=0)
    for _ in range(3):
        served.post(STREAM, json={"input": "Hi."})
    assert quick.opened == 3
    answer = served.post(PHRASES, json={"phrases": ["Hi."]})
    assert answer.status_code == 403
    assert "phrases_mb" in answer.json()["error"]["message"]


def test_a_word_that_is_said_in_another_way_is_another_phrase(
    served: Served, quick: ToySynthesizer
) -> None:
    words = {"moment": "mo ment"}
    prepare(served, TEXT)
    plain = served.post(STREAM, json={"input": TEXT}).content
    said = served.post(STREAM, json={"input": TEXT, "dictionary": words}).content
    assert plain != said
    assert quick.opened == 2 + 1  # the other sentence has no such word
    prepare(served, TEXT, dictionary=words)
    assert served.post(STREAM, json={"input": TEXT, "dictionary": words}).content == said
    assert quick.opened == 2 + 2  # it was said once before, and not kept
    assert served.post(STREAM, json={"input": TEXT}).content == plain


def test_a_changed_dictionary_is_heard_at_once(
    serve: Serve, quick: ToySynthesizer, tmp_path: Path
) -> None:
    path = tmp_path / "words.toml"
    path.write_text('CRM = "customer list"\n')
    served = serve(quick, dictionary=path)
    prepare(served, "It is in the CRM.")
    before = served.post(STREAM, json={"input": "It is in the CRM."}).content
    path.write_text('CRM = "customers"\n')
    wait_until(lambda: served.post(STREAM, json={"input": "It is in the CRM."}).content != before)


# ---------------------------------------------------------------- while all speak


@pytest.fixture
def full(serve: Serve) -> Iterator[Served]:
    """A service whose one place is taken, by somebody who waits for audio; TEXT is kept."""
    go_on = threading.Event()
    toy = ToySynthesizer(s_per_char=0.01)
    served = serve(toy, max_streams=1, queue_s=1.0)
    assert prepare(served, TEXT)["ready"]
    toy.before_block = lambda number: go_on.wait(20)
    served.wait_idle()
    with Wire(served) as wire:
        wire.post(STREAM, {"input": "Something else."})
        toy.wait(lambda toy: toy.opened == 3)
        yield served
        go_on.set()
        assert toy.opened == 3


def test_what_is_kept_is_said_though_all_places_are_taken(full: Served) -> None:
    assert full.get("/health/ready").json()["free_streams"] == 0
    for body in ({"input": TEXT}, {"input": TEXT, "word_timestamps": True}):
        assert full.post(STREAM, json=body).status_code == 200
        assert full.post(SPEECH, json=body).status_code == 200
    for body in ({"input": f"{TEXT} Bye."}, {"input": TEXT, "seed": 5}, {"input": TEXT.lower()}):
        assert full.post(STREAM, json=body).status_code == 429, body
    assert full.service.admission.active == 1


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("waits", [0.0, 0.3])
def test_on_sockets_too_once_all_of_it_has_come(full: Served, known: bool, waits: float) -> None:
    with Client(full, "/v1/speak?model=anna&encoding=linear16&sample_rate=24000") as client:
        client.say({"type": "Speak", "text": TEXT if known else f"{TEXT} Bye."})
        time.sleep(waits)
        client.say({"type": "Flush"})
        heard = client.rest(2.0)
    assert any(isinstance(message, bytes) for message in heard) == known, heard


# ---------------------------------------------------------------- voices


@pytest.mark.parametrize("how", ["removed", "replaced", "its file is removed", "cleared", "all"])
def test_what_a_voice_said_goes_with_it(start: Start, how: str, tmp_path: Path) -> None:
    served = start()
    assert upload(served, ALLISON).status_code == 200
    for voice in ("anna2", "anna"):
        assert prepare(served, "Hi.", voice=voice)["ready"]
    before = speak(served, "anna2").content
    assert about(served)["kept"] == 2
    left = 1
    if how == "removed":
        with served.client() as client:
            assert client.delete("/v1/audio/voices/anna2").status_code == 200
    elif how == "replaced":
        assert upload(served, JUNE).status_code == 200
        assert speak(served, "anna2").content != before
    elif how == "its file is removed":
        next((tmp_path / "voices").glob("anna2*")).unlink()
        served.post("/voices/refresh")
    elif how == "cleared":
        served.post("/voices/clear-cache")
        left = 0
    else:
        with served.client() as client:
            assert client.delete(PHRASES).json() == {"cleared": 2}
        left = 0
    assert about(served)["kept"] == left
    assert (about(served)["bytes"] > 0) == bool(left)


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Served]:
    """A service with two keys that have voices of their own, and a third."""
    every = 'may = ["speak", "read", "voices", "operate"]'
    path = tmp_path / "keys.toml"
    path.write_text(
        f'[one]\nkey = "one-0123456789abcdef"\n{every}\nown_voices = true\n'
        f'[two]\nkey = "two-0123456789abcdef"\n{every}\nown_voices = true\n'
        f'[all]\nkey = "all-0123456789abcdef"\n{every}\ncharacters_a_minute = 20\n'
    )
    options = {"api_keys_file": path, "voices_dir": tmp_path / "voices"}
    with serving(*speaking(ToySynthesizer(fingerprint="c0ffee"), **options)) as served:
        yield served


def test_a_voice_of_one_key_is_no_other_ones(keyed: Served) -> None:
    one, two, everybody = (f"{name}-0123456789abcdef" for name in ("one", "two", "all"))
    for key, recording in ((one, ALLISON), (two, JUNE)):
        form = {"name": "clara", "consent": "Clara agreed."}
        files = {"audio_sample": (recording.name, recording.read_bytes())}
        made = ask(keyed, "POST", "/v1/audio/voices", key, data=form, files=files)
        assert made.status_code == 200
    body = {"phrases": ["Hi."], "voice": "clara"}
    heard = {}
    for key in (one, two):
        assert ask(keyed, "POST", PHRASES, key, json=body).json()["ready"]
        spoken = ask(keyed, "POST", STREAM, key, json={"input": "Hi.", "voice": "clara"})
        heard[key] = spoken.content
    assert heard[one] != heard[two]
    assert ask(keyed, "POST", PHRASES, everybody, json=body).status_code == 404
    assert ask(keyed, "DELETE", PHRASES, one).json() == {"cleared": 1}
    assert keyed.service.phrases.hits == 2
    again = ask(keyed, "POST", STREAM, two, json={"input": "Hi.", "voice": "clara"})
    assert again.content == heard[two]
    assert keyed.service.phrases.hits == 3


def test_what_is_prepared_is_counted_as_spoken(keyed: Served) -> None:
    """And what is kept already is not: nothing is done for it."""
    key = "all-0123456789abcdef"
    body = {"phrases": ["Ten chars.", "Ten char!s", "Ten char?s"]}
    answer = ask(keyed, "POST", PHRASES, key, json=body).json()
    assert [each["ready"] for each in answer["phrases"]] == [True, True, False]
    assert "in a minute" in answer["phrases"][2]["error"]
    assert ask(keyed, "POST", PHRASES, key, json={"phrases": ["Ten chars."]}).json()["ready"]


# ---------------------------------------------------------------- preparing


def test_each_is_answered_by_itself(serve: Serve) -> None:
    toy = ToySynthesizer(s_per_char=0.1)
    served = serve(toy, phrases_mb=1)
    long = "a" * 190 + "."  # 19 s of float32 at 24 kHz: 1.8 MB
    answer = prepare(served, "Hi.", "...", long, "Hi.", "Bye.")
    assert [each["ready"] for each in answer["phrases"]] == [True, False, False, True]
    assert "nothing" in answer["phrases"][1]["error"].lower()
    assert "phrases_mb" in answer["phrases"][2]["error"]
    served.wait_idle()
    assert about(served)["kept"] == 2


def test_what_fails_is_said(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=1))
    answer = prepare(served, "One moment, please.")
    assert answer["phrases"][0]["error"] == "The toy is broken."


def test_a_list_takes_no_longer_than_it_may(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mira.server.native.phrases.PREPARE_S", 0.4)
    toy = ToySynthesizer(compute_s=0.05)
    served = serve(toy)
    answer = prepare(served, *(f"Number {number}." for number in range(50)))
    ready = [each["ready"] for each in answer["phrases"]]
    assert True not in ready[ready.index(False) :]
    assert "no time" in answer["phrases"][-1]["error"]
    toy.wait_closed()
    served.wait_idle()


def test_whoever_hangs_up_has_nothing_more_prepared(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.05)
    served = serve(toy)
    with Wire(served) as wire:
        wire.post(PHRASES, {"phrases": [f"Number {number}." for number in range(90)]})
        toy.wait(lambda toy: toy.opened > 0)
    wait_until(lambda: served.service.admission.active == 0)
    toy.wait_idle()
    assert toy.opened < 10


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phrases": []},
        {"phrases": "Hi."},
        {"phrases": [""]},
        {"phrases": [5]},
        {"phrases": ["a" * 201]},
        {"phrases": ["Hi."] * 101},
        {"phrases": ["Hi."], "voice": 5},
        {"phrases": ["Hi."], "dictionary": {"a": {"x": "y"}}},
    ],
    ids=lambda body: json.dumps(body)[:30],
)
def test_a_list_that_can_not_be_used(served: Served, body: dict[str, object]) -> None:
    answer = served.post(PHRASES, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_nobody_stands_in(served: Served) -> None:
    answer = served.post(PHRASES, json={"phrases": ["Hi."], "voice": "nobody"})
    assert answer.status_code == 404
