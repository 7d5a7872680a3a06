"""A streamed WAV file is read to its end by everything that reads WAV files."""

import io
import wave

import numpy as np
import pytest
import soundfile

from mira.audio.encode import Encoder
from mira.audio.pcm import from_s16le, to_s16le
from mira.audio.wav import WAV_HEADER_BYTES, wav_header
from tests.audio.decoding import decode
from tests.audio.streams import noise

SAMPLES = from_s16le(to_s16le(noise(1001)))


def streamed(samples) -> bytes:
    encoder = Encoder("wav", 22050)
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
    pcm = streamed(SAMPLES)[WAV_HEADER_BYTES:]
    patched = wav_header(22050, len(pcm) // 2) + pcm
    assert np.array_equal(read(patched)[0], SAMPLES)
    with wave.open(io.BytesIO(patched)) as file:
        assert file.getnframes() == len(SAMPLES)
    assert int.from_bytes(patched[4:8], "little") == len(patched) - 8


def test_the_unknown_length_is_one_that_no_reader_can_take_for_negative_or_torn():
    header = wav_header(8000)
    riff, pcm = (int.from_bytes(header[at : at + 4], "little") for at in (4, 40))
    assert len(header) == WAV_HEADER_BYTES
    assert riff == pcm + 36 < 2**31
    assert pcm % 2 == 0
