"""What people record is read as it sounds; whatever else comes is refused in words."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.audio import unpack as unpacking
from mira.audio.unpack import LOUDEST, SAMPLE_RATES, Refused, unpack
from mira.types import Samples
from tests.audio.recordings import (
    FORMATS,
    RATE,
    SUFFIXES,
    encoded,
    id3,
    id3_picture,
    mov,
    muxed,
    png,
    tone,
    wav,
)

WIDTHS = ["u8", "s16", "s24", "s32", "f32", "f64"]
SURROUND = [("m4a", "5.1"), ("flac", "5.1"), ("m4a", "7.1"), ("flac", "7.1"), ("opus", "7.1")]
TWO = np.concatenate([tone(), -tone()]).reshape(2, -1).T


def heard(data: bytes, max_seconds: float = 60.0) -> tuple[Samples, int]:
    unpacked = unpack(data, max_seconds)
    return unpacked.samples, unpacked.sample_rate


def refusal(data: bytes, max_seconds: float = 60.0) -> str:
    with pytest.raises(Refused) as refused:
        unpack(data, max_seconds)
    reason = str(refused.value)
    assert reason.endswith(".")
    assert "/" not in reason and "Errno" not in reason
    return reason


def assert_a_tone(samples: Samples, sample_rate: int) -> None:
    """440 Hz at half of full scale, and nothing else to speak of."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    hertz = np.fft.rfftfreq(len(middle), 1 / sample_rate)
    assert spectrum[np.abs(hertz - 440) < 20].sum() > 0.99 * spectrum.sum()
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.15)


# What people have


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_and_named(name: str) -> None:
    unpacked = unpack(encoded(name), 60.0)
    samples = unpacked.samples
    assert unpacked.suffix == SUFFIXES.get(name, name)
    assert unpacked.sample_rate == (48000 if name in ("opus", "webm") else RATE)
    assert samples.dtype == np.float32
    assert len(samples) / unpacked.sample_rate == pytest.approx(1.0, abs=0.07)  # AAC, MP3: frames
    assert_a_tone(samples, unpacked.sample_rate)


