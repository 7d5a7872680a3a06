"""Any word has sounds that others know, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mira.builtin.pronounce import Pronounce
from mira.text.sounds import PHONEMES, STRESSES

KNOWN = {*"".join(PHONEMES), *STRESSES, " "}


@pytest.fixture(scope="module")
def pronounce() -> Pronounce:
    return Pronounce()


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("Siobhan", "ʃɪvˈɔn"),
        ("Kowalczyk", "kˈaʊəltʃɪk"),
        ("battery", "bˈæɾəɹi"),
        ("Asterisk,", "ˈæstəɹˌɪsk"),
        ("PBX", "pˌibˌiˈɛks"),
        ("你", ""),
        ("—", ""),
        ("", ""),
    ],
)
def test_a_word_is_said_as_the_voice_says_it(pronounce: Pronounce, word: str, sounds: str) -> None:
    assert pronounce(word) == sounds


@given(word=st.text(st.characters(categories=["L", "N", "P"]), max_size=12))
def test_its_sounds_are_known(pronounce: Pronounce, word: str) -> None:
    assert {*pronounce(word)} <= KNOWN
