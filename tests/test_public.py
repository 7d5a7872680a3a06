"""The public names: adding one is a promise, removing one breaks somebody."""

import mira
import mira.words


def test_public_names_are_frozen() -> None:
    assert sorted(mira.__all__) == [
        "Block",
        "Engine",
        "MiraError",
        "MiraTTS",
        "Said",
        "Samples",
        "Sampling",
        "Settings",
        "Voice",
        "load_engine",
        "load_settings",
    ]
    assert all(hasattr(mira, name) for name in mira.__all__)


def test_public_names_of_words_are_frozen() -> None:
    assert sorted(mira.words.__all__) == [
        "Characters",
        "Said",
        "SaidWord",
        "Spoken",
        "TimedCharacters",
        "characters",
        "document",
        "subrip",
        "webvtt",
        "word_lists",
        "word_object",
    ]
    assert all(hasattr(mira.words, name) for name in mira.words.__all__)
