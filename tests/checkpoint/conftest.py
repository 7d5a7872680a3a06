"""One tiny checkpoint of each layout, written once and shared by all tests of this folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mira.checkpoint.layout import Checkpoint, open_checkpoint
from mira.checkpoint.tiny import write_tiny


@pytest.fixture(scope="session")
def mira_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("mira"), "mira")


@pytest.fixture(scope="session")
def spark_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("spark"), "spark")


@pytest.fixture(scope="session")
def mira(mira_directory: Path) -> Checkpoint:
    return open_checkpoint(mira_directory)


@pytest.fixture(scope="session")
def spark(spark_directory: Path) -> Checkpoint:
    return open_checkpoint(spark_directory)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """A checkpoint that a test may damage."""
    return lambda directory: Path(shutil.copytree(directory, tmp_path / "copy"))
