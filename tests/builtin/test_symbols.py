"""Every sound that a sender may write is one that the voice knows."""

import pytest

from mira.builtin.phonemes import Phonemizer
from mira.builtin.symbols import sounds, voiced
from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.text.sounds import PHONEMES, STRESSES, cmu, ipa


@pytest.fixture(scope="session")
def phonemizer(builtin: BuiltinSynthesizer) -> Phonemizer:
    return builtin._phonemize


def test_the_voice_has_a_symbol_for_each_sound(phonemizer: Phonemizer) -> None:
    entries = phonemizer._front_end.lexicon.golds.d.values()
    # Those that its network was trained with: it has numbers for many more.
    trained = {*"".join(sounds for sounds in entries if isinstance(sounds, str))}
    trained &= phonemizer._vocabulary.keys() | {"ɾ"}  # which the front end writes as T
    for sound in PHONEMES | STRESSES:
        for context in ("{}", "t{}", "{}t", "ɑ{}", "{}ɑ", "d{}n", "t{}l", "{}lɑ"):
            assert {*voiced(context.format(sound))} <= trained, (sound, context)


def test_each_sound_stays_apart_from_the_others() -> None:
    said = [voiced(f"b{sound}b") for sound in sorted(PHONEMES - {"ʔ"})]
    assert len(said) == len({*said})


def test_what_the_voice_says_can_be_written_down() -> None:
    for sound in PHONEMES - {"ʔ"} | STRESSES:
        assert sounds(voiced(f"b{sound}b")) == f"b{sound}b"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("JH EY1 M Z", "ʤˈAmz"),
        ("W AA0 K IY1 N", "wɑkˈin"),
        ("CH OY1 S", "ʧˈYs"),
        ("L IH1 T AH0 L", "lˈɪtᵊl"),
        ("S T UW1 D AH0 N T", "stˈudᵊnt"),
        ("V AE1 L AH0 N T AY2 N", "vˈæləntˌIn"),
        ("M AE1 D AH0 L IH0 N", "mˈædəlɪn"),
        ("N ER1 S ER0 IY0", "nˈɜɹsəɹi"),
    ],
)
def test_it_is_written_as_the_voices_lexicon_writes(written: str, said: str) -> None:
    assert voiced(cmu(written)) == said


@pytest.mark.parametrize(
    ("written", "said"), [("ˈbʌʔn", "bˈʌtn"), ("ˈʌʔoʊ", "ˈʌO"), ("ˈwɔɾəɹ", "wˈɔɾəɹ")]
)
def test_stops_and_flaps_are_the_voices(written: str, said: str) -> None:
    assert voiced(ipa(written)) == said
