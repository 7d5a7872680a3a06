"""Bytes leave as they are made, work stops when the client does, and failures are never quiet."""

import asyncio
import contextlib
import threading
import time
from contextlib import ExitStack

import httpx
import pytest
from starlette.types import Message

from mira.errors import SynthesisFailed
from mira.server import run
from mira.server.framing import Framing
from mira.server.response import SpeechResponse
from mira.server.state import Service
from mira.server.utterance import Delivery, Utterance
from tests.conftest import Serve
from tests.server.serving import Served, ready_service, wait_until
from tests.server.wire import Wire
from tests.toys import ANNA, ToySynthesizer

SPEECH, STREAM = "/v1/audio/speech", "/v1/audio/speech-stream"
HELLO = "One two three four five six."
STORY = " ".join(f"Sentence {'abcdefghij'[n % 10] * 3} goes on and on and on." for n in range(60))


def speech(text: str = STORY, **fields: object) -> dict[str, object]:
    return {"model": "m", "voice": "anna", "response_format": "pcm", "input": text, **fields}


def start(
    served: Served, text: str = STORY, receive_buffer: int | None = None, path: str = STREAM
) -> Wire:
    wire = Wire(served, receive_buffer)
    wire.post(path, speech(text))
    return wire


# Early and paced


@pytest.mark.parametrize("response_format", ["pcm", "wav", "mp3", "opus", "aac", "flac", "ulaw"])
def test_the_first_bytes_leave_before_the_second_block_exists(
    response_format: str, serve: Serve
) -> None:
    """FLAC and AAC may hold a frame back, so a block is longer than one of those."""
    heard = threading.Event()
    toy = ToySynthesizer(block_s=0.3)
    toy.before_block = lambda number: number == 0 or heard.wait(20)
    served = serve(toy)
    with Wire(served) as wire:
        wire.post(SPEECH, speech(HELLO, response_format=response_format))
        assert wire.read_head() == 200
        assert next(wire.chunks())
        assert toy.blocks == 1
        heard.set()
        assert list(wire.chunks())
    assert toy.blocks > 3


def test_slow_blocks_arrive_one_by_one(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.2, s_per_char=0.02)
    with start(serve(toy), HELLO) as wire:
        began = time.perf_counter()
        wire.read_head()
        arrivals = [(time.perf_counter() - began, toy.blocks) for _ in wire.chunks()]
    assert len(arrivals) >= 5
    for number, (after_s, made) in enumerate(arrivals[:5]):
        assert after_s > 0.15 * (number + 1)
        assert made <= number + 2


def test_a_slow_listener_holds_the_voice_back(serve: Serve) -> None:
    """What is made ahead: the lead, a block or two, and what the kernel takes."""
    toy = ToySynthesizer(s_per_char=0.04)
    served = serve(toy, lead_s=1)
    total_s = len(toy.whole(STORY)) / toy.sample_rate
    assert total_s > 60
    with start(served, receive_buffer=16 * 1024, path=SPEECH) as wire:
        wire.read_head()
        for read_s in range(0, 12, 3):
            toy.wait(lambda toy, least_s=read_s + 1: toy.audio_s >= least_s)
            toy.wait_idle(0.5)
            assert toy.audio_s - read_s < 8
            wire.read(3 * 48000)
    toy.wait_closed()
    assert toy.audio_s < 25


def test_a_fast_listener_is_served_at_full_speed(serve: Serve) -> None:
    toy = ToySynthesizer(s_per_char=0.04)
    served = serve(toy, lead_s=0.5)
    began = time.perf_counter()
    answer = served.post(STREAM, json=speech())
    took_s = time.perf_counter() - began
    num_samples = round(len(toy.whole(STORY)) * 16000 / 24000)
    assert len(answer.content) == 2 * num_samples
    assert num_samples / 16000 / took_s > 5, "over a minute of speech, in real time"


# Clients that leave


