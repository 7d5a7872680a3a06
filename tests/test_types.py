"""Plain values: they never change, and refuse what no stage could use."""

import math
from dataclasses import FrozenInstanceError

import pytest

from mira.types import Sampling, Voice


def test_a_voice_is_a_value() -> None:
    voice = Voice("anna", (1, 2))
    assert voice == Voice("anna", (1, 2))
    assert (voice.speech_tokens, voice.transcript) == ((), "")
    assert {voice: 1}[Voice("anna", (1, 2))] == 1
    with pytest.raises(FrozenInstanceError):
        voice.name = "ben"  # type: ignore[misc]


def test_the_published_sampling_is_the_default() -> None:
    sampling = Sampling()
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (0.8, 50, 0.95)
    assert (sampling.min_p, sampling.repetition_penalty) == (0.05, 1.2)
    assert (sampling.max_new_tokens, sampling.seed) == (1024, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"min_p": -0.1},
        {"repetition_penalty": 0.0},
        {"max_new_tokens": 0},
    ],
)
def test_impossible_sampling_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Sampling(**wrong)  # type: ignore[arg-type]
