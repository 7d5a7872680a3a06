"""Cartesia's own SDK: over HTTP, and on a socket, where it is interrupted and speaks again."""

from pathlib import Path

from tests.clients.conftest import Run
from tests.server.serving import Served

PROGRAM = Path(__file__).parent / "cartesia_sdk.py"


def test_its_sdk_speaks_is_interrupted_and_speaks_again(speaker: Served, run_client: Run) -> None:
    assert run_client(PROGRAM.read_text("utf-8"), speaker.url) == "heard"
