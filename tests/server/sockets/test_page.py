"""What docs/agents.md shows to programs without a client is spoken as over HTTP."""

import re
from pathlib import Path

import pytest

from tests.server.serving import Served
from tests.server.sockets.client import Client, audio

PAGE = (Path(__file__).parents[3] / "docs" / "agents.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## Without a client") : PAGE.index("## How they are served")]
ROWS = re.findall(r"^\| ([^|]+) \| `(/[^`]+)` \| ([^|]+) \|$", SECTION, re.MULTILINE)


def test_each_protocol_has_a_row() -> None:
    assert len(ROWS) == 5


@pytest.mark.parametrize(("path", "shown"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_is_shown_is_spoken(speaker: Served, path: str, shown: str) -> None:
    whole = {"input": "Hello there.", "response_format": "ulaw", "sample_rate": 8000}
    expected = speaker.post("/v1/audio/speech", json=whole).content
    with Client(speaker, path) as client:
        client.say(*re.findall(r"`({[^`]+})`", shown))
        heard = client.rest(1.0)
    told = [message for message in heard if isinstance(message, dict)]
    binary = b"".join(message for message in heard if isinstance(message, bytes))
    assert binary + audio(told) + audio(told, "audio") == expected
