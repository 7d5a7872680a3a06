"""What a telephone gets is the voice, without what a telephone can't carry, and in its frames.

At 24 kHz the sentence is full of what 8 kHz have no room for: ten times as much of its loudest
hissing is above 4.7 kHz as below 3.3, and whoever only left samples out would fold it down there,
0.5 dB softer. (Measured; our own 8 kHz have 72 dB less of it, and G.711's noise is at -42 dB.)
"""

import base64
import json
import threading
import time
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from websockets.exceptions import InvalidStatus

from tests.audio.decoding import decode
from tests.server.lines import IN_FRAMES, LINES, RATE, SOCKETS, VOICE, Line
from tests.server.serving import Served
from tests.server.sockets.client import Client

TEXT = "She sells fresh fish, six sacks."
SAMPLE_BYTES = {"pcm": 2, "ulaw": 1, "alaw": 1}
EXACT = ("pcm", "wav", "wav_f32")
PASSED = (300, 3300)  # Hz: what a telephone carries

LATE_S = 0.1  # may be what the first came with, on a busy machine; test_pacing.py asks the sender

Signal = npt.NDArray[np.float64]


def spectrum(samples: Signal, rate: int) -> tuple[npt.NDArray[np.complex128], Signal]:
    return np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / rate)


def band(samples: Signal, rate: int, low: float, high: float) -> Signal:
    """Only what is in a band of frequencies."""
    bins, at = spectrum(samples, rate)
    return np.fft.irfft(np.where((at >= low) & (at < high), bins, 0), len(samples))


def db(power: float) -> float:
    return float(10 * np.log10(power + 1e-20))


