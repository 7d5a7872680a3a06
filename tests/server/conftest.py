"""A service that can clone, on a folder of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.server.serving import Served
from tests.toys import ToySynthesizer

Start = Callable[..., Served]


@pytest.fixture
def start(serve: Serve, tmp_path: Path) -> Start:
    """Starts one with a toy and settings; it can clone unless the toy is told otherwise."""

    def begin(toy: ToySynthesizer | None = None, **settings: object) -> Served:
        toy = toy or ToySynthesizer(fingerprint="c0ffee")
        return serve(toy, **{"voices_dir": tmp_path / "voices", **settings})

    return begin


@pytest.fixture
def cloning(start: Start) -> Served:
    """One with default settings."""
    return start()
