"""While the engine loads, the service answers; if it can't be loaded, the service says why."""

import asyncio
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from mira.audio.pcm import from_s16le
from mira.engine import Engine
from mira.errors import InvalidRequest, InvalidSettings, SynthesisFailed
from mira.server import state
from mira.settings import Settings
from mira.types import Samples
from mira.voices.inspect import Inspector
from tests.conftest import Serve
from tests.server.serving import Served, wait_until
from tests.toys import ToySynthesizer
from tests.voices.bringing import ALLISON, CARLO, JUNE, bring

REQUESTS = [
    ("POST", "/v1/audio/speech", {"model": "m", "voice": "anna", "input": "Hi."}),
    ("POST", "/v1/audio/speech-stream", {"input": "Hi."}),
    ("GET", "/voices", None),
    ("GET", "/voices/anna", None),
    ("POST", "/voices/refresh", None),
    ("POST", "/voices/clear-cache", None),
    ("GET", "/v1/audio/voices", None),
]


def refused(served: Served) -> set[str]:
    """Make sure that everything that needs the engine is a 503; return what is said."""
    said = set()
    with served.client() as client:
        for method, path, payload in REQUESTS:
            answer = client.request(method, path, json=payload)
            assert answer.status_code == 503, path
            assert int(answer.headers["retry-after"]) >= 1
            error = answer.json()["error"]
            assert set(error) == {"message", "type", "param", "code"}
            assert error["type"] == "server_error"
            said.add(error["message"])
    return said


def test_the_service_answers_while_the_engine_loads(serve: Serve) -> None:
    loaded = threading.Event()
    threads: list[str] = []

    def load(settings: Settings) -> Engine:
        threads.append(threading.current_thread().name)
        loaded.wait(20)
        return Engine(ToySynthesizer(), settings.lead_s)

    served = serve(load=load, default_voice="anna")
    try:
        health = served.get("/health")
        assert (health.status_code, health.json()["ready"]) == (200, False)
        ready = served.get("/health/ready")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert (ready.json()["doing"], ready.json()["error"]) == ("starting", None)
        assert {"still starting" in said for said in refused(served)} == {True}
        for path in ("/", "/stats", "/metrics", "/v1/models", "/docs"):
            assert served.get(path).status_code == 200
        bad = served.post("/v1/audio/speech-stream", json={"input": 5})
        assert bad.status_code == 400, "what is wrong now will be wrong then"
    finally:
        loaded.set()
    wait_until(lambda: served.get("/health/ready").status_code == 200)
    assert served.get("/health").json()["ready"] is True
    assert served.post("/v1/audio/speech-stream", json={"input": "Hi."}).status_code == 200
    assert len(threads) == 1, "loaded once"
    assert "server" not in threads, "on a thread of its own"


def test_how_far_the_start_is_can_be_asked(serve: Serve) -> None:
    loaded = threading.Event()
    served = serve(load=lambda settings: loaded.wait(20) and Engine(ToySynthesizer()))
    try:
        starting = served.service.starting
        starting.report("downloading owner/name to /home/me", 25, 100)
        time.sleep(0.01)
        starting.report("downloading owner/name to /home/me", 99, 100)
        ready = served.get("/health/ready")
        answer = ready.json()
        told = (answer["doing"], answer["done"], answer["total"])
        assert told == ("downloading owner/name", 99, 100)
        assert 0 <= answer["left_s"] < 1
        assert ready.headers["retry-after"] == "1"
        (said,) = refused(served)
        assert "still starting: downloading owner/name, 99 %. Try again in a second." in said
    finally:
        loaded.set()


@pytest.mark.parametrize("error", [SynthesisFailed("no memory left"), OSError("no memory left")])
def test_an_engine_that_can_not_start_is_given_up_and_only_the_log_says_why(
    caplog: pytest.LogCaptureFixture, serve: Serve, error: Exception
) -> None:
    def load(settings: Settings) -> Engine:
        raise error

    served = serve(load=load)
    wait_until(lambda: served.service.failure is not None)
    ready = served.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["ready"] is False
    assert "could not start" in ready.json()["error"]
    assert "no memory left" not in ready.text
    assert "no memory left" in caplog.text
    assert served.service.failure is error
    health = served.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "failed")
    assert {"could not start" in said for said in refused(served)} == {True}


def test_a_default_voice_that_does_not_exist_is_said(serve: Serve) -> None:
    served = serve(load=lambda settings: Engine(ToySynthesizer()), default_voice="zoe")
    wait_until(lambda: served.service.failure is not None)
    assert "there is no voice 'zoe'" in str(served.service.failure)