def test_leaving_stops_the_voice_at_once(serve: Serve) -> None:
    toy = ToySynthesizer(block_s=0.1, compute_s=0.03)
    served = serve(toy)
    took = []
    for _ in range(5):  # the best of five: the machine may be busy with something else
        with start(served) as wire:
            wire.read_head()
            next(wire.chunks())
            toy.wait(lambda toy: toy.opened == toy.closed + 1)
            made = toy.blocks
            began = time.perf_counter()
        toy.wait_closed()
        took.append(time.perf_counter() - began)
        assert toy.blocks - made <= 4
        served.wait_idle()
    assert min(took) < 0.1 + toy.compute_s
    assert max(took) < 3
    assert toy.opened == 5
    assert served.metric("mira_cancellations_total") == 5
    assert served.service.telemetry.cancelled == 5
    assert dict(served.service.telemetry.failures) == {}


@pytest.mark.parametrize("way", ["close", "reset"])
def test_leaving_while_the_server_waits_for_the_listener(serve: Serve, way: str) -> None:
    toy = ToySynthesizer()
    served = serve(toy, lead_s=0.5)
    with start(served, receive_buffer=8192) as wire:
        wire.read_head()
        toy.wait_idle()
        assert (toy.opened - toy.closed, served.service.admission.active) == (1, 1)
        began = time.perf_counter()
        getattr(wire, way)()
        toy.wait_closed()
        assert time.perf_counter() - began < 2
    served.wait_idle()
    assert served.service.telemetry.cancelled == 1


def test_leaving_before_the_first_audio(serve: Serve) -> None:
    allowed = threading.Semaphore(0)
    toy = ToySynthesizer(before_block=lambda number: allowed.acquire(timeout=20))
    served = serve(toy)
    with start(served) as wire:
        toy.wait(lambda toy: toy.opened == 1)
        wire.close()
        wait_until(lambda: served.connections == 0)
        assert served.get("/health").json()["active_streams"] == 1, "its block is not done yet"
        allowed.release()
        toy.wait_closed()
    served.wait_idle()
    assert toy.blocks == 1, "no second one is begun"
    assert served.service.telemetry.cancelled == 1


def test_those_who_leave_the_queue_are_not_computed_for(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.2, at_once=4)
    served = serve(toy)
    wires = [start(served) for _ in range(8)]
    wait_until(lambda: served.service.admission.active == 8)
    began = time.perf_counter()
    for wire in wires:
        wire.close()
    served.wait_idle()
    assert time.perf_counter() - began < 1.0
    assert toy.blocks <= 12  # of those whose turn it was when they left
    assert served.service.telemetry.cancelled == 8


def test_fifty_who_leave_leave_nothing_behind(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.003)
    served = serve(toy, max_streams=4)
    for number in range(50):
        served.wait_idle()
        with start(served) as wire:
            if number % 5:
                wire.read_head()
                if number % 2:
                    next(wire.chunks())
    served.wait_idle()
    toy.wait_closed()
    assert served.service.telemetry.cancelled == 50
    wait_until(lambda: "mira-ahead" not in [thread.name for thread in threading.enumerate()])
    names = [thread.name for thread in threading.enumerate()]
    assert sum("worker" in name.lower() for name in names) <= 8, names


def test_one_who_leaves_disturbs_no_other(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.01)
    served = serve(toy)
    with ExitStack() as stack:
        stays = stack.enter_context(start(served, HELLO))
        for _ in range(5):
            with start(served) as wire:
                wire.read_head()
        stays.read_head()
        heard = sum(map(len, stays.chunks()))
    assert heard == 2 * round(len(toy.whole(HELLO)) * 16000 / 24000)


# Failures


@pytest.mark.parametrize("path", [SPEECH, STREAM])
@pytest.mark.parametrize("stream_format", ["audio", "sse"])
def test_a_failure_before_the_first_audio_has_a_status(
    serve: Serve, path: str, stream_format: str
) -> None:
    served = serve(ToySynthesizer(fail_at=0))
    answer = served.post(path, json=speech(HELLO, stream_format=stream_format))
    assert answer.status_code == 500
    assert answer.headers["x-request-id"]
    assert answer.json() == {
        "error": {
            "message": "The toy is broken.",
            "type": "server_error",
            "param": None,
            "code": None,
        }
    }
    assert dict(served.service.telemetry.failures) == {"SynthesisFailed": 1}


