"""What clients may send is spoken; everything else is a 400 that names the field, and no work."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer

SPEECH, STREAM = "/v1/audio/speech", "/v1/audio/speech-stream"
GOOD: dict[str, Any] = {"model": "tts-1", "input": "Hi.", "voice": "anna"}

BAD_ANYWHERE: list[tuple[str, object]] = [
    *(("speed", value) for value in (0.24, 4.01, 0, -1, "2", None, True, [], {}, 10**400)),
    *(("tempo", value) for value in (0.24, 4.01, 0, -1, "2", None, True)),
    *(("volume", value) for value in (-0.1, 10.1, "1", None, False)),
    *(("speed", float(value)) for value in ("nan", "inf", "-inf")),
    *(("tempo", float(value)) for value in ("nan", "inf")),
    *(("volume", float(value)) for value in ("nan", "inf")),
    *(("sample_rate", value) for value in (0, -1, 12345, 16000.5, "16000", True, [16000], 10**30)),
    *(("input", value) for value in (None, 5, True, ["Hi."], {"text": "Hi."})),
    *(("input", value) for value in ("", " ", "\n\t ", "...", "?!", "🎉", "🎉 👍🏽", "a" * 4097)),
    *(("voice", value) for value in ("", "a" * 300, 5, True, ["anna"])),
    *(("dictionary", value) for value in ("Ann", 5, True, ["Ann"], [])),
]
BAD_SPEECH: list[tuple[str, object]] = [
    *(("response_format", value) for value in ("mp9", "", "MP3", None, 3, ["mp3"], {})),
    *(("stream_format", value) for value in ("ogg", "", "SSE", None, 1)),
    *(("model", value) for value in (None, 1, ["tts-1"], "m" * 300)),
    *(("instructions", value) for value in (5, ["softly"], "a" * 4097)),
    *(("voice", value) for value in ({}, {"id": 5}, {"id": ""}, {"id": None}, {"id": "a" * 300})),
]
BAD = [
    *((path, field, value) for path in (SPEECH, STREAM) for field, value in BAD_ANYWHERE),
    *((SPEECH, field, value) for field, value in BAD_SPEECH),
]


def refused(served: Served, toy: ToySynthesizer, path: str, **options: Any) -> dict[str, Any]:
    """Post what must be refused; return the error."""
    before = toy.opened
    answer = served.post(path, **options)
    assert answer.status_code == 400, (answer.status_code, answer.content[:200])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    assert toy.opened == before, "the engine was asked"
    body = answer.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert len(error["message"]) > 15
    assert error["code"]
    assert isinstance(error, dict)
    return error


def short(value: object) -> str:
    return repr(value)[:20]


@pytest.mark.parametrize(("path", "field", "value"), BAD, ids=short)
def test_a_bad_field_is_named(
    shared: Served, shared_toy: ToySynthesizer, path: str, field: str, value: object
) -> None:
    body = json.dumps({**GOOD, field: value}).encode()  # NaN and Infinity are Python's own
    headers = {"content-type": "application/json"}
    error = refused(shared, shared_toy, path, content=body, headers=headers)
    assert error["param"] == field
    assert len(error["message"]) < 400 + 20 * isinstance(value, str)


@pytest.mark.parametrize(
    ("path", "field"),
    [(SPEECH, "input"), (STREAM, "input")],
)
def test_a_missing_field_is_named(
    shared: Served, shared_toy: ToySynthesizer, path: str, field: str
) -> None:
    body = {name: value for name, value in GOOD.items() if name != field}
    error = refused(shared, shared_toy, path, json=body)
    assert (error["param"], error["code"]) == (field, "missing_required_field")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b"[]",
        b'["input"]',
        b"null",
        b"5",
        b'"input"',
        b"{'input': 'Hi.'}",
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"\xff\xfe\xfd",
        b'{"model": "m", "voice": "anna", "input": "\xe9"}',
        b'{"speed": ' + b"9" * 10_000 + b"}",
    ],
    ids=short,
)
@pytest.mark.parametrize("path", [SPEECH, STREAM])
def test_what_is_no_json_object_is_said_to_be_none(
    shared: Served, shared_toy: ToySynthesizer, path: str, body: bytes
) -> None:
    headers = {"content-type": "application/json"}
    error = refused(shared, shared_toy, path, content=body, headers=headers)
    assert error["param"] is None
    assert error["code"] == "invalid_json"
    assert "JSON" in error["message"]
    if max(body, default=0) >= 128:
        assert "UTF-8" in error["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", "image/png", ""])
def test_another_content_type_is_refused(
    shared: Served, shared_toy: ToySynthesizer, content_type: str
) -> None:
    body = json.dumps(GOOD).encode()
    headers = {"content-type": content_type}
    error = refused(shared, shared_toy, SPEECH, content=body, headers=headers)
    assert "content-type: application/json" in error["message"]


@pytest.mark.parametrize("half", [b"\\ud800", b"Hi \\udfff there.", b"Hi \xed\xa0\x80 there."])
def test_half_a_character_is_spoken_around_or_refused(shared: Served, half: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = shared.post(STREAM, content=b'{"input": "' + half + b'"}', headers=headers)
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    "fields",
    [
        {"speed": 1},
        {"speed": 0.25, "tempo": 4},
        {"speed": 4.0, "tempo": 4.0},
        {"volume": 0},
        {"volume": 10.0},
        {"instructions": None},
        {"instructions": "Speak softly."},
        {"voice": {"id": "ben", "more": 1}},
        {"voice": None},
        {"sample_rate": None},
        {"language": "en", "cfg_scale": 3},  # what other servers take
        {"input": "a" * 4096, "speed": 4.0, "tempo": 4.0},
    ],
    ids=short,
)
def test_what_is_allowed_is_spoken(shared: Served, fields: dict[str, object]) -> None:
    body = {**GOOD, "response_format": "pcm", **fields}
    answer = shared.post(SPEECH, json=body)
    assert answer.status_code == 200
    assert len(answer.content) > 300


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["anna", "mp3", "pcm", "sse", "audio", 8000, 24000, 1.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = ["model", "input", "voice", "response_format", "speed", "tempo", "volume", "sample_rate"]
FIELDS += ["stream_format", "instructions", "unknown"]
request_like = st.builds(
    lambda good, more: {**good, **more},
    st.sampled_from([GOOD, {}]),
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=4),
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(body=request_like | anything, path=st.sampled_from([SPEECH, STREAM]))
def test_no_json_breaks_the_server(shared: Served, body: object, path: str) -> None:
    with shared.client() as client:
        answer = client.post(path, content=json.dumps(body).encode())
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 400:
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert "Internal" not in shared.service.telemetry.failures


BAD_WORDS: list[tuple[dict[str, object], str]] = [
    ({"Ann": 5}, "dictionary.Ann"),
    ({"Ann": None}, "dictionary.Ann"),
    ({"Ann": {"says": "x"}}, "dictionary.Ann"),
    ({"Bob": "x", "Ann": {"ipa": "wyn"}}, "dictionary.Ann"),
    ({"": "x"}, "dictionary."),
    ({"a\ud800": "x", "\x00": "y"}, "dictionary.'\\x00'"),
    ({"w" * 10_000: "x"}, f"dictionary.{'w' * 64}"),
    ({f"w{number}": "x" for number in range(1001)}, "dictionary"),
]


@pytest.mark.parametrize("path", [SPEECH, STREAM])
@pytest.mark.parametrize(("words", "param"), BAD_WORDS, ids=[param for _, param in BAD_WORDS])
def test_a_bad_entry_is_a_400_with_its_path(
    shared: Served, shared_toy: ToySynthesizer, path: str, words: dict[str, object], param: str
) -> None:
    body = json.dumps(GOOD | {"dictionary": words})
    headers = {"content-type": "application/json"}
    error = refused(shared, shared_toy, path, content=body, headers=headers)
    assert error["param"] == param
    assert error["message"].startswith(f"{param}: ")
    assert len(error["message"]) < 300


@pytest.mark.parametrize("path", [SPEECH, STREAM])
def test_phonemes_for_a_voice_that_reads_letters_are_refused(
    serve: Serve, toy: ToySynthesizer, path: str
) -> None:
    toy.reads_phonemes = False
    served, entry = serve(toy), {"ipa": "wɪn"}
    error = refused(served, toy, path, json=GOOD | {"dictionary": {"Nguyen": entry}})
    assert error["param"] == "dictionary.Nguyen"
    assert "this voice reads letters, not phonemes: add" in error["message"]
    words = {"Nguyen": {**entry, "say": "win"}}
    assert served.post(path, json=GOOD | {"dictionary": words}).status_code == 200
