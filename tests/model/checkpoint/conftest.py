"""What tests of this folder share: a checkpoint to damage, and a hub."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.model.checkpoint.hub_server import Hub, pointed_at, serving_hub, write_model


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """A checkpoint that a test may damage."""
    return lambda directory: Path(shutil.copytree(directory, tmp_path / "copy"))


@pytest.fixture
def model_files(tmp_path: Path) -> Path:
    """As a small model on the hub has: what is wanted of it, and what is not."""
    return write_model(tmp_path / "published")


@pytest.fixture
def hub(model_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with owner/name, which this process and those that it starts take for theirs."""
    with serving_hub(owner__name=model_files) as serving:
        pointed_at(serving, tmp_path / "home", monkeypatch)
        yield serving
