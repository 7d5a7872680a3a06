"""Our own table: canonical, in order, and with nothing that is known without it."""

from mira.builtin import name_table
from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.text.sounds import ipa
from mira.types import Sentence
from tests.builtin.test_names import heard


def test_each_is_one_word_and_its_sounds() -> None:
    assert len(name_table.NAMES) > 200
    for name, sounds in name_table.WRITTEN.items():
        assert name.replace("'", "").isascii() and name.replace("'", "").isalpha()
        assert ipa(sounds) == sounds, name


def test_they_stand_once_and_in_order() -> None:
    tables = [
        name_table._read(table)
        for table in (
            name_table._PEOPLE,
            name_table._PLACES,
            name_table._COMPANIES_AND_PRODUCTS,
            name_table._DRUGS,
        )
    ]
    assert sum(map(len, tables)) == len(name_table.WRITTEN) == len(name_table.NAMES)
    for table in tables:
        assert [*table] == sorted(table, key=str.lower)


def test_none_is_known_without_it(builtin: BuiltinSynthesizer) -> None:
    needless = []
    for name, sounds in name_table.WRITTEN.items():
        del name_table.NAMES[name.lower()]
        try:
            said = builtin._phonemize.phonemes(Sentence.of(name))
        finally:
            name_table.NAMES[name.lower()] = sounds
        if heard(said) == heard(sounds):
            needless.append(name)
    assert needless == []
