"""Decibels between what was expected and what was found."""

import numpy as np
import pytest

from mira.model.snr import snr_db

NOISE = np.random.default_rng(0).standard_normal(8000).astype(np.float32)


def test_the_same_is_the_most_and_a_tenth_is_twenty() -> None:
    assert snr_db(NOISE, NOISE) == 200
    assert snr_db(NOISE, NOISE * 0.9) == pytest.approx(20, abs=1e-3)
    assert snr_db(NOISE * 0, NOISE) < -200


def test_what_is_not_a_number_is_never_near() -> None:
    assert not snr_db(NOISE, np.full_like(NOISE, np.nan)) >= 0
