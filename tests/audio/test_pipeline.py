"""Law: chunked equals whole, from an engine's samples to a response's bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.audio import FORMATS, SAMPLE_RATES, AudioStream
from mira.errors import InvalidRequest
from tests.audio.decoding import decode
from tests.audio.streams import cut, level_db, noise, outputs, part_lengths


def stream(samples, *arguments, lengths=None):
    parts = cut(samples, lengths) if lengths else [samples]
    return b"".join(outputs(AudioStream(*arguments), parts))


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=8, deadline=None)
@given(
    num_samples=st.integers(0, 6000),
    lengths=part_lengths(),
    source_rate=st.sampled_from([16000, 24000, 48000]),
    sample_rate=st.sampled_from(SAMPLE_RATES),
    pace=st.sampled_from([1.0, 0.7, 2.5]),
    volume=st.sampled_from([1.0, 2.0]),
)
def test_chunked_equals_whole(format, num_samples, lengths, source_rate, sample_rate, pace, volume):
    arguments = (source_rate, format, sample_rate, pace, volume)
    samples = noise(num_samples)
    assert stream(samples, *arguments, lengths=lengths) == stream(samples, *arguments)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("pace", [0.8, 1.0, 1.5])
def test_speech_has_the_duration_it_should(format, pace, speech):
    encoded = stream(speech, 24000, format, 16000, pace, lengths=[4800])
    heard, heard_rate = decode(encoded, format, 16000)
    padding_s = 0.15 if format in ("mp3", "aac") else 0.001
    lead_s = {"opus": 0.02, "flac": 0.016}.get(format, 0)  # a packet of silence
    excess_s = len(heard) / heard_rate - lead_s - len(speech) / 24000 / pace
    assert -0.001 <= excess_s <= padding_s


@pytest.mark.parametrize("format", ["pcm", "ulaw"])
def test_volume_reaches_the_listener(format, speech):
    once, twice = (
        decode(stream(speech, 24000, format, 8000, 1.0, volume), format, 8000)[0]
        for volume in (1.0, 2.0)
    )
    assert level_db(twice) - level_db(once) == pytest.approx(6.02, abs=0.05)


def test_silence_stays_silence():
    heard, _ = decode(stream(noise(5000), 24000, "wav", 8000, 1.5, 0.0), "wav", 8000)
    assert len(heard) == 1111
    assert not heard.any()


def test_pcm_is_always_whole_samples():
    made = AudioStream(24000, "pcm", 8000)
    assert all(len(made.push(part)) % 2 == 0 for part in cut(noise(3000), [1, 2, 7]))


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ((24000, "ogg", 8000), "response_format"),
        ((24000, "mp3", 8001), "sample_rate"),
        ((24000, "mp3", 8000, 17.0), "pace"),
        ((24000, "mp3", 8000, 1.0, -0.1), "volume"),
    ],
)
def test_what_can_not_be_had_is_refused_by_name(arguments, param):
    with pytest.raises(InvalidRequest) as refused:
        AudioStream(*arguments)
    assert refused.value.param == param


def test_the_engine_s_blocks_may_be_views(speech):
    backwards = speech[::-1]
    assert stream(backwards, 24000, "opus", 44100) == stream(
        np.ascontiguousarray(backwards), 24000, "opus", 44100
    )
