"""OpenAI's contract, checked by its own SDK."""

import asyncio
import base64
import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import openai
import pytest

from mira.audio.pcm import from_s16le
from mira.types import Samples, Voice
from mira.voices import OPENAI_VOICES
from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.wire import Wire
from tests.toys import BEN, ToySynthesizer

SPEECH, STREAM = "/v1/audio/speech", "/v1/audio/speech-stream"
HELLO = "Hello there, how are you?"
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "ulaw": "audio/PCMU",
    "alaw": "audio/PCMA",
}
RAW = {"pcm": "s16le", "ulaw": "mulaw", "alaw": "alaw"}
CONTAINERS = {"mp3": "mp3", "opus": "ogg", "aac": "aac", "flac": "flac", "wav": "wav"}


def decode(encoded: bytes, response_format: str, sample_rate: int) -> tuple[Samples, int]:
    """Samples and their rate, by FFmpeg."""
    options = {"sample_rate": str(sample_rate)} if response_format in RAW else {}
    with av.open(io.BytesIO(encoded), format=RAW.get(response_format), options=options) as found:
        assert found.format.name == {**RAW, **CONTAINERS}[response_format]
        stream = found.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
        parts = [
            part.to_ndarray()[0]
            for frame in found.decode(stream)
            for part in resampler.resample(frame)
        ]
        return np.concatenate(parts), stream.rate


def speech(text: str = HELLO, **fields: object) -> dict[str, object]:
    return {"model": "tts-1", "voice": "alloy", "input": text, **fields}


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


@pytest.fixture(scope="module")
def spoken(speaker: Served) -> Samples:
    """HELLO at 24 kHz, as `pcm`."""
    return from_s16le(speaker.post(SPEECH, json=speech(response_format="pcm")).content)


# OpenAI's contract


@pytest.mark.parametrize("response_format", MEDIA_TYPES)
def test_every_format_is_what_it_says(
    speaker: Served, spoken: Samples, response_format: str
) -> None:
    answer = speaker.post(SPEECH, json=speech(response_format=response_format))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPES[response_format]
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    asked = 8000 if response_format in ("ulaw", "alaw") else 24000
    assert answer.headers["x-sample-rate"] == str(asked)
    samples, rate = decode(answer.content, response_format, asked)
    assert rate == (48000 if response_format == "opus" else asked)
    assert len(samples) / rate == pytest.approx(len(spoken) / 24000, abs=0.15)
    assert level(samples) == pytest.approx(level(spoken), rel=0.15)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_every_rate_plays_as_long(speaker: Served, spoken: Samples, sample_rate: int) -> None:
    body = speech(response_format="wav", sample_rate=sample_rate)
    answer = speaker.post(SPEECH, json=body)
    samples, rate = decode(answer.content, "wav", sample_rate)
    assert rate == sample_rate == int(answer.headers["x-sample-rate"])
    assert len(samples) / rate == pytest.approx(len(spoken) / 24000, abs=0.001)


def test_the_defaults_are_openais(speaker: Served, spoken: Samples) -> None:
    answer = speaker.post(SPEECH, json=speech())
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.content[0] == 0xFF, "MP3 frames from the first byte"
    assert answer.headers["x-sample-rate"] == "24000"
    assert 1.0 < len(spoken) / 24000 < 3.0
    assert level(spoken) > 0.02


def test_pcm_is_what_the_voice_says(serve: Serve, toy: ToySynthesizer) -> None:
    answer = serve(toy).post(SPEECH, json=speech(voice="ben", response_format="pcm"))
    assert np.abs(from_s16le(answer.content) - toy.whole(HELLO, BEN)).max() < 1 / 32000


@pytest.mark.parametrize("name", OPENAI_VOICES)
def test_openais_voices_are_aliases(shared: Served, name: str) -> None:
    before = shared.service.telemetry.substituted
    meant = shared.get("/voices").json()["aliases"][name]
    for voice in (name, {"id": name}):
        answer = shared.post(SPEECH, json=speech(voice=voice))
        assert (answer.status_code, answer.headers["x-voice-used"]) == (200, meant)
    assert shared.service.telemetry.substituted == before


