"""The table of look-aheads: exact at full context, and honest about less."""

import numpy as np
import pytest

from mira.model.codec.base import CONTEXT, Speaker
from mira.model.codec.look_ahead import log_spectral_distance_db, look_ahead_error
from mira.model.codec.pytorch import TorchCodec

TOKENS = np.random.default_rng(1).integers(0, 8192, 160).tolist()


def test_full_look_ahead_is_exact_and_none_is_not(codec: TorchCodec, speaker: Speaker) -> None:
    none, some, full = look_ahead_error(codec, TOKENS, speaker, [CONTEXT, 0, 20])
    assert [row.look_ahead for row in (none, some, full)] == [0, 20, CONTEXT]
    assert [row.delay_ms for row in (none, some, full)] == [0, 400, 1340]
    assert none.seam_snr_db < some.seam_snr_db < full.seam_snr_db
    assert none.snr_db < 40
    assert full.snr_db > 90
    assert full.distance_db < 0.01 < none.distance_db
    assert none.seam_snr_db < none.snr_db  # the error gathers at the seams


def test_recommendation_is_the_least_that_is_good_enough(
    codec: TorchCodec, speaker: Speaker
) -> None:
    rows = look_ahead_error(codec, TOKENS, speaker, [0, 8, 12, 24, CONTEXT])
    (recommended,) = [row for row in rows if row.recommended]
    assert recommended.seam_snr_db >= 30
    assert all(row.seam_snr_db < 30 for row in rows if row.look_ahead < recommended.look_ahead)


def test_too_short_an_utterance_is_refused(codec: TorchCodec, speaker: Speaker) -> None:
    with pytest.raises(ValueError, match="expected 92 or more speech tokens"):
        look_ahead_error(codec, TOKENS[:91], speaker)


def test_a_distance_is_that_of_the_spectra() -> None:
    noise = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    assert log_spectral_distance_db(noise, noise) == 0
    assert log_spectral_distance_db(noise, noise * 0.5) == pytest.approx(6.02, abs=0.05)