def test_a_voices_folder_that_is_none_stops_the_start_before_anything_is_loaded(
    serve: Serve, tmp_path: Path
) -> None:
    def load(settings: Settings) -> Engine:
        raise AssertionError("loaded")

    (tmp_path / "voices").touch()
    served = serve(load=load, voices_dir=tmp_path / "voices")
    wait_until(lambda: served.service.failure is not None)
    assert str(served.service.failure).endswith(
        "voices is no folder. Name one, or one that is not there yet."
    )


def test_a_model_that_broke_is_not_ready_until_it_is_back(
    toy: ToySynthesizer, serve: Serve
) -> None:
    served = serve(toy, default_voice="anna")
    toy.ready = False
    assert served.get("/health").json()["ready"] is False
    ready = served.get("/health/ready")
    assert (ready.status_code, ready.json()["free_streams"]) == (503, 0)
    assert "being restarted" in ready.json()["error"]
    assert {"being restarted" in said for said in refused(served)} == {True}
    assert "mira_free_streams 0.0" in served.get("/metrics").text
    toy.ready = True
    assert served.get("/health/ready").json()["free_streams"] == 64
    assert served.post("/v1/audio/speech-stream", json={"input": "Hi."}).status_code == 200


def test_a_model_that_is_beyond_repair_ends_the_service(
    toy: ToySynthesizer, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve(toy, default_voice="anna")
    given_up = threading.Event()
    served.service.give_up = given_up.set
    toy.ready, toy.failure = False, "The card fell out. The process has to be started anew."
    assert given_up.wait(20)
    assert isinstance(served.service.failure, SynthesisFailed)
    assert str(served.service.failure) == toy.failure
    assert "broke for good: The card fell out" in caplog.text
    health = served.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "failed")
    assert "broke for good" in health.json()["error"]
    assert "broke for good" in served.get("/health/ready").json()["error"]
    assert {"broke for good" in said for said in refused(served)} == {True}


def test_it_begins_with_as_many_streams_as_were_measured(toy: ToySynthesizer, serve: Serve) -> None:
    toy.measure = lambda most: min(most, 3)  # type: ignore[method-assign]
    served = serve(toy, default_voice="anna", max_streams=0)
    assert served.get("/health/ready").json()["free_streams"] == 3
    at_most = serve(toy, default_voice="anna", max_streams=2)
    assert at_most.get("/health/ready").json()["free_streams"] == 2
    at_least = serve(toy, default_voice="anna", min_streams=5)
    assert at_least.get("/health/ready").json()["free_streams"] == 5


def test_no_more_streams_than_a_model_has_places_for(toy: ToySynthesizer, serve: Serve) -> None:
    toy.max_streams = 4
    served = serve(toy, default_voice="anna", min_streams=8)
    assert served.get("/health/ready").json()["free_streams"] == 4