def test_a_voice_is_a_name_or_an_id(shared: Served, shared_toy: ToySynthesizer) -> None:
    bodies = []
    for voice in ("ben", {"id": "ben"}):
        answer = shared.post(SPEECH, json=speech(voice=voice, response_format="pcm"))
        assert answer.headers["x-voice-used"] == "ben"
        bodies.append(answer.content)
    assert bodies[0] == bodies[1]
    assert np.abs(from_s16le(bodies[0]) - shared_toy.whole(HELLO, BEN)).max() < 1 / 32000


@pytest.mark.parametrize("path", [SPEECH, STREAM])
def test_a_request_says_how_words_are_said(shared: Served, path: str) -> None:
    def heard(text: str, words: object) -> bytes:
        answer = shared.post(path, json=speech(text, response_format="pcm", dictionary=words))
        assert answer.status_code == 200
        return answer.content

    words = {"Nguyen": "win", "Siobhan": "shi vawn"}
    assert heard("Nguyen and Siobhan.", words) == heard("Win and Shi vawn.", None)
    assert heard("Nguyen.", {}) == heard("Nguyen.", {"Ann": "x"}) != heard("Nguyen.", words)
    sounds = ({"Siobhan": {"cmu": "SH AH0 V AO1 N"}}, {"Siobhan": {"ipa": "ʃəvˈɔn"}}, {})
    cmu, ipa, none = (heard("Siobhan.", words) for words in sounds)
    assert cmu == ipa != none


def test_instructions_change_nothing(shared: Served) -> None:
    plain, directed = (
        shared.post(SPEECH, json=speech(response_format="pcm", **fields)).content
        for fields in ({}, {"instructions": "Whisper."})
    )
    assert plain == directed


def test_server_timing_can_be_parsed(speaker: Served) -> None:
    header = speaker.post(SPEECH, json=speech()).headers["server-timing"]
    entries = dict(
        re.fullmatch(r"(\w+);dur=(\d+\.\d)", part).groups() for part in header.split(", ")
    )  # type: ignore[union-attr]
    times = {name: float(value) for name, value in entries.items()}
    assert set(times) == {"queue", "synthesis", "encode", "ttfa"}
    assert 0 < times["ttfa"] < 20_000
    parts = times["queue"] + times["synthesis"] + times["encode"]
    assert parts == pytest.approx(times["ttfa"], abs=0.3)


# Server-sent events


def events(body: bytes) -> Iterator[dict[str, Any]]:
    """Each is one `data:` line and one empty line."""
    assert body.endswith(b"\n\n")
    for block in body.removesuffix(b"\n\n").split(b"\n\n"):
        assert block.startswith(b"data: ")
        assert b"\n" not in block
        yield json.loads(block.removeprefix(b"data: "))


@pytest.mark.parametrize("response_format", ["mp3", "pcm", "wav", "opus"])
def test_events_carry_the_same_bytes(speaker: Served, response_format: str) -> None:
    whole = speaker.post(SPEECH, json=speech(response_format=response_format)).content
    body = speech(response_format=response_format, stream_format="sse")
    answer = speaker.post(SPEECH, json=body)
    assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
    *deltas, done = events(answer.content)
    assert deltas
    for delta in deltas:
        assert set(delta) == {"type", "audio"}
        assert delta["type"] == "speech.audio.delta"
    audio = b"".join(base64.b64decode(delta["audio"], validate=True) for delta in deltas)
    assert audio == whole
    assert set(done) == {"type", "usage"}
    assert done["type"] == "speech.audio.done"
    usage = done["usage"]
    assert set(usage) == {"input_tokens", "output_tokens", "total_tokens"}
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert all(isinstance(count, int) and count > 0 for count in usage.values())


def test_each_event_leaves_by_itself(serve: Serve) -> None:
    toy = ToySynthesizer()
    with Wire(serve(toy)) as wire:
        wire.post(SPEECH, speech(response_format="pcm", stream_format="sse"))
        assert wire.read_head() == 200
        chunks = list(wire.chunks())
    assert len(chunks) == toy.blocks + 1
    assert [len(list(events(chunk))) for chunk in chunks] == [1] * len(chunks)


def test_a_failure_is_an_event_and_then_a_broken_body(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=3))
    body = b""
    with Wire(served) as wire:
        wire.post(SPEECH, speech(response_format="pcm", stream_format="sse"))
        assert wire.read_head() == 200
        with pytest.raises(EOFError):
            for chunk in wire.chunks():
                body += chunk
    *deltas, last = events(body)
    assert [delta["type"] for delta in deltas] == ["speech.audio.delta"] * 3
    assert last == {
        "type": "speech.audio.error",
        "error": {
            "message": "The toy is broken.",
            "type": "server_error",
            "param": None,
            "code": None,
        },
    }


