"""Law: chunked equals whole. Then what a listener would notice: length, pitch, aliases, clicks."""

import math

import numpy as np
import psutil
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mira.audio.effects import PACE_RANGE, VOLUME_RANGE, Effects
from mira.errors import InvalidRequest
from tests.audio.streams import cut, level_db, noise, outputs, part_lengths, tone

RATES = st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000])
PACES = st.one_of(st.just(1.0), st.sampled_from([0.25, 0.5, 2.0, 4.0]), st.floats(0.25, 4))


def whole(samples, *arguments, **options):
    return np.concatenate(outputs(Effects(*arguments, **options), [samples]))


def spectrum_db(samples, sample_rate):
    """Levels of the frequencies in Hz; 0 dB is a full-scale tone."""
    window = np.hanning(len(samples))
    levels = np.abs(np.fft.rfft(samples * window)) * 2 / window.sum()
    return np.fft.rfftfreq(len(samples), 1 / sample_rate), 20 * np.log10(levels + 1e-12)


@settings(max_examples=100, deadline=None)
@given(
    num_samples=st.integers(0, 9000),
    lengths=part_lengths(),
    source_rate=RATES,
    target_rate=RATES,
    pace=PACES,
    volume=st.sampled_from([1.0, 0.3, 4.0]),
)
@example(9000, [1], 24000, 8000, 1.3, 2.0)
@example(9000, [1], 24000, 48000, 1.0, 1.0)
@example(24000, [700], 24000, 24000, 0.4, 1.0)  # two stages of tempo, the case that FFmpeg fails
@example(24000, [7], 24000, 24000, 0.49, 1.0)
def test_chunked_equals_whole(num_samples, lengths, source_rate, target_rate, pace, volume):
    samples = noise(num_samples) + tone(440, 24000, num_samples / 24000)[:num_samples]
    options = {"target_rate": target_rate, "pace": pace, "volume": volume}
    parts = outputs(Effects(source_rate, **options), cut(samples, lengths))
    joined = np.concatenate(parts)
    assert joined.dtype == np.float32
    assert np.array_equal(joined, whole(samples, source_rate, **options))
    assert len(joined) == round(num_samples * (target_rate / source_rate / pace))


def test_nothing_to_do_is_nothing_done(speech):
    effects = Effects(24000, target_rate=24000)
    assert effects.push(speech) is speech
    assert len(effects.flush()) == 0


@pytest.mark.parametrize(("source_rate", "target_rate"), [(24000, 8000), (48000, 8000)])
def test_nothing_above_4_khz_is_folded_into_a_phone_call(source_rate, target_rate):
    white = noise(4 * source_rate, amplitude=1)
    spectrum = np.fft.rfft(white)
    spectrum[np.fft.rfftfreq(len(white), 1 / source_rate) < 4000] = 0
    too_high = np.fft.irfft(spectrum).astype(np.float32)
    folded = whole(too_high, source_rate, target_rate=target_rate)
    # Not at the very ends, where the signal starts and stops at once and so has every frequency.
    assert level_db(folded[400:-400]) - level_db(too_high) < -80


@pytest.mark.parametrize(("source_rate", "target_rate"), [(24000, 8000), (48000, 8000)])
@pytest.mark.parametrize("frequency", [50, 300, 1000, 3400])
def test_a_phone_call_keeps_its_band_level_and_in_time(source_rate, target_rate, frequency):
    heard = whole(tone(frequency, source_rate, 0.5), source_rate, target_rate=target_rate)
    expected = tone(frequency, target_rate, 0.5)
    middle = slice(400, -400)
    assert abs(level_db(heard[middle]) - level_db(expected[middle])) < 0.05
    assert np.max(np.abs(heard - expected)[middle]) < 0.01  # so neither is it late or early


def test_raising_the_rate_adds_no_mirror_image():
    heard = whole(tone(7000, 16000, 0.5), 16000, target_rate=48000)
    frequencies, levels = spectrum_db(heard[2000:-2000], 48000)
    assert levels[frequencies > 7300].max() < -80


@pytest.mark.parametrize("pace", [0.25, 0.5, 0.8, 1.25, 2.0, 3.0, 4.0])
def test_pace_keeps_pitch_and_makes_no_seam(pace):
    heard = whole(tone(440, 24000, 4 / max(1, 1 / pace)), 24000, target_rate=24000, pace=pace)
    frequencies, levels = spectrum_db(heard, 24000)
    assert frequencies[np.argmax(levels)] == pytest.approx(440, abs=3)
    # The bend of a sine has a highest value; a click is sharper.
    sharpest = 0.5 * (2 * math.pi * 440 / 24000) ** 2
    middle = heard[2400:-2400]
    assert np.abs(np.diff(middle, 2)).max() < 1.6 * sharpest
    assert level_db(middle) == pytest.approx(level_db(tone(440, 24000, 1)), abs=0.5)


@pytest.mark.parametrize("pace", [PACE_RANGE[0], 0.7, 1.5, PACE_RANGE[1]])
def test_the_end_is_not_lost(pace):
    """A beep at the very end sounds until the very end, at any pace, and starts in time."""
    quiet, beep = np.zeros(24000, np.float32), tone(1000, 24000, 1.0)
    heard = whole(np.concatenate([quiet, beep]), 24000, target_rate=24000, pace=pace)
    loud = np.flatnonzero(np.abs(heard) > 0.1) / 24000
    assert loud[-1] == pytest.approx(2 / pace, abs=0.1)
    assert loud[0] == pytest.approx(
        1 / pace, abs=0.03 + 0.03 / pace
    )  # a window of 43 ms, stretched


