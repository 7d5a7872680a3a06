"""The stream for phones, byte by byte."""

import numpy as np
import pytest

from mira.audio.pcm import from_s16le
from mira.types import Samples
from tests.conftest import Serve
from tests.server.serving import Served
from tests.server.wire import Wire
from tests.toys import ToySynthesizer

SPEECH, STREAM = "/v1/audio/speech", "/v1/audio/speech-stream"
HELLO = "Hello there, how are you?"


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


@pytest.fixture(scope="module")
def spoken(speaker: Served) -> Samples:
    """HELLO at 24 kHz."""
    body = {"input": HELLO, "response_format": "pcm"}
    return from_s16le(speaker.post(SPEECH, json=body).content)


def stream(served: Served, **fields: object) -> tuple[list[bytes], dict[str, str]]:
    """The chunks that the server wrote, and its headers."""
    with Wire(served) as wire:
        wire.post(STREAM, {"input": HELLO, **fields})
        assert wire.read_head() == 200
        return list(wire.chunks()), wire.headers


def test_the_stream_is_16_khz_and_never_half_a_sample(speaker: Served, spoken: Samples) -> None:
    chunks, headers = stream(speaker)
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-sample-rate"] == "16000"
    assert headers["x-voice-used"] == "heart"
    assert len(chunks) >= 2
    assert [len(chunk) % 2 for chunk in chunks] == [0] * len(chunks)
    samples = from_s16le(b"".join(chunks))
    assert len(samples) / 16000 == pytest.approx(len(spoken) / 24000, abs=0.001)
    assert level(samples) == pytest.approx(level(spoken), rel=0.1)


def test_its_default_rate_is_a_setting(serve: Serve, toy: ToySynthesizer) -> None:
    served = serve(toy, stream_sample_rate=8000)
    assert stream(served)[1]["x-sample-rate"] == "8000"
    assert stream(served, sample_rate=48000)[1]["x-sample-rate"] == "48000"


@pytest.mark.parametrize(
    ("fields", "pace"),
    [
        ({"speed": 2.0}, 2.0),
        ({"tempo": 2.0}, 2.0),
        ({"speed": 2.0, "tempo": 0.25}, 0.5),
        ({"speed": 2.0, "tempo": 0.5}, 1.0),
        ({"speed": 4.0, "tempo": 4.0}, 16.0),
        ({"speed": 0.5, "sample_rate": 8000}, 0.5),
    ],
)
def test_speed_and_tempo_multiply(
    shared: Served, shared_toy: ToySynthesizer, fields: dict[str, float], pace: float
) -> None:
    chunks, headers = stream(shared, **fields)
    assert [len(chunk) % 2 for chunk in chunks] == [0] * len(chunks)
    samples = from_s16le(b"".join(chunks))
    rate = int(headers["x-sample-rate"])
    assert len(samples) / rate == pytest.approx(
        len(shared_toy.whole(HELLO)) / 24000 / pace, abs=0.01
    )


def test_tempo_keeps_the_pitch(shared: Served, shared_toy: ToySynthesizer) -> None:
    def pitch(samples: Samples, rate: int) -> float:
        return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))

    samples = from_s16le(b"".join(stream(shared, tempo=1.5)[0]))
    assert pitch(samples, 16000) == pytest.approx(pitch(shared_toy.whole(HELLO), 24000), rel=0.03)


@pytest.mark.parametrize(("volume", "factor"), [(0.5, 0.5), (0.1, 0.1), (1.5, 1.5)])
def test_volume_is_a_factor(shared: Served, volume: float, factor: float) -> None:
    plain = from_s16le(b"".join(stream(shared)[0]))
    changed = from_s16le(b"".join(stream(shared, volume=volume)[0]))
    assert len(plain) == len(changed)
    assert level(changed) == pytest.approx(factor * level(plain), rel=0.05)


def test_no_volume_is_silence_and_much_never_wraps(shared: Served) -> None:
    assert not from_s16le(b"".join(stream(shared, volume=0)[0])).any()
    plain = from_s16le(b"".join(stream(shared)[0]))
    loud = from_s16le(b"".join(stream(shared, volume=10)[0]))
    clear = np.abs(plain) > 0.05
    assert np.array_equal(np.sign(loud[clear]), np.sign(plain[clear]))
    assert np.abs(loud).max() > 0.9


def test_without_a_voice_the_default_one_speaks(serve: Serve, toy: ToySynthesizer) -> None:
    served = serve(toy, default_voice="ben")
    chunks, headers = stream(served)
    assert headers["x-voice-used"] == "ben"
    assert stream(served, voice="ben")[0] == chunks != stream(served, voice="anna")[0]
    assert served.service.telemetry.substituted == 0


def test_a_text_alone_is_spoken(serve: Serve, toy: ToySynthesizer) -> None:
    """Neither a model nor a voice: what somebody tries first."""
    answer = serve(toy, default_voice="ben").post(SPEECH, json={"input": "Hello there."})
    assert (answer.status_code, answer.headers["x-voice-used"]) == (200, "ben")
