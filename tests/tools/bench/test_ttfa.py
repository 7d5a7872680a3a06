"""The first audio of a toy, over HTTP."""

from contextlib import closing

import pytest

from mira.cli.bench.client import Client
from mira.cli.bench.service import Service
from tools.bench.ttfa import first_audio


def test_first_byte_and_silence(toy_service: Service) -> None:
    with closing(Client(toy_service.url)) as client:
        first_byte_ms, silence_ms = first_audio(client, "Hello there.")
    assert 0 < first_byte_ms < 2000
    assert silence_ms == pytest.approx(0.04, abs=0.05)  # a tone, from its second sample on
