"""Deepgram's POST over real HTTP."""

import io
import wave

import pytest

from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer

TEXT = "Hello there. Your table is booked!"
RAW = {"model": "anna", "encoding": "linear16", "container": "none"}


@pytest.mark.parametrize("path", ["/v1/speak", "/v2/speak"])
def test_it_is_the_speech_that_openais_endpoint_gives(shared: Served, path: str) -> None:
    body = {"input": TEXT, "voice": "anna", "response_format": "pcm"}
    expected = shared.post("/v1/audio/speech", json=body).content
    answer = shared.post(path, params=RAW, json={"text": TEXT})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/pcm")
    assert answer.content == expected and len(expected) > 48000
    assert answer.headers["dg-request-id"] == answer.headers["x-request-id"]
    assert answer.headers["dg-char-count"] == str(len(TEXT))


def test_without_a_query_it_is_mp3(shared: Served) -> None:
    answer = shared.post("/v1/speak", json={"text": TEXT})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert answer.headers["x-sample-rate"] == "22050"
    assert answer.content[:2] in (b"\xff\xf3", b"\xff\xf2")


def test_linear16_is_a_wav_file_unless_told_otherwise(shared: Served) -> None:
    query = {"encoding": "linear16", "sample_rate": 16000}
    answer = shared.post("/v1/speak", params=query, json={"text": TEXT})
    with wave.open(io.BytesIO(answer.content)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16000, 2, 1)


@pytest.mark.parametrize(
    ("query", "json", "status", "says"),
    [
        ({}, {}, 400, "text"),
        ({}, {"text": ""}, 400, "nothing to say"),
        ({}, {"text": "x" * 5000}, 400, "4096"),
        ({"encoding": "mp4"}, {"text": TEXT}, 400, "mulaw"),
        ({"callback": "http://a.example/"}, {"text": TEXT}, 400, "callback"),
        ({"speed": "fast\n"}, {"text": TEXT}, 400, "speed"),
    ],
)
def test_errors_are_deepgrams(
    shared: Served, query: dict[str, str], json: dict[str, str], status: int, says: str
) -> None:
    answer = shared.post("/v1/speak", params=query, json=json)
    assert answer.status_code == status
    error = answer.json()
    assert set(error) == {"err_code", "err_msg", "request_id"}
    assert says in error["err_msg"]
    assert error["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["dg-error"] == error["err_msg"]


def test_an_unknown_voice_is_refused_where_voices_are_strict(serve: Serve) -> None:
    served = serve(ToySynthesizer(), strict_voices=True)
    answer = served.post("/v1/speak", params={"model": "aura-2-ñandú-es"}, json={"text": TEXT})
    assert answer.status_code == 404
    assert "?and?" in answer.headers["dg-error"] and "ñandú" in answer.json()["err_msg"]