def test_an_event_tells_no_secrets(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=1, error=RuntimeError("secret /path")))
    body = b""
    with Wire(served) as wire:
        wire.post(SPEECH, speech(response_format="pcm", stream_format="sse"))
        wire.read_head()
        with pytest.raises(EOFError):
            for chunk in wire.chunks():
                body += chunk
    assert b"speech.audio.error" in body
    assert b"secret" not in body


# OpenAI's own client


@pytest.fixture
def sdk(speaker: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_the_sdk_creates(sdk: openai.OpenAI, spoken: Samples) -> None:
    found = sdk.audio.speech.create(
        model="gpt-4o-mini-tts", voice="nova", input=HELLO, response_format="pcm", speed=1.0
    )
    assert np.array_equal(from_s16le(found.read()), spoken)
    assert found.response.headers["x-request-id"].startswith("req_")


def test_the_sdk_streams(sdk: openai.OpenAI, spoken: Samples) -> None:
    create = sdk.audio.speech.with_streaming_response.create
    with create(model="tts-1", voice="ash", input=HELLO, response_format="pcm") as answer:
        assert answer.headers["content-type"] == "audio/pcm"
        assert np.array_equal(from_s16le(b"".join(answer.iter_bytes(4800))), spoken)
        assert answer.request_id


def test_the_sdk_takes_events(sdk: openai.OpenAI, spoken: Samples) -> None:
    create = sdk.audio.speech.with_streaming_response.create
    with create(
        model="gpt-4o-mini-tts",
        voice="ash",
        input=HELLO,
        response_format="pcm",
        stream_format="sse",
    ) as answer:
        found = [json.loads(line[6:]) for line in answer.iter_lines() if line]
    audio = b"".join(base64.b64decode(event["audio"]) for event in found[:-1])
    assert np.array_equal(from_s16le(audio), spoken)


def test_the_asynchronous_sdk(speaker: Served, spoken: Samples) -> None:
    async def both() -> tuple[bytes, bytes]:
        url = f"{speaker.url}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client:
            whole = await client.audio.speech.create(
                model="tts-1", voice="ash", input=HELLO, response_format="pcm"
            )
            async with client.audio.speech.with_streaming_response.create(
                model="tts-1", voice="ash", input=HELLO, response_format="pcm"
            ) as answer:
                streamed = b"".join([part async for part in answer.iter_bytes(24000)])
            return whole.read(), streamed

    whole, streamed = asyncio.run(both())
    assert whole == streamed
    assert np.array_equal(from_s16le(whole), spoken)


def test_the_sdk_raises_what_is_documented(sdk: openai.OpenAI) -> None:
    create = sdk.audio.speech.create
    with pytest.raises(openai.BadRequestError) as caught:
        create(model="tts-1", voice="ash", input=HELLO, speed=5)
    assert caught.value.param == "speed"
    assert caught.value.type == "invalid_request_error"
    assert caught.value.request_id
    with pytest.raises(openai.BadRequestError) as caught:
        create(model="tts-1", voice="ash", input="...")
    assert caught.value.param == "input"
    with pytest.raises(openai.BadRequestError, match="mp9") as caught:
        create(model="tts-1", voice="ash", input=HELLO, response_format="mp9")  # type: ignore[arg-type]
    assert caught.value.param == "response_format"
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.models.retrieve("gpt-9")
    assert missing.value.code == "model_not_found"


def test_the_sdk_lists_models(sdk: openai.OpenAI) -> None:
    assert {"tts-1", "gpt-4o-mini-tts"} <= {model.id for model in sdk.models.list()}
    assert sdk.models.retrieve("tts-1").id == "tts-1"


def test_the_sdk_comes_back_after_an_overload(serve: Serve) -> None:
    toy = ToySynthesizer(compute_s=0.05)
    served = serve(toy, max_streams=1, queue_s=0.2)
    with Wire(served) as wire, openai.OpenAI(base_url=f"{served.url}/v1", api_key="any") as client:
        wire.post(STREAM, {"input": HELLO})
        wire.read_head()
        with pytest.raises(openai.RateLimitError) as caught:
            client.with_options(max_retries=0).audio.speech.create(
                model="tts-1", voice="ash", input=HELLO
            )
        assert caught.value.code == "rate_limit_exceeded"
        retried = client.audio.speech.create(model="tts-1", voice="ash", input=HELLO)
        assert len(retried.read()) > 1000


# Voices that do not exist


@pytest.mark.parametrize("path", [SPEECH, STREAM])
def test_the_default_voice_stands_in_visibly(
    serve: Serve, toy: ToySynthesizer, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    served = serve(toy)
    answer = served.post(path, json=speech(voice="zoe\nroot: all is well"))
    assert (answer.status_code, answer.headers["x-voice-used"]) == (200, "anna")
    said = [r for r in caplog.records if r.levelno == logging.WARNING and "mira" in r.name]
    assert [r.getMessage() for r in said] == [
        "voice 'zoe\\nroot: all is well': 'anna' speaks instead. "
        "There is no voice 'zoe\\nroot: all is well'."
    ]
    assert served.metric("mira_voice_substitutions_total") == 1
    assert b"mira_voice_substitutions_total 1.0" in served.get("/metrics").content


@pytest.mark.parametrize("path", [SPEECH, STREAM])
def test_strictly_it_is_a_404(serve: Serve, toy: ToySynthesizer, path: str) -> None:
    served = serve(toy, strict_voices=True)
    answer = served.post(path, json=speech(voice="ana"))
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == ("voice", "voice_not_found")
    assert "anna" in error["message"]
    assert toy.opened == 0
    assert served.post(path, json=speech(voice="alloy")).status_code == 200


def test_a_voice_may_have_any_name(serve: Serve) -> None:
    """Headers are ASCII, so the name is percent-encoded there."""
    toy = ToySynthesizer(voices=(Voice("Zoë 声\n"), Voice("my voice #2")))
    served = serve(toy)
    answer = served.post(STREAM, json=speech(voice="Zoë 声\n"))
    assert answer.status_code == 200
    assert answer.headers["x-voice-used"] == "Zo%C3%AB %E5%A3%B0%0A"
    answer = served.post(STREAM, json=speech(voice="my voice #2"))
    assert answer.headers["x-voice-used"] == "my voice #2"


# Pauses that are asked for


def silences_s(samples: Samples, sample_rate: int) -> list[float]:
    """Durations of what is not heard, from a tenth of a second on."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    gaps = np.diff(loud) / sample_rate
    return [float(gap) for gap in gaps if gap > 0.1]


@pytest.mark.parametrize("speed", [1, 2, 0.5])
def test_a_pause_is_as_long_at_any_speed(serve: Serve, speed: float) -> None:
    text = 'Hello there. <break time="1s"/> Good bye.'
    served = serve(ToySynthesizer(s_per_char=0.05))
    answer = served.post(SPEECH, json=speech(text, response_format="pcm", speed=speed))
    assert answer.status_code == 200
    # What changes the pace smears the sound at its edges: over 50 ms of it at half the speed.
    assert silences_s(from_s16le(answer.content), 24000) == [pytest.approx(1, abs=0.06)]


@pytest.mark.parametrize("response_format", ["pcm", "wav", "mp3"])
def test_a_text_may_be_a_pause(serve: Serve, response_format: str) -> None:
    """Frameworks that send one sentence a request send such a one too."""
    served = serve(ToySynthesizer())
    body = speech("[pause:1.5s]", response_format=response_format, speed=2)
    answer = served.post(SPEECH, json=body)
    assert answer.status_code == 200
    samples, rate = decode(answer.content, response_format, 24000)
    assert len(samples) / rate == pytest.approx(1.5, abs=0.1)  # MP3 is padded
    assert not np.any(np.abs(samples) > 0.001)


def test_mark_up_later_in_the_text_delays_nothing(serve: Serve) -> None:
    heard = threading.Event()
    toy = ToySynthesizer(block_s=60)

    def only_the_first(number: int) -> None:
        assert toy.opened < 2 or heard.wait(20), "the second sentence came before the first"

    toy.before_block = only_the_first
    text = "Hello there. " + "<spell>AB12</spell>, <break time='1s'/> and <b> so <on> &amp; " * 50
    with Wire(serve(toy)) as wire:
        wire.post(SPEECH, speech(text, response_format="pcm"))
        assert wire.read_head() == 200
        first = next(wire.chunks())
        assert np.any(from_s16le(first))
        heard.set()
        assert list(wire.chunks())
