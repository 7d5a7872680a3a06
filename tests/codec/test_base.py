"""Tokens and spans that make no sense are refused before anything is computed."""

import subprocess
import sys

import numpy as np
import pytest

from mira.codec.base import Span, Speaker, check_global_tokens, check_speech_tokens
from mira.errors import InvalidRequest, SynthesisFailed

NOBODY = Speaker(*(np.zeros(shape, np.float32) for shape in (1, (1, 1), (1, 1))))


def test_all_but_the_networks_does_without_torch() -> None:
    """So a codec of another make needs none of it."""
    modules = "base, batch, look_ahead, reference, stream"
    script = f"from mira.codec import {modules}\nimport sys\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 4), (2, 2), (2, 1), (3, 4)])
def test_span_outside_its_tokens(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="can't be rendered"):
        Span([1, 2, 3], NOBODY, start, stop)


def test_speech_tokens() -> None:
    check_speech_tokens([0, 8191])
    for wrong in (-1, 8192):
        with pytest.raises(SynthesisFailed, match=f"speech token {wrong} "):
            check_speech_tokens([5, wrong, 7])


def test_global_tokens() -> None:
    check_global_tokens([0, *[4095] * 31])
    for count in (0, 31, 33):
        with pytest.raises(InvalidRequest, match=f"32 global tokens, found {count}"):
            check_global_tokens([1] * count)
    for wrong in (-1, 4096):
        with pytest.raises(InvalidRequest, match=f"global token {wrong} ") as caught:
            check_global_tokens([*[1] * 31, wrong])
        assert caught.value.param == "global_tokens"