def test_a_bug_before_the_first_audio_tells_no_secrets(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=0, error=RuntimeError("secret /path")))
    answer = served.post(SPEECH, json=speech(HELLO))
    assert answer.status_code == 500
    assert answer.headers["x-request-id"].startswith("req_")
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("server_error", None, None)
    assert "secret" not in answer.text
    assert dict(served.service.telemetry.failures) == {"Internal": 1}


@pytest.mark.parametrize("response_format", ["pcm", "mp3", "wav", "opus"])
@pytest.mark.parametrize("error", [SynthesisFailed("broken"), RuntimeError("secret")])
def test_a_later_failure_breaks_the_body(
    serve: Serve, response_format: str, error: Exception
) -> None:
    served = serve(ToySynthesizer(fail_at=4, error=error))
    received = b""
    with (
        served.client() as client,
        pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"),
        client.stream(
            "POST", SPEECH, json=speech(STORY, response_format=response_format)
        ) as answer,
    ):
        assert answer.status_code == 200
        for chunk in answer.iter_raw():
            received += chunk
    assert received
    if response_format == "pcm":
        assert len(received) == 4 * 2400 * 2
    served.wait_idle()
    assert dict(served.service.telemetry.failures) == {type(error).__name__: 1}
    assert served.metric("mira_errors_total") == 1
    assert served.service.telemetry.cancelled == 0


def test_the_log_says_why_a_stream_broke(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    served = serve(ToySynthesizer(fail_at=4))
    with start(served) as wire, pytest.raises(EOFError):
        wire.read_head()
        list(wire.chunks())
    served.wait_idle()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("mira.")]
    assert said[-1:] == ["stream broken after 0.40 s of audio: The toy is broken."]
    assert not [record for record in caplog.records if record.exc_info], "an expected failure"


def test_a_listener_who_takes_nothing_is_cut_off(serve: Serve) -> None:
    toy = ToySynthesizer()
    served = serve(toy, lead_s=0.5, stall_timeout_s=1)
    with start(served, receive_buffer=8192) as wire:
        wire.read_head()
        toy.wait_idle(0.1)
        began = time.perf_counter()
        toy.wait_closed()
        in_hand_s = 1 + toy.audio_s  # what it was sent, and has to have played
        assert 0.5 < time.perf_counter() - began < in_hand_s + 1, "once the timeout, not twice"
        served.wait_idle()
        assert toy.audio_s < 10
        assert dict(served.service.telemetry.failures) == {"TimeoutError": 1}
        with pytest.raises((EOFError, ConnectionError)):
            list(wire.chunks())


