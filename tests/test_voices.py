"""A name leads to a voice, to a visible substitute, or to a clear error."""

import pytest

from mira.errors import InvalidSettings, VoiceNotFound
from mira.types import Voice
from mira.voices import OPENAI_VOICES, Voices

ANNA, BEN = Voice("anna"), Voice("ben")


def test_an_exact_name_is_found() -> None:
    found = Voices([ANNA, BEN], "anna").find("ben")
    assert found.voice == BEN
    assert not found.substituted


@pytest.mark.parametrize("name", OPENAI_VOICES)
def test_openai_names_are_aliases_and_no_substitution(name: str) -> None:
    found = Voices([ANNA, BEN], "ben", strict=True).find(name)
    assert found.voice == BEN
    assert not found.substituted


def test_there_are_thirteen_of_them() -> None:
    assert len(set(OPENAI_VOICES)) == 13


@pytest.mark.parametrize("name", ["", "Anna", "zoe", "../anna", "anna\0", "ann" * 1000])
def test_an_unknown_name_is_visibly_substituted(name: str) -> None:
    found = Voices([ANNA, BEN], "anna").find(name)
    assert found.voice == ANNA
    assert found.substituted


def test_strict_names_near_ones() -> None:
    with pytest.raises(VoiceNotFound, match=r"no voice 'ana'. Try anna"):
        Voices([ANNA, BEN], "anna", strict=True).find("ana")


def test_the_default_has_to_exist() -> None:
    with pytest.raises(InvalidSettings, match=r"no voice 'zoe'. There is: anna, ben"):
        Voices([ANNA, BEN], "zoe")
