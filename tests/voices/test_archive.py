"""A voice survives being a file; a file that is anything else is refused, whatever it claims."""

import io
import json
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.errors import InvalidRequest
from mira.voices.archive import (
    RECORDING,
    RECORDING_SUFFIXES,
    SPOKEN,
    Card,
    Clip,
    Consent,
    VoiceFile,
    largest,
    pack,
    unpack,
)

LIMIT = 1 << 20
CLIPS = st.builds(Clip, st.binary(max_size=200), st.sampled_from(RECORDING_SUFFIXES))
CONSENTS = st.builds(
    Consent,
    statement=st.text(max_size=50),
    id=st.text(max_size=20),
    name=st.text(max_size=20),
    language=st.text(max_size=5),
    created_at=st.integers(0, 2**40),
)
CARDS = st.builds(
    Card,
    name=st.text(max_size=50),
    transcript=st.text(max_size=100),
    consent=st.none() | CONSENTS,
    created_at=st.integers(0, 2**40),
)
VOICES = st.builds(
    VoiceFile,
    CARDS,
    st.fixed_dictionaries({RECORDING: CLIPS}, optional={SPOKEN: CLIPS}),
)
ANNA = VoiceFile(
    Card(name="anna", transcript="Hello.", consent=Consent(statement="Anna agreed.")),
    {RECORDING: Clip(b"RIFF", ".wav")},
)


def zipped(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@given(VOICES.filter(lambda voice: "\ud800" not in repr(voice)))
def test_a_voice_comes_back_as_it_was(voice: VoiceFile) -> None:
    data = pack(voice)
    assert unpack(io.BytesIO(data), LIMIT) == voice
    assert pack(voice) == data, "the same voice is the same bytes"
    assert len(data) < largest(LIMIT)


def test_it_is_described_without_its_recordings() -> None:
    described = unpack(io.BytesIO(pack(ANNA)), LIMIT, described=True)
    assert described == VoiceFile(ANNA.card, {RECORDING: Clip(b"", ".wav")})
    for damage in (b"", b"PK", zipped({"voice.json": CARD}), zipped({"recording.wav": b""})):
        with pytest.raises(InvalidRequest, match="no voice that Mira exported"):
            unpack(io.BytesIO(damage), LIMIT, described=True)


def test_any_tool_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(ANNA))) as archive:
        assert archive.testzip() is None
        assert archive.read("recording.wav") == b"RIFF"
        assert json.loads(archive.read("voice.json"))["transcript"] == "Hello."


CARD = b'{"format": 1, "name": "anna"}'
WAV = {"recording.wav": b"RIFF"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "damaged, or something else"),
        (b"RIFF" + bytes(100), "damaged, or something else"),
        (pack(ANNA)[:-10], "damaged, or something else"),
        (pack(ANNA).replace(b"RIFF", b"RIFX"), "damaged, or something else"),
        (zipped({}), "lacks its card"),
        (bytes(largest(LIMIT) + 1), "more than"),
        (zipped({"voice.json": CARD}), "lacks its card or its recording"),
        (zipped(WAV), "lacks its card"),
        (zipped({"voice.json": b"[]", **WAV}), "damaged, or something else"),
        (
            zipped({"voice.json": b'{"format": 2, "name": "a"}', **WAV}),
            "damaged, or something else",
        ),
        (zipped({"voice.json": b"[" * 50000, **WAV}), "damaged, or something else"),
        (zipped({"voice.json": CARD, "recording.exe": b""}), "doesn't belong there"),
        (zipped({"voice.json": CARD, "../recording.wav": b""}), "doesn't belong there"),
        (zipped({"voice.json": CARD, "/etc/passwd": b""}), "doesn't belong there"),
        (zipped({"voice.json": CARD, **WAV, "recording.mp3": b""}), "something twice"),
        (zipped({"voice.json": CARD, "recording.wav": bytes(LIMIT + 1)}), "too big"),
        (zipped({"voice.json": bytes(100_000), **WAV}), "too big"),
        # A bomb: a few bytes that would be a gigabyte.
        (
            zipped({"voice.json": CARD, "recording.wav": bytes(LIMIT)}, zipfile.ZIP_DEFLATED),
            "compr",
        ),
    ],
)
def test_what_is_no_voice_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        unpack(io.BytesIO(data), LIMIT)


def test_a_place_that_no_file_can_have_is_refused() -> None:
    """In the 64-bit form, where zipfile takes whatever is claimed."""
    data = zipped({"voice.json": CARD, **WAV})
    at = data.index(b"PK\x01\x02")
    entry = bytearray(data[at : data.index(b"PK\x01\x02", at + 4)])
    entry[30:32] = struct.pack("<H", 12)
    entry[42:46] = b"\xff" * 4
    entry += struct.pack("<HHQ", 1, 8, 2**64 - 1)
    end = bytearray(data[data.index(b"PK\x05\x06") :])
    end[12:16] = struct.pack("<I", struct.unpack("<I", end[12:16])[0] + 12)
    rest = data[at + len(entry) - 12 : -len(end)]
    with pytest.raises(InvalidRequest, match="damaged"):
        unpack(io.BytesIO(data[:at] + bytes(entry) + rest + bytes(end)), LIMIT)


@given(st.integers(0, len(pack(ANNA)) - 1), st.integers(0, 255))
def test_a_damaged_byte_is_harmless(position: int, value: int) -> None:
    data = bytearray(pack(ANNA))
    data[position] = value
    try:
        unpack(io.BytesIO(data), LIMIT)
    except InvalidRequest:
        return


@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        unpack(io.BytesIO(data), LIMIT)


def test_a_consent_is_such_a_file_without_a_voice() -> None:
    given = VoiceFile(ANNA.card, {SPOKEN: Clip(b"I agree.", ".mp3")})
    data = pack(given)
    assert unpack(io.BytesIO(data), LIMIT, SPOKEN) == given
    for part, file in ((RECORDING, data), (SPOKEN, pack(ANNA))):
        with pytest.raises(InvalidRequest, match="lacks"):
            unpack(io.BytesIO(file), LIMIT, part)