def test_its_connection_is_closed_too(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel still holds what was not taken, so closing alone would wait for ever."""
    monkeypatch.setattr(run, "IN_HAND_S", 1)
    served = serve(ToySynthesizer(), stall_timeout_s=0.5)
    with start(served, receive_buffer=8192) as wire:
        wire.read_head()
        wait_until(lambda: served.connections == 1)
        wait_until(lambda: served.connections == 0)


def test_a_listener_who_takes_a_little_at_a_time_is_not(serve: Serve) -> None:
    toy = ToySynthesizer(s_per_char=0.02)
    served = serve(toy, lead_s=0.5, stall_timeout_s=1)
    text = " ".join(["One two three four five six seven eight."] * 8)
    with start(served, text, receive_buffer=8192) as wire:
        wire.read_head()
        heard = 0
        for chunk in wire.chunks():
            heard += len(chunk)
            time.sleep(0.015)
    assert heard == 2 * round(len(toy.whole(text, ANNA)) * 16000 / 24000)
    assert dict(served.service.telemetry.failures) == {}


def test_a_listener_who_trickles_is_cut_off(serve: Serve) -> None:
    """It takes something all the time: a twentieth of what it would play."""
    toy = ToySynthesizer(s_per_char=0.04)
    served = serve(toy, lead_s=0.5, stall_timeout_s=2)
    with start(served, receive_buffer=8192) as wire:
        wire.read_head()
        deadline = time.monotonic() + 60
        while served.service.admission.active:
            assert time.monotonic() < deadline
            with contextlib.suppress(EOFError, ConnectionError):
                wire.read(160)
            time.sleep(0.1)
    assert dict(served.service.telemetry.failures) == {"TimeoutError": 1}
    assert toy.audio_s < 20


def test_its_place_goes_to_who_wants_it(serve: Serve) -> None:
    toy = ToySynthesizer(s_per_char=0.04)
    served = serve(toy, lead_s=0.5, stall_timeout_s=60, full_stall_timeout_s=0.5, max_streams=1)
    with start(served, receive_buffer=8192) as wire:
        wire.read_head()
        toy.wait_idle(0.1)
        began = time.monotonic()
        answers = []
        while not answers or answers[-1].status_code != 200:
            answers.append(served.post(SPEECH, json=speech(HELLO)))
            assert time.monotonic() - began < 50
            time.sleep(min(float(answers[-1].headers.get("retry-after", 0)), 1))
    assert {answer.status_code for answer in answers[:-1]} <= {429}
    assert dict(served.service.telemetry.failures)["TimeoutError"] == 1


# On a connection that does what the test says


async def stay() -> Message:
    """Never leave."""
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


def responding(service: Service) -> tuple[SpeechResponse, Utterance]:
    utterance = Utterance(service, HELLO, ANNA, Delivery("pcm", 24000))
    return SpeechResponse(utterance, Framing("audio/pcm")), utterance


def test_who_has_not_taken_the_end_yet_does_not_run_dry() -> None:
    async def main() -> None:
        ended, taken = asyncio.Event(), asyncio.Event()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body" and not message["more_body"]:
                ended.set()
                await taken.wait()

        response, utterance = responding(ready_service(ToySynthesizer()))
        task = asyncio.ensure_future(response({"type": "http"}, stay, send))
        await asyncio.wait_for(ended.wait(), 20)
        assert utterance.clock.held
        taken.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(main())


def test_a_listener_who_takes_not_even_the_head_is_cut_off() -> None:
    """Its connection may still be full of the answer before."""
    toy = ToySynthesizer()
    service = ready_service(toy, stall_timeout_s=0.2)

    async def send(message: Message) -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        response, _ = responding(service)
        await asyncio.wait_for(response({"type": "http"}, stay, send), 20)

    asyncio.run(main())
    assert dict(service.telemetry.failures) == {"TimeoutError": 1}
    assert service.admission.active == 0
    assert toy.opened == toy.closed


def test_a_listener_who_does_not_take_why_it_broke_is_cut_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    toy = ToySynthesizer(fail_at=1)
    service = ready_service(toy, stall_timeout_s=0.2)
    bodies = 0

    async def send(message: Message) -> None:
        nonlocal bodies
        bodies += message["type"] == "http.response.body"
        if bodies == 2:
            await asyncio.sleep(60)

    async def main() -> None:
        response, _ = responding(service)
        await asyncio.wait_for(response({"type": "http"}, stay, send), 20)

    asyncio.run(main())
    assert "The toy is broken." in caplog.text
    assert dict(service.telemetry.failures) == {"SynthesisFailed": 1}
    assert (service.telemetry.cancelled, service.admission.active) == (0, 0)


@pytest.mark.parametrize("again", [False, True])
def test_a_response_that_the_server_cancels_ends_as_one_that_the_client_left(again: bool) -> None:
    """However often it does: a place is not free while its block is being computed."""
    go_on = threading.Event()
    toy = ToySynthesizer(before_block=lambda number: number < 1 or go_on.wait(30), block_s=0.3)
    service = ready_service(toy)

    async def main() -> None:
        began = asyncio.Event()

        async def send(message: Message) -> None:
            began.set()

        response, utterance = responding(service)
        task = asyncio.ensure_future(response({"type": "http"}, stay, send))
        await asyncio.wait_for(began.wait(), 20)
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task], timeout=0.3)
        assert utterance.cancel.cancelled
        assert not task.done(), "its block is not done yet"
        if again:
            task.cancel()
            await asyncio.wait([task], timeout=20)
        assert service.admission.active == 1
        go_on.set()  # the toy's own block, which nothing wakes
        await asyncio.wait([task], timeout=20)
        assert task.cancelled()
        await asyncio.wait_for(service.admission.idle(), 20)

    asyncio.run(main())
    telemetry = service.telemetry
    assert (telemetry.cancelled, telemetry.audio_s > 0) == (1, True)
    assert service.admission.active == 0
    assert toy.opened == toy.closed
