"""A picture that can't be made is refused before anything is measured."""

from pathlib import Path

import pytest

from mira.cli.bench.plot import check_plot
from mira.errors import InvalidRequest


def test_only_pictures_that_can_be_written(tmp_path: Path) -> None:
    check_plot(tmp_path / "load.png")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InvalidRequest, match=r"end its name in \.png"):
        check_plot(tmp_path / "load.svg")
    with pytest.raises(InvalidRequest, match="no file can be made"):
        check_plot(tmp_path / "no" / "load.png")
