"""The acoustic model knows sounds."""

import shutil
from pathlib import Path

import numpy as np
import pocketsphinx
import pytest

from mira.errors import CheckpointError
from mira.words.acoustic import SILENCE, AcousticModel, Place, Scorer
from mira.words.features import CEPSTRA, STREAMS, Features
from mira.words.resample import RATE

FOLDER = Path(pocketsphinx.get_model_path("en-us/en-us"))


@pytest.fixture(scope="module")
def model() -> AcousticModel:
    return AcousticModel(FOLDER)


def test_a_phone_is_another_one_between_others(model: AcousticModel) -> None:
    number = model.number
    seen = {
        model.between(number("AE"), number(left), number(right), place)
        for left, right in [("K", "T"), ("B", "N"), ("S", "SIL")]
        for place in Place
    }
    assert len(seen) > 3
    assert {model.phone_of(mixture) for states in seen for mixture in states} == {number("AE")}


def test_what_was_never_heard_between_others_is_known_anyhow(model: AcousticModel) -> None:
    noise, zh = model.number("+NSN+"), model.number("ZH")
    assert model.between(zh, noise, noise, Place.ALONE) == model.anywhere(zh)


def test_weights_and_chances_are_whole(model: AcousticModel) -> None:
    weights = model.weights(range(0, 5126, 100))
    assert np.allclose(weights.sum(1), 1, atol=0.1)
    assert np.allclose(np.exp(model.stays) + np.exp(model.moves), 1, atol=0.2)


def test_a_vowel_sounds_like_itself(model: AcousticModel) -> None:
    """Formants of /i/ and /ɑ/, after Peterson and Barney (1952), by turns: none is the mean."""
    vowels = {"IY": (270, 2290, 3010), "AA": (730, 1090, 2440)}
    said = [*vowels] * 4
    heard = Features().push(np.concatenate([_vowel(vowels[phone]) for phone in said]))
    scorer = Scorer(model, [model.anywhere(model.number(name))[1] for name in vowels])
    scores, best = scorer(heard)
    for at, phone in list(enumerate(said))[2:]:
        iy, aa = scores[at * 20 + 5 : at * 20 + 15].mean(0)
        assert (iy > aa) == (phone == "IY")
    assert (best >= scores.max(1) - 1e-3).all()


def test_all_sentences_share_what_is_known_of_phones(model: AcousticModel) -> None:
    silence = model.anywhere(model.number(SILENCE))
    one, two = (Scorer(model, [mixture, *silence]) for mixture in (1000, 2000))
    assert np.shares_memory(one._densities, two._densities)


def test_frames_are_scored_one_by_one(model: AcousticModel) -> None:
    drawn = np.random.default_rng(0).standard_normal((30, STREAMS, CEPSTRA)) * 5
    features = drawn.astype(np.float32)
    scorer = Scorer(model, [1000, 2000, 3000])
    whole, best = scorer(features)
    parts = [scorer(features[at : at + 1]) for at in range(30)]
    assert np.allclose(whole, np.concatenate([scores for scores, _ in parts]), atol=0.01)
    assert np.allclose(best, np.concatenate([best for _, best in parts]), atol=0.01)


@pytest.mark.parametrize("name", ["mdef", "means", "sendump", "transition_matrices"])
def test_damaged_files_say_what_to_do(name: str, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "model")
    file = tmp_path / "model" / name
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="Install pocketsphinx again"):
        AcousticModel(tmp_path / "model")
    file.unlink()
    with pytest.raises(CheckpointError, match="Install pocketsphinx again"):
        AcousticModel(tmp_path / "model")


def _vowel(formants: tuple[int, ...], pitch_hz: float = 120.0) -> np.ndarray:
    times = np.arange(RATE // 5) / RATE
    made = np.zeros(len(times))
    for harmonic in np.arange(pitch_hz, 7000, pitch_hz):
        gain = sum(0.6**at / (1 + ((harmonic - f) / 60) ** 2) for at, f in enumerate(formants))
        made += (gain + 1e-3) * np.sin(2 * np.pi * harmonic * times + harmonic)
    return (0.1 * made / np.abs(made).max()).astype(np.float32)
