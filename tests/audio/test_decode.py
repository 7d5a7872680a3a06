"""Recordings of every common format are read; everything else is refused with a reason."""

import io
import struct

import numpy as np
import pytest
import soundfile

from mira.audio import AudioStream
from mira.audio.decode import MAX_BYTES, decode
from mira.errors import InvalidRequest

RATE = 24000
SECOND = (0.5 * np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE)).astype(np.float32)


def written(samples: np.ndarray, rate: int = RATE, **how: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **{"format": "WAV", **how})
    return file.getvalue()


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "flac", "aac"])
def test_every_format_is_read(name: str) -> None:
    stream = AudioStream(RATE, name, RATE)
    samples, rate = decode(stream.push(SECOND) + stream.flush())
    assert samples.dtype == np.float32
    assert len(samples) / rate == pytest.approx(1.0, abs=0.1)
    assert np.abs(samples).max() == pytest.approx(np.abs(SECOND).max(), rel=0.2)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
def test_every_width_is_read(subtype: str) -> None:
    samples, rate = decode(written(SECOND, subtype=subtype))
    assert (rate, len(samples)) == (RATE, RATE)
    assert np.abs(samples - SECOND).max() < 0.01


def test_channels_are_mixed() -> None:
    samples, _ = decode(written(np.stack([SECOND, SECOND], axis=1)))
    assert np.abs(samples - SECOND).max() < 0.01
    assert decode(written(np.stack([SECOND] * 6, axis=1)))[0].ndim == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged, or not audio"),
        (bytes(range(256)) * 100, "damaged, or not audio"),
        (b"PK\x03\x04" + bytes(1000), "damaged, or not audio"),
        (b"#EXTM3U\nfile:///etc/hostname\n", "damaged, or not audio"),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n", "damaged, or not audio"),
    ],
)
def test_what_is_no_recording_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        decode(data)


def test_a_recording_over_the_limit_is_not_even_opened() -> None:
    with pytest.raises(InvalidRequest, match="over 10 MiB"):
        decode(bytes(MAX_BYTES + 1))


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"no sound|damaged"):
        decode(written(np.zeros(0, np.float32)))


def test_a_recording_that_is_too_long_is_refused_while_it_is_read() -> None:
    # Five minutes of silence are 30 kB of FLAC: no promise of the header is needed to be late.
    data = written(np.zeros(300 * 8000, np.float32), 8000, format="FLAC")
    assert len(data) < 1 << 20
    with pytest.raises(InvalidRequest, match="longer than 60 seconds"):
        decode(data)


def test_a_header_that_lies_about_the_length_is_no_danger() -> None:
    data = bytearray(written(SECOND, subtype="PCM_16"))
    data[40:44] = struct.pack("<I", 0x7FFFFFFF)
    samples, _ = decode(bytes(data))
    assert len(samples) == RATE
