"""ElevenLabs' endpoints over real HTTP: the same speech, and each character has its time."""

import base64
import io
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mira.server.elevenlabs.requests import OUTPUTS
from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer

TEXT = "Hello there. Your table for $100 is booked!"
PATH = "/v1/text-to-speech/anna"
PCM = {"output_format": "pcm_24000"}


def aligned(body: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    """The audio in lines of JSON, and their alignments."""
    lines = [json.loads(line) for line in body.splitlines()]
    for line in lines:
        assert set(line) == {"audio_base64", "alignment", "normalized_alignment"}
        assert line["alignment"] == line["normalized_alignment"]
        assert len(base64.b64decode(line["audio_base64"])) % 2 == 0
    audio = b"".join(base64.b64decode(line["audio_base64"]) for line in lines)
    return audio, [line["alignment"] for line in lines if line["alignment"]]


def check_times(alignment: dict[str, Any], duration_s: float) -> None:
    starts = alignment["character_start_times_seconds"]
    ends = alignment["character_end_times_seconds"]
    assert len(starts) == len(ends) == len(alignment["characters"])
    assert all(start <= end + 0.001 for start, end in zip(starts, ends, strict=True))
    assert all(end <= start + 0.002 for end, start in zip(ends, starts[1:], strict=False))
    assert starts == sorted(starts)
    assert ends[-1] <= duration_s + 0.002


def check_end(alignment: dict[str, Any], duration_s: float) -> None:
    """Pipecat adds it up to know when the next sentence begins."""
    end_s = alignment["character_end_times_seconds"][-1]
    assert end_s == pytest.approx(duration_s, abs=0.001)


@pytest.fixture(params=["the toy", "the voice"])
def served(request: pytest.FixtureRequest, serve: Serve) -> Iterator[Served]:
    if request.param == "the voice":
        yield request.getfixturevalue("speaker")
    else:
        yield serve(ToySynthesizer(block_s=0.06))


@pytest.mark.parametrize("path", [PATH, f"{PATH}/stream"])
def test_it_is_the_speech_that_openais_endpoint_gives(served: Served, path: str) -> None:
    body = {"input": TEXT, "voice": "anna", "response_format": "pcm"}
    expected = served.post("/v1/audio/speech", json=body).content
    answer = served.post(path, json={"text": TEXT}, params=PCM)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/pcm")
    assert answer.content == expected and len(expected) > 48000


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_is_what_it_says(shared: Served, name: str) -> None:
    answer = shared.post(PATH, json={"text": TEXT}, params={"output_format": name})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("audio/")
    kind, rate = name.split("_")[:2]
    form = {"pcm": "s16le", "ulaw": "mulaw", "opus": "ogg"}.get(kind, kind)
    raw = {"sample_rate": rate} if kind in ("pcm", "ulaw", "alaw") else {}
    with av.open(io.BytesIO(answer.content), format=form, options=raw) as container:
        frames = [*container.decode(audio=0)]
    assert {frame.sample_rate for frame in frames} == {int(rate)}
    heard_s = sum(frame.samples for frame in frames) / int(rate)
    expected_s = len(shared.post(PATH, json={"text": TEXT}, params=PCM).content) / 48000
    assert heard_s == pytest.approx(expected_s, abs=0.16)


def test_mp3_is_the_default(shared: Served) -> None:
    answer = shared.post(PATH, json={"text": "Hi."})
    assert answer.headers["content-type"] == "audio/mpeg"
    with av.open(io.BytesIO(answer.content)) as container:
        assert container.streams.audio[0].rate == 44100


def test_lines_have_the_audio_and_each_character_once(served: Served) -> None:
    plain = served.post(f"{PATH}/stream", json={"text": TEXT}, params=PCM).content
    answer = served.post(f"{PATH}/stream/with-timestamps", json={"text": TEXT}, params=PCM)
    audio, alignments = aligned(answer.content)
    assert audio == plain and len(alignments) > 1
    assert "".join(char for found in alignments for char in found["characters"]) == TEXT
    for found in alignments:
        check_times(found, len(audio) / 48000)
    check_end(alignments[-1], len(audio) / 48000)
    for one, other in pairwise(alignments):
        ends, starts = one["character_end_times_seconds"], other["character_start_times_seconds"]
        assert ends[-1] <= starts[0] + 0.002


def test_one_object_has_all_of_it(served: Served) -> None:
    lines = served.post(f"{PATH}/stream/with-timestamps", json={"text": TEXT}, params=PCM)
    answer = served.post(f"{PATH}/with-timestamps", json={"text": TEXT}, params=PCM)
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert set(found) == {"audio_base64", "alignment", "normalized_alignment"}
    assert base64.b64decode(found["audio_base64"], validate=True) == aligned(lines.content)[0]
    assert "".join(found["alignment"]["characters"]) == TEXT
    duration_s = len(base64.b64decode(found["audio_base64"])) / 48000
    check_times(found["alignment"], duration_s)
    check_end(found["alignment"], duration_s)


def test_speed_counts_and_times_are_as_it_is_heard(shared: Served) -> None:
    def heard(speed: float | None) -> float:
        body = {"text": TEXT, "voice_settings": {"speed": speed, "stability": 0.4}}
        found = shared.post(f"{PATH}/with-timestamps", json=body, params=PCM).json()
        duration_s = len(base64.b64decode(found["audio_base64"])) / 48000
        check_times(found["alignment"], duration_s)
        return duration_s

    assert heard(1.2) == pytest.approx(heard(None) / 1.2, rel=0.05)


@pytest.mark.parametrize(
    ("path", "body", "params", "status", "code"),
    [
        (PATH, {}, {}, 400, "missing_required_field"),
        (PATH, {"text": None}, {}, 400, "invalid_value"),
        (PATH, {"text": ""}, {}, 400, "invalid_value"),
        (f"{PATH}/stream/with-timestamps", {"text": "..."}, {}, 400, "invalid_value"),
        (PATH, {"text": "Hi.", "voice_settings": {"speed": 9}}, {}, 400, "invalid_value"),
        (PATH, {"text": "Hi.", "seed": -1}, {}, 400, "invalid_value"),
        (PATH, {"text": "Hi."}, {"output_format": "pcm"}, 400, "invalid_output_format"),
        (PATH, {"text": "x" * 60_000}, {}, 400, "string_above_max_length"),
        (f"{PATH}/nothing", {"text": "Hi."}, {}, 404, "not_found"),
    ],
)
def test_what_is_wrong_is_said_as_its_clients_read_it(
    shared: Served, path: str, body: object, params: dict[str, str], status: int, code: str
) -> None:
    answer = shared.post(path, json=body, params=params)
    assert (answer.status_code, answer.json()["detail"]["status"]) == (status, code)
    assert set(answer.json()["detail"]) == {"status", "message"}


def test_a_voice_that_must_be_the_one_is_not_found(serve: Serve) -> None:
    served = serve(ToySynthesizer(), strict_voices=True)
    answer = served.post("/v1/text-to-speech/nobody", json={"text": "Hi."})
    assert (answer.status_code, answer.json()["detail"]["status"]) == (404, "voice_not_found")


def test_what_breaks_in_the_middle_breaks_the_body(serve: Serve) -> None:
    served = serve(ToySynthesizer(fail_at=3, block_s=0.05))
    for path in (PATH, f"{PATH}/with-timestamps", f"{PATH}/stream/with-timestamps"):
        with pytest.raises(Exception, match=r"closed|incomplete|disconnected"):
            served.post(path, json={"text": TEXT}, params=PCM)
    served.wait_idle()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("text", "voice_settings", "seed", "model_id", "previous_text", "language_code")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON,
    tail=st.sampled_from(["", "/stream", "/with-timestamps", "/stream/with-timestamps"]),
)
def test_whatever_is_sent_is_answered(shared: Served, body: object, tail: str) -> None:
    answer = shared.post(PATH + tail, content=json.dumps(body), params=PCM)
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["detail"]["message"]


@pytest.mark.parametrize("path", ["/v1/text-to-dialogue", "/v1/text-to-dialogue/stream"])
def test_a_dialogue_of_one_voice_is_spoken(shared: Served, path: str) -> None:
    lines = [{"text": text, "voice_id": "ben"} for text in ("Hello there.", "Bye.")]
    body = {"inputs": lines, "model_id": "eleven_v3", "settings": {"stability": 0.5}}
    answer = shared.post(path, json=body, params=PCM)
    whole = {"text": "Hello there. Bye."}
    assert answer.content == shared.post("/v1/text-to-speech/ben", json=whole, params=PCM).content
    other = [*lines, {"text": "Yes.", "voice_id": "anna"}]
    refused = shared.post(path, json={"inputs": other}, params=PCM)
    assert refused.status_code == 400 and "one voice" in refused.json()["detail"]["message"]
    assert shared.post(path, json={"inputs": []}).status_code == 400