@pytest.fixture(scope="module")
def original(speaker: Served) -> Signal:
    """The same at 24 kHz."""
    body = {"input": TEXT, "voice": VOICE, "response_format": "f32", "sample_rate": 24000}
    samples = np.frombuffer(speaker.post("/v1/audio/speech", json=body).content, "<f4")
    return samples[: len(samples) // 3 * 3].astype(np.float64)


@pytest.fixture(scope="module")
def carried(original: Signal) -> Signal:
    """The original at 8 kHz as it should be: what is above 4 kHz is cut off, by another method."""
    return band(original, 24000, 0, 3950)[::3]


@pytest.mark.parametrize("line", LINES, ids=str)
def test_it_is_the_voice_as_a_telephone_carries_it(
    line: Line, speaker: Served, original: Signal, carried: Signal
) -> None:
    encoded = b"".join(data for _, data in line.ask(speaker, TEXT, None))
    decoded, rate = decode(encoded, line.format, RATE)
    assert rate == RATE
    assert len(decoded) == pytest.approx(len(carried), abs=1)
    size = min(len(decoded), len(carried))
    heard, carried = decoded[:size].astype(np.float64), carried[:size]

    lost = band(heard - carried, RATE, *PASSED)  # what differs from how it should be
    hissing = band(original, 24000, 4700, 12000)  # would be below 3.3 kHz, folded
    assert db(np.mean(hissing**2) / np.mean(carried**2)) > -20, "nothing could fold"
    power = np.mean(band(carried, RATE, *PASSED) ** 2)
    # G.711 itself adds noise 35 dB below what is said at the moment.
    assert db(np.mean(lost**2) / power) < (-70 if line.format in EXACT else -34)
    # Where it hisses, and little else is there, most would have been folded.
    window = RATE // 50
    strength = np.mean(hissing[: size // window * window * 3].reshape(-1, 3 * window) ** 2, 1)
    loudest = np.argsort(strength)[-10:]
    folded = np.mean(lost[: size // window * window].reshape(-1, window) ** 2, 1)[loudest].mean()
    assert db(folded / strength[loudest].mean()) < (-60 if line.format in EXACT else -38)

    assert abs(heard.mean()) < 0.0005  # no direct current
    assert db(np.mean(heard**2) / np.mean(carried**2)) == pytest.approx(0, abs=0.2)
    steps = np.abs(np.diff(np.concatenate([[0.0], heard, [0.0]])))
    assert steps[0] < 0.01 and steps[-1] < 0.01  # no click


@pytest.mark.parametrize(
    ("line", "frame_ms"),
    [*((line, 20) for line in SOCKETS), (SOCKETS[0], 10), (SOCKETS[-1], 30)],
    ids=str,
)
def test_each_message_of_a_socket_is_a_frame(line: Line, frame_ms: int, shared: Served) -> None:
    parts = [*line.ask(shared, "One two three.", frame_ms)]
    frame_bytes = SAMPLE_BYTES[line.format] * RATE // 1000 * frame_ms
    assert {len(data) for _, data in parts} == {frame_bytes}
    check_pace([at for at, _ in parts], frame_ms)
    said = b"".join(data for _, data in parts)
    whole = b"".join(data for _, data in line.ask(shared, "One two three.", None))
    assert said.startswith(whole) and len(said) - len(whole) < frame_bytes
    assert set(said[len(whole) :]) <= {
        *{"pcm": b"\0", "ulaw": b"\xff", "alaw": b"\xd5"}[line.format]
    }


@pytest.mark.parametrize("line", IN_FRAMES, ids=str)
def test_an_answer_comes_in_time(line: Line, shared: Served) -> None:
    """Its parts are the network's to cut, but none comes before its time."""
    parts = [*line.ask(shared, "One two three.", 20)]
    frame_bytes = SAMPLE_BYTES[line.format] * 160
    ends = np.cumsum([len(data) for _, data in parts])
    assert ends[-1] % frame_bytes == 0
    began = parts[0][0]
    for (at, _), end in zip(parts, ends, strict=True):
        assert end / frame_bytes * 0.02 - (at - began) <= 0.04 + LATE_S
    assert len(parts) > ends[-1] / frame_bytes / 4


def check_pace(at: list[float], frame_ms: int) -> None:
    """No more than 50 ms are ever in a listener's hands, and all comes in its time."""
    frame_s = frame_ms / 1000
    for number, came in enumerate(at, 1):
        assert number * frame_s - (came - at[0]) <= 0.05 + LATE_S
    assert at[-1] - at[0] <= len(at) * frame_s + 1.0  # a busy machine is late
    steps = [other - one for one, other in pairwise(at)]
    assert np.median(steps) == pytest.approx(frame_s, rel=0.5)


def test_words_come_with_their_frames(shared: Served) -> None:
    """Events too have a frame each."""
    body = {"input": "One two three.", "sample_rate": 8000, "frame_ms": 20, "word_timestamps": True}
    lines = shared.post("/v1/audio/speech-stream", json=body).text.splitlines()
    found = [json.loads(line) for line in lines]
    assert {len(base64.b64decode(line["audio"])) for line in found if "audio" in line} == {320}
    words = [word["word"] for line in found for word in line.get("words", ())]
    assert words == ["One", "two", "three."]
    assert all(found) and found[-1]["done"]


def test_whoever_hangs_up_between_two_frames_leaves_nothing(shared: Served) -> None:
    long = "One two three four five six seven. " * 30
    for line in (*IN_FRAMES[:1], *SOCKETS[::3]):
        parts = line.ask(shared, long, 20)
        for _ in range(10):
            next(parts)
        parts.close()
        left = time.perf_counter()
        shared.wait_idle()
        assert time.perf_counter() - left < 0.5
    assert not [t for t in threading.enumerate() if t.name == "mira-ahead"]


REFUSED = [
    ("/v1/audio/speech", {"input": "Hi.", "response_format": "mp3"}, True),
    ("/v1/audio/speech-stream", {"input": "Hi.", "sample_rate": 22050}, True),
    ("/v1/text-to-speech/anna?output_format=mp3_44100_128", {"text": "Hi."}, False),
    ("/v1/text-to-speech/anna/with-timestamps?output_format=wav_8000", {"text": "Hi."}, False),
    ("/v1/speak?encoding=mulaw&container=wav", {"text": "Hi."}, False),
    ("/v2/speak?encoding=opus", {"text": "Hi."}, False),
]


@pytest.mark.parametrize("frame_ms", [10, 0, -20, 25, 2**70, "20.5", "twenty", ""])
@pytest.mark.parametrize(("path", "body", "in_body"), REFUSED)
def test_an_answer_that_has_no_such_frames_is_refused(
    path: str, body: dict[str, object], in_body: bool, frame_ms: object, shared: Served
) -> None:
    if in_body:
        body = {**body, "frame_ms": frame_ms}
    else:
        path += f"{'&' if '?' in path else '?'}frame_ms={frame_ms}"
    answer = shared.post(path, json=body)
    assert answer.status_code in (400, 422) and "frame_ms" in answer.text


@pytest.mark.parametrize("frame_ms", [0, 25, 2**70, "twenty"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/text-to-speech/anna/stream-input?output_format=ulaw_8000",
        "/v1/text-to-speech/anna/multi-stream-input?output_format=ulaw_8000",
        "/v1/speak?encoding=mulaw",
        "/v2/speak?encoding=mulaw",
    ],
)
def test_a_socket_that_has_no_such_frames_is_not_opened(
    path: str, frame_ms: object, shared: Served
) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        Client(shared, f"{path}&frame_ms={frame_ms}"),
    ):
        pass
    assert refused.value.response.status_code == 400
    assert b"frame_ms" in (refused.value.response.body or b"")


@pytest.mark.parametrize("frame_ms", [0, 25, "20", 20.0, [], 2**70])
def test_a_context_that_has_no_such_frames_is_refused(frame_ms: object, shared: Served) -> None:
    with Client(shared, "/tts/websocket") as client:
        output = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}
        asked = {"model_id": "any", "transcript": "Hi.", "voice": {"mode": "id", "id": "anna"}}
        client.say(asked | {"context_id": "C", "output_format": output | {"frame_ms": frame_ms}})
        (error,) = client.until(lambda message: message["type"] in ("error", "done"))
        assert error["type"] == "error" and error["context_id"] == "C"
        assert {"frame_ms", "output_format"} & {*error["message"].split(":")}
        client.say(asked | {"context_id": "C", "output_format": output})
        assert (
            client.until(lambda message: message["type"] in ("error", "done"))[-1]["type"] == "done"
        )
