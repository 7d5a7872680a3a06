"""Law: chunked equals whole, byte for byte. Then: it decodes, it is early, it is one's own."""

import gc
import threading
from dataclasses import replace

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.audio.encode import AudioStream, _CodecWriter
from mira.audio.formats import FORMATS, SAMPLE_RATES
from mira.audio.pcm import from_s16le, to_s16le, wav_header
from mira.errors import InvalidRequest, SynthesisFailed
from mira.types import Span, TimedWord, Word
from tests.audio.decoding import decode
from tests.audio.streams import cut, level_db, noise, outputs, part_lengths, tone

EXACT = ("pcm", "wav", "flac", "f32", "wav_f32")
# What a codec's frames add around the audio, in samples: MP3 delays by 1105 and fills its last
# frame of 576 or 1152; AAC delays by 1024 and fills its last of 1024.
# Opus and FLAC have a packet of silence before it: 960 at 48 kHz, and what FLAC makes of 27 ms.
LEAD_MS = {"opus": 20, "flac": 24}
PADDING = {"mp3": 1105 + 2 * 1152, "aac": 2 * 1024 + 1024}


def stream(samples, *arguments, lengths=None):
    parts = cut(samples, lengths) if lengths else [samples]
    return b"".join(outputs(AudioStream(*arguments), parts))


def encode(samples, format, sample_rate=24000, lengths=None):
    return stream(samples, sample_rate, format, sample_rate, lengths=lengths)


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=25, deadline=None)
@given(
    num_samples=st.integers(0, 6000),
    lengths=part_lengths(),
    source_rate=st.sampled_from([16000, 22050, 24000, 48000]),
    sample_rate=st.sampled_from(SAMPLE_RATES),
    pace=st.sampled_from([1.0, 1.0, 0.7, 2.5]),
    volume=st.sampled_from([1.0, 2.0]),
)
def test_chunked_equals_whole(format, num_samples, lengths, source_rate, sample_rate, pace, volume):
    arguments = (source_rate, format, sample_rate, pace, volume)
    samples = noise(num_samples)
    assert stream(samples, *arguments, lengths=lengths) == stream(samples, *arguments)


@pytest.mark.parametrize("format", FORMATS)
def test_single_samples_equal_the_whole(format):
    samples = noise(2500)
    assert encode(samples, format, 22050, [1, 0]) == encode(samples, format, 22050)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("format", FORMATS)
