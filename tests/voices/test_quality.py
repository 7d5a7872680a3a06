"""Each way to spoil a recording is found, by as much as it was spoilt, and nothing else is."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats, integers, sampled_from

from mira.audio import Effects
from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.engine import Engine
from mira.types import Samples
from mira.voices import quality
from mira.voices.quality import Grade, Quality, assess

RECORDINGS = Path(__file__).parent.parent / "data" / "voices"
SENTENCE = "She sells fresh fish by the sea shore. Shall we see how much she has left?"
RATE = 24_000


@pytest.fixture(scope="module")
def clean(builtin: BuiltinSynthesizer) -> Samples:
    """[4 s] at RATE, with a pause in the middle, as in a quiet room."""
    spoken = np.concatenate(list(Engine(builtin).speak(SENTENCE, builtin.voices[0])))
    spoken *= 0.75 / np.abs(spoken).max()
    return spoken + np.float32(10 ** (-65 / 20)) * noise(spoken)


@pytest.fixture(scope="module")
def report(clean: Samples) -> Quality:
    return assess(clean, RATE)


def words(found: Quality, measure: str) -> str:
    (verdict,) = (each for each in found.verdicts if each.measure == measure)
    return verdict.words


def grade(found: Quality, measure: str) -> Grade:
    (verdict,) = (each for each in found.verdicts if each.measure == measure)
    return verdict.grade


def resampled(samples: Samples, source: int, target: int) -> Samples:
    effects = Effects(source, target_rate=target)
    return np.concatenate([effects.push(samples), effects.flush()])


def noise(like: Samples, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).standard_normal(len(like)).astype(np.float32)


def in_16_bits(samples: Samples) -> Samples:
    return (np.round(samples * 32768) / 32768).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.float32)


def test_a_clean_recording_is_good_and_every_measure_says_so(
    clean: Samples, report: Quality
) -> None:
    assert report.grade == "good"
    assert {verdict.grade for verdict in report.verdicts} == {"good"}
    assert [verdict.measure for verdict in report.verdicts] == [
        *("heard_s", "lead_s", "level_dbfs", "clipped_share", "snr_db", "sample_rate")
    ]
    assert report.duration_s == pytest.approx(len(clean) / RATE, abs=1e-3)
    share = report.speech_s / report.duration_s
    assert 0.7 < share < 0.95
    assert report.heard_s == report.speech_s
    assert report.lead_s is not None and report.lead_s < 0.3
    rms_db = 10 * np.log10(np.square(clean).mean())
    assert report.level_dbfs == pytest.approx(rms_db - 10 * np.log10(share), abs=0.5)
    assert report.snr_db is not None and report.snr_db > 35
    assert report.clipped_share == 0


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.2])
def test_louder_changes_the_level_and_nothing_else(
    clean: Samples, report: Quality, gain: float
) -> None:
    found = assess(np.float32(gain) * clean, RATE)
    assert found.level_dbfs == pytest.approx(report.level_dbfs + 20 * np.log10(gain), abs=0.11)
    assert found.snr_db == pytest.approx(report.snr_db, abs=1)
    assert found.speech_s == pytest.approx(report.speech_s, abs=0.1)
    assert found.clipped_share == 0


def test_an_offset_is_no_sound(clean: Samples, report: Quality) -> None:
    found = assess(clean + np.float32(0.3), RATE)
    assert found.level_dbfs == pytest.approx(report.level_dbfs, abs=0.1)
    assert found.speech_s == pytest.approx(report.speech_s, abs=0.1)


def test_quiet_speech_is_found_and_the_microphone_is_blamed(clean: Samples) -> None:
    found = assess(np.float32(10**-1.5) * clean, RATE)
    assert grade(found, "level_dbfs") == "fair"
    assert words(found, "level_dbfs").endswith("dBFS: record closer to the microphone")
    assert grade(assess(np.float32(0.01) * clean, RATE), "level_dbfs") == "poor"


@pytest.mark.parametrize(("snr_db", "expected"), [(30, "good"), (20, "fair"), (10, "poor")])
def test_noise_is_measured_whatever_it_is(
    clean: Samples, report: Quality, snr_db: float, expected: str
) -> None:
    white = np.float32(np.sqrt(RATE / 16000)) * noise(clean)  # two thirds of it are below 8 kHz
    spectrum = np.fft.rfft(noise(clean))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(len(clean), 1 / RATE), 60))
    pink = np.fft.irfft(spectrum, len(clean))
    wanted_db = report.level_dbfs - snr_db
    for kind in (white, pink / np.sqrt(np.square(pink).mean())):
        found = assess((clean + 10 ** (wanted_db / 20) * kind).astype(np.float32), RATE)
        assert found.snr_db == pytest.approx(snr_db, abs=2)
        assert found.speech_s == pytest.approx(report.speech_s, abs=0.3)
        assert grade(found, "snr_db") == expected
    assert words(found, "snr_db").startswith(f"noise {found.snr_db:.0f} dB below the voice")
    assert found.grade == expected


def test_noise_as_loud_as_the_voice(clean: Samples, report: Quality) -> None:
    wanted = 10 ** (report.level_dbfs / 20) * np.sqrt(RATE / 16000)
    found = assess((clean + wanted * noise(clean)).astype(np.float32), RATE)
    assert found.snr_db == pytest.approx(0, abs=2)


def test_noise_louder_than_the_voice_and_a_voice_of_nothing() -> None:
    loud = np.repeat(np.float32([0.001, 0.1]), 50 * quality.STEP)
    speech = np.arange(100) < 50
    assert quality._loudness(loud * noise(loud), speech)[1] == -10
    assert quality._loudness(np.zeros_like(loud), speech) == (-120, None)


def test_without_a_pause_noise_is_found_between_the_words(clean: Samples) -> None:
    spoken = np.tile(clean[int(0.2 * RATE) : int(1.6 * RATE)], 3)
    noisy = (spoken + 0.02 * noise(spoken)).astype(np.float32)
    found = assess(noisy, RATE)
    noise_dbfs = found.level_dbfs - found.snr_db
    assert noise_dbfs == pytest.approx(20 * np.log10(0.02 * 0.816), abs=2)
    assert assess(spoken, RATE).snr_db > 35  # none is made up of quiet consonants
    assert assess(spoken[:RATE], RATE).snr_db is None  # too little of it


def test_silence_that_a_gate_made_says_nothing_about_noise(clean: Samples) -> None:
    blocks = clean[: len(clean) // 240 * 240].reshape(-1, 240)
    quiet = np.sqrt(np.square(blocks).mean(axis=1)) < 0.005
    found = assess(np.where(quiet[:, None], 0, blocks).reshape(-1), RATE)
    assert found.snr_db is None
    assert "snr_db" not in {verdict.measure for verdict in found.verdicts}
    assert found.grade == "good"


@pytest.mark.parametrize("rate", [RATE, 48_000, 8_000])
@pytest.mark.parametrize(("share", "expected"), [(0.004, "fair"), (0.03, "poor")])
def test_clipping_is_found_even_if_it_was_made_quieter_since(
    clean: Samples, rate: int, share: float, expected: str
) -> None:
    samples = resampled(clean, RATE, rate)
    limit = np.quantile(np.abs(samples), 1 - share)
    clipped = np.clip(samples, -limit, limit)
    for as_stored in (clipped / limit, in_16_bits(0.37 * clipped), in_16_bits(0.1 * clipped)):
        found_share = quality._clipped_share(as_stored.astype(np.float32), rate)
        assert found_share == pytest.approx(share, rel=0.25)
    if rate == RATE:
        found = assess(as_stored.astype(np.float32), rate)
        assert found.clipped_share == pytest.approx(share, rel=0.25)
        assert grade(found, "clipped_share") == expected
        assert words(found, "clipped_share").endswith("are clipped: record at a lower level")


@pytest.mark.parametrize("rate", [8_000, RATE, 192_000])
@pytest.mark.parametrize("gain", [1.2, 0.3, 0.02])
def test_what_is_not_clipped_is_not_called_so(clean: Samples, rate: int, gain: float) -> None:
    samples = in_16_bits(gain * resampled(clean, RATE, rate))
    assert quality._clipped_share(samples, rate) == 0


@pytest.mark.parametrize("rate", [8_000, RATE, 192_000])
@pytest.mark.parametrize("level", [0.8, 0.3, 0.005])
def test_a_round_top_is_not_flat(rate: int, level: float) -> None:
    tone = np.sin(2 * np.pi * 120.3 * np.arange(rate) / rate)
    assert quality._clipped_share(in_16_bits(level * tone), rate) == 0


def test_clipped_on_one_side_and_over_full_scale(clean: Samples) -> None:
    limit = np.float32(np.quantile(clean, 0.98))
    assert assess(np.minimum(clean, limit), RATE).clipped_share == pytest.approx(0.02, rel=0.1)
    # What a lossy codec makes of clipped samples goes over.
    louder = np.float32(1 / np.quantile(np.abs(clean), 0.99)) * clean
    assert assess(louder, RATE).clipped_share == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize(("stored", "expected"), [(8_000, "fair"), (4_000, "poor")])
def test_a_low_rate_is_told_what_it_costs(clean: Samples, stored: int, expected: str) -> None:
    found = assess(resampled(clean, RATE, stored), stored)
    assert grade(found, "sample_rate") == expected
    assert words(found, "sample_rate").startswith(f"{stored} Hz: it will sound dull")


def test_silence_around_does_not_change_the_speech(clean: Samples, report: Quality) -> None:
    found = assess(np.concatenate([silence(1.5), clean, silence(2)]), RATE)
    assert found.speech_s == pytest.approx(report.speech_s, abs=0.1)
    assert found.lead_s == pytest.approx(1.5 + report.lead_s, abs=0.1)
    assert found.level_dbfs == pytest.approx(report.level_dbfs, abs=0.5)
    assert found.snr_db == pytest.approx(report.snr_db, abs=1)
    assert grade(found, "lead_s") == "fair"
    assert words(found, "lead_s").endswith("s: cut off what comes before it")


def test_twice_as_long_has_twice_the_speech_but_no_more_is_heard(
    clean: Samples, report: Quality
) -> None:
    found = assess(np.concatenate([clean, clean]), RATE)
    assert found.speech_s == pytest.approx(2 * report.speech_s, abs=0.3)
    assert report.speech_s < found.heard_s < found.speech_s - 1
    assert "in the first 6 s, which is all that is heard" in words(found, "heard_s")


def test_speech_that_comes_too_late_is_not_heard(clean: Samples, report: Quality) -> None:
    found = assess(np.concatenate([silence(4), clean]), RATE)
    assert found.heard_s == pytest.approx(2, abs=0.4)
    assert (grade(found, "heard_s"), grade(found, "lead_s")) == ("fair", "poor")
    found = assess(np.concatenate([silence(7), clean]), RATE)
    assert found.speech_s == pytest.approx(report.speech_s, abs=0.1)
    assert (found.heard_s, found.grade) == (0, "unusable")
    assert words(found, "heard_s").startswith("0.0 s of speech in the first 6 s")


def test_a_short_recording_is_told_what_is_better(clean: Samples) -> None:
    found = assess(clean[int(0.3 * RATE) : int(2.3 * RATE)], RATE)
    assert grade(found, "heard_s") == "fair"
    assert words(found, "heard_s").endswith("s of speech: 3 to 10 s clone better")


TIME = np.arange(5 * RATE) / RATE


@pytest.mark.parametrize(
    "samples",
    [
        0 * TIME,
        0 * TIME + 0.1,
        0.3 * np.sin(2 * np.pi * 440 * TIME),
        0.1 * sum(np.sin(2 * np.pi * 120 * k * TIME) / k for k in range(1, 20)),
        0.1 * noise(TIME),
        np.round(noise(TIME)) / 32768,
        0.2 * noise(TIME) * (np.sin(2 * np.pi * 3 * TIME) > 0),
        np.sign(np.sin(2 * np.pi * 100 * TIME)),
    ],
    ids=["silence", "offset", "tone", "buzz", "noise", "last bit", "bursts", "square"],
)
def test_where_nobody_speaks_nothing_can_be_made(samples: np.ndarray) -> None:
    found = assess(samples.astype(np.float32), RATE)
    assert found.grade == "unusable"
    assert found.speech_s < 0.2
    (verdict,) = found.verdicts
    assert verdict.words == "no speech found" or "0.5 s are needed" in verdict.words


def test_a_fifth_of_a_second_is_not_enough(clean: Samples) -> None:
    found = assess(clean[int(0.5 * RATE) : int(0.7 * RATE)], RATE)
    assert found.grade == "unusable"
    assert 0.1 < found.speech_s <= found.duration_s
    assert found.verdicts[0].words == "0.2 s of speech: 0.5 s are needed, 3 to 10 are best"


@given(
    samples=arrays(np.float32, integers(1, 1000), elements=floats(-16, 16, width=32)),
    rate=sampled_from([4000, 8000, 11025, 16000, 44100, 192000]),
)
@example(samples=np.full(5000, 16, np.float32), rate=16000)
@example(samples=np.ones(1, np.float32), rate=192_000)
@example(samples=np.full(5000, 1e-45, np.float32), rate=16000)
@settings(max_examples=15)
def test_any_numbers_give_a_report_that_can_be_kept(samples: Samples, rate: int) -> None:
    found = assess(samples, rate)
    assert Quality.model_validate_json(found.model_dump_json()) == found


def test_a_report_survives_json(report: Quality) -> None:
    kept = report.model_dump(mode="json")
    assert kept["grade"] == "good"
    assert kept["verdicts"][0]["words"] == report.verdicts[0].words
    assert Quality.model_validate_json(json.dumps(kept)) == report


@pytest.mark.parametrize(
    "change",
    [
        {"speech_s": "3"},
        {"speech_s": None},
        {"speech_s": True},
        {"speech_s": -1.0},
        {"clipped_share": 1.5},
        {"level_dbfs": float("nan")},
        {"snr_db": float("inf")},
        {"sample_rate": 4000.5},
        {"verdicts": []},
        {"verdicts": [{"measure": "snr_db", "grade": "superb", "words": ""}]},
        {"verdicts": [{"measure": "snr_db", "grade": "good"}]},
        {"verdicts": {"snr_db": "good"}},
    ],
    ids=str,
)
def test_a_damaged_report_is_refused(report: Quality, change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Quality.model_validate_json(json.dumps(report.model_dump(mode="json") | change))


def test_reports_are_the_same_on_any_thread_and_at_any_time(
    clean: Samples, report: Quality
) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(assess, [clean, silence(1), clean, clean], [RATE] * 4))
    assert found[0] == found[2] == found[3] == report
    assert found[1].grade == "unusable"


@pytest.mark.parametrize(
    ("name", "expected", "speech_s"),
    [
        ("allison.wav", "good", 6.5),
        ("allison_other.wav", "good", 6.4),
        ("carlo.ogg", "fair", 5.3),
        ("june.mp3", "fair", 10.8),
    ],
)
def test_real_recordings(name: str, expected: str, speech_s: float) -> None:
    """Prompts that professionals read, without a pause before or after; two for a telephone."""
    found = assess(*soundfile.read(RECORDINGS / name, dtype="float32"))
    assert found.grade == expected
    assert found.speech_s == pytest.approx(speech_s, abs=0.2)
    assert found.clipped_share == 0
    assert found.lead_s < 0.5
    assert -25 < found.level_dbfs < -15
    assert found.snr_db is None or found.snr_db > 45
