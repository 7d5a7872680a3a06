"""Flags become settings, or an error that says how to write them."""

import pytest

from mira.cli.options import parse, settings_of
from mira.errors import InvalidRequest, InvalidSettings


def test_flags_are_settings() -> None:
    settings = settings_of(None, ["port=5200", "voice_aliases=alloy=anna, echo=ben"], host="::1")
    assert (settings.port, settings.host) == (5200, "::1")
    assert settings.voice_aliases == {"alloy": "anna", "echo": "ben"}
    assert settings_of(None, None, port=None).port == 5100


def test_what_is_no_pair_is_said() -> None:
    with pytest.raises(InvalidRequest, match="--set port: write it as NAME=VALUE"):
        parse(["port"])
    with pytest.raises(InvalidSettings, match="Did you mean"):
        settings_of(None, ["prot=1"])


def test_an_option_that_is_not_given_leaves_the_flag_of_its_name() -> None:
    assert settings_of(None, ["port=1", "model=a/b"], port=None, model=None).port == 1
    assert settings_of(None, ["model=a/b"], model="c/d").model == "c/d"