def test_it_decodes_to_what_was_said(format, sample_rate):
    said = tone(440, sample_rate, 0.7)
    heard, heard_rate = decode(encode(said, format, sample_rate), format, sample_rate)
    assert heard_rate == (48000 if format == "opus" else sample_rate)
    added = len(heard) - len(said) * heard_rate / sample_rate
    lead = LEAD_MS.get(format, 0) * heard_rate / 1000
    assert lead * 2 / 3 - 1 <= added <= lead * 1.1 + PADDING.get(format, 1)
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * heard_rate / len(heard) == pytest.approx(440, abs=3)
    # The last tenth of the tone is as loud as any other: no tail is lost.
    end = round((len(said) / sample_rate) * heard_rate)
    tail = heard[end - heard_rate // 10 : end]
    assert level_db(tail) == pytest.approx(level_db(said), abs=1.5)


@pytest.mark.parametrize(
    ("format", "sample_rate", "kbps"),
    [
        *(("mp3", 44100, kbps) for kbps in (32, 64, 96, 128, 192)),
        ("mp3", 22050, 32),
        ("mp3", 24000, 48),
        ("opus", 48000, 32),
        ("opus", 48000, 192),
    ],
)
def test_a_bit_rate_can_be_asked_for(format, sample_rate, kbps):
    said = noise(5 * sample_rate)
    encoder = AudioStream(sample_rate, format, sample_rate, bit_rate=1000 * kbps)
    encoded = encoder.push(said) + encoder.flush()
    pages = 11 if format == "opus" else 0  # kbit/s, of Ogg
    assert len(encoded) * 8 / 5000 - pages == pytest.approx(kbps, rel=0.15)
    heard, heard_rate = decode(encoded, format, sample_rate)
    assert len(heard) / heard_rate == pytest.approx(5, abs=0.15)


@pytest.mark.parametrize("format", ["pcm", "wav", "flac", "ulaw", "alaw"])
def test_what_has_no_bit_rate_takes_none(format):
    encoder, said = AudioStream(24000, format, 24000, bit_rate=32000), tone(440, 24000, 0.5)
    assert encoder.push(said) + encoder.flush() == encode(said, format)


@pytest.mark.parametrize("format", EXACT)
def test_lossless_is_exact(format, speech):
    speech = from_s16le(to_s16le(speech))
    heard, _ = decode(encode(speech, format), format, 24000)
    lead = len(heard) - len(speech)
    assert lead == LEAD_MS.get(format, 0) * 24
    assert not np.any(heard[:lead]) and np.array_equal(heard[lead:], speech)


def centre_s(samples, sample_rate):
    """When the middle of all its energy is heard."""
    energy = np.square(samples, dtype=np.float64)
    energy[energy < energy.max() / 1000] = 0
    return float(np.dot(energy, np.arange(len(energy))) / energy.sum() / sample_rate)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("format", FORMATS)
def test_it_is_known_when_a_player_gets_to_a_sound(format, sample_rate):
    """As FFmpeg plays it: within half a millisecond, resampling and codecs' delays included."""
    said = np.zeros(36000, np.float32)
    said[24000:24720] = tone(700, 24000, 0.03) * np.hanning(720)
    encoder = AudioStream(24000, format, sample_rate)
    heard, heard_rate = decode(encoder.push(said) + encoder.flush(), format, sample_rate)
    expected_s = encoder.heard_s(centre_s(said, 24000))
    assert centre_s(heard, heard_rate) == pytest.approx(expected_s, abs=0.0005)
    assert encoder.heard_s(0.0) == encoder.lead_s
    assert (encoder.lead_s > 0) == (format in ("mp3", "opus", "aac", "flac"))


def test_words_are_heard_when_their_sounds_are():
    encoder = AudioStream(24000, "mp3", 24000, 2.0)
    word = TimedWord(Word("Hi", Span(0, 2)), 1.0, 1.5, index=3, estimated=True)
    (heard,) = encoder.heard([word])
    lead_s = 1105 / 24000
    assert heard == replace(word, start_s=lead_s + 0.5, stop_s=lead_s + 0.75)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("pace", [0.5, 1.0, 1.3])
def test_it_is_known_how_much_a_player_has(format, pace):
    """At each moment, whatever filters and encoders hold back; a muxer, one packet of Opus."""
    encoder, encoded = AudioStream(24000, format, 22050, pace), b""
    for part in cut(tone(300, 24000, 1.0), [1700]):
        before, encoded = len(encoded), encoded + encoder.push(part)
        if len(encoded) > before and encoder.returned_s > 0.1:  # FFmpeg wants some frames
            heard, heard_rate = decode(encoded, format, 22050)
            assert len(heard) / heard_rate <= encoder.returned_s + 0.0001
            assert len(heard) / heard_rate >= encoder.returned_s - 0.0201
    encoder.flush()
    assert encoder.returned_s == pytest.approx(encoder.lead_s + 1 / pace, abs=0.0001)


@pytest.mark.parametrize("format", ["opus", "flac"])
@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000, 48000])
def test_a_player_that_drops_the_first_packet_hears_all(format, sample_rate):
    said = tone(440, sample_rate, 0.5)
    encoded = encode(said, format, sample_rate)
    options = {"probesize": "32", "fflags": "nobuffer"}  # as LiveKit opens it
    heard, heard_rate = decode(encoded, format, sample_rate, options)
    whole, _ = decode(encoded, format, sample_rate)
    assert len(heard) < len(whole), "this player drops nothing"
    assert len(heard) / heard_rate >= len(said) / sample_rate - 0.001
    assert level_db(heard[: heard_rate // 50]) == pytest.approx(level_db(said), abs=3)


@pytest.mark.parametrize("format", ["opus", "flac"])
def test_the_silence_before_it_delays_nothing(format):
    """It leaves with the first samples, and the audio's own packets when they did without it."""
    codec = FORMATS[format].codec
    at = {}
    for silent_packets in (0, codec.silent_packets):
        writer = _CodecWriter(replace(codec, silent_packets=silent_packets), 24000)
        sizes = [len(writer.push(noise(24))) for _ in range(200)]
        packets = [number for number, size in enumerate(sizes) if size]
        at[silent_packets] = packets[1:] if silent_packets else packets
    assert at[1][: len(at[0])] == at[0][: len(at[1])]
    assert packets[0] == 0


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "ulaw", "alaw"])
def test_speech_survives(format, speech):
    """Lined up at the best delay, what is heard correlates with what was said."""
    heard, heard_rate = decode(encode(speech, format), format, 24000)
    heard = heard[:: heard_rate // 24000]
    size = 2 ** int(np.ceil(np.log2(len(heard) + len(speech))))
    spectra = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(speech, size))
    best = np.fft.irfft(spectra).max()
    assert best / np.linalg.norm(heard) / np.linalg.norm(speech) > 0.95


