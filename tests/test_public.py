"""The public names: adding one is a promise, removing one breaks somebody."""

import mira


def test_public_names_are_frozen() -> None:
    assert sorted(mira.__all__) == [
        "Engine",
        "MiraError",
        "MiraTTS",
        "Samples",
        "Sampling",
        "Settings",
        "Voice",
        "load_engine",
        "load_settings",
    ]
    assert all(hasattr(mira, name) for name in mira.__all__)
