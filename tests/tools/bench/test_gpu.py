"""What can be said of a card without one: its floor; and that there is none."""

import shutil
from pathlib import Path

import pytest

from mira.errors import InvalidRequest
from tools.bench.gpu import card, floor
from tools.tiny.language import true_dims


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there is a card here")
def test_without_a_card_nothing_is_measured() -> None:
    with pytest.raises(InvalidRequest, match="no NVIDIA card"):
        card()


def test_the_floor_is_bytes_over_speed(
    mira_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(mira_directory)
    tiny = floor(model, "NVIDIA H100 80GB HBM3", (1, 64))
    assert tiny[0]["floor ms"] == pytest.approx(tiny[0]["step reads MB"] / 3350, rel=1e-9)
    assert floor(model, "another card", (1,))[0]["floor ms"] is None
    monkeypatch.setattr("tools.bench.gpu.dims_of", lambda model: true_dims())
    one, many = floor(model, "NVIDIA H200", (1, 64))
    # Qwen2-0.5B without its embedding: 358 M parameters, and 12 KiB of cache for each token.
    assert one["step reads MB"] == pytest.approx(2 * (358 + 7.3) + 400 * 12288 / 1e6, rel=0.01)
    assert many["step reads MB"] - one["step reads MB"] == pytest.approx(63 * 400 * 12288 / 1e6)