@pytest.mark.parametrize("format", FORMATS)
def test_without_samples_there_are_no_bytes(format):
    coding = FORMATS[format].wav
    expected = wav_header(24000, 0, coding) if coding else b""
    assert encode(noise(0), format) == expected


@pytest.mark.parametrize(
    ("format", "most_ms"),
    [
        ("pcm", 3), ("wav", 3), ("ulaw", 5), ("alaw", 5), ("wav_ulaw", 3), ("wav_f32", 3),
        ("flac", 30), ("opus", 50), ("mp3", 60), ("aac", 100),
    ],
)  # fmt: skip
def test_audio_leaves_early(format, most_ms):
    """So many ms are in when the first audio is out, beyond any header."""
    encoder = AudioStream(24000, format, 24000)
    num_bytes, pushed_ms = 0, 0
    while num_bytes <= 100:
        num_bytes += len(encoder.push(noise(24)))
        pushed_ms += 1
    assert pushed_ms <= most_ms


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_not_a_sample_is_silence_or_clipped(format):
    samples = tone(440, 24000, 0.2)
    samples[1000:1004] = np.nan, np.inf, -np.inf, np.finfo(np.float32).max
    tamed = samples.copy()
    tamed[1000:1004] = 0, 0, 0, 1
    assert encode(samples, format) == encode(tamed, format)


@pytest.mark.parametrize("format", FORMATS)
def test_streams_on_other_threads_do_not_disturb_each_other(format):
    """Four at once, and each is handed from thread to thread after every push."""
    inputs = [noise(6000, seed) for seed in range(4)]
    encoders = [AudioStream(16000, format, 16000) for _ in inputs]
    made = [b""] * 4

    def push(which: int, part) -> None:
        made[which] += encoders[which].push(part)

    for parts in zip(*(cut(samples, [500]) for samples in inputs)):
        threads = [threading.Thread(target=push, args=(i, p)) for i, p in enumerate(parts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for which, encoder in enumerate(encoders):
        assert made[which] + encoder.flush() == encode(inputs[which], format, 16000)


@pytest.mark.parametrize("format", ["pcm", "ulaw", "alaw", "wav_ulaw"])
def test_a_phone_call_starts_no_thread(format):
    before = psutil.Process().num_threads()
    encoder = AudioStream(8000, format, 8000)
    encoder.push(noise(5000))
    assert psutil.Process().num_threads() == before


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


CODECS = {name: made.codec for name, made in FORMATS.items() if made.codec is not None}


@pytest.mark.parametrize("format", CODECS)
def test_the_abandoned_leave_no_memory_behind(format):
    """Even if the garbage collector never runs: a busy server can't wait for it."""

    def abandon(times: int) -> None:
        for _ in range(times):
            _CodecWriter(CODECS[format], 24000).push(samples)

    samples = noise(1300)
    gc.collect()
    gc.disable()
    try:
        abandon(30)
        before = psutil.Process().memory_info().rss
        abandon(300)
        grown = psutil.Process().memory_info().rss - before
    finally:
        gc.enable()
    assert grown < 4 * 2**20


@pytest.mark.parametrize("format", CODECS)
def test_nothing_is_printed(format, capfd):
    finished = _CodecWriter(CODECS[format], 24000)
    finished.push(noise(5000))
    finished.flush()
    _CodecWriter(CODECS[format], 48000).push(noise(5000))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac"])
def test_ffmpeg_s_refusal_is_translated(format):
    writer = _CodecWriter(CODECS[format], 24000)
    writer.push(noise(5000))
    writer.flush()
    with pytest.raises(SynthesisFailed, match="could not be encoded"):
        writer.push(noise(5000))
