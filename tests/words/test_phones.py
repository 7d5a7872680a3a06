"""IPA as phones of the acoustic model."""

from pathlib import Path

import pocketsphinx
import pytest

from mira.text.sounds import PHONEMES, cmu, ipa
from mira.words.phones import phones


@pytest.mark.parametrize("phoneme", sorted(PHONEMES))
def test_every_sound_has_a_phone_of_the_model(phoneme: str) -> None:
    (phone,) = phones(phoneme)
    model = Path(pocketsphinx.get_model_path("en-us/en-us/mdef")).read_bytes()
    assert f"\0{phone}\0".encode() in model


@pytest.mark.parametrize(
    "written", ["HH AH L OW", "CH ER CH", "JH OY", "B AH T ER", "S IH NG ER", "TH IH NG", "Y UW"]
)
def test_what_is_written_in_arpabet_comes_back(written: str) -> None:
    assert " ".join(phones(cmu(written))) == written


def test_stress_and_spaces_are_left_out() -> None:
    assert phones(ipa("nuː ˈjɔːɹk")) == ("N", "UW", "Y", "AO", "R", "K")
    assert phones("") == ()