@pytest.mark.parametrize("extensible", [False, True], ids=["", "extensible"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_width_is_read(width: str, extensible: bool) -> None:
    samples, rate = heard(wav(tone(), RATE, width, extensible=extensible))
    assert (rate, len(samples)) == (RATE, RATE)
    assert np.abs(samples - tone()).max() < (0.02 if width == "u8" else 1e-4)


@pytest.mark.parametrize("num_channels", range(1, 9))
def test_channels_are_mixed_by_their_mean(num_channels: int) -> None:
    channels = np.outer(tone(), np.arange(num_channels) / num_channels)
    samples, _ = heard(wav(channels, RATE, "f32", extensible=num_channels > 2))
    assert np.abs(samples - channels.mean(axis=1)).max() < 1e-6


def test_opposite_channels_are_silence() -> None:
    assert not heard(wav(TWO))[0].any()


@pytest.mark.parametrize(("name", "layout"), SURROUND)
def test_surround_sound_is_read(name: str, layout: str) -> None:
    # Eight channels, each in a plane of its own, are where PyAV's own conversion ends the process.
    samples, rate = heard(encoded(name, 1.0, 48000, layout))
    assert len(samples) / rate == pytest.approx(1.0, abs=0.07)
    assert 0.3 < np.abs(samples).max() < 0.7


@pytest.mark.parametrize("sample_rate", [4000, 8000, 11025, 44100, 96000, 192000])
def test_every_sample_rate_is_read(sample_rate: int) -> None:
    samples, rate = heard(wav(tone(0.5, sample_rate), sample_rate))
    assert (rate, len(samples)) == (sample_rate, sample_rate // 2)


def test_silence_is_a_recording_and_so_is_a_fifth_of_a_second() -> None:
    assert not heard(wav(np.zeros(RATE)))[0].any()
    assert len(heard(wav(tone(0.2)))[0]) == RATE // 5
    assert len(heard(wav(tone(0.2)[:1]))[0]) == 1


def test_a_little_over_full_scale_is_kept() -> None:
    samples, _ = heard(wav(3 * tone(), RATE, "f32"))
    assert np.abs(samples).max() == pytest.approx(1.5, rel=1e-3)


# Pictures, and what is beside the sound


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What FFmpeg has to say, which is nobody's business otherwise."""
    av.logging.set_level(av.logging.DEBUG)
    with caplog.at_level(logging.DEBUG, "libav"):
        yield caplog
    av.logging.set_level(None)


FILMS = [
    ("mp4", "aac", "fltp", "mpeg4"),
    ("mp4", "aac", "fltp", "libx264"),
    ("webm", "libopus", "flt", "libvpx"),
]


@pytest.mark.parametrize("film", FILMS, ids=lambda film: film[-1])
def test_a_film_is_heard_and_not_seen(film: tuple[str, ...], log) -> None:
    muxer, encoder, width, video = film
    data = muxed(muxer, encoder, width, tone(1.0, 48000), 48000, "mono", video)
    log.clear()
    assert_a_tone(*heard(data))
    assert "not on whitelist" in log.text  # it came to the point of being decoded, and was not
    assert "Codec (" in log.text


def test_a_cover_is_not_unpacked(log) -> None:
    data = id3(id3_picture(png(64))) + encoded("mp3")
    assert_a_tone(*heard(data))
    assert "Codec (png) not on whitelist" in log.text


def test_a_film_without_sound_is_refused() -> None:
    assert "no sound" in refusal(muxed("mp4", "aac", "fltp", tone(0), video="mpeg4"))


def test_tags_in_any_encoding_are_no_matter() -> None:
    note = b"LIST\x0e\0\0\0INFOIART\x02\0\0\0\xe9\xff"
    assert_a_tone(*heard(wav(tone()) + note))
    assert_a_tone(*heard(encoded("mp3") + b"TAG" + b"\xe9" * 125))


# Cut, glued, and telling lies


@pytest.mark.parametrize("name", FORMATS)
def test_what_there_is_of_a_cut_recording_is_read(name: str) -> None:
    whole = encoded(name, 5.0)
    cut = whole[: len(whole) * 3 // 5]
    if name in ("m4a", "alac"):  # whose table of contents is at the end
        assert "damaged" in refusal(cut)
    else:
        samples, rate = heard(cut)
        assert 1.9 < len(samples) / rate < 3.5
        assert_a_tone(samples, rate)


def spoilt(data: bytes, places: range) -> bytes:
    spoilt = bytearray(data)
    for place in places:
        spoilt[place] ^= 0xFF
    return bytes(spoilt)


def test_a_scratch_is_no_matter() -> None:
    whole = encoded("aac", 5.0)
    for start in range(len(whole) // 2, len(whole) // 2 + 400, 30):
        samples, rate = heard(spoilt(whole, range(start, start + 200, 50)))
        assert len(samples) / rate > 4.5


def test_what_is_damaged_all_over_is_refused() -> None:
    whole = encoded("aac", 5.0)
    assert "damaged" in refusal(spoilt(whole, range(len(whole) // 2, len(whole), 400)))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_headers_alone_are_refused(name: str) -> None:
    refusal(encoded(name)[: 60 if name != "wav" else 44])


@pytest.mark.parametrize("name", ["mp3", "aac"])
def test_two_sample_rates_in_one_file_are_refused(name: str) -> None:
    data = encoded(name) + encoded(name, 1.0, 48000)
    assert "changes from 24000 to 48000" in refusal(data)


@pytest.mark.parametrize("name", ["mp3", "aac"])
def test_mono_then_stereo_is_heard_to_the_end(name: str) -> None:
    samples, rate = heard(encoded(name) + encoded(name, 1.0, RATE, "stereo"))
    assert len(samples) / rate == pytest.approx(2.1, abs=0.1)
    for half in np.array_split(samples, 2):
        assert_a_tone(half, rate)


@pytest.mark.parametrize("name", ["opus", "webm"])
def test_two_recordings_that_would_be_joined_with_a_bang_are_refused(name: str) -> None:
    assert "several recordings" in refusal(encoded(name) * 2)


@pytest.mark.parametrize(
    "claims",
    [{"data": 0}, {"data": 0x7FFFFFFF}, {"data": 0xFFFFFFFF}, {"riff": 0}, {"riff": 0xFFFFFFFF}],
    ids=str,
)
def test_a_header_that_lies_about_the_length_is_no_matter(claims: dict[str, int]) -> None:
    samples, _ = heard(wav(tone(), claims=claims))
    assert np.abs(samples - tone()).max() < 1e-4


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"sample_rate": 0}, "damaged"),
        ({"sample_rate": 1}, "1 samples a second"),
        ({"sample_rate": SAMPLE_RATES[0] - 1}, "3999 samples a second"),
        ({"sample_rate": SAMPLE_RATES[1] + 1}, "192001 samples a second"),
        ({"sample_rate": 0xFFFFFFFF}, "damaged"),
        ({"channels": 0}, "damaged"),
        ({"channels": 9}, "9 channels"),
        ({"channels": 65535}, "damaged"),
        ({"bits": 0}, "coded as something unknown"),
    ],
    ids=str,
)
def test_a_header_that_claims_nonsense_is_refused(claims: dict[str, int], reason: str) -> None:
    assert reason in refusal(wav(np.tile(tone(), 2), claims=claims))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("width", ["f32", "f64"])
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_is_no_number_is_refused(width: str, bad: float) -> None:
    samples = tone().astype(np.float64)
    samples[RATE // 2] = bad
    assert "full scale" in refusal(wav(samples, RATE, width))


@pytest.mark.parametrize("scale", [2.1 * LOUDEST, 32768.0, 1e30])
def test_what_is_far_over_full_scale_is_refused(scale: float) -> None:
    assert "full scale" in refusal(wav(scale * tone(), RATE, "f32"))


# No recordings


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5000,
        bytes(range(256)) * 100,
        b"PK\x03\x04" + bytes(1000),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile '/etc/hostname'\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
        png(16),
    ],
    ids=["empty", "zeros", "bytes", "zip", "m3u8", "concat", "dash", "png"],
)
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    assert "damaged, or not audio" in refusal(data)


def test_an_unusual_codec_is_refused_by_its_name() -> None:
    data = muxed("wav", "adpcm_ms", "s16", tone())
    assert "coded as adpcm_ms: save it as WAV or MP3" in refusal(data)


def test_no_recording_is_refused_as_such() -> None:
    assert "no sound" in refusal(wav(np.zeros(0)))


def test_sound_that_is_said_to_be_in_another_file_is_not_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes(b"\x30\x39" * 2000)
    monkeypatch.chdir(tmp_path)
    data = mov(num_samples=1000, elsewhere=secret)
    # It is a file that FFmpeg falls for, when it is let.
    with av.open(BytesIO(data), options={"enable_drefs": "1"}) as container:
        assert next(container.decode(audio=0)).to_ndarray().max() == 0x3039
    assert "no sound" in refusal(data)


# Too much


def test_a_recording_is_as_long_as_it_turns_out_to_be() -> None:
    # Five minutes of silence are 30 kB of FLAC: no promise of a header is needed to be late.
    data = muxed("flac", "flac", "s16", np.zeros(300 * 8000, np.float32), 8000)
    assert len(data) < 100_000
    assert "longer than 60 seconds" in refusal(data)
    assert len(heard(data, 300.0)[0]) == 300 * 8000


def test_tracks_without_end_are_refused() -> None:
    tracks = mov()[:20] + b"\0\0\x1f\x48moov" + b"\0\0\0\x08trak" * 1000
    assert "too much memory" in refusal(tracks)


def test_no_block_beyond_the_limit_is_kept() -> None:
    assert "longer than 1 seconds" in refusal(wav(tone(1.001)), 1.0)
    assert len(heard(wav(tone()), 1.0)[0]) == RATE


RECORDINGS = {
    **{name: encoded(name, 0.3) for name in FORMATS},
    "surround": encoded("aac", 0.3, RATE, "7.1"),
    "film": muxed("mp4", "aac", "fltp", tone(0.3), video="mpeg4"),
    "cover": id3(id3_picture(png(16))) + encoded("mp3", 0.3),
    "f32": wav(tone(0.3), RATE, "f32", extensible=True),
    "mov": mov(num_samples=2000, num_edits=2),
}


@pytest.mark.parametrize("name", RECORDINGS)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_damaged_recording_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Nothing else is raised, and no limit is passed."""
    damaged = bytearray(RECORDINGS[name])
    places = st.integers(0, len(damaged) - 1) | st.integers(0, min(400, len(damaged) - 1))
    flips = st.lists(st.tuples(places, st.integers(1, 255)), max_size=8)
    for place, flip in data.draw(flips):
        damaged[place] ^= flip
    end = data.draw(st.just(len(damaged)) | places)
    try:
        samples, rate = heard(bytes(damaged[:end]), max_seconds=0.5)
    except Refused:
        return
    assert SAMPLE_RATES[0] <= rate <= SAMPLE_RATES[1]
    assert 0 < len(samples) <= 0.5 * rate
    assert np.abs(samples).max() <= LOUDEST  # and none is NaN


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for recording in RECORDINGS.values():
        damaged = bytearray(recording)
        damaged[len(damaged) // 2 :: 7] = bytes(len(damaged[len(damaged) // 2 :: 7]))
        with suppress(Refused):
            unpack(bytes(damaged), 60.0)
    assert capfd.readouterr() == ("", "")


# The process


def confined(code: str, data: bytes = b"", imports: str = "sys", seconds: int = 60) -> list[str]:
    """Run code where decoding runs; return the lines that it prints."""
    folder = str(Path(unpacking.__file__).parent)
    start = (
        f"import sys; sys.path.append({folder!r})\nimport unpack, {imports}\n"
        f"unpack.confine({seconds})\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", start + code], input=data, capture_output=True, check=True
    )
    return run.stdout.decode().splitlines()


def test_the_process_can_open_nothing_and_has_little() -> None:
    code = """
def tried(way):
    try:
        return len(way())
    except (OSError, MemoryError) as error:
        return getattr(error, "strerror", "") or "too much memory"
print(tried(lambda: open("/etc/hostname")))
print(tried(lambda: socket.socket()))
print(tried(lambda: bytearray(unpack.MEMORY + 60 * 192000 * 4)))
print(tried(lambda: bytearray(unpack.MEMORY // 2)))
print(resource.getrlimit(resource.RLIMIT_CPU))
print(resource.getrlimit(resource.RLIMIT_CORE))
print(os.nice(0) - nice)
"""
    assert confined(code, imports="os, resource, socket; nice = os.nice(0)") == [
        "Too many open files",
        "Too many open files",
        "too much memory",
        str(unpacking.MEMORY // 2),
        "(5, 5)",
        "(0, 0)",
        "10",
    ]


def test_a_longer_recording_may_take_longer() -> None:
    code = "print(*resource.getrlimit(resource.RLIMIT_CPU))"
    assert confined(code, imports="resource", seconds=600) == ["50 50"]


def test_a_file_that_claims_to_be_huge_gets_no_more_memory_than_others() -> None:
    # 6 kB that make FFmpeg build a table of ten million entries: 360 MB.
    code = """
try:
    unpack.unpack(data, 60.0)
except unpack.Refused:
    print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""
    before = 'sys; data = sys.stdin.buffer.read(); status = open("/proc/self/status")'
    (most_kb,) = confined(code, mov(codec=b"mp4a", num_samples=10**7), before)
    assert int(most_kb) < 350_000