def louder_parts(samples, sample_rate, pace=1.0):
    """Loudness of each 2 ms of it, played at `pace`, about its mean."""
    edges = (np.arange(0, len(samples) / sample_rate / pace, 0.002) * pace * sample_rate).astype(
        int
    )
    sums = np.concatenate([[0], np.cumsum(np.square(samples, dtype=np.float64))])
    loudness = np.sqrt(np.diff(sums[edges]) / np.diff(edges))
    return loudness - loudness.mean()


@pytest.mark.parametrize("pace", [0.25, 0.5, 0.9, 1.0, 1.3, 1.5, 4.0])
@pytest.mark.parametrize("source_rate", [16000, 24000, 48000])
def test_a_minute_of_speech_keeps_time(pace, source_rate, speech):
    """Its beginning and its end are heard when it says so, within 15 ms; 30 at a quarter of it."""
    pause = np.zeros(6000, np.float32)
    minute = np.concatenate([speech, pause] * int(60 * 24000 / (len(speech) + 6000)))
    minute = whole(minute, 24000, target_rate=source_rate)
    effects = Effects(source_rate, target_rate=8000, pace=pace)
    heard = louder_parts(np.concatenate(outputs(effects, [minute])), 8000)
    should = louder_parts(minute, source_rate, pace)
    third = min(len(heard), len(should)) // 3
    for begin in (80, third, 2 * third - 80):
        part = heard[begin : begin + third]
        lags = range(-80, 81)
        alike = [np.dot(part, should[begin + lag : begin + lag + third]) for lag in lags]
        later_s = -lags[int(np.argmax(alike))] * 0.002
        expected_s = effects.heard_s(30.0) - 30.0 / pace
        assert later_s == pytest.approx(expected_s, abs=max(0.015, 0.0075 / pace))


@pytest.mark.parametrize("pace", [0.0625, 0.5, 0.9, 1.0, 4.0])
def test_time_never_goes_backwards(pace):
    effects = Effects(24000, target_rate=8000, pace=pace)
    heard = [effects.heard_s(ms / 1000) for ms in range(200)]
    assert heard[0] == 0 and heard == sorted(heard)


def test_no_thread_is_started():
    before = psutil.Process().num_threads()
    effects = Effects(24000, target_rate=8000, pace=1.5)
    effects.push(noise(24000))
    assert psutil.Process().num_threads() == before


def test_resampling_holds_back_a_few_milliseconds_only():
    effects = Effects(24000, target_rate=8000)
    heard, held_back = 0, []
    for pushed in range(1, 51):
        heard += len(effects.push(noise(240)))
        held_back.append(pushed * 80 - heard)
    assert max(held_back[1:]) <= 0.005 * 8000


def test_changing_the_pace_holds_back_less_than_a_tenth_of_a_second():
    effects = Effects(24000, target_rate=24000, pace=1.25)
    pushed_ms = 0
    while len(effects.push(noise(240))) == 0:
        pushed_ms += 10
    assert pushed_ms < 100


@pytest.mark.parametrize("target_rate", [8000, 24000])
def test_volume(target_rate):
    quiet = tone(440, 24000, 0.5, amplitude=0.2)
    heard = {
        volume: whole(quiet, 24000, target_rate=target_rate, volume=volume)
        for volume in (0.0, 0.5, 1.0, 2.0)
    }
    assert not heard[0.0].any()
    assert level_db(heard[2.0]) - level_db(heard[1.0]) == pytest.approx(6.02, abs=0.01)
    assert level_db(heard[0.5]) - level_db(heard[1.0]) == pytest.approx(-6.02, abs=0.01)


@given(st.floats(1, VOLUME_RANGE[1], exclude_min=True), st.floats(0, 1), st.floats(0, 1))
def test_loud_is_bent_not_clipped(volume, one, other):
    """Never over full scale, the louder stays the louder, and signs don't matter."""
    soft, loud = sorted((one, other))
    pushed = np.array([soft, loud, -loud], np.float32)
    soft_heard, loud_heard, negative = Effects(24000, target_rate=24000, volume=volume).push(pushed)
    assert soft_heard <= loud_heard <= 1
    assert negative == -loud_heard
    assert loud_heard == pytest.approx(loud * volume, rel=1e-5) or loud_heard > 0.79


@pytest.mark.parametrize("options", [{"volume": 3.0}, {"pace": 1.5}, {"target_rate": 8000}])
def test_what_is_not_a_number_stays_alone(options):
    options = {"target_rate": 24000, **options}
    samples = tone(440, 24000, 0.5)
    broken, silenced = samples.copy(), samples.copy()
    broken[5000:5003] = np.nan, np.inf, -np.inf
    silenced[5000:5003] = 0
    assert np.array_equal(whole(broken, 24000, **options), whole(silenced, 24000, **options))


@pytest.mark.parametrize("options", [{"volume": 10.0}, {"pace": 0.5}, {"target_rate": 8000}])
def test_the_largest_floats_raise_no_warning(options):
    samples = np.full(5000, np.finfo(np.float32).max)
    whole(samples, 24000, **{"target_rate": 24000, **options})


@pytest.mark.parametrize("name", ["pace", "volume"])
@pytest.mark.parametrize("value", [-1.0, 16.5, math.nan, math.inf])
def test_out_of_range_is_refused(name, value):
    with pytest.raises(InvalidRequest, match=name) as refused:
        Effects(24000, target_rate=24000, **{name: value})
    assert refused.value.param == name


def test_any_memory_layout_is_taken(speech):
    expected = whole(speech[::2].copy(), 12000, target_rate=16000)
    assert np.array_equal(whole(speech[::2], 12000, target_rate=16000), expected)
