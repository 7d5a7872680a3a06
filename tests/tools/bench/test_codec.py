"""Frames that are computed twice are counted, and small networks are measured."""

import pytest

from mira.model.codec.pytorch import TorchCodec
from mira.model.codec.stream import Window
from tests.model.codec.random_weights import random_weights
from tools.bench.codec import measure, render


@pytest.fixture(scope="module")
def codec() -> TorchCodec:
    return TorchCodec(random_weights())


def test_contexts_are_counted(codec: TorchCodec) -> None:
    speaker = codec.speaker([0] * 32)
    window = Window(first=8, steady=8, look_ahead=12)
    found = render(codec, [0] * 20, speaker, window, live=False)
    # 8 frames, of 20 tokens of which the wave generator needs 18; then 12, of all 20.
    assert (found.chunks, found.prenet_frames, found.wave_frames) == (2, 40, 38)
    found = render(codec, [0] * 5, speaker, window, live=False)  # fits into one
    assert (found.chunks, found.prenet_frames, found.wave_frames) == (1, 5, 5)


def test_every_way(codec: TorchCodec) -> None:
    rows = measure(codec, num_frames=100, rounds=1)
    assert [row["way"] for row in rows] == ["live", "file", "whole"]
    found = [{name: float(str(row[name])) for name in row if name != "way"} for row in rows]
    live, file, whole = found
    assert all(row["Hz"] == 16000 and row["compute/audio"] > 0 for row in found)
    assert live["chunks"] >= file["chunks"] > whole["chunks"] == 1
    assert live["prenet frames"] >= file["prenet frames"] > file["wave frames"] > 1
    assert whole["prenet frames"] == whole["wave frames"] == whole["over whole"] == 1
