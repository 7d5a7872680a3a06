"""Law: 16 bits survive the round trip. A streamed WAV file is read to its end by every reader."""

import io
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mira.audio.encode import AudioStream
from mira.audio.formats import FORMATS
from mira.audio.pcm import (
    WAV_ALAW,
    WAV_F32,
    WAV_S16,
    WAV_ULAW,
    finite,
    from_s16le,
    to_s16,
    to_s16le,
    wav_header,
)
from tests.audio.decoding import decode
from tests.audio.streams import noise

ANY_FLOATS = arrays(np.float32, st.integers(0, 100), elements=st.floats(width=32))


@given(st.binary().filter(lambda pcm: len(pcm) % 2 == 0))
def test_integers_survive_the_round_trip(pcm):
    assert to_s16le(from_s16le(pcm)) == pcm


@given(arrays(np.float32, st.integers(0, 100), elements=st.floats(-1, 0.875, width=32)))
def test_rounding_is_off_by_half_a_step_at_most(samples):
    assert np.all(np.abs(from_s16le(to_s16le(samples)) - samples) <= 0.5 / 32768)


@given(ANY_FLOATS)
def test_any_float_gives_one_integer_and_no_warning(samples):
    integers = to_s16(samples)
    assert len(to_s16le(samples)) == 2 * len(samples)
    assert not integers[~np.isfinite(samples)].any()
    assert np.all(integers[np.isfinite(samples) & (samples >= 1)] == 32767)
    assert np.all(integers[np.isfinite(samples) & (samples <= -1)] == -32768)


def test_nothing_is_copied_when_all_is_finite():
    samples = np.zeros(3, np.float32)
    assert finite(samples) is samples
    assert finite(np.array([np.nan, 0.5, -np.inf], np.float32)).tolist() == [0, 0.5, 0]


def test_half_a_sample_is_left_out():
    assert from_s16le(b"\x00\x40\x00\x80\x07").tolist() == [0.5, -1.0]


SAMPLES = from_s16le(to_s16le(noise(1001)))


def streamed(samples) -> bytes:
    encoder = AudioStream(22050, "wav", 22050)
    return encoder.push(samples) + encoder.flush()


def read_by_libsndfile(encoded: bytes):
    return soundfile.read(io.BytesIO(encoded), dtype="float32")


def read_by_python(encoded: bytes):
    with wave.open(io.BytesIO(encoded)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return from_s16le(file.readframes(file.getnframes())), file.getframerate()


def read_by_ffmpeg(encoded: bytes):
    return decode(encoded, "wav", 0)


READERS = [read_by_libsndfile, read_by_python, read_by_ffmpeg]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES[:0]], ids=["audio", "empty"])
def test_every_reader_finds_all_samples(read, samples):
    found, sample_rate = read(streamed(samples))
    assert sample_rate == 22050
    assert np.array_equal(found, samples)


@pytest.mark.parametrize("read", READERS)
def test_a_writer_that_can_seek_puts_the_true_length_in(read):
    pcm = streamed(SAMPLES)[len(wav_header(22050)) :]
    patched = wav_header(22050, len(pcm) // 2) + pcm
    assert np.array_equal(read(patched)[0], SAMPLES)
    with wave.open(io.BytesIO(patched)) as file:
        assert file.getnframes() == len(SAMPLES)
    assert int.from_bytes(patched[4:8], "little") == len(patched) - 8


def test_the_unknown_length_is_one_that_no_reader_can_take_for_negative_or_torn():
    for coding in (WAV_S16, WAV_F32, WAV_ALAW, WAV_ULAW):
        header = wav_header(8000, coding=coding)
        riff, data = (int.from_bytes(at, "little") for at in (header[4:8], header[-4:]))
        assert riff == data + len(header) - 8 < 2**31
        assert data % coding.sample_bytes == 0
    assert len(wav_header(8000)) == 44  # as every reader of the simplest kind takes for granted


@pytest.mark.parametrize(
    ("format", "subtype", "step"),
    [("wav_f32", "FLOAT", 1e-7), ("wav_ulaw", "ULAW", 0.04), ("wav_alaw", "ALAW", 0.04)],
)
@pytest.mark.parametrize("known", [True, False], ids=["length", "endless"])
def test_every_kind_of_sample_is_read(format: str, subtype: str, step: float, known: bool) -> None:
    """By libsndfile and FFmpeg, streamed as well as with the length put in afterwards."""
    encoder = AudioStream(22050, format, 22050)
    file = encoder.push(SAMPLES[:501]) + encoder.flush()
    coding = FORMATS[format].wav
    if known:
        file = wav_header(22050, 501, coding) + file[len(wav_header(0, 0, coding)) :]
    with soundfile.SoundFile(io.BytesIO(file)) as opened:
        assert (opened.subtype, opened.samplerate) == (subtype, 22050)
        by_libsndfile = opened.read(dtype="float32")
    by_ffmpeg, rate = decode(file, format, 0)
    assert rate == 22050 and len(by_ffmpeg) == len(by_libsndfile) == 501
    for read in (by_libsndfile, by_ffmpeg):
        assert np.allclose(read, SAMPLES[:501], atol=step)
    assert int.from_bytes(file[20:22], "little") == {"FLOAT": 3, "ALAW": 6, "ULAW": 7}[subtype]
