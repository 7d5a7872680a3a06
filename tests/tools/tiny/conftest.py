"""The tiny checkpoints, opened as the product does."""

from pathlib import Path

import pytest

from mira.model.checkpoint.layout import Checkpoint, open_checkpoint


@pytest.fixture(scope="session")
def mira(mira_directory: Path) -> Checkpoint:
    return open_checkpoint(mira_directory)


@pytest.fixture(scope="session")
def spark(spark_directory: Path) -> Checkpoint:
    return open_checkpoint(spark_directory)
