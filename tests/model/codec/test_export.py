"""What is written, and that what can't be is an error."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mira.model.codec import export
from mira.model.codec.export import (
    _worthiest_first,
    export_codec,
    export_measured,
)
from mira.model.codec.openvino import KEPT
from tests.model.codec.random_weights import random_weights


def test_a_file_for_each_network(exported: Path) -> None:
    names = ("prenet", "speaker", "speaker_encoder", "upsampler", "wave_generator")
    graphs = [f"{name}.{ending}" for name in names for ending in ("bin", "xml")]
    assert sorted(path.name for path in exported.iterdir()) == ["float32.npz", *graphs]


def test_what_is_kept_is_the_middle_of_the_last_utterances(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "quantize", lambda *arguments: None)  # it takes long
    directory = shutil.copytree(exported, tmp_path / "codec")
    speaker = list(range(32))
    spoken = [(list(range(length)), speaker) for length in (7, 8, 120, 9)]
    export_measured(directory, spoken)
    with np.load(directory / KEPT) as kept:
        assert kept["speech0"].tolist() == list(range(35, 85))
        assert kept["speech1"].tolist() == list(range(9))
        assert [len(kept[f"samples{number}"]) for number in (0, 1)] == [50 * 320, 9 * 320]
        assert len(kept) == 6


def test_a_place_that_can_not_be_written_to_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"speaker_encoder\.xml: can't be written"):
        export_codec(random_weights(backbone_blocks=1), None, tmp_path / "file")


def test_without_utterances_all_stays_exact(tmp_path: Path) -> None:
    export_codec(random_weights(backbone_blocks=1), None, tmp_path)
    assert export_measured(tmp_path, []) is None
    assert not list(tmp_path.glob("*int8*"))


def test_the_order_of_integers() -> None:
    """Of two blocks' 1 + 2 * 7 convolutions all but the first and (behind them) the last."""
    order = _worthiest_first(2)
    assert sorted(order) == list(range(1, 15))
    assert order[:6] == [9, 11, 13, 2, 4, 6]  # wide, the late block's first
    assert order[-2:] == [8, 1]  # what makes the rate higher
