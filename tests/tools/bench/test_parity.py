"""What the comparison with the published codec rests on; that itself needs a checkout of it."""

import numpy as np
import pytest

from tools.bench import parity


def test_the_same_is_the_same_and_an_error_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = parity.Report()
    report.add("same", [1.0, -1.0], [1.0, -1.0])
    report.add("other", [1.0, -1.0], [1.1, -1.0])
    assert [row["snr_db"] for row in report.rows] == [200.0, pytest.approx(23.0, abs=0.1)]
    assert report.rows[1]["max_abs_error"] == pytest.approx(0.1)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_recording_is_the_same_each_time() -> None:
    recording = parity.test_recording(0.5)
    assert recording.shape == (8000,)
    assert np.abs(recording).max() < 1
    assert (recording == parity.test_recording(0.5)).all()