def test_a_default_that_turns_out_unusable_stops_no_start(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(name: str) -> None:
        raise InvalidRequest("It is all wrong.")

    bring(tmp_path, CARLO)
    toy = ToySynthesizer(fingerprint="c0ffee", while_cloning=fail)
    served = serve(toy, voices_dir=tmp_path, default_voice="carlo", strict_voices=True)
    assert served.get("/voices").json()["default_voice"] == "anna"
    assert "default_voice can't speak; 'anna' stands in" in caplog.text


def test_the_service_speaks_before_it_has_looked_at_all_recordings(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    decode = Inspector.decode

    def slow(inspector: Inspector, recording: bytes) -> tuple[Samples, int, str]:
        if recording == JUNE.read_bytes():
            go_on.wait(20)
        return decode(inspector, recording)

    monkeypatch.setattr(Inspector, "decode", slow)
    bring(tmp_path, JUNE, ALLISON, CARLO)
    toy = ToySynthesizer(fingerprint="c0ffee")
    served = serve(toy, voices_dir=tmp_path, default_voice="carlo")
    try:
        listing = served.get("/voices").json()
        assert listing["looking"]
        assert "june" not in {voice["id"] for voice in listing["voices"]}
        for name in ("carlo", "allison"):
            heard = served.post("/v1/audio/speech-stream", json={"input": "Hi.", "voice": name})
            assert heard.headers["x-voice-used"] == name
            assert served.get(f"/voices/{name}").status_code == 200
        with served.client() as client:
            early = client.delete("/v1/audio/voices/allison")
        assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    finally:
        go_on.set()
    wait_until(lambda: not served.get("/voices").json()["looking"])
    assert served.get("/voices/june").status_code == 200


def test_a_recording_that_is_being_read_holds_the_end_up_for_a_while_only(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And nobody else meanwhile: it is waited for beside the event loop."""
    monkeypatch.setattr(state, "STOP_S", 0.5)
    served = serve(ToySynthesizer(), voices_dir=tmp_path)
    service = served.service
    assert service._store is not None
    reader = service._store._inspector._reader
    with reader._one_at_a_time:
        service._store.hurry()
        began = time.monotonic()
        asyncio.run(service._stop())
        assert time.monotonic() - began < 10
    assert "a recording did not end within 0 s" in caplog.text


def test_without_a_folder_nothing_is_looked_for_any_more(serve: Serve, tmp_path: Path) -> None:
    served = serve(ToySynthesizer(), voices_dir=tmp_path / "none")
    wait_until(lambda: not served.get("/voices").json()["looking"])


def test_the_default_is_prepared_before_the_service_is_ready(serve: Serve, tmp_path: Path) -> None:
    bring(tmp_path, CARLO)
    toy = ToySynthesizer(fingerprint="c0ffee")
    served = serve(toy, voices_dir=tmp_path, default_voice="carlo")
    assert toy.clones == 1
    assert served.get("/voices/carlo").json()["cached"]


def test_the_dictionary_is_a_file_that_may_change(
    toy: ToySynthesizer, serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "words.toml"
    path.write_text('Nguyen = "win"\nAnn = "anne"')
    served = serve(toy, dictionary=path)

    def heard(text: str, **words: str) -> bytes:
        body = {"input": text, "dictionary": words}
        return served.post("/v1/audio/speech-stream", json=body).content

    assert heard("Nguyen, Ann.") == heard("Win, Anne.")
    assert heard("Nguyen, Ann.", Nguyen="when") == heard("When, Anne."), "the request's win"
    path.write_text("Nguyen = ")  # half-written
    time.sleep(0.7)
    assert heard("Nguyen, Ann.") == heard("Win, Anne.")
    path.write_text('Nguyen = "new win"')
    wait_until(lambda: heard("Nguyen, Ann.") == heard("New win, Ann."))
    path.unlink()
    time.sleep(0.7)
    assert heard("Nguyen.") == heard("New win.")


def test_a_stream_that_runs_keeps_its_dictionary(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text('Nguyen = "win"')
    toy, begun, changed = ToySynthesizer(), threading.Event(), threading.Event()
    served = serve(toy, dictionary=path)
    text = "Nguyen is here. Nguyen is there."
    expected = toy.whole("Win is here. Win is there.")

    def wait(number: int) -> None:
        begun.set()
        changed.wait(20)

    def change() -> None:
        begun.wait(20)
        path.write_text('Nguyen = "when"')
        words = served.service._words
        assert words is not None
        before = words.dictionary
        wait_until(lambda: words.dictionary is not before)
        changed.set()

    toy.before_block = wait
    changing = threading.Thread(target=change)
    changing.start()
    body = {"input": text, "sample_rate": toy.sample_rate}
    heard = from_s16le(served.post("/v1/audio/speech-stream", json=body).content)
    changing.join()
    assert np.allclose(heard[: len(expected)], expected, atol=1e-3)


@pytest.mark.parametrize(
    ("content", "wrong"), [(None, "is no file"), ('Nguyen = { ipa = "wɪn" }', "reads letters")]
)
def test_a_dictionary_that_can_not_be_used_ends_the_start(
    serve: Serve, tmp_path: Path, content: str | None, wrong: str
) -> None:
    path = tmp_path / "words.toml"
    if content:
        path.write_text(content, "utf-8")
    toy = ToySynthesizer(reads_phonemes=False)
    served = serve(load=lambda settings: Engine(toy), default_voice="anna", dictionary=path)
    wait_until(lambda: served.service.failure is not None)
    assert isinstance(served.service.failure, InvalidSettings)
    assert str(path) in str(served.service.failure) and wrong in str(served.service.failure)


def test_memory_goes_back_once_nobody_speaks(
    toy: ToySynthesizer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    monkeypatch.setattr(state, "REST_S", 0.1)
    monkeypatch.setattr(state, "LOOK_S", 0.01)
    served = serve(toy)
    served.service.rest = lambda: given.append(served.service.admission.idle_s)
    wait_until(lambda: served.service.admission.idle_s > 0.3)
    assert not given, "nobody has spoken yet"
    for count in (1, 2):
        assert served.post("/v1/audio/speech-stream", json={"input": "Hi."}).status_code == 200
        wait_until(lambda: len(given) == count)  # noqa: B023 - waited for here
    wait_until(lambda: served.service.admission.idle_s > 0.5)
    assert len(given) == 2
    assert min(given) > 0.1
